#include "layers/layer_internal.h"

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(addition, elements), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ELEMENTS, 1, 1000000000),
     .sample_minimum = 1, .sample_maximum = 4194304, .help = "elements of one input, of one row"},
    {OWN(addition, activation), NAMED(choice_activation, ACTIVATION_COUNT),
     .help = "function of every output"},
};
DESCRIBES_ALL(addition, features);

static double element_count(const struct layer_config *config)
{
    return (double)config->batch_size * config->as.addition.elements;
}

static bool is_valid(const struct layer_config *config, const char **reason)
{
    if (element_count(config) <= ELEMENT_LIMIT)
        return true;
    *reason = "the output would have more than 2^31 - 1 elements";
    return false;
}

static struct cost cost(const struct layer_config *config)
{
    const double elements = element_count(config);
    const struct cost_parts parts = {
        .input = elements,
        .second_input = elements,
        .output = elements,
        .forward_flops = elements,
        .hands_gradient_on = true,
        .activation = config->as.addition.activation,
    };
    return cost_of(config, &parts);
}

const struct layer_descriptor layer_addition = {
    .name = "addition",
    .help = "sum of a residual's two tensors, then activation",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .input_count = 2,
    .is_valid = is_valid,
    .cost = cost,
};
