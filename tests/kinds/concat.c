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
            "log_uniform "
            "concat:batch_size=7,pass=train,optimizer=none,precision=fp32,parts=12,outer=135,first="
            "225,second=86,third=256,rest=982",
            "uniform "
            "concat:batch_size=15,pass=forward,optimizer=none,precision=fp32,parts=4,outer=4,first="
            "26991,second=15660,third=66058,rest=7204",
            "log_uniform "
            "concat:batch_size=5,pass=train,optimizer=none,precision=fp32,parts=2,outer=183,first="
            "64647,second=874,third=0,rest=0",
            "realistic "
            "concat:batch_size=16,pass=forward,optimizer=none,precision=fp32,parts=8,outer=1,first="
            "64,second=200704,third=512,rest=50176",
            "log_uniform "
            "concat:batch_size=21,pass=train,optimizer=none,precision=fp32,parts=32,outer=1,first="
            "472413,second=146,third=415954,rest=15",
            "log_uniform "
            "concat:batch_size=1,pass=forward,optimizer=none,precision=fp32,parts=20,outer=3,first="
            "7,second=3,third=25,rest=169",
        },
};
