#include "layers/encode_conv2d.h"
#include "layers/forms_conv2d.h"
#include "layers/kind_internal.h"

static const struct sample_shapes in_shapes = {
    .values = {3,  3,   6,   16,  24,  32,  32,  48,  64,  64,
               96, 128, 128, 192, 256, 256, 384, 512, 512, 1024},
    .paper_minimum = 1,
    .paper_maximum = 10000,
    .is_per_side = true,
};
static const struct sample_shapes out_shapes = {
    .values = {6, 16, 24, 32, 32, 48, 64, 64, 96, 128, 128, 192, 256, 256, 384, 512, 512, 1024},
    .paper_minimum = 1,
    .paper_maximum = 10000,
    .is_per_side = true,
};

static const struct sample_shapes width_shapes = {.rare_percent = 6};
static const struct sample_shapes group_shapes = {.rare_percent = 15};

/* clang-format off */
#define LATER(member, missing_) OWN(conv2d, member), .since = 2, .missing = (missing_)
/* clang-format on */

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(conv2d, image_size), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 1, 4096),
     .sample_minimum = 1, .sample_maximum = 256, .shapes = &image_shapes,
     .help = "height of the input image, and its width unless image_width is set"},
    {OWN(conv2d, kernel_size), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 1, 64),
     .sample_minimum = 1, .sample_maximum = 11, .shapes = &kernel_shapes,
     .help = "height of the kernel, and its width unless kernel_width is set"},
    {OWN(conv2d, channels_in), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_CHANNELS, 1, 65536),
     .sample_minimum = 1, .sample_maximum = 1024, .shapes = &in_shapes,
     .help = "channels of the input"},
    {OWN(conv2d, channels_out), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_CHANNELS, 1, 65536),
     .sample_minimum = 1, .sample_maximum = 1024, .shapes = &out_shapes,
     .help = "channels of the output (filters)"},
    {OWN(conv2d, stride), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 1, 16), .sample_minimum = 1,
     .sample_maximum = 4, .shapes = &stride_shapes, .help = "step of the kernel"},
    {OWN(conv2d, padding), NAMED(choice_padding, 2), .shapes = &padding_shapes,
     .help = "same: output side ceil(image/stride); valid: no zeros around the image"},
    {OWN(conv2d, use_bias), NAMED(choice_switch_, 2), .help = "adds a bias to every channel"},
    {OWN(conv2d, activation), NAMED(choice_activation, ACTIVATION_COUNT),
     .help = "function of every output"},
    {LATER(image_width, 0), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 0, 65536),
     .stands_for = "image_size", .sample_minimum = 0, .sample_maximum = 256,
     .shapes = &width_shapes,
     .help = "width of the input image; 0: a square. 1-D: image_size and kernel_size are 1"},
    {LATER(kernel_width, 0), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 0, 256),
     .stands_for = "kernel_size", .sample_minimum = 0, .sample_maximum = 11,
     .shapes = &width_shapes, .help = "width of the kernel; 0: a square"},
    {LATER(groups, 1), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_NONE, 1, 65536), .sample_minimum = 1,
     .sample_maximum = 1024, .shapes = &group_shapes,
     .help = "groups of channels; depthwise: as many as channels_in"},
    {LATER(dilation, 1), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 1, 1024),
     .sample_minimum = 1, .sample_maximum = 16, .shapes = &width_shapes,
     .help = "pixels from one cell of the kernel to the next"},
};
DESCRIBES_ALL(conv2d, features);

/* What is wrong with an axis, as window_is_valid has it. */
struct axis_reasons {
    const char *above_image, *above_twice, *skips;
};
static const struct axis_reasons reasons[AXIS_COUNT] = {
    [AXIS_HEIGHT] = {"kernel_size is larger than image_size (padding valid)",
                     "kernel_size is larger than twice image_size",
                     "stride is larger than 4 and than kernel_size: it would skip the image"},
    [AXIS_WIDTH] = {"kernel_width is larger than image_width (padding valid)",
                    "kernel_width is larger than twice image_width",
                    "stride is larger than 4 and than kernel_width: it would skip the image"}};
static const struct axis_reasons dilated_reasons = {
    "the dilated kernel is larger than the image (padding valid)",
    "the dilated kernel is larger than twice the image",
    "stride is larger than 4 and than the kernel: it would skip the image"};

/* A 1-D convolution has an axis of one pixel, where the stride has nothing to skip. */
static bool axis_is_valid(const struct window_axis *axis, const struct conv2d *conv,
                          const struct axis_reasons *why, const char **reason)
{
    const bool is_flat = axis->image == 1 && conv->image_width > 0;
    if (conv->padding == PADDING_VALID && axis->span > axis->image)
        *reason = why->above_image;
    else if (axis->span > 2 * axis->image)
        *reason = why->above_twice;
    else if (conv->stride > 4 && conv->stride > axis->kernel && !is_flat)
        *reason = why->skips;
    else
        return true;
    return false;
}

static bool is_valid(const struct layer_config *config, const char **reason)
{
    const struct conv2d *conv = &config->as.conv2d;
    const struct window_axes axes = conv2d_axes(conv);
    if (conv->channels_in % conv->groups || conv->channels_out % conv->groups) {
        *reason = "groups must divide channels_in and channels_out";
        return false;
    }
    for (int i = 0; i < AXIS_COUNT; i++)
        if (!axis_is_valid(&axes.at[i], conv, conv->dilation > 1 ? &dilated_reasons : &reasons[i],
                           reason))
            return false;
    return true;
}

/* Three implicit products, of every group. Every weight meets every output cell: taps on the
 * padding are counted, as is the custom. */
static void work(struct layer_work *work, const struct layer_config *config)
{
    const struct conv2d *conv = &config->as.conv2d;
    const struct window_axes axes = conv2d_axes(conv);
    const struct window_axis *high = &axes.at[AXIS_HEIGHT], *wide = &axes.at[AXIS_WIDTH];
    const double rows = config->batch_size, in = conv->channels_in, out = conv->channels_out;
    const double groups = conv->groups, group_in = in / groups, group_out = out / groups;
    const double cells_in = rows * high->image * wide->image;
    const double cells_out = rows * ((double)high->window.output_size * wide->window.output_size);
    const double taps = (double)high->kernel * wide->kernel;
    const double flops = 2 * cells_out * (taps * in * group_out);
    work_tensor(work, TENSOR_INPUT, "x", cells_in * in);
    work_tensor(work, TENSOR_OUTPUT, "y", cells_out * out);
    work_tensor(work, TENSOR_WEIGHTS, "weights", taps * in * group_out);
    work_tensor(work, TENSOR_BIAS, "bias", conv->use_bias ? out : 0);
    work->activation = conv->activation;
    work->family = FAMILY_CONVOLUTION;
    work_product(work, WORK_FORWARD,
                 (struct work_operation){.flops = flops,
                                         .rows = cells_out,
                                         .depth = taps * group_in,
                                         .columns = group_out,
                                         .batch = groups,
                                         .is_lowered = taps > 1});
    work_product(work, WORK_BACKWARD_DATA,
                 (struct work_operation){.flops = flops,
                                         .rows = cells_in,
                                         .depth = taps * group_out,
                                         .columns = group_in,
                                         .batch = groups});
    work_product(work, WORK_BACKWARD_WEIGHTS,
                 (struct work_operation){.flops = flops,
                                         .rows = taps * group_in,
                                         .depth = cells_out,
                                         .columns = group_out,
                                         .batch = groups});
}

static int32_t multiple_below(int32_t count, int32_t factor)
{
    return count > factor ? count / factor * factor : factor;
}

/* As many groups as input channels, or more: depthwise. Else the channels become multiples. */
static void settle(struct layer_config *drawn, const struct layer_config *shape)
{
    struct conv2d *conv = &drawn->as.conv2d;
    const struct conv2d *from = shape ? &shape->as.conv2d : conv;
    if (from->groups > 1 && from->groups >= from->channels_in) {
        const int32_t factor = shape ? from->channels_out / from->channels_in : 1;
        conv->groups = conv->channels_in;
        conv->channels_out = conv->channels_in * factor;
    }
    conv->channels_in = multiple_below(conv->channels_in, conv->groups);
    conv->channels_out = multiple_below(conv->channels_out, conv->groups);
    if (conv->image_width == conv->image_size)
        conv->image_width = 0;
    if (conv->kernel_width == conv->kernel_size)
        conv->kernel_width = 0;
}

static const struct layer_case cases[] = {
    /* image 4, kernel 3 valid: output 2x2. x 1*2*16 = 32, W 9*2*3 = 54, y 3*4 = 12.
     * 2*4*54 = 432 FLOPs; reads 4(32 + 54) = 344; writes 48; memory 4(32 + 54 + 12) = 392 */
    {"conv2d:image_size=4,kernel_size=3,channels_in=2,channels_out=3,stride=1",
     {432, 344, 48, 54, 128, 48, 392},
     UINT64_C(0x267a4cbd532aa4f8)},
    /* same, stride 2: output 2x2 too; sigmoid 4 * 12 = 48, bias 12: 492; reads 344 + 12 + 48 = 404;
     * writes 96; memory 4(32 + 54 + 3 + 12) = 404 */
    {"conv2d:image_size=4,kernel_size=3,channels_in=2,channels_out=3,stride=2,padding=same,"
     "use_bias=yes,activation=sigmoid",
     {492, 404, 96, 57, 128, 48, 404},
     UINT64_C(0x5849aff6870bbc89)},
    /* forward 432, 344, 48; data 432, 4(12 + 54) = 264, 128; weights 432, 4(32 + 12) = 176, 216;
     * sgd 2 * 54 = 108, 4*2*54 = 432, 4*54 = 216: 1404, 1216, 608; memory 2 * 392 */
    {"conv2d:image_size=4,kernel_size=3,channels_in=2,channels_out=3,stride=1,pass=train,"
     "optimizer=sgd",
     {1404, 1216, 608, 54, 128, 48, 784},
     UINT64_C(0xe63a9cee0d1285bb)},
    /* image 5, stride 4: output 2x2. x 50, W 126, y 28. Forward 1008 + 28 + 4 * 28; sigmoid
     * backward 3 * 28; data 1008, weights 1008, bias 28; adam 12 * 133: 4872. Reads: forward 704 +
     * 28 + 112; sigmoid 224; data 4(28 + 126), weights 4(50 + 28), bias 112, adam 4*4*133: 4236.
     * Writes: 224, 112, 200, 504, 28, 4*3*133: 2664; memory 2 * 4(50 + 126 + 7 + 28) + 4*2*133 */
    {"conv2d:image_size=5,kernel_size=3,channels_in=2,channels_out=7,stride=4,padding=same,"
     "use_bias=yes,activation=sigmoid,pass=train,optimizer=adam",
     {4872, 4236, 2664, 133, 200, 112, 2752},
     UINT64_C(0xf59c2dfa580544fd)},
    /* image 4 x 6, kernel 1 x 3, dilation 2, 2 groups, valid: output 4 x 2. x 24 * 4 = 96, W
     * 3*2*6 = 36, y 8 * 6 = 48; 2*8*36 = 576 FLOPs; reads 4(96 + 36) = 528; writes 192; memory
     * 4(96 + 36 + 48) = 720 */
    {"conv2d:image_size=4,kernel_size=1,channels_in=4,channels_out=6,stride=1,image_width=6,"
     "kernel_width=3,groups=2,dilation=2",
     {576, 528, 192, 36, 384, 192, 720},
     UINT64_C(0x368123f2ba4763aa)},
    /* depthwise: x 2*9*4 = 72, W 9 * 4 = 36, y 72, bias 4: 2*18*36 + 72 = 1368; reads 4(72 + 36 +
     * 4) = 448; memory 4(72 + 36 + 4 + 72) */
    {"conv2d:batch_size=2,image_size=3,kernel_size=3,channels_in=4,channels_out=4,stride=1,"
     "padding=same,use_bias=yes,groups=4",
     {1368, 448, 288, 40, 288, 288, 736},
     UINT64_C(0x27a2a7a329a96f7c)},
    {.text = NULL},
};

const struct layer_descriptor layer_conv2d = {
    .name = "conv2d",
    .help = "2-D convolution, then bias and activation; also depthwise, grouped, dilated, 1-D",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .is_valid = is_valid,
    .work = work,
    .forms = conv2d_forms,
    .form_count = CONV2D_FORM_COUNT,
    .settle = settle,
    .encode = encode_conv2d,
    .encode_paper = encode_paper_conv2d,
    .cases = cases,
};
