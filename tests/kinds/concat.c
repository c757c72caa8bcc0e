#include "kinds/reference.h"

/* Batch; parts, outer, first, second, third, rest. */
#define CASE(...) TRAINED(CONCAT, concat, __VA_ARGS__)

/* Of more parts than a reference reads: test_concat.c. */
static const struct layer_config cases[] = {
    CASE(3, 2, 4, 5, 7),      CASE(2, 4, 1, 64, 96, 32, 16), CASE(1, 3, 1, 1, 300, 2),
    CASE(4, 2, 1, 1000, 600), CASE(2, 4, 3, 5, 1, 9, 4),
};

static const struct layer_config narrow_cases[] = {
    CASE(3, 2, 4, 5, 7),
    CASE(2, 4, 1, 64, 96, 32, 16),
};

const struct kind_reference reference_concat = {
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "realistic "
            "concat:batch_size=16,pass=forward,optimizer=none,precision=fp32,parts=2,outer=1,first="
            "117600,second=64,third=0,rest=0",
            "log_uniform "
            "concat:batch_size=1,pass=train,optimizer=none,precision=fp32,parts=12,outer=1,first="
            "2003,second=35464,third=615,rest=200",
            "log_uniform "
            "concat:batch_size=54,pass=train,optimizer=none,precision=fp32,parts=4,outer=4,first="
            "304,second=18671,third=23,rest=27",
            "log_uniform "
            "concat:batch_size=3,pass=train,optimizer=none,precision=fp32,parts=29,outer=1,first="
            "981,second=119,third=59918,rest=70130",
            "log_uniform "
            "concat:batch_size=2,pass=train,optimizer=none,precision=fp32,parts=13,outer=147,first="
            "96,second=3122,third=3,rest=32",
            "log_uniform "
            "concat:batch_size=29,pass=train,optimizer=none,precision=fp32,parts=2,outer=65,first="
            "573,second=1986,third=0,rest=0",
        },
};
