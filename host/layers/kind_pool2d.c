#include "layers/kind_internal.h"

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(pool2d, image_size), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 1, 4096),
     .sample_minimum = 1, .sample_maximum = 256, .help = "side of the square input image"},
    {OWN(pool2d, kernel_size), NUMBER(DISTRIBUTION_UNIFORM, UNIT_PIXELS, 1, 64),
     .sample_minimum = 2, .sample_maximum = 7, .help = "side of the square window"},
    {OWN(pool2d, channels), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_CHANNELS, 1, 65536),
     .sample_minimum = 1, .sample_maximum = 1024, .help = "channels of input and output"},
    {OWN(pool2d, stride), NUMBER(DISTRIBUTION_UNIFORM, UNIT_PIXELS, 1, 16), .sample_minimum = 1,
     .sample_maximum = 4, .help = "step of the window"},
    {OWN(pool2d, padding), NAMED(choice_padding, 2),
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

const struct layer_descriptor layer_pool2d = {
    .name = "pool2d",
    .help = "square 2-D pooling (max or average), then activation",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .is_valid = is_valid,
    .work = work,
};
