/* batch_norm: Ioffe & Szegedy, "Batch normalization", arXiv 1502.03167, section 3. */
#include "layers/reference_norm.h"

static int64_t channels_of(const struct reference *reference)
{
    return reference->config.as.batch_norm.channels;
}

static int64_t pixels_of(const struct reference *reference)
{
    const int64_t size = reference->config.as.batch_norm.image_size;
    return size * size;
}

static int64_t channel_of(const struct reference *reference, int64_t index)
{
    return index / pixels_of(reference) % channels_of(reference);
}

/* Of single pixels the whole batch is one run. */
static struct norm_group group_of(const struct reference *reference, int64_t channel)
{
    const int64_t channels = channels_of(reference), pixels = pixels_of(reference);
    const int64_t batch = reference->config.batch_size;
    struct norm_group group = {.id = channel,
                               .first = channel * pixels,
                               .step = 1,
                               .length = pixels,
                               .segments = batch,
                               .segment_step = channels * pixels,
                               .parameter_count = channels,
                               .first_scale = channel,
                               .has_mean = true};
    if (pixels == 1) {
        group.step = channels;
        group.length = batch;
        group.segments = 1;
    }
    group.scale_step = group.length;
    return group;
}

static void output(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const int64_t channel = channel_of(reference, index);
    const struct norm_group group = group_of(reference, channel);
    if (reference->config.pass == PASS_FORWARD)
        norm_given_statistics(reference, &group);
    else
        norm_statistics(reference, &group);
    norm_output(sum, reference, &group, index, channel);
}

static void input_gradient(struct reference_sum *sum, struct reference *reference, int which,
                           int64_t index)
{
    (void)which;
    const int64_t channel = channel_of(reference, index);
    const struct norm_group group = group_of(reference, channel);
    norm_statistics(reference, &group);
    norm_input_gradient(sum, reference, &group, index, channel);
}

struct parameter_sums {
    const struct reference_statistics *at;
    struct reference_sum *sum;
    bool is_shift;
};

static void take_parameter(void *payload, const struct norm_block *block)
{
    struct parameter_sums *sums = payload;
    const struct reference_statistics *at = sums->at;
    for (int i = 0; i < block->count; i++) {
        const double normal = (block->inputs[i] - at->mean) * at->inverse;
        if (sums->is_shift)
            reference_add(sums->sum, block->gradients[i], block->sizes[i]);
        else
            reference_add(sums->sum, block->gradients[i] * normal, block->sizes[i] * normal);
    }
}

static void weights_gradient(struct reference_sum *sum, struct reference *reference, int which,
                             int64_t index)
{
    (void)which;
    const int64_t channels = channels_of(reference);
    const struct norm_group group = group_of(reference, index % channels);
    struct parameter_sums sums = {&reference->statistics, sum, index >= channels};
    norm_statistics(reference, &group);
    norm_each(reference, &group, true, take_parameter, &sums);
}

static double terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    const double count = (double)(reference->config.batch_size * pixels_of(reference));
    (void)index;
    if (reference->config.pass == PASS_FORWARD)
        return 5;
    return what == VALUE_OUTPUT ? count : 4 * count;
}

/* Another element of the channel; of the parameters the channel's other one. */
static int64_t mate(const struct reference *reference, enum layer_value what, int64_t index,
                    uint32_t word)
{
    const int64_t channels = channels_of(reference), pixels = pixels_of(reference);
    const int64_t count = reference->config.batch_size * pixels, other = word % count;
    if (what == VALUE_WEIGHTS_GRADIENT)
        return (index + channels) % (2 * channels);
    return (other / pixels * channels + channel_of(reference, index)) * pixels + other % pixels;
}

static struct value_planes planes(const struct layer_config *config, enum tensor_role role)
{
    if (role == TENSOR_WEIGHTS)
        return (struct value_planes){0};
    return (struct value_planes){config->batch_size, config->as.batch_norm.channels, false};
}

const struct kind_meaning meaning_batch_norm = {
    .output = output,
    .input_gradient = input_gradient,
    .weights_gradient = weights_gradient,
    .terms = terms,
    .mate = mate,
    .planes = planes,
};
