#include "kinds/reference.h"

/* Of a batch of two: outer, length, inner, what. */
#define CASE(...) TRAINED(REDUCTION, reduction, 2, __VA_ARGS__)
/* Rows, columns, both in rests of vectors; an axis and results of several blocks. */
#define SHAPES(reduce, text)                                                                       \
    CASE(3, 7, 5, reduce), CASE(1, 49, 1, reduce), CASE(33, 100, 1, reduce),                       \
        CASE(1, 12, 2100, reduce), CASE(1, 40000, 1, reduce), CASE(1, 9000, 3, reduce),            \
        CASE(2, 2, 9, reduce),

static const struct layer_config cases[] = {REDUCE_LIST(SHAPES)};

#define NARROW(reduce, text) CASE(3, 8, 5, reduce), CASE(9, 30, 1, reduce),

static const struct layer_config narrow_cases[] = {REDUCE_LIST(NARROW)};

const struct kind_reference reference_reduction = {
    .wants_distinct_inputs = true,
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "realistic "
            "reduction:batch_size=1,pass=train,optimizer=none,precision=fp32,outer=96,length=128,"
            "inner=512,reduce=sum",
            "log_uniform "
            "reduction:batch_size=29,pass=train,optimizer=none,precision=fp32,outer=13,length=2,"
            "inner=6,reduce=mean",
            "uniform "
            "reduction:batch_size=38,pass=forward,optimizer=none,precision=fp32,outer=27,length="
            "725,inner=24,reduce=max",
            "realistic "
            "reduction:batch_size=16,pass=train,optimizer=none,precision=fp32,outer=768,length=512,"
            "inner=1,reduce=norm",
            "log_uniform "
            "reduction:batch_size=37,pass=forward,optimizer=none,precision=fp32,outer=2170,length="
            "17,inner=18,reduce=sum",
            "realistic "
            "reduction:batch_size=16,pass=train,optimizer=none,precision=fp32,outer=64,length=49,"
            "inner=1,reduce=norm",
        },
};
