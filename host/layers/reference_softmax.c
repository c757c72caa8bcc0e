/* softmax: y_i = exp(x_i) / sum_j exp(x_j) over a row; the gradient of x_i is y_i (g_i - sum_j g_j
 * y_j), from the output that the device has. */
#include "layers/reference_internal.h"

#include <math.h>

static int64_t width_of(const struct reference *reference)
{
    return reference->config.as.softmax.width;
}

/* Elements [start, start + count) of a row's tensor. */
static void read_run(double *values, struct reference *reference, int what, int64_t start,
                     int count)
{
    int64_t indices[REFERENCE_BLOCK];
    for (int i = 0; i < count; i++)
        indices[i] = start + i;
    reference_read(values, NULL, reference, what, indices, count);
}

static int block_of(int64_t left)
{
    return (int)(left < REFERENCE_BLOCK ? left : REFERENCE_BLOCK);
}

/* The largest input, as `mean`, and 1 / sum of exp(input - largest), as `inverse`. */
static void find_sum(struct reference *reference, int64_t row)
{
    struct reference_statistics *at = &reference->statistics;
    const int64_t width = width_of(reference);
    double values[REFERENCE_BLOCK], largest = -INFINITY, sum = 0;
    if (at->group == row)
        return;
    for (int64_t first = 0; first < width; first += REFERENCE_BLOCK) {
        const int count = block_of(width - first);
        const double before = largest;
        read_run(values, reference, VALUE_INPUT, row * width + first, count);
        for (int i = 0; i < count; i++)
            largest = fmax(largest, values[i]);
        sum *= exp(before - largest);
        for (int i = 0; i < count; i++)
            sum += exp(values[i] - largest);
    }
    at->group = row;
    at->mean = largest;
    at->inverse = 1 / sum;
}

/* The sum of outputs times their gradients, and of its terms' sizes. */
static void find_product(struct reference *reference, int64_t row)
{
    struct reference_statistics *at = &reference->statistics;
    const int64_t width = width_of(reference);
    double outputs[REFERENCE_BLOCK], gradients[REFERENCE_BLOCK];
    if (at->gradient_group == row)
        return;
    at->gradient_group = row;
    at->gradient_product = at->gradient_product_size = 0;
    for (int64_t first = 0; first < width; first += REFERENCE_BLOCK) {
        const int count = block_of(width - first);
        read_run(outputs, reference, VALUE_OUTPUT, row * width + first, count);
        read_run(gradients, reference, VALUE_OUTPUT_GRADIENT, row * width + first, count);
        for (int i = 0; i < count; i++) {
            at->gradient_product += outputs[i] * gradients[i];
            at->gradient_product_size += fabs(outputs[i] * gradients[i]);
        }
    }
}

static void output(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    find_sum(reference, index / width_of(reference));
    const double below = reference_read_one(reference, VALUE_INPUT, index) -
                         reference->statistics.mean;
    const double value = exp(below) * reference->statistics.inverse;
    reference_add(sum, value, value * (1 - below));
    sum->count += (double)width_of(reference);
}

static void input_gradient(struct reference_sum *sum, struct reference *reference, int which,
                           int64_t index)
{
    const struct reference_statistics *at = &reference->statistics;
    (void)which;
    find_product(reference, index / width_of(reference));
    const double y = reference_read_one(reference, VALUE_OUTPUT, index);
    const double gradient = reference_read_one(reference, VALUE_OUTPUT_GRADIENT, index);
    reference_add(sum, y * (gradient - at->gradient_product),
                  y * (fabs(gradient) + at->gradient_product_size));
    sum->count += (double)width_of(reference);
}

static double terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    (void)index;
    return (double)((what == VALUE_OUTPUT ? 1 : 2) * width_of(reference));
}

static int64_t mate(const struct reference *reference, enum layer_value what, int64_t index,
                    uint32_t word)
{
    const int64_t width = width_of(reference);
    (void)what;
    return index / width * width + word % width;
}

const struct kind_meaning meaning_softmax = {
    .output = output, .input_gradient = input_gradient, .terms = terms, .mate = mate};
