/* loss: the mean over the rows of log(sum(exp(x))) - x[label]. */
#include "layers/reference_internal.h"

#include <math.h>

static int64_t classes_of(const struct reference *reference)
{
    return reference->config.as.loss.classes;
}

static double rows_of(const struct reference *reference)
{
    return (double)reference->config.batch_size * reference->config.as.loss.positions;
}

/* Two passes over a row: its largest element, then the sum. */
static double logarithm_of(struct reference *reference, int64_t row)
{
    const int64_t classes = classes_of(reference);
    double values[REFERENCE_BLOCK], largest = -INFINITY, sum = 0;
    int64_t places[REFERENCE_BLOCK];
    for (int pass = 0; pass < 2; pass++)
        for (int64_t start = 0; start < classes; start += REFERENCE_BLOCK) {
            const int64_t rest = classes - start;
            const int here = (int)(rest < REFERENCE_BLOCK ? rest : REFERENCE_BLOCK);
            for (int i = 0; i < here; i++)
                places[i] = row * classes + start + i;
            reference_read(values, NULL, reference, VALUE_INPUT, places, here);
            for (int i = 0; i < here; i++)
                if (pass == 0)
                    largest = fmax(largest, values[i]);
                else
                    sum += exp(values[i] - largest);
        }
    return largest + log(sum);
}

/* Kept for the elements of one row. */
static double row_logarithm(struct reference *reference, int64_t row)
{
    struct reference_statistics *at = &reference->statistics;
    if (at->group != row)
        at->mean = logarithm_of(reference, row);
    at->group = row;
    return at->mean;
}

static int64_t label_of(struct reference *reference, int64_t row)
{
    return (int64_t)reference_read_one(reference, VALUE_INPUT + 1, row);
}

static void output(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const int64_t classes = classes_of(reference);
    const double rows = rows_of(reference);
    (void)index;
    for (int64_t row = 0; row < (int64_t)rows; row++) {
        const double logarithm = row_logarithm(reference, row);
        const double right = reference_read_one(reference, VALUE_INPUT,
                                                row * classes + label_of(reference, row));
        reference_add(sum, (logarithm - right) / rows, (fabs(logarithm) + fabs(right)) / rows);
    }
    sum->count += (double)classes;
}

/* (softmax - one at the label) / rows */
static void input_gradient(struct reference_sum *sum, struct reference *reference, int which,
                           int64_t index)
{
    const int64_t classes = classes_of(reference), row = index / classes, zero = 0;
    const double logarithm = row_logarithm(reference, row);
    double gradient, size;
    (void)which;
    reference_read(&gradient, &size, reference, VALUE_PRODUCT_GRADIENT, &zero, 1);
    const double value = reference_read_one(reference, VALUE_INPUT, index);
    const double share = exp(value - logarithm) * gradient / rows_of(reference);
    const double one = label_of(reference, row) == index % classes;
    reference_add(sum, share, share * (1 + fabs(value) + fabs(logarithm)));
    reference_add(sum, -one * gradient / rows_of(reference), one * size / rows_of(reference));
    sum->count += (double)classes;
}

static double terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    const double row = 2 * (double)classes_of(reference) + 2;
    (void)index;
    return what == VALUE_OUTPUT ? rows_of(reference) * row : row;
}

static int64_t mate(const struct reference *reference, enum layer_value what, int64_t index,
                    uint32_t word)
{
    const int64_t classes = classes_of(reference);
    return what == VALUE_OUTPUT ? index : index / classes * classes + word % classes;
}

const struct kind_meaning meaning_loss = {
    .output = output, .input_gradient = input_gradient, .terms = terms, .mate = mate};
