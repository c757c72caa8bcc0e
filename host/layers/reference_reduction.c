/* reduction: along the middle axis of (rows of the batch and outer, length, inner). */
#include "layers/reference_internal.h"

#include <math.h>

/* The axis of a result. */
struct axis {
    int64_t first, step, length;
};

static struct axis axis_of(const struct reference *reference, int64_t result)
{
    const struct reduction *of = &reference->config.as.reduction;
    return (struct axis){.first = result / of->inner * of->length * of->inner + result % of->inner,
                         .step = of->inner,
                         .length = of->length};
}

/* Where along the axis the first of the largest (sign 1) or smallest (-1) is. */
struct winner {
    double value; /* times sign */
    int64_t place;
    bool is_tied;
};

static struct winner winner_of(struct reference *reference, const struct axis *axis, double sign)
{
    struct winner winner = {.value = -INFINITY};
    double values[REFERENCE_BLOCK];
    int64_t indices[REFERENCE_BLOCK];
    for (int64_t start = 0; start < axis->length; start += REFERENCE_BLOCK) {
        const int64_t rest = axis->length - start;
        const int count = (int)(rest < REFERENCE_BLOCK ? rest : REFERENCE_BLOCK);
        for (int i = 0; i < count; i++)
            indices[i] = axis->first + (start + i) * axis->step;
        reference_read(values, NULL, reference, VALUE_INPUT, indices, count);
        for (int i = 0; i < count; i++) {
            winner.is_tied = winner.is_tied ? sign * values[i] <= winner.value
                                            : sign * values[i] == winner.value;
            if (sign * values[i] <= winner.value)
                continue;
            winner.value = sign * values[i];
            winner.place = start + i;
        }
    }
    return winner;
}

static void add_squares(struct reference_sum *sum, struct reference *reference,
                        const struct axis *axis)
{
    struct reference_products products;
    reference_products_begin(&products, sum, reference, VALUE_INPUT, VALUE_INPUT);
    for (int64_t i = 0; i < axis->length; i++)
        reference_products_add(&products, axis->first + i * axis->step,
                               axis->first + i * axis->step);
    reference_products_end(&products);
}

static void scale(struct reference_sum *sum, double factor)
{
    sum->sum *= factor;
    sum->squares *= factor * factor;
}

static void output(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const struct axis axis = axis_of(reference, index);
    const int32_t reduce = reference->config.as.reduction.reduce;
    const double sign = reduce == REDUCE_MIN ? -1 : 1;
    double value;
    switch (reduce) {
    case REDUCE_MAX:
    case REDUCE_MIN:
        value = sign * winner_of(reference, &axis, sign).value;
        reference_add(sum, value, value);
        return;
    case REDUCE_NORM:
        add_squares(sum, reference, &axis);
        sum->squares /= 4 * sum->sum; /* a root halves relative errors */
        sum->sum = sqrt(sum->sum);
        return;
    default:
        reference_stride(sum, reference, VALUE_INPUT, axis.first, axis.step, axis.length);
        scale(sum, reduce == REDUCE_MEAN ? 1.0 / (double)axis.length : 1);
    }
}

static void input_gradient(struct reference_sum *sum, struct reference *reference, int which,
                           int64_t index)
{
    (void)which;
    const struct reduction *of = &reference->config.as.reduction;
    const int64_t row = index / of->inner, column = index % of->inner;
    const int64_t result = row / of->length * of->inner + column, place = row % of->length;
    const struct axis axis = axis_of(reference, result);
    double gradient = reference_read_one(reference, VALUE_PRODUCT_GRADIENT, result);
    if (of->reduce == REDUCE_MEAN)
        gradient /= of->length;
    if (of->reduce == REDUCE_NORM)
        gradient *= reference_read_one(reference, VALUE_INPUT, index) /
                    reference_read_one(reference, VALUE_OUTPUT, result);
    if (of->reduce == REDUCE_MAX || of->reduce == REDUCE_MIN) {
        const struct winner winner = winner_of(reference, &axis, of->reduce == REDUCE_MAX ? 1 : -1);
        sum->is_open = winner.is_tied;
        gradient *= winner.place == place;
    }
    reference_add(sum, gradient, gradient);
}

static double terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    const struct reduction *of = &reference->config.as.reduction;
    const bool has_winners = of->reduce == REDUCE_MAX || of->reduce == REDUCE_MIN;
    (void)index;
    return what == VALUE_OUTPUT || has_winners ? of->length + 1.0 : 3;
}

const struct kind_meaning meaning_reduction = {
    .output = output, .input_gradient = input_gradient, .terms = terms};
