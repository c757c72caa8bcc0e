#include "layers/encode_gemm.h"
#include "layers/kind_internal.h"

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(pool2d, image_size), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 1, 4096),
     .sample_minimum = 1, .sample_maximum = 256, .shapes = &image_shapes,
     .help = "side of the square input image"},
    {OWN(pool2d, kernel_size), NUMBER(DISTRIBUTION_UNIFORM, UNIT_PIXELS, 1, 64),
     .sample_minimum = 2, .sample_maximum = 7, .shapes = &kernel_shapes,
     .help = "side of the square window"},
    {OWN(pool2d, channels), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_CHANNELS, 1, 65536),
     .sample_minimum = 1, .sample_maximum = 1024, .shapes = &channel_shapes,
     .help = "channels of input and output"},
    {OWN(pool2d, stride), NUMBER(DISTRIBUTION_UNIFORM, UNIT_PIXELS, 1, 16), .sample_minimum = 1,
     .sample_maximum = 4, .shapes = &stride_shapes, .help = "step of the window"},
    {OWN(pool2d, padding), NAMED(choice_padding, 2), .shapes = &padding_shapes,
     .help = "same: output side ceil(image/stride); valid: no cells around the image"},
    {OWN(pool2d, pooling), NAMED(choice_pooling, 2), .help = "what becomes of a window's cells"},
    {OWN(pool2d, activation), NAMED(choice_activation, ACTIVATION_COUNT),
     .help = "function of every output"},
};
DESCRIBES_ALL(pool2d, features);

static double output_cells(const struct pool2d *pool)
{
    const double side =
        window_of(pool->image_size, pool->kernel_size, pool->stride, pool->padding).output_size;
    return side * side;
}

static bool is_valid(const struct layer_config *config, const char **reason)
{
    const struct pool2d *pool = &config->as.pool2d;
    return window_is_valid(pool->image_size, pool->kernel_size, pool->stride, pool->padding,
                           reason);
}

/* A comparison or an addition per cell of a window; backward, max hands each gradient to the
 * winner. */
static void work(struct layer_work *work, const struct layer_config *config)
{
    const struct pool2d *pool = &config->as.pool2d;
    const double rows = config->batch_size, image = pool->image_size, kernel = pool->kernel_size;
    const double output = rows * output_cells(pool) * pool->channels;
    const bool is_max = pool->pooling == POOLING_MAX;
    work_tensor(work, TENSOR_INPUT, "x", rows * image * image * pool->channels);
    work_tensor(work, TENSOR_OUTPUT, "y", output);
    work_add_tensor(work, (struct layer_tensor){.name = "winners",
                                                .role = TENSOR_KEPT,
                                                .storage = STORAGE_INT32,
                                                .count = is_max ? output : 0});
    work->activation = pool->activation;
    work_stream(work, WORK_FORWARD, (struct work_operation){.flops = kernel * kernel * output});
    work_stream(work, WORK_BACKWARD_DATA,
                (struct work_operation){.flops = is_max ? output : kernel * kernel * output});
}

/* ---- columns for predictors ---- */

/* The paper published no pooling; coded in its manner. Pooling has no optimizer, hence `pass`. */
static void encode_paper(struct columns *columns, const struct layer_config *config)
{
    const struct pool2d *pool = &config->as.pool2d;
    emit(columns, "batch_size", config->batch_size);
    emit(columns, "image_size^2", (double)pool->image_size * pool->image_size);
    emit(columns, "kernel_size^2", (double)pool->kernel_size * pool->kernel_size);
    emit(columns, "channels", pool->channels);
    emit(columns, "padding=same", pool->padding == PADDING_SAME);
    emit(columns, "stride", pool->stride);
    emit(columns, "pooling=average", pool->pooling == POOLING_AVERAGE);
    emit(columns, "pass=train", config->pass == PASS_TRAIN);
    emit_paper_activation(columns, pool->activation);
}

static void emit_flags(struct columns *columns, const struct layer_config *config)
{
    const struct pool2d *pool = &config->as.pool2d;
    const double is_train = config->pass == PASS_TRAIN;
    const double is_max = pool->pooling == POOLING_MAX;
    emit(columns, "pooling=max", is_max);
    emit(columns, "padding=same", pool->padding == PADDING_SAME);
    emit(columns, "is_train*max", is_train * is_max);
    emit(columns, "stride==1", pool->stride == 1);
    emit(columns, "stride==2", pool->stride == 2);
    emit(columns, "stride==3", pool->stride == 3);
    emit(columns, "stride==4", pool->stride == 4);
    emit(columns, "kernel_size==2", pool->kernel_size == 2);
    emit(columns, "kernel_size==3", pool->kernel_size == 3);
    emit(columns, "windows_overlap", pool->stride < pool->kernel_size);
    emit(columns, "image_size%2==0", pool->image_size % 2 == 0);
    EMIT_DIVISIBLE("channels", pool->channels);
}

static void encode(struct columns *columns, const struct layer_config *config,
                   const struct layer_work *work, double units)
{
    (void)work;
    const struct pool2d *pool = &config->as.pool2d;
    const struct window window = window_of(pool->image_size, pool->kernel_size, pool->stride,
                                           pool->padding);
    const double is_train = config->pass == PASS_TRAIN;
    const double rows = config->batch_size, image = pool->image_size, channels = pool->channels;
    const double kernel = pool->kernel_size, side = window.output_size;
    const double output = rows * side * side * channels;
    emit_flags(columns, config);
    emit(columns, "log_batch_size", log_size(rows));
    emit(columns, "log_image_size", log_size(image));
    emit(columns, "log_kernel_size", log_size(kernel));
    emit(columns, "log_channels", log_size(channels));
    emit(columns, "log_stride", log_size(pool->stride));
    emit(columns, "log_output_size", log_size(side));
    emit(columns, "log_planes", log_size(rows * channels));
    emit(columns, "log_output_cells", log_size(rows * side * side));
    emit(columns, "log_input_cells", log_size(rows * image * image));
    emit(columns, "log_taps", log_size(output * kernel * kernel));
    emit(columns, "log_row_bytes", log_size(FLOAT_BYTES * image));
    emit(columns, "log_plane_bytes", log_size(FLOAT_BYTES * image * image));
    emit(columns, "log_kernel/stride", log2(kernel / pool->stride));
    emit(columns, "log_kernel/image", log2(kernel / image));
    emit(columns, "is_train*log_taps", is_train * log_size(output * kernel * kernel));
    emit(columns, "padded_cells", window.pad_before + window.pad_after);
    emit(columns, "padding_is_uneven", window.pad_before != window.pad_after);
    EMIT_RAMP("channels", channels, 8);
    EMIT_RAMP("channels", channels, 32);
    EMIT_RAMP("output_size", side, 8);
    EMIT_RAMP("output_size", side, 32);
    EMIT_RAMP("batch_size", rows, 32);
    EMIT_QUANTISED("channels", channels);
    EMIT_QUANTISED("output_size", side);
    EMIT_LAST_FILL("channels", channels);
    EMIT_LAST_FILL("output_size", side);
    emit(columns, "log_waves", log_size(ceil_size(output / 256 / units)));
    emit(columns, "log_wave_tail", log_quantised(ceil_size(output / 256), units));
}

static const struct layer_case cases[] = {
    /* x 2*3*16 = 96, y 2*3*4 = 24: 4 * 24 = 96 FLOPs; 384 read; 96 written; memory 480 */
    {"pool2d:batch_size=2,image_size=4,kernel_size=2,channels=3,stride=2",
     {96, 384, 96, 0, 384, 96, 480},
     UINT64_C(0xd880efad87e41796)},
    /* max, train: + 24 FLOPs; the winners' indices 4*24 = 96 written and read; backward reads 96,
     * writes 384: 120, 576, 576; kept 96 + 96; memory 2 * 480 + 96 */
    {"pool2d:batch_size=2,image_size=4,kernel_size=2,channels=3,stride=2,pass=train",
     {120, 576, 576, 0, 384, 192, 1056},
     UINT64_C(0x7ba58bde60fbd863)},
    /* average, train, tanh. x 2*7*25 = 350, y 2*7*4 = 56: 2 * 9 * 56 + 56(5 + 3) = 1456; reads 1400
     * + 224 + 448 + 224 = 2296; writes 224 + 224 + 224 + 1400 = 2072; memory 2 * 1624 */
    {"pool2d:batch_size=2,image_size=5,kernel_size=3,channels=7,stride=2,pooling=average,"
     "activation=tanh,pass=train",
     {1456, 2296, 2072, 0, 1400, 224, 3248},
     UINT64_C(0x48c6a1eff950f754)},
    {.text = NULL},
};

const struct layer_descriptor layer_pool2d = {
    .name = "pool2d",
    .help = "square 2-D pooling (max or average), then activation",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .is_valid = is_valid,
    .work = work,
    .encode = encode,
    .encode_paper = encode_paper,
    .cases = cases,
};
