/* concat: rows of the inputs one behind the other. */
#include "layers/reference_internal.h"

/* Elements of a row of the inputs before `input`. */
static int64_t start_of(const struct concat *concat, int input)
{
    int64_t start = 0;
    for (int i = 0; i < input; i++)
        start += concat_width(concat, i);
    return start;
}

static void add(struct reference_sum *sum, struct reference *reference, int what, int64_t index)
{
    double value, size;
    reference_read(&value, &size, reference, what, &index, 1);
    reference_add(sum, value, size);
}

/* Of inputs beyond those that a reference reads nothing is said. */
static void output(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const struct concat *concat = &reference->config.as.concat;
    const int64_t width = start_of(concat, concat->parts), row = index / width;
    int64_t column = index % width;
    int input = 0;
    for (; column >= concat_width(concat, input); input++)
        column -= concat_width(concat, input);
    if (input < VALUE_FAMILY)
        add(sum, reference, VALUE_INPUT + input, row * concat_width(concat, input) + column);
    else
        sum->is_open = true;
}

static void input_gradient(struct reference_sum *sum, struct reference *reference, int which,
                           int64_t index)
{
    const struct concat *concat = &reference->config.as.concat;
    const int64_t own = concat_width(concat, which), width = start_of(concat, concat->parts);
    add(sum, reference, VALUE_PRODUCT_GRADIENT,
        index / own * width + start_of(concat, which) + index % own);
}

static double terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    (void)reference, (void)what, (void)index;
    return 1;
}

const struct kind_meaning meaning_concat = {
    .output = output, .input_gradient = input_gradient, .terms = terms};
