/* layer_norm: Ba, Kiros, Hinton, "Layer normalization", arXiv 1607.06450, section 3; rms: Zhang,
 * Sennrich, "Root mean square layer normalization", arXiv 1910.07467; group: Wu, He, "Group
 * normalization", arXiv 1803.08494.
 */
#include "layers/reference_norm.h"

static const struct layer_norm *norm_of(const struct reference *reference)
{
    return &reference->config.as.layer_norm;
}

/* Elements of a row. */
static int64_t length_of(const struct reference *reference)
{
    return (int64_t)norm_of(reference)->width * norm_of(reference)->pixels;
}

static int64_t rows_of(const struct reference *reference)
{
    return reference->output_count / length_of(reference);
}

/* Rows that follow one another with scales of their own; then the first has its turn again. */
static int64_t turns_of(const struct reference *reference)
{
    return norm_of(reference)->statistics == STATISTICS_GROUP ? norm_of(reference)->positions : 1;
}

static struct norm_group group_of(const struct reference *reference, int64_t row)
{
    const struct layer_norm *norm = norm_of(reference);
    const int64_t length = length_of(reference), turns = turns_of(reference);
    return (struct norm_group){.id = row,
                               .first = row * length,
                               .step = 1,
                               .length = length,
                               .segments = 1,
                               .parameter_count = turns * norm->width,
                               .first_scale = row % turns * norm->width,
                               .scale_step = norm->pixels,
                               .has_mean = norm->statistics != STATISTICS_RMS};
}

static void output(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const int64_t length = length_of(reference);
    const struct norm_group group = group_of(reference, index / length);
    norm_statistics(reference, &group);
    norm_output(sum, reference, &group, index, norm_scale(&group, index % length));
}

static void input_gradient(struct reference_sum *sum, struct reference *reference, int which,
                           int64_t index)
{
    (void)which;
    const int64_t length = length_of(reference);
    const struct norm_group group = group_of(reference, index / length);
    norm_statistics(reference, &group);
    norm_input_gradient(sum, reference, &group, index, norm_scale(&group, index % length));
}

/* A channel's pixels of one row, whose statistics are there. */
static void add_run(struct reference_sum *sum, struct reference *reference, int64_t first)
{
    const struct reference_statistics *at = &reference->statistics;
    const int64_t pixels = norm_of(reference)->pixels;
    double gradients[REFERENCE_BLOCK], sizes[REFERENCE_BLOCK], inputs[REFERENCE_BLOCK];
    int64_t indices[REFERENCE_BLOCK];
    for (int64_t start = 0; start < pixels; start += REFERENCE_BLOCK) {
        const int count = (int)(pixels - start < REFERENCE_BLOCK ? pixels - start
                                                                 : REFERENCE_BLOCK);
        for (int i = 0; i < count; i++)
            indices[i] = first + start + i;
        reference_read(gradients, sizes, reference, VALUE_PRODUCT_GRADIENT, indices, count);
        reference_read(inputs, NULL, reference, VALUE_INPUT, indices, count);
        for (int i = 0; i < count; i++) {
            const double normal = (inputs[i] - at->mean) * at->inverse;
            reference_add(sum, gradients[i] * normal, sizes[i] * normal);
            reference_add(sum, 0, sizes[i] * at->inverse * at->size);
        }
    }
}

static void add_shift(struct reference_sum *sum, struct reference *reference, int64_t shift)
{
    const int64_t width = norm_of(reference)->width, pixels = norm_of(reference)->pixels;
    const int64_t sample = turns_of(reference) * width * pixels;
    const int64_t samples = reference->output_count / sample;
    if (pixels == 1) {
        reference_stride(sum, reference, VALUE_PRODUCT_GRADIENT, shift, sample, samples);
        return;
    }
    for (int64_t i = 0; i < samples; i++)
        reference_stride(sum, reference, VALUE_PRODUCT_GRADIENT, i * sample + shift * pixels, 1,
                         pixels);
}

/* A scale's needs the statistics of every row that it scales. */
static void weights_gradient(struct reference_sum *sum, struct reference *reference, int which,
                             int64_t index)
{
    (void)which;
    const int64_t width = norm_of(reference)->width, turns = turns_of(reference);
    if (index >= turns * width) {
        add_shift(sum, reference, index - turns * width);
        return;
    }
    for (int64_t row = index / width; row < rows_of(reference); row += turns) {
        const struct norm_group group = group_of(reference, row);
        norm_statistics(reference, &group);
        add_run(sum, reference, group.first + index % width * norm_of(reference)->pixels);
    }
    sum->count += (double)length_of(reference);
}

static double terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    const struct layer_norm *norm = norm_of(reference);
    const double length = (double)length_of(reference), turns = (double)turns_of(reference);
    const double rows = (double)rows_of(reference) / turns;
    if (what == VALUE_WEIGHTS_GRADIENT)
        return (double)index < turns * norm->width ? rows * (length + 2.0 * norm->pixels)
                                                   : rows * norm->pixels;
    return what == VALUE_OUTPUT ? length : 4 * length;
}

static int64_t mate(const struct reference *reference, enum layer_value what, int64_t index,
                    uint32_t word)
{
    const int64_t length = length_of(reference);
    return what == VALUE_WEIGHTS_GRADIENT ? index : index / length * length + word % length;
}

const struct kind_meaning meaning_layer_norm = {
    .output = output,
    .input_gradient = input_gradient,
    .weights_gradient = weights_gradient,
    .terms = terms,
    .mate = mate,
};
