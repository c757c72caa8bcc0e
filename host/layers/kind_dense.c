#include "layers/kind_internal.h"

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

static void work(struct layer_work *work, const struct layer_config *config)
{
    const struct dense *dense = &config->as.dense;
    const double rows = config->batch_size, inputs = dense->inputs, outputs = dense->outputs;
    work_tensor(work, TENSOR_INPUT, "x", rows * inputs);
    work_tensor(work, TENSOR_OUTPUT, "y", rows * outputs);
    work_tensor(work, TENSOR_WEIGHTS, "weights", inputs * outputs);
    work_tensor(work, TENSOR_BIAS, "bias", dense->use_bias ? outputs : 0);
    work->activation = dense->activation;
    work_product(work, WORK_FORWARD,
                 (struct work_operation){.rows = rows, .depth = inputs, .columns = outputs});
    work_product(work, WORK_BACKWARD_DATA,
                 (struct work_operation){.rows = rows, .depth = outputs, .columns = inputs});
    work_product(work, WORK_BACKWARD_WEIGHTS,
                 (struct work_operation){.rows = inputs, .depth = rows, .columns = outputs});
}

const struct layer_descriptor layer_dense = {
    .name = "dense",
    .help = "fully connected: y = activation(x W + b)",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .work = work,
};
