#include "layers/kind_internal.h"

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
    return window_is_valid(conv->image_size, conv->kernel_size, conv->stride, conv->padding,
                           reason);
}

/* Three implicit products. Every weight meets every output cell: taps on the padding are counted,
 * as is the custom. */
static void work(struct layer_work *work, const struct layer_config *config)
{
    const struct conv2d *conv = &config->as.conv2d;
    const double rows = config->batch_size, in = conv->channels_in, out = conv->channels_out;
    const double cells_in = rows * conv->image_size * conv->image_size;
    const double cells_out = rows * output_cells(conv);
    const double taps = (double)conv->kernel_size * conv->kernel_size;
    const double flops = 2 * cells_out * (taps * in * out);
    work_tensor(work, TENSOR_INPUT, "x", cells_in * in);
    work_tensor(work, TENSOR_OUTPUT, "y", cells_out * out);
    work_tensor(work, TENSOR_WEIGHTS, "weights", taps * in * out);
    work_tensor(work, TENSOR_BIAS, "bias", conv->use_bias ? out : 0);
    work->activation = conv->activation;
    work_product(work, WORK_FORWARD,
                 (struct work_operation){.flops = flops,
                                         .rows = cells_out,
                                         .depth = taps * in,
                                         .columns = out,
                                         .is_lowered = conv->kernel_size > 1});
    work_product(work, WORK_BACKWARD_DATA,
                 (struct work_operation){
                     .flops = flops, .rows = cells_in, .depth = taps * out, .columns = in});
    work_product(work, WORK_BACKWARD_WEIGHTS,
                 (struct work_operation){
                     .flops = flops, .rows = taps * in, .depth = cells_out, .columns = out});
}

const struct layer_descriptor layer_conv2d = {
    .name = "conv2d",
    .help = "square 2-D convolution, then bias and activation",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .is_valid = is_valid,
    .work = work,
};
