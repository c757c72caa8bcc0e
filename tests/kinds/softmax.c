#include "kinds/reference.h"

/* Batch, positions, width. */
#define CASE(...) TRAINED(SOFTMAX, softmax, __VA_ARGS__)

static const struct layer_config cases[] = {
    CASE(3, 4, 21), CASE(2, 1, 64), CASE(1, 7, 100), CASE(4, 5, 3), CASE(2, 3, 1031),
};

static const struct layer_config narrow_cases[] = {
    CASE(3, 8, 48),
};

const struct kind_reference reference_softmax = {
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "log_uniform "
            "softmax:batch_size=2,pass=forward,optimizer=none,precision=fp32,positions=5,width="
            "3337",
            "log_uniform "
            "softmax:batch_size=35,pass=train,optimizer=none,precision=fp32,positions=12165,width="
            "152",
            "log_uniform "
            "softmax:batch_size=8,pass=forward,optimizer=none,precision=fp32,positions=682,width=7",
            "uniform "
            "softmax:batch_size=29,pass=forward,optimizer=none,precision=fp32,positions=1059,width="
            "1917",
            "uniform "
            "softmax:batch_size=23,pass=forward,optimizer=none,precision=fp32,positions=592,width="
            "5008",
            "log_uniform "
            "softmax:batch_size=19,pass=train,optimizer=none,precision=fp32,positions=366,width=36",
        },
};
