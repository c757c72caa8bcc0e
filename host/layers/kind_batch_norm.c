#include "layers/kind_internal.h"

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
    work_tensor(work, TENSOR_WEIGHTS, "scales and shifts", 2 * channels);
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

const struct layer_descriptor layer_batch_norm = {
    .name = "batch_norm",
    .help = "batch normalisation of square images, then activation",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .work = work,
};
