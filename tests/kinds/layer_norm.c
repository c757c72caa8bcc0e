#include "kinds/reference.h"

/* Batch, positions, width; pixels. */
#define CASE(...) TRAINED(LAYER_NORM, layer_norm, __VA_ARGS__, STATISTICS_LAYER, 1)
#define RMS(...)  TRAINED(LAYER_NORM, layer_norm, __VA_ARGS__, STATISTICS_RMS, 1)
#define GROUP(batch, positions, width, pixels)                                                     \
    TRAINED(LAYER_NORM, layer_norm, batch, positions, width, STATISTICS_GROUP, pixels)

static const struct layer_config cases[] = {
    CASE(3, 4, 21),       CASE(2, 1, 64),      CASE(1, 7, 100),    CASE(4, 5, 3),
    CASE(2, 9, 257),      RMS(3, 4, 21),       RMS(1, 1, 300),     RMS(9, 5, 70),
    GROUP(3, 4, 2, 9),    GROUP(2, 32, 1, 16), GROUP(1, 1, 7, 50), GROUP(5, 3, 40, 1),
    GROUP(2, 2, 3, 1050),
};

static const struct layer_config narrow_cases[] = {
    CASE(3, 8, 48),
    RMS(3, 8, 48),
    GROUP(3, 4, 6, 36),
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
            "layer_norm:batch_size=29,pass=train,optimizer=sgd,precision=fp32,positions=8,width=18,"
            "statistics=rms",
            "log_uniform "
            "layer_norm:batch_size=11,pass=forward,optimizer=none,precision=fp32,positions=2,width="
            "2",
            "log_uniform "
            "layer_norm:batch_size=8,pass=train,optimizer=momentum,precision=fp32,positions=1240,"
            "width=195,statistics=rms",
            "realistic "
            "layer_norm:batch_size=8,pass=forward,optimizer=none,precision=fp32,positions=2048,"
            "width=768",
            "uniform "
            "layer_norm:batch_size=48,pass=train,optimizer=adagrad,precision=fp32,positions=48,"
            "width=2140",
        },
};
