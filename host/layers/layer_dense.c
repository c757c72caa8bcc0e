#include "layers/layer_internal.h"

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(dense, inputs), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_NEURONS, 1, 1000000),
     .sample_minimum = 1, .sample_maximum = 32768, .help = "inputs of one row"},
    {OWN(dense, outputs), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_NEURONS, 1, 1000000),
     .sample_minimum = 1, .sample_maximum = 32768, .help = "neurons"},
    {OWN(dense, use_bias), NAMED(choice_switch_, 2), .help = "adds a bias to every neuron"},
    {OWN(dense, activation), NAMED(choice_activation, ACTIVATION_COUNT),
     .help = "function of every output"},
};
DESCRIBES_ALL(dense, features);

static bool is_valid(const struct layer_config *config, const char **reason)
{
    const struct dense *dense = &config->as.dense;
    const double rows = config->batch_size, inputs = dense->inputs, outputs = dense->outputs;
    if (rows * inputs > ELEMENT_LIMIT)
        *reason = "the input would have more than 2^31 - 1 elements";
    else if (rows * outputs > ELEMENT_LIMIT)
        *reason = "the output would have more than 2^31 - 1 elements";
    else if (inputs * outputs > ELEMENT_LIMIT)
        *reason = "the weights would have more than 2^31 - 1 elements";
    else
        return true;
    return false;
}

static struct cost cost(const struct layer_config *config)
{
    const struct dense *dense = &config->as.dense;
    const double rows = config->batch_size, inputs = dense->inputs, outputs = dense->outputs;
    const double product_flops = 2 * rows * inputs * outputs; /* the three passes are this GEMM */
    const struct cost_parts parts = {
        .input = rows * inputs,
        .output = rows * outputs,
        .weights = inputs * outputs,
        .biases = dense->use_bias ? outputs : 0,
        .forward_flops = product_flops,
        .backward_data_flops = product_flops,
        .backward_weights_flops = product_flops,
        .activation = dense->activation,
    };
    return cost_of(config, &parts);
}

const struct layer_descriptor layer_dense = {
    .name = "dense",
    .help = "fully connected: y = activation(x W + b)",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .input_count = 1,
    .is_valid = is_valid,
    .cost = cost,
};
