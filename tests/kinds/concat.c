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
            "concat:batch_size=1,pass=train,optimizer=none,precision=fp32,parts=4,outer=1,first="
            "200704,second=12544,third=50176,rest=78400",
            "log_uniform "
            "concat:batch_size=29,pass=train,optimizer=none,precision=fp32,parts=3,outer=1,first="
            "14,second=10,third=304153,rest=0",
            "uniform "
            "concat:batch_size=38,pass=forward,optimizer=none,precision=fp32,parts=4,outer=2,first="
            "72434,second=49472,third=50460,rest=73822",
            "realistic "
            "concat:batch_size=1,pass=forward,optimizer=none,precision=fp32,parts=2,outer=128,"
            "first=768,second=100352,third=0,rest=0",
            "log_uniform "
            "concat:batch_size=37,pass=forward,optimizer=none,precision=fp32,parts=13,outer=5,"
            "first=64,second=66,third=5227,rest=187",
            "realistic "
            "concat:batch_size=16,pass=train,optimizer=none,precision=fp32,parts=3,outer=1,first="
            "6272,second=802816,third=1568,rest=0",
        },
};
