#include "kinds/reference.h"

/* Batch, image, kernel, channels, stride, padding, pooling, activation. */
#define CASE(...) TRAINED(POOL2D, pool2d, __VA_ARGS__)
#define BOTH(image, kernel, channels, stride, padding, activation)                                 \
    CASE(3, image, kernel, channels, stride, padding, POOLING_MAX, activation),                    \
        CASE(3, image, kernel, channels, stride, padding, POOLING_AVERAGE, activation)

static const struct layer_config cases[] = {
    BOTH(8, 2, 16, 2, PADDING_VALID, ACTIVATION_NONE),
    BOTH(8, 3, 16, 2, PADDING_SAME, ACTIVATION_RELU), /* zeros: 0 before, 1 after */
    BOTH(9, 3, 20, 1, PADDING_SAME, ACTIVATION_SIGMOID),
    BOTH(9, 2, 3, 2, PADDING_VALID, ACTIVATION_NONE), /* last pixels unused */
    BOTH(7, 7, 33, 1, PADDING_VALID, ACTIVATION_TANH),
    BOTH(10, 4, 8, 3, PADDING_SAME, ACTIVATION_NONE),
    BOTH(12, 5, 8, 2, PADDING_SAME, ACTIVATION_RELU),
    BOTH(8, 1, 8, 2, PADDING_SAME, ACTIVATION_NONE),
};

static const struct layer_config narrow_cases[] = {
    CASE(2, 9, 3, 20, 1, PADDING_SAME, POOLING_AVERAGE, ACTIVATION_NONE),
    CASE(2, 8, 2, 16, 2, PADDING_VALID, POOLING_AVERAGE, ACTIVATION_RELU),
    CASE(2, 8, 2, 16, 2, PADDING_VALID, POOLING_MAX, ACTIVATION_NONE),
};

const struct kind_reference reference_pool2d = {
    .wants_distinct_inputs = true,
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "log_uniform pool2d:batch_size=14,pass=forward,optimizer=none,precision=fp32,"
            "image_size=241,kernel_size=5,channels=34,stride=2,padding=same,pooling=max,"
            "activation=none",
            "uniform pool2d:batch_size=19,pass=train,optimizer=none,precision=fp32,image_size=48,"
            "kernel_size=4,channels=65,stride=4,padding=valid,pooling=average,activation=tanh",
            "realistic pool2d:batch_size=1,pass=forward,optimizer=none,precision=fp32,"
            "image_size=32,kernel_size=2,channels=384,stride=2,padding=same,pooling=average,"
            "activation=sigmoid",
            "realistic pool2d:batch_size=64,pass=train,optimizer=none,precision=fp32,image_size=56,"
            "kernel_size=5,channels=6,stride=1,padding=same,pooling=max,activation=relu",
            "realistic pool2d:batch_size=32,pass=forward,optimizer=none,precision=fp32,"
            "image_size=56,kernel_size=5,channels=1024,stride=2,padding=same,pooling=average,"
            "activation=sigmoid",
            "realistic pool2d:batch_size=2,pass=train,optimizer=none,precision=fp32,image_size=16,"
            "kernel_size=3,channels=64,stride=1,padding=same,pooling=max,activation=relu",
        },
};
