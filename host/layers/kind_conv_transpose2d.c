#include "layers/kind_internal.h"

static const struct sample_shapes side_shapes = {
    .values = {1,  2,  4,  4,  7,  8,  8,  14, 14, 16, 16, 16, 24,  28,
               28, 32, 32, 32, 34, 48, 56, 56, 64, 64, 64, 96, 112, 128},
    .paper_minimum = 1,
    .paper_maximum = 32,
};
static const struct sample_shapes depth_shapes = {
    .values = {3, 16, 21, 32, 64, 64, 96, 128, 128, 192, 256, 256, 512, 512, 1024},
    .paper_minimum = 1,
    .paper_maximum = 128,
};
/* U-Net 2, DCGAN and pix2pix 4, CycleGAN 3, FCN 4 and 16 */
static const struct sample_shapes window_shapes = {
    .values = {2, 2, 2, 2, 3, 3, 4, 4, 4, 4, 4, 8, 16},
    .paper_minimum = 1,
    .paper_maximum = 7,
};
static const struct sample_shapes step_shapes = {
    .values = {1, 2, 2, 2, 2, 2, 2, 2, 4, 8},
    .paper_minimum = 1,
    .paper_maximum = 4,
};
static const struct sample_shapes width_shapes = {.rare_percent = 10};

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(conv_transpose2d, image_size), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 1, 4096),
     .sample_minimum = 1, .sample_maximum = 128, .shapes = &side_shapes,
     .help = "height of the input image, and its width unless image_width is set"},
    {OWN(conv_transpose2d, kernel_size), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 1, 64),
     .sample_minimum = 1, .sample_maximum = 16, .shapes = &window_shapes,
     .help = "height of the kernel, and its width unless kernel_width is set"},
    {OWN(conv_transpose2d, channels_in), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_CHANNELS, 1, 65536),
     .sample_minimum = 1, .sample_maximum = 1024, .shapes = &depth_shapes,
     .help = "channels of the input"},
    {OWN(conv_transpose2d, channels_out), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_CHANNELS, 1, 65536),
     .sample_minimum = 1, .sample_maximum = 1024, .shapes = &depth_shapes,
     .help = "channels of the output"},
    {OWN(conv_transpose2d, stride), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 1, 32),
     .sample_minimum = 1, .sample_maximum = 8, .shapes = &step_shapes,
     .help = "output pixels from one input pixel to the next"},
    {OWN(conv_transpose2d, padding), NAMED(choice_padding, 2), .shapes = &padding_shapes,
     .help = "same: output side image * stride; valid: (image - 1) * stride + kernel"},
    {OWN(conv_transpose2d, use_bias), NAMED(choice_switch_, 2),
     .help = "adds a bias to every channel"},
    {OWN(conv_transpose2d, activation), NAMED(choice_activation, ACTIVATION_COUNT),
     .help = "function of every output"},
    {OWN(conv_transpose2d, image_width), .since = 2, .missing = 0,
     NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 0, 65536), .stands_for = "image_size",
     .sample_minimum = 0, .sample_maximum = 128, .shapes = &width_shapes,
     .help = "width of the input image; 0: a square. 1-D: image_size and kernel_size are 1"},
    {OWN(conv_transpose2d, kernel_width), .since = 2, .missing = 0,
     NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 0, 256), .stands_for = "kernel_size",
     .sample_minimum = 0, .sample_maximum = 16, .shapes = &width_shapes,
     .help = "width of the kernel; 0: a square"},
};
DESCRIBES_ALL(conv_transpose2d, features);

/* Members of struct conv_transpose2d in their order. */
#define FORM(...)                                                                                  \
    {                                                                                              \
        .kind = LAYER_CONV_TRANSPOSE2D, .batch_size = 1, .as.conv_transpose2d = { __VA_ARGS__ }    \
    }
#define NO  SWITCH_NO, ACTIVATION_NONE
#define YES SWITCH_YES, ACTIVATION_NONE
static const struct layer_config forms[] = {
    /* U-Net, arXiv 1505.04597, of 572 and of 512 pixels */
    FORM(28, 2, 1024, 512, 2, PADDING_VALID, YES),
    FORM(52, 2, 512, 256, 2, PADDING_VALID, YES),
    FORM(100, 2, 256, 128, 2, PADDING_VALID, YES),
    FORM(196, 2, 128, 64, 2, PADDING_VALID, YES),
    FORM(32, 2, 1024, 512, 2, PADDING_VALID, YES),
    FORM(64, 2, 512, 256, 2, PADDING_VALID, YES),
    FORM(128, 2, 256, 128, 2, PADDING_VALID, YES),
    FORM(256, 2, 128, 64, 2, PADDING_VALID, YES),
    /* DCGAN, arXiv 1511.06434, as in PyTorch's examples */
    FORM(1, 4, 100, 512, 1, PADDING_VALID, NO),
    FORM(4, 4, 512, 256, 2, PADDING_SAME, NO),
    FORM(8, 4, 256, 128, 2, PADDING_SAME, NO),
    FORM(16, 4, 128, 64, 2, PADDING_SAME, NO),
    FORM(32, 4, 64, 3, 2, PADDING_SAME, SWITCH_NO, ACTIVATION_TANH),
    /* pix2pix, arXiv 1611.07004; CycleGAN, arXiv 1703.10593 */
    FORM(1, 4, 512, 512, 2, PADDING_SAME, NO),
    FORM(2, 4, 1024, 512, 2, PADDING_SAME, NO),
    FORM(8, 4, 1024, 512, 2, PADDING_SAME, NO),
    FORM(16, 4, 1024, 256, 2, PADDING_SAME, NO),
    FORM(64, 4, 256, 64, 2, PADDING_SAME, NO),
    FORM(128, 4, 128, 3, 2, PADDING_SAME, SWITCH_YES, ACTIVATION_TANH),
    FORM(64, 3, 256, 128, 2, PADDING_SAME, YES),
    FORM(128, 3, 128, 64, 2, PADDING_SAME, YES),
    /* heads of segmentation: FCN, arXiv 1411.4038; Mask R-CNN, arXiv 1703.06870; CenterNet */
    FORM(16, 4, 21, 21, 2, PADDING_SAME, NO),
    FORM(34, 16, 21, 21, 8, PADDING_SAME, NO),
    FORM(14, 2, 256, 256, 2, PADDING_VALID, SWITCH_YES, ACTIVATION_RELU),
    FORM(16, 4, 512, 256, 2, PADDING_SAME, NO),
    FORM(64, 4, 256, 256, 2, PADDING_SAME, NO, 128),
    /* 1-D: HiFi-GAN, arXiv 2010.05646; Demucs, arXiv 1911.13254 */
    FORM(1, 1, 512, 256, 8, PADDING_SAME, YES, 32, 16),
    FORM(1, 1, 256, 128, 8, PADDING_SAME, YES, 256, 16),
    FORM(1, 1, 128, 64, 2, PADDING_SAME, YES, 2048, 4),
    FORM(1, 1, 64, 32, 2, PADDING_SAME, YES, 4096, 4),
    FORM(1, 1, 256, 128, 4, PADDING_VALID, SWITCH_YES, ACTIVATION_RELU, 690, 8),
};

static bool is_valid(const struct layer_config *config, const char **reason)
{
    const struct window_axes axes = conv_transpose2d_axes(&config->as.conv_transpose2d);
    for (int i = 0; i < AXIS_COUNT; i++) {
        const struct window_axis *axis = &axes.at[i];
        if (axis->kernel > 2 * axis->image)
            *reason = "kernel_size is larger than twice the output";
        else if (axis->stride > 4 && axis->stride > axis->kernel)
            *reason =
                "stride is larger than 4 and than kernel_size: it would leave the output empty";
        else
            continue;
        return false;
    }
    return true;
}

/* The three products of the convolution from output to input, each in another's place. */
static void work(struct layer_work *work, const struct layer_config *config)
{
    const struct conv_transpose2d *conv = &config->as.conv_transpose2d;
    const struct window_axes axes = conv_transpose2d_axes(conv);
    const struct window_axis *high = &axes.at[AXIS_HEIGHT], *wide = &axes.at[AXIS_WIDTH];
    const double rows = config->batch_size, in = conv->channels_in, out = conv->channels_out;
    const double cells_in = rows * high->window.output_size * wide->window.output_size;
    const double cells_out = rows * high->image * wide->image;
    const double taps = (double)high->kernel * wide->kernel;
    work_tensor(work, TENSOR_INPUT, "x", cells_in * in);
    work_tensor(work, TENSOR_OUTPUT, "y", cells_out * out);
    work_tensor(work, TENSOR_WEIGHTS, "weights", taps * in * out);
    work_tensor(work, TENSOR_BIAS, "bias", conv->use_bias ? out : 0);
    work->activation = conv->activation;
    work->family = FAMILY_CONVOLUTION;
    work_product(work, WORK_FORWARD,
                 (struct work_operation){.rows = cells_in, .depth = in, .columns = taps * out});
    work_product(work, WORK_BACKWARD_DATA,
                 (struct work_operation){
                     .rows = cells_in, .depth = taps * out, .columns = in, .is_lowered = taps > 1});
    work_product(work, WORK_BACKWARD_WEIGHTS,
                 (struct work_operation){.rows = in, .depth = cells_in, .columns = taps * out});
}

static void settle(struct layer_config *drawn, const struct layer_config *shape)
{
    struct conv_transpose2d *conv = &drawn->as.conv_transpose2d;
    (void)shape;
    if (conv->image_width == conv->image_size)
        conv->image_width = 0;
    if (conv->kernel_width == conv->kernel_size)
        conv->kernel_width = 0;
}

static const struct layer_case cases[] = {
    /* image 3, stride 2, valid: output 2*2 + 2 = 6. x 9 * 2 = 18, W 4*2*3 = 24, y 36 * 3 = 108;
     * 2 * 9*2 * 4*3 = 432 FLOPs; reads 4(18 + 24); memory 4(18 + 24 + 108) */
    {"conv_transpose2d:image_size=3,kernel_size=2,channels_in=2,channels_out=3,stride=2",
     {432, 168, 432, 24, 72, 432, 600},
     UINT64_C(0xf3c604d0d35f30a0)},
    /* image 2 x 3, same: output 4 x 6. x 12, W 3*4*2*2 = 48, y 48, bias 2: 2 * 12 * 24 = 576, + 48;
     * data and weights 576 each, bias 48, sgd 2 * 50: 1924. Reads: forward 240 + 8; data 4(48 +
     * 48), weights 4(12 + 48), bias 4*48, sgd 4*2*50: 1464. Writes: 192, 48, 192, 8, 200: 640;
     * memory 2 * 4(12 + 48 + 2 + 48) */
    {"conv_transpose2d:image_size=2,kernel_size=3,channels_in=2,channels_out=2,stride=2,"
     "padding=same,use_bias=yes,image_width=3,kernel_width=4,pass=train,optimizer=sgd",
     {1924, 1464, 640, 50, 48, 192, 880},
     UINT64_C(0x844d494816254f3f)},
    {.text = NULL},
};

const struct layer_descriptor layer_conv_transpose2d = {
    .name = "conv_transpose2d",
    .help = "transposed 2-D convolution (deconvolution), then bias and activation",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .is_valid = is_valid,
    .work = work,
    .forms = forms,
    .form_count = sizeof forms / sizeof *forms,
    .settle = settle,
    .cases = cases,
};
