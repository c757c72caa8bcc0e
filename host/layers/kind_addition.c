#include "layers/kind_internal.h"

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(addition, elements), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ELEMENTS, 1, 1000000000),
     .sample_minimum = 1, .sample_maximum = 4194304, .help = "elements of one input, of one row"},
    {OWN(addition, activation), NAMED(choice_activation, ACTIVATION_COUNT),
     .help = "function of every output"},
};
DESCRIBES_ALL(addition, features);

static void work(struct layer_work *work, const struct layer_config *config)
{
    const double elements = (double)config->batch_size * config->as.addition.elements;
    const struct layer_tensor input = {
        .role = TENSOR_INPUT, .count = elements, .shares_gradient = true};
    struct layer_tensor a = input, b = input;
    a.name = "a";
    b.name = "b";
    work_tensor(work, TENSOR_OUTPUT, "y", elements);
    work_add_tensor(work, a);
    work_add_tensor(work, b);
    work->activation = config->as.addition.activation;
    work->in_place = IN_PLACE_ALWAYS;
    work_stream(work, WORK_FORWARD, (struct work_operation){.flops = elements});
}

const struct layer_descriptor layer_addition = {
    .name = "addition",
    .help = "sum of a residual's two tensors, then activation",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .work = work,
};
