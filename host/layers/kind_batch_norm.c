#include "layers/encode_gemm.h"
#include "layers/kind_internal.h"

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(batch_norm, image_size), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 1, 4096),
     .sample_minimum = 1, .sample_maximum = 256, .shapes = &image_shapes,
     .help = "side of the square image"},
    {OWN(batch_norm, channels), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_CHANNELS, 1, 65536),
     .sample_minimum = 1, .sample_maximum = 2048, .shapes = &channel_shapes,
     .help = "channels, each with its statistics"},
    {OWN(batch_norm, activation), NAMED(choice_activation, ACTIVATION_COUNT),
     .help = "function of every output"},
};
DESCRIBES_ALL(batch_norm, features);

/* Forward: x a + b per element, with a mean and a variance per channel. Training goes over the
 * input once more for these (sum, subtract, square, sum). Backward: the sums of g and g (x - m), 4,
 * then g - s - (x - m) t with a factor, 5, which goes over the input again. */
static void work(struct layer_work *work, const struct layer_config *config)
{
    const struct batch_norm *norm = &config->as.batch_norm;
    const double channels = norm->channels;
    const double elements = (double)config->batch_size * norm->image_size * norm->image_size *
                            channels;
    work_tensor(work, TENSOR_INPUT, "x", elements);
    work_tensor(work, TENSOR_OUTPUT, "y", elements);
    work_add_tensor(work, (struct layer_tensor){.name = "scales and shifts",
                                                .role = TENSOR_WEIGHTS,
                                                .count = 2 * channels,
                                                .parts = 2});
    work_add_tensor(work, (struct layer_tensor){.name = "mean and variance",
                                                .role = TENSOR_KEPT,
                                                .storage = STORAGE_FP32,
                                                .count = 2 * channels});
    work->activation = norm->activation;
    work->in_place = IN_PLACE_FORWARD;
    work_stream(work, WORK_FORWARD,
                (struct work_operation){.flops = 2 * elements, .read = 2 * channels});
    work_stream(work, WORK_STATISTICS,
                (struct work_operation){.flops = 4 * elements, .read = elements});
    work_stream(work, WORK_BACKWARD_DATA,
                (struct work_operation){.flops = 5 * elements, .read = elements});
    work_stream(work, WORK_BACKWARD_WEIGHTS, (struct work_operation){.flops = 4 * elements});
}

/* ---- columns for predictors ---- */

/* Not in the paper; coded in its manner. */
static void encode_paper(struct columns *columns, const struct layer_config *config)
{
    const struct batch_norm *norm = &config->as.batch_norm;
    emit(columns, "batch_size", config->batch_size);
    emit(columns, "image_size^2", (double)norm->image_size * norm->image_size);
    emit(columns, "channels", norm->channels);
    emit(columns, "pass=train", config->pass == PASS_TRAIN);
    emit_paper_choices(columns, config->optimizer, norm->activation);
}

/* A plane (a channel of an image) in cache between the passes over it is read from memory once. */
static void encode(struct columns *columns, const struct layer_config *config,
                   const struct layer_work *work, double units)
{
    (void)work;
    const struct batch_norm *norm = &config->as.batch_norm;
    const double is_train = config->pass == PASS_TRAIN;
    const double is_relu = norm->activation == ACTIVATION_RELU;
    const double rows = config->batch_size, image = norm->image_size, channels = norm->channels;
    const double cells = rows * image * image, elements = cells * channels;
    emit(columns, "is_train*relu", is_train * is_relu);
    emit(columns, "image_size==1", norm->image_size == 1);
    emit(columns, "image_size%2==0", norm->image_size % 2 == 0);
    emit(columns, "batch_size==1", config->batch_size == 1);
    EMIT_DIVISIBLE("channels", norm->channels);
    emit(columns, "log_batch_size", log_size(rows));
    emit(columns, "log_image_size", log_size(image));
    emit(columns, "log_channels", log_size(channels));
    emit(columns, "log_elements", log_size(elements));
    emit(columns, "log_planes", log_size(rows * channels));
    emit(columns, "log_cells", log_size(cells));
    emit(columns, "log_row_bytes", log_size(FLOAT_BYTES * image));
    emit(columns, "log_plane_bytes", log_size(FLOAT_BYTES * image * image));
    emit(columns, "log_channel_bytes", log_size(FLOAT_BYTES * cells));
    emit(columns, "is_train*log_elements", is_train * log_size(elements));
    emit(columns, "is_train*log_cells", is_train * log_size(cells));
    emit(columns, "is_train*log_channels", is_train * log_size(channels));
    EMIT_RAMP("channels", channels, 8);
    EMIT_RAMP("channels", channels, 32);
    EMIT_RAMP("channels", channels, 128);
    EMIT_RAMP("image_size", image, 8);
    EMIT_RAMP("image_size", image, 32);
    EMIT_RAMP("batch_size", rows, 32);
    EMIT_QUANTISED("channels", channels);
    EMIT_QUANTISED("cells", cells);
    EMIT_LAST_FILL("channels", channels);
    emit(columns, "log_waves", log_size(ceil_size(elements / 256 / units)));
    emit(columns, "log_wave_tail", log_quantised(ceil_size(elements / 256), units));
}

static const struct layer_case cases[] = {
    /* x 2*3*16 = 96: 2 * 96 FLOPs; reads 4(96 + scale, shift, mean, variance 12) = 432; memory
     * 4(96 + 6 + 96) */
    {"batch_norm:batch_size=2,image_size=4,channels=3",
     {192, 432, 384, 6, 384, 384, 792},
     UINT64_C(0x9d4b948b7b60368a)},
    /* statistics 4 * 96, backward 9 * 96, relu 2 * 96, sgd 2 * 6: 1644. Reads: forward 432 + 384;
     * relu 384 + 768; input's gradient 4(96 + 6) + 384; scales' and shifts' 4 * 192; mean and
     * variance 24, sgd 48: 3600. Writes: 384, relu 2 * 384, data 384, parameters' gradient 24, kept
     * 24, sgd 24. memory 2 * 792 + 24 */
    {"batch_norm:batch_size=2,image_size=4,channels=3,activation=relu,pass=train,optimizer=sgd",
     {1644, 3600, 1608, 6, 384, 408, 1608},
     UINT64_C(0xcf6f489e16e5c6e7)},
    {.text = NULL},
};

const struct layer_descriptor layer_batch_norm = {
    .name = "batch_norm",
    .help = "batch normalisation of square images, then activation",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .work = work,
    .encode = encode,
    .encode_paper = encode_paper,
    .cases = cases,
};
