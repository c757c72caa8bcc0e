#include "kinds/reference.h"

/* Batch, positions, width. */
#define CASE(...) TRAINED(LAYER_NORM, layer_norm, __VA_ARGS__)

static const struct layer_config cases[] = {
    CASE(3, 4, 21), CASE(2, 1, 64), CASE(1, 7, 100), CASE(4, 5, 3), CASE(2, 9, 257),
};

static const struct layer_config narrow_cases[] = {
    CASE(3, 8, 48),
};

const struct kind_reference reference_layer_norm = {
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "uniform "
            "layer_norm:batch_size=9,pass=forward,optimizer=none,precision=fp32,positions=1153,"
            "width=4212",
            "log_uniform "
            "layer_norm:batch_size=29,pass=train,optimizer=sgd,precision=fp32,positions=8,width=18",
            "log_uniform "
            "layer_norm:batch_size=11,pass=forward,optimizer=none,precision=fp32,positions=2,width="
            "2",
            "log_uniform "
            "layer_norm:batch_size=7,pass=train,optimizer=momentum,precision=fp32,positions=583,"
            "width=3751",
            "realistic "
            "layer_norm:batch_size=8,pass=forward,optimizer=none,precision=fp32,positions=2048,"
            "width=1024",
            "uniform "
            "layer_norm:batch_size=41,pass=train,optimizer=adagrad,precision=fp32,positions=271,"
            "width=3453",
        },
};
