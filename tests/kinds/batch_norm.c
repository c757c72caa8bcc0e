#include "kinds/reference.h"

/* Batch, image, channels, activation. */
#define CASE(...) TRAINED(BATCH_NORM, batch_norm, __VA_ARGS__)

static const struct layer_config cases[] = {
    CASE(3, 4, 21, ACTIVATION_RELU), CASE(3, 8, 16, ACTIVATION_RELU),
    CASE(4, 7, 33, ACTIVATION_NONE), CASE(3, 5, 3, ACTIVATION_RELU),
    CASE(4, 6, 20, ACTIVATION_TANH), CASE(3, 1, 40, ACTIVATION_RELU),
    CASE(4, 1, 40, ACTIVATION_NONE), CASE(4, 9, 64, ACTIVATION_SIGMOID),
};

static const struct layer_config narrow_cases[] = {
    CASE(3, 8, 16, ACTIVATION_NONE),
    CASE(3, 5, 33, ACTIVATION_TANH),
};

const struct kind_reference reference_batch_norm = {
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "realistic batch_norm:batch_size=16,pass=forward,optimizer=none,precision=fp32,"
            "image_size=112,channels=6,activation=relu",
            "uniform batch_norm:batch_size=32,pass=train,optimizer=rmsprop,precision=fp32,"
            "image_size=110,channels=73,activation=tanh",
            "log_uniform batch_norm:batch_size=1,pass=forward,optimizer=none,precision=fp32,"
            "image_size=3,channels=86,activation=none",
            "log_uniform batch_norm:batch_size=26,pass=train,optimizer=adadelta,precision=fp32,"
            "image_size=166,channels=14,activation=sigmoid",
            "log_uniform batch_norm:batch_size=64,pass=forward,optimizer=none,precision=fp32,"
            "image_size=118,channels=3,activation=none",
            "uniform batch_norm:batch_size=5,pass=train,optimizer=adagrad,precision=fp32,"
            "image_size=15,channels=605,activation=sigmoid",
        },
};
