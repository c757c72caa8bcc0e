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
            "realistic reduction:batch_size=4,pass=train,optimizer=none,precision=fp32,outer=12,"
            "length=49,inner=1,reduce=min",
            "log_uniform reduction:batch_size=3,pass=train,optimizer=none,precision=fp32,"
            "outer=120,length=361,inner=3,reduce=max",
            "realistic reduction:batch_size=1,pass=forward,optimizer=none,precision=fp32,outer=1,"
            "length=49,inner=128,reduce=min",
            "uniform reduction:batch_size=63,pass=train,optimizer=none,precision=fp32,outer=59,"
            "length=1874,inner=13,reduce=max",
            "realistic reduction:batch_size=64,pass=forward,optimizer=none,precision=fp32,"
            "outer=1,length=256,inner=1,reduce=min",
            "log_uniform reduction:batch_size=1,pass=train,optimizer=none,precision=fp32,outer=1,"
            "length=73,inner=28,reduce=sum",
        },
};
