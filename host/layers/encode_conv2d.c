#include "layers/encode_conv2d.h"

/* The last four are constant where the paper looked. */
void encode_paper_conv2d(struct columns *columns, const struct layer_config *config)
{
    const struct conv2d *conv = &config->as.conv2d;
    const struct window_axes axes = conv2d_axes(conv);
    const struct window_axis *high = &axes.at[AXIS_HEIGHT], *wide = &axes.at[AXIS_WIDTH];
    emit(columns, "batch_size", config->batch_size);
    emit(columns, "image_size^2", (double)high->image * wide->image);
    emit(columns, "kernel_size^2", (double)high->kernel * wide->kernel);
    emit(columns, "channels_in", conv->channels_in);
    emit(columns, "channels_out", conv->channels_out);
    emit(columns, "padding=same", conv->padding == PADDING_SAME);
    emit(columns, "stride", conv->stride);
    emit(columns, "use_bias=yes", conv->use_bias == SWITCH_YES);
    emit_paper_choices(columns, config->optimizer, conv->activation);
    emit(columns, "image_width/image_size", (double)wide->image / high->image);
    emit(columns, "kernel_width/kernel_size", (double)wide->kernel / high->kernel);
    emit(columns, "groups", conv->groups);
    emit(columns, "dilation", conv->dilation);
}

/* What decides a convolution's time; what transform algorithms would cost is in
 * encode_transforms.c. */
static struct conv_geometry geometry_of(const struct layer_config *config)
{
    const struct conv2d *conv = &config->as.conv2d;
    const struct window_axes axes = conv2d_axes(conv);
    const struct window_axis *high = &axes.at[AXIS_HEIGHT], *wide = &axes.at[AXIS_WIDTH];
    struct conv_geometry g = {
        .conv = conv,
        .high = *high,
        .wide = *wide,
        .is_train = config->pass == PASS_TRAIN,
        .rows = config->batch_size,
        .image = high->image,
        .image_width = wide->image,
        .kernel = high->kernel,
        .kernel_width = wide->kernel,
        .in = conv->channels_in,
        .out = conv->channels_out,
        .stride = conv->stride,
        .square_kernel = high->kernel == wide->kernel && conv->dilation == 1 ? high->kernel : 0,
        .is_plain = conv->groups == 1 && conv->dilation == 1,
    };
    g.group_in = g.in / conv->groups;
    g.group_out = g.out / conv->groups;
    g.side = fmax(high->window.output_size, 1);
    g.side_width = fmax(wide->window.output_size, 1);
    g.cells_in = g.rows * g.image * g.image_width;
    g.cells_out = g.rows * g.side * g.side_width;
    g.depth_in = g.kernel * g.kernel_width * g.group_in;
    g.depth_out = g.kernel * g.kernel_width * g.group_out;
    g.direct_flops = 2 * g.cells_out * g.depth_in * g.out;
    return g;
}

/* Fraction of the kernel's taps along an axis that fall on the image rather than on its padding. */
static double useful_along(const struct window_axis *axis, int stride, int dilation)
{
    const int side = axis->window.output_size > 1 ? axis->window.output_size : 1;
    const int before = axis->window.pad_before, end = axis->span - before - axis->image;
    double lost = 0;
    for (int i = 0; i < side && i * stride < before; i++)
        lost += (before - i * stride + dilation - 1) / dilation;
    for (int i = side - 1; i >= 0 && end + i * stride > 0; i--)
        lost += (end + i * stride + dilation - 1) / dilation;
    return 1 - lost / ((double)side * axis->kernel);
}

static double useful_taps(const struct conv_geometry *g)
{
    const int stride = g->conv->stride, dilation = g->conv->dilation;
    return useful_along(&g->high, stride, dilation) * useful_along(&g->wide, stride, dilation);
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
    emit(columns, "log_image_bytes", log_size(FLOAT_BYTES * g->image * g->image_width * g->in));
    emit(columns, "log_plane_bytes", log_size(FLOAT_BYTES * g->image * g->image_width));
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
    const int kernel = g->square_kernel, stride = g->conv->stride;
    const int zeros = g->high.window.pad_before + g->high.window.pad_after;
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
    emit(columns, "kernel_size%2==0", g->conv->kernel_size % 2 == 0);
    emit(columns, "stride==1", stride == 1);
    emit(columns, "stride==2", stride == 2);
    emit(columns, "stride==3", stride == 3);
    emit(columns, "stride==4", stride == 4);
    emit(columns, "kernel_size==1&&stride==1", kernel == 1 && stride == 1); /* a plain product */
    emit(columns, "kernel_size==3&&stride==1", kernel == 3 && stride == 1); /* Winograd */
    emit(columns, "kernel_size==5&&stride==1", kernel == 5 && stride == 1);
    emit(columns, "is_product", /* one matrix product without any rearrangement */
         g->is_plain && ((kernel == 1 && stride == 1) ||
                         (g->side * g->side_width == 1 && g->high.kernel == g->high.image &&
                          g->wide.kernel == g->wide.image && zeros == 0)));
    emit(columns, "kernel_size<stride", g->conv->kernel_size < stride);
    emit(columns, "output_size==1", g->high.window.output_size == 1);
    emit(columns, "output_size%2==0", g->high.window.output_size % 2 == 0);
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
    const int kernel = g->square_kernel;
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

/* What the columns above do not say of depthwise, grouped and dilated convolutions, thin kernels
 * and images that are no squares; 0 for all others. */
static void emit_forms(struct columns *columns, const struct conv_geometry *g)
{
    const int kernel = g->square_kernel, group_in = g->conv->channels_in / g->conv->groups;
    const double log_flops = log_size(g->direct_flops);
    const double log_output = log_size(g->cells_out * g->out);
    const bool is_grouped = g->conv->groups > 1, is_depthwise = is_grouped && group_in == 1;
    const bool is_dilated = g->conv->dilation > 1, is_thin = g->kernel != g->kernel_width;
    emit(columns, "log_image_width/image_size", log2(g->image_width / g->image));
    emit(columns, "log_kernel_width/kernel_size", log2(g->kernel_width / g->kernel));
    emit(columns, "is_flat", g->image == 1 && g->image_width > 1); /* 1-D */
    emit(columns, "is_thin", is_thin);
    emit(columns, "is_thin*log_flops", is_thin * log_flops);
    emit(columns, "is_dilated", is_dilated);
    emit(columns, "log_dilation", log_size(g->conv->dilation));
    emit(columns, "is_dilated*log_flops", is_dilated * log_flops);
    emit(columns, "is_grouped", is_grouped);
    emit(columns, "log_groups", log_size(g->conv->groups));
    emit(columns, "is_grouped*log_group_in", is_grouped * log_size(g->group_in));
    emit(columns, "is_grouped*log_group_out", is_grouped * log_size(g->group_out));
    emit(columns, "is_grouped*group_in%8==0", is_grouped && group_in % 8 == 0);
    emit(columns, "is_grouped*group_in%16==0", is_grouped && group_in % 16 == 0);
    emit(columns, "is_grouped*log_flops", is_grouped * log_flops);
    emit(columns, "is_train*is_grouped", g->is_train * is_grouped);
    emit(columns, "is_train*is_grouped*log_flops", g->is_train * is_grouped * log_flops);
    emit(columns, "is_depthwise", is_depthwise);
    emit(columns, "is_depthwise*log_flops", is_depthwise * log_flops);
    emit(columns, "is_depthwise*log_output", is_depthwise * log_output);
    emit(columns, "is_depthwise*kernel_size==3", is_depthwise && kernel == 3);
    emit(columns, "is_depthwise*kernel_size==5", is_depthwise && kernel == 5);
    emit(columns, "is_depthwise*stride>1", is_depthwise && g->conv->stride > 1);
    emit(columns, "is_train*is_depthwise", g->is_train * is_depthwise);
    emit(columns, "is_train*is_depthwise*log_flops", g->is_train * is_depthwise * log_flops);
}

void encode_conv2d(struct columns *columns, const struct layer_config *config,
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
    emit_forms(columns, &g);
}
