/* addition: both inputs have the gradient of the sum. */
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

static void forward(struct step *step)
{
    for (size_t i = 0; i < step->output_size; i++)
        step->output[i] = (double)step->input[0][i] + (double)step->input[1][i];
}

static void backward(struct step *step)
{
    for (size_t i = 0; i < step->output_size; i++)
        step->input_gradient[0][i] = step->input_gradient[1][i] = step->gradient[i];
}

const struct kind_reference reference_addition = {
    .forward = forward, .backward = backward, CASES(cases), NARROW_CASES(narrow_cases)};
