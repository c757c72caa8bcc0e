#include "layers/layer_internal.h"

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(conv2d, image_size), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 1, 4096),
     .sample_minimum = 1, .sample_maximum = 256, .help = "side of the square input image"},
    {OWN(conv2d, kernel_size), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 1, 64),
     .sample_minimum = 1, .sample_maximum = 11, .help = "side of the square kernel"},
    {OWN(conv2d, channels_in), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_CHANNELS, 1, 65536),
     .sample_minimum = 1, .sample_maximum = 1024, .help = "channels of the input"},
    {OWN(conv2d, channels_out), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_CHANNELS, 1, 65536),
     .sample_minimum = 1, .sample_maximum = 1024, .help = "channels of the output (filters)"},
    {OWN(conv2d, stride), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 1, 16), .sample_minimum = 1,
     .sample_maximum = 4, .help = "step of the kernel"},
    {OWN(conv2d, padding), NAMED(choice_padding, 2),
     .help = "same: output side ceil(image/stride); valid: no zeros around the image"},
    {OWN(conv2d, use_bias), NAMED(choice_switch_, 2), .help = "adds a bias to every channel"},
    {OWN(conv2d, activation), NAMED(choice_activation, ACTIVATION_COUNT),
     .help = "function of every output"},
};
DESCRIBES_ALL(conv2d, features);

static double output_cells(const struct conv2d *conv)
{
    const double side =
        window_of(conv->image_size, conv->kernel_size, conv->stride, conv->padding).output_size;
    return side * side;
}

static bool is_valid(const struct layer_config *config, const char **reason)
{
    const struct conv2d *conv = &config->as.conv2d;
    if (!window_is_valid(conv->image_size, conv->kernel_size, conv->stride, conv->padding, reason))
        return false;
    const double rows = config->batch_size, image = conv->image_size, kernel = conv->kernel_size;
    if (rows * image * image * conv->channels_in > ELEMENT_LIMIT)
        *reason = "the input would have more than 2^31 - 1 elements";
    else if (rows * output_cells(conv) * conv->channels_out > ELEMENT_LIMIT)
        *reason = "the output would have more than 2^31 - 1 elements";
    else if (kernel * kernel * conv->channels_in * conv->channels_out > ELEMENT_LIMIT)
        *reason = "the weights would have more than 2^31 - 1 elements";
    else
        return true;
    return false;
}

static struct cost cost(const struct layer_config *config)
{
    const struct conv2d *conv = &config->as.conv2d;
    const double rows = config->batch_size, image = conv->image_size, kernel = conv->kernel_size;
    const double weights = kernel * kernel * conv->channels_in * conv->channels_out;
    /* Every weight meets every output cell; taps on the padding are counted, as is the custom. */
    const double product_flops = 2 * rows * output_cells(conv) * weights;
    const struct cost_parts parts = {
        .input = rows * image * image * conv->channels_in,
        .output = rows * output_cells(conv) * conv->channels_out,
        .weights = weights,
        .biases = conv->use_bias ? conv->channels_out : 0,
        .forward_flops = product_flops,
        .backward_data_flops = product_flops,
        .backward_weights_flops = product_flops,
        .activation = conv->activation,
    };
    return cost_of(config, &parts);
}

const struct layer_descriptor layer_conv2d = {
    .name = "conv2d",
    .help = "square 2-D convolution, then bias and activation",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .input_count = 1,
    .is_valid = is_valid,
    .cost = cost,
};
