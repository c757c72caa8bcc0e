#include "kinds/reference.h"

/* Batch, inputs, outputs: every activation, with a bias and without one in turn. */
#define ACTIVATIONS(bias, ...)                                                                     \
    TRAINED(DENSE, dense, __VA_ARGS__, (bias), ACTIVATION_NONE),                                   \
        TRAINED(DENSE, dense, __VA_ARGS__, !(bias), ACTIVATION_RELU),                              \
        TRAINED(DENSE, dense, __VA_ARGS__, (bias), ACTIVATION_TANH),                               \
        TRAINED(DENSE, dense, __VA_ARGS__, !(bias), ACTIVATION_SIGMOID)

static const struct layer_config cases[] = {
    TRAINED(DENSE, dense, 20, 50, 30, 1, ACTIVATION_NONE),
    ACTIVATIONS(0, 4, 5, 7),
    ACTIVATIONS(1, 16, 64, 32),
    ACTIVATIONS(0, 3, 130, 17),
    ACTIVATIONS(1, 33, 48, 96),
    ACTIVATIONS(0, 1, 40, 24),
    ACTIVATIONS(1, 8, 256, 64),
    ACTIVATIONS(0, 70, 16, 8),
    ACTIVATIONS(1, 600, 24, 40),
};

static const struct layer_config narrow_cases[] = {
    TRAINED(DENSE, dense, 16, 64, 32, 1, ACTIVATION_TANH),
    TRAINED(DENSE, dense, 3, 130, 17, 0, ACTIVATION_RELU),
};

const struct kind_reference reference_dense = {
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "log_uniform dense:batch_size=28,pass=train,optimizer=adagrad,precision=fp32,inputs=2,"
            "outputs=31,use_bias=no,activation=tanh",
            "log_uniform dense:batch_size=1,pass=forward,optimizer=none,precision=fp32,inputs=2488,"
            "outputs=562,use_bias=yes,activation=none",
            "log_uniform dense:batch_size=7,pass=train,optimizer=adam,precision=fp32,inputs=416,"
            "outputs=2579,use_bias=no,activation=relu",
            "uniform dense:batch_size=38,pass=forward,optimizer=none,precision=fp32,inputs=1134,"
            "outputs=227,use_bias=yes,activation=sigmoid",
            "log_uniform dense:batch_size=14,pass=train,optimizer=sgd,precision=fp32,inputs=99,"
            "outputs=109,use_bias=no,activation=relu",
            "log_uniform dense:batch_size=3,pass=forward,optimizer=none,precision=fp32,inputs=753,"
            "outputs=2140,use_bias=yes,activation=sigmoid",
        },
};
