#include "kinds/reference.h"

/* Every activation of a batch of three. */
#define ACTIVATIONS(elements)                                                                      \
    TRAINED(ADDITION, addition, 3, (elements), ACTIVATION_NONE),                                   \
        TRAINED(ADDITION, addition, 3, (elements), ACTIVATION_RELU),                               \
        TRAINED(ADDITION, addition, 3, (elements), ACTIVATION_TANH),                               \
        TRAINED(ADDITION, addition, 3, (elements), ACTIVATION_SIGMOID)

static const struct layer_config cases[] = {
    ACTIVATIONS(500), ACTIVATIONS(1), ACTIVATIONS(10), ACTIVATIONS(73), ACTIVATIONS(3601),
};

static const struct layer_config narrow_cases[] = {
    TRAINED(ADDITION, addition, 3, 500, ACTIVATION_RELU),
};

const struct kind_reference reference_addition = {
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "realistic addition:batch_size=64,pass=train,optimizer=none,precision=fp32,"
            "elements=200704,activation=tanh",
            "realistic addition:batch_size=4,pass=forward,optimizer=none,precision=fp32,"
            "elements=50176,activation=relu",
            "realistic addition:batch_size=8,pass=train,optimizer=none,precision=fp32,"
            "elements=12544,activation=none",
            "log_uniform addition:batch_size=10,pass=forward,optimizer=none,precision=fp32,"
            "elements=1164054,activation=sigmoid",
            "log_uniform addition:batch_size=20,pass=train,optimizer=none,precision=fp32,"
            "elements=550232,activation=tanh",
            "log_uniform addition:batch_size=4,pass=forward,optimizer=none,precision=fp32,"
            "elements=2,activation=relu",
        },
};
