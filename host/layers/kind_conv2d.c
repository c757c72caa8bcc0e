#include "layers/encode_conv2d.h"
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

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(conv2d, image_size), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 1, 4096),
     .sample_minimum = 1, .sample_maximum = 256, .shapes = &image_shapes,
     .help = "side of the square input image"},
    {OWN(conv2d, kernel_size), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 1, 64),
     .sample_minimum = 1, .sample_maximum = 11, .shapes = &kernel_shapes,
     .help = "side of the square kernel"},
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
    work->family = FAMILY_CONVOLUTION;
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

/* ---- columns for predictors ---- */

static void encode_paper(struct columns *columns, const struct layer_config *config)
{
    const struct conv2d *conv = &config->as.conv2d;
    emit(columns, "batch_size", config->batch_size);
    emit(columns, "image_size^2", (double)conv->image_size * conv->image_size);
    emit(columns, "kernel_size^2", (double)conv->kernel_size * conv->kernel_size);
    emit(columns, "channels_in", conv->channels_in);
    emit(columns, "channels_out", conv->channels_out);
    emit(columns, "padding=same", conv->padding == PADDING_SAME);
    emit(columns, "stride", conv->stride);
    emit(columns, "use_bias=yes", conv->use_bias == SWITCH_YES);
    emit_paper_choices(columns, config->optimizer, conv->activation);
}

/* What decides a convolution's time; what transform algorithms would cost is in
 * encode_transforms.c. */
static struct conv_geometry geometry_of(const struct layer_config *config)
{
    const struct conv2d *conv = &config->as.conv2d;
    struct conv_geometry g = {
        .conv = conv,
        .window = window_of(conv->image_size, conv->kernel_size, conv->stride, conv->padding),
        .is_train = config->pass == PASS_TRAIN,
        .rows = config->batch_size,
        .image = conv->image_size,
        .kernel = conv->kernel_size,
        .in = conv->channels_in,
        .out = conv->channels_out,
        .stride = conv->stride,
    };
    g.side = fmax(g.window.output_size, 1);
    g.cells_in = g.rows * g.image * g.image;
    g.cells_out = g.rows * g.side * g.side;
    g.depth_in = g.kernel * g.kernel * g.in;
    g.depth_out = g.kernel * g.kernel * g.out;
    g.direct_flops = 2 * g.cells_out * g.depth_in * g.out;
    return g;
}

/* Fraction of the kernel's taps that fall on the image rather than on its padding. */
static double useful_taps(const struct conv_geometry *g)
{
    const int side = (int)g->side, kernel = g->conv->kernel_size, stride = g->conv->stride;
    const int first_end = kernel - g->window.pad_before - g->conv->image_size;
    double lost = 0;
    for (int i = 0; i < side && i * stride < g->window.pad_before; i++)
        lost += g->window.pad_before - i * stride;
    for (int i = side - 1; i >= 0 && first_end + i * stride > 0; i--)
        lost += first_end + i * stride;
    const double useful = 1 - lost / (g->side * kernel);
    return useful * useful; /* both axes */
}

static void emit_sizes(struct columns *columns, const struct conv_geometry *g)
{
    emit(columns, "log_batch_size", log_size(g->rows));
    emit(columns, "log_image_size", log_size(g->image));
    emit(columns, "log_kernel_size", log_size(g->kernel));
    emit(columns, "log_channels_in", log_size(g->in));
    emit(columns, "log_channels_out", log_size(g->out));
    emit(columns, "log_stride", log_size(g->stride));
    emit(columns, "log_output_size", log_size(g->side));
    emit(columns, "kernel_size", g->kernel);
    emit(columns, "log_cells_in", log_size(g->cells_in));
    emit(columns, "log_cells_out", log_size(g->cells_out));
    emit(columns, "log_depth_in", log_size(g->depth_in));
    emit(columns, "log_depth_out", log_size(g->depth_out));
    emit(columns, "log_im2col_bytes", log_size(FLOAT_BYTES * g->cells_out * g->depth_in));
    emit(columns, "log_image_bytes", log_size(FLOAT_BYTES * g->image * g->image * g->in));
    emit(columns, "log_plane_bytes", log_size(FLOAT_BYTES * g->image * g->image));
    emit(columns, "log_filter_bytes", log_size(FLOAT_BYTES * g->depth_in));
    emit(columns, "log_kernel/stride", log2(g->kernel / g->stride));
    emit(columns, "log_kernel/image", log2(g->kernel / g->image));
    emit(columns, "log_out/in", log2(g->out / g->in));
    emit(columns, "useful_taps", useful_taps(g));
    emit(columns, "is_train*log_batch_size", g->is_train * log_size(g->rows));
    emit(columns, "is_train*log_cells_out", g->is_train * log_size(g->cells_out));
    emit(columns, "is_train*log_channels_in", g->is_train * log_size(g->in));
    emit(columns, "is_train*log_channels_out", g->is_train * log_size(g->out));
}

static void emit_branches(struct columns *columns, const struct conv_geometry *g)
{
    const int kernel = g->conv->kernel_size, stride = g->conv->stride;
    const int zeros = g->window.pad_before + g->window.pad_after;
    emit(columns, "use_bias=yes", g->conv->use_bias == SWITCH_YES);
    emit(columns, "padding=same", g->conv->padding == PADDING_SAME);
    emit(columns, "padded_cells", zeros);
    emit(columns, "has_padding", zeros > 0);
    emit(columns, "padding_is_uneven", zeros % 2);
    emit(columns, "kernel_size==1", kernel == 1);
    emit(columns, "kernel_size==2", kernel == 2);
    emit(columns, "kernel_size==3", kernel == 3);
    emit(columns, "kernel_size==5", kernel == 5);
    emit(columns, "kernel_size==7", kernel == 7);
    emit(columns, "kernel_size%2==0", kernel % 2 == 0);
    emit(columns, "stride==1", stride == 1);
    emit(columns, "stride==2", stride == 2);
    emit(columns, "stride==3", stride == 3);
    emit(columns, "stride==4", stride == 4);
    emit(columns, "kernel_size==1&&stride==1", kernel == 1 && stride == 1); /* a plain product */
    emit(columns, "kernel_size==3&&stride==1", kernel == 3 && stride == 1); /* Winograd */
    emit(columns, "kernel_size==5&&stride==1", kernel == 5 && stride == 1);
    emit(columns, "is_product", /* one matrix product without any rearrangement */
         (kernel == 1 && stride == 1) || (kernel == g->conv->image_size && zeros == 0));
    emit(columns, "kernel_size<stride", kernel < stride);
    emit(columns, "output_size==1", g->window.output_size == 1);
    emit(columns, "output_size%2==0", g->window.output_size % 2 == 0);
    emit(columns, "image_size%2==0", g->conv->image_size % 2 == 0);
    emit(columns, "channels_in==1", g->conv->channels_in == 1);
    emit(columns, "channels_in<=4", g->conv->channels_in <= 4);
    emit(columns, "channels_out==1", g->conv->channels_out == 1);
    EMIT_DIVISIBLE("batch_size", (int)g->rows);
    EMIT_DIVISIBLE("channels_in", g->conv->channels_in);
    EMIT_DIVISIBLE("channels_out", g->conv->channels_out);
}

static void emit_interactions(struct columns *columns, const struct conv_geometry *g)
{
    const double log_flops = log_size(g->direct_flops);
    const double log_output = log_size(g->cells_out * g->out);
    const int kernel = g->conv->kernel_size;
    const bool is_dense = g->conv->stride == 1; /* transform algorithms need stride 1 */
    emit(columns, "use_bias*log_output", (g->conv->use_bias == SWITCH_YES) * log_output);
    emit(columns, "kernel_size==1*log_flops", (kernel == 1) * log_flops);
    emit(columns, "winograd*log_flops", (kernel == 3 && is_dense) * log_flops);
    emit(columns, "stride>1*log_flops", (!is_dense) * log_flops);
    emit(columns, "is_train*stride>1*log_flops", g->is_train * (!is_dense) * log_flops);
    emit(columns, "is_train*kernel_size==1*log_flops", g->is_train * (kernel == 1) * log_flops);
    emit(columns, "is_train*winograd*log_flops",
         g->is_train * (kernel == 3 && is_dense) * log_flops);
    emit(columns, "padding=same*log_input",
         (g->conv->padding == PADDING_SAME) * log_size(g->cells_in * g->in));
}

static void emit_ramps(struct columns *columns, const struct conv_geometry *g)
{
    EMIT_RAMP("batch_size", g->rows, 8);
    EMIT_RAMP("batch_size", g->rows, 32);
    EMIT_RAMP("image_size", g->image, 32);
    EMIT_RAMP("output_size", g->side, 8);
    EMIT_RAMP("output_size", g->side, 32);
    EMIT_RAMP("channels_in", g->in, 4);
    EMIT_RAMP("channels_in", g->in, 8);
    EMIT_RAMP("channels_in", g->in, 32);
    EMIT_RAMP("channels_out", g->out, 8);
    EMIT_RAMP("channels_out", g->out, 32);
    EMIT_RAMP("channels_out", g->out, 128);
}

static void emit_quantisation(struct columns *columns, const struct conv_geometry *g)
{
    EMIT_QUANTISED("channels_in", g->in);
    EMIT_QUANTISED("channels_out", g->out);
    EMIT_QUANTISED("depth_in", g->depth_in);
    EMIT_QUANTISED("depth_out", g->depth_out);
    EMIT_QUANTISED("cells_out", g->cells_out);
    EMIT_QUANTISED("cells_in", g->cells_in);
    EMIT_LAST_FILL("channels_in", g->in);
    EMIT_LAST_FILL("channels_out", g->out);
    EMIT_LAST_FILL("output_size", g->side);
}

static void emit_steps(struct columns *columns, const struct conv_geometry *g)
{
#define BATCH_STEP(from, to)  EMIT_STEP("batch_size", g->rows, from, to);
#define IMAGE_STEP(from, to)  EMIT_STEP("image_size", g->image, from, to);
#define OUTPUT_STEP(from, to) EMIT_STEP("output_size", g->side, from, to);
#define IN_STEP(from, to)     EMIT_STEP("channels_in", g->in, from, to);
#define OUT_STEP(from, to)    EMIT_STEP("channels_out", g->out, from, to);
    STEPS_OF_8(BATCH_STEP)
    STEPS_OF_32(IMAGE_STEP)
    STEPS_OF_32(OUTPUT_STEP)
    STEPS_OF_8(IN_STEP)
    STEPS_ABOVE_64(IN_STEP)
    STEPS_OF_8(OUT_STEP)
    STEPS_ABOVE_64(OUT_STEP)
}

static void encode(struct columns *columns, const struct layer_config *config,
                   const struct layer_work *work, double units)
{
    const struct conv_geometry g = geometry_of(config);
    emit_sizes(columns, &g);
    emit_branches(columns, &g);
    emit_interactions(columns, &g);
    emit_ramps(columns, &g);
    emit_quantisation(columns, &g);
    emit_steps(columns, &g);
    emit_products(columns, work, units);
    emit_winograd(columns, &g);
    if (columns->with_steps)
        emit_transforms(columns, &g);
    else
        emit_fft_of_kernel(columns, &g);
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
    {.text = NULL},
};

const struct layer_descriptor layer_conv2d = {
    .name = "conv2d",
    .help = "square 2-D convolution, then bias and activation",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .is_valid = is_valid,
    .work = work,
    .encode = encode,
    .encode_paper = encode_paper,
    .cases = cases,
};
