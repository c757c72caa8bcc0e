/* layer_norm: Ba, Kiros, Hinton, "Layer normalization", arXiv 1607.06450, section 3. */
#include "layers/reference_norm.h"

static int64_t width_of(const struct reference *reference)
{
    return reference->config.as.layer_norm.width;
}

static struct norm_group group_of(const struct reference *reference, int64_t row)
{
    const int64_t width = width_of(reference);
    return (struct norm_group){.id = row,
                               .first = row * width,
                               .step = 1,
                               .length = width,
                               .segments = 1,
                               .parameter_count = width,
                               .has_own_scales = true};
}

static void output(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const struct norm_group group = group_of(reference, index / width_of(reference));
    norm_statistics(reference, &group);
    norm_output(sum, reference, &group, index, index % width_of(reference));
}

static void input_gradient(struct reference_sum *sum, struct reference *reference, int which,
                           int64_t index)
{
    (void)which;
    const struct norm_group group = group_of(reference, index / width_of(reference));
    norm_statistics(reference, &group);
    norm_input_gradient(sum, reference, &group, index, index % width_of(reference));
}

static int64_t rows_of(const struct reference *reference)
{
    return reference->output_count / width_of(reference);
}

static void add_row(struct reference_sum *sum, struct reference *reference, int64_t row,
                    int64_t column)
{
    const struct norm_group group = group_of(reference, row);
    const struct reference_statistics *at = &reference->statistics;
    const int64_t index = group.first + column;
    double gradient, size;
    norm_statistics(reference, &group);
    reference_read(&gradient, &size, reference, VALUE_PRODUCT_GRADIENT, &index, 1);
    const double input = reference_read_one(reference, VALUE_INPUT, index);
    const double normal = (input - at->mean) * at->inverse;
    reference_add(sum, gradient * normal, size * normal);
    reference_add(sum, 0, size * at->inverse * at->size);
}

/* A scale's needs the statistics of every row. */
static void weights_gradient(struct reference_sum *sum, struct reference *reference, int which,
                             int64_t index)
{
    (void)which;
    const int64_t width = width_of(reference), rows = rows_of(reference);
    if (index >= width) {
        reference_stride(sum, reference, VALUE_PRODUCT_GRADIENT, index - width, width, rows);
        return;
    }
    for (int64_t row = 0; row < rows; row++)
        add_row(sum, reference, row, index);
    sum->count += (double)width;
}

static double terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    const double width = (double)width_of(reference), rows = (double)rows_of(reference);
    if (what == VALUE_WEIGHTS_GRADIENT)
        return index < width_of(reference) ? rows * (width + 2) : rows;
    return what == VALUE_OUTPUT ? width : 4 * width;
}

static int64_t mate(const struct reference *reference, enum layer_value what, int64_t index,
                    uint32_t word)
{
    const int64_t width = width_of(reference);
    if (what == VALUE_WEIGHTS_GRADIENT)
        return index;
    return index / width * width + word % width;
}

const struct kind_meaning meaning_layer_norm = {
    .output = output,
    .input_gradient = input_gradient,
    .weights_gradient = weights_gradient,
    .terms = terms,
    .mate = mate,
};
