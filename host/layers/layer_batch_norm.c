#include "layers/layer_internal.h"

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(batch_norm, image_size), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 1, 4096),
     .sample_minimum = 1, .sample_maximum = 256, .help = "side of the square image"},
    {OWN(batch_norm, channels), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_CHANNELS, 1, 65536),
     .sample_minimum = 1, .sample_maximum = 2048, .help = "channels, each with its statistics"},
    {OWN(batch_norm, activation), NAMED(choice_activation, ACTIVATION_COUNT),
     .help = "function of every output"},
};
DESCRIBES_ALL(batch_norm, features);

static double element_count(const struct layer_config *config)
{
    const struct batch_norm *norm = &config->as.batch_norm;
    return (double)config->batch_size * norm->image_size * norm->image_size * norm->channels;
}

static bool is_valid(const struct layer_config *config, const char **reason)
{
    if (element_count(config) <= ELEMENT_LIMIT)
        return true;
    *reason = "the input would have more than 2^31 - 1 elements";
    return false;
}

/* What is more than a pass over the input: forward reads a mean and a variance a channel; training
 * goes over the input once more for the statistics, and once more for the input's gradient, which
 * needs the sums of the scales' and the shifts'. */
static double further_reads(const struct layer_config *config)
{
    const double channels = config->as.batch_norm.channels;
    return 2 * channels + (config->pass == PASS_TRAIN ? 2 * element_count(config) : 0);
}

/* x a + b an element; training: mean and variance (sum, subtract, square, sum); backward: the sums
 * of g and g (x - m), 4, then g - s - (x - m) t with a factor, 5. */
static struct cost cost(const struct layer_config *config)
{
    const double elements = element_count(config), channels = config->as.batch_norm.channels;
    const double element_bytes = precision_bytes(config->precision);
    const struct cost_parts parts = {
        .input = elements,
        .output = elements,
        .weights = 2 * channels,
        .kept_bytes = FLOAT_BYTES * 2 * channels, /* mean and variance, for backward */
        .forward_flops = (config->pass == PASS_TRAIN ? 6 : 2) * elements,
        .backward_data_flops = 5 * elements,
        .backward_weights_flops = 4 * elements,
        .activation = config->as.batch_norm.activation,
    };
    struct cost cost = cost_of(config, &parts);
    cost.bytes_read += element_bytes * further_reads(config);
    return cost;
}

const struct layer_descriptor layer_batch_norm = {
    .name = "batch_norm",
    .help = "batch normalisation of square images, then activation",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .input_count = 1,
    .is_valid = is_valid,
    .cost = cost,
};
