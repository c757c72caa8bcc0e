/* binary: an operation of two tensors, of which the second may be repeated. A gradient of what is
 * repeated is the sum over its repetitions. */
#include "layers/reference_internal.h"

#include <math.h>

/* Where in the operands the elements are. */
struct places {
    int64_t elements, repeats, rows;
    bool is_inner, is_shared; /* is_shared: the second operand is that of all rows */
};

static struct places places_of(const struct reference *reference)
{
    const struct binary *of = &reference->config.as.binary;
    return (struct places){.elements = of->elements,
                           .repeats = of->repeats,
                           .rows = reference->config.batch_size,
                           .is_inner = of->broadcast == BROADCAST_INNER,
                           .is_shared = of->second != SECOND_INPUT};
}

/* Of the second operand, for element `index` of the first. */
static int64_t second_place(const struct places *at, int64_t index)
{
    const int64_t row = index / (at->elements * at->repeats);
    const int64_t within = index % (at->elements * at->repeats);
    const int64_t element = at->is_inner ? within / at->repeats : within % at->elements;
    return at->is_shared ? element : row * at->elements + element;
}

static int second_value(const struct reference *reference)
{
    return reference->config.as.binary.second == SECOND_WEIGHTS ? VALUE_WEIGHTS : VALUE_INPUT + 1;
}

static double read_second(struct reference *reference, int64_t place)
{
    return reference_read_one(reference, second_value(reference), place);
}

/* Noise is divided by noise: near 0 the quotient is beyond what 16 bits hold. */
static bool is_pole(const struct reference *reference, double divisor)
{
    return reference->config.as.binary.operation == BINARY_DIVIDE &&
           precision_bytes(reference->config.precision) < FLOAT_BYTES && fabs(divisor) < 0x1p-5;
}

static void output(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const struct places at = places_of(reference);
    const double a = reference_read_one(reference, VALUE_INPUT, index);
    const double b = read_second(reference, second_place(&at, index));
    sum->is_open = is_pole(reference, b);
    switch (reference->config.as.binary.operation) {
    case BINARY_MULTIPLY:
        reference_add(sum, a * b, a * b);
        return;
    case BINARY_DIVIDE:
        reference_add(sum, a / b, a / b);
        return;
    case BINARY_SUBTRACT:
        reference_add(sum, -b, b);
        break;
    default:
        reference_add(sum, b, b);
    }
    reference_add(sum, a, a);
}

static void first_gradient(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const struct places at = places_of(reference);
    const int32_t operation = reference->config.as.binary.operation;
    double gradient, size, factor = 1;
    reference_read(&gradient, &size, reference, VALUE_PRODUCT_GRADIENT, &index, 1);
    if (operation == BINARY_MULTIPLY || operation == BINARY_DIVIDE) {
        const double b = read_second(reference, second_place(&at, index));
        factor = operation == BINARY_MULTIPLY ? b : 1 / b;
        sum->is_open = is_pole(reference, b);
    }
    reference_add(sum, gradient * factor, size * factor);
}

/* Over the repetitions within a row: gradients, or their products with the first operand. */
static void add_repetitions(struct reference_sum *sum, struct reference *reference, int64_t first,
                            int64_t step, int64_t count)
{
    const int32_t operation = reference->config.as.binary.operation;
    struct reference_products products;
    if (operation == BINARY_ADD || operation == BINARY_SUBTRACT) {
        reference_stride(sum, reference, VALUE_PRODUCT_GRADIENT, first, step, count);
        return;
    }
    reference_products_begin(&products, sum, reference, VALUE_INPUT, VALUE_PRODUCT_GRADIENT);
    for (int64_t i = 0; i < count; i++)
        reference_products_add(&products, first + i * step, first + i * step);
    reference_products_end(&products);
}

static void second_gradient(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const struct places at = places_of(reference);
    const int64_t element = index % at.elements, size = at.elements * at.repeats;
    const int64_t first_row = at.is_shared ? 0 : index / at.elements;
    const int64_t rows = at.is_shared ? at.rows : 1;
    double factor = reference->config.as.binary.operation == BINARY_SUBTRACT ? -1 : 1;
    for (int64_t row = first_row; row < first_row + rows; row++)
        add_repetitions(sum, reference, row * size + (at.is_inner ? element * at.repeats : element),
                        at.is_inner ? 1 : at.elements, at.repeats);
    if (reference->config.as.binary.operation == BINARY_DIVIDE) {
        const double b = read_second(reference, index);
        factor = -1 / (b * b);
        sum->is_open = is_pole(reference, b);
    }
    sum->sum *= factor;
    sum->squares *= factor * factor;
}

static void input_gradient(struct reference_sum *sum, struct reference *reference, int which,
                           int64_t index)
{
    if (which == 0)
        first_gradient(sum, reference, index);
    else
        second_gradient(sum, reference, index);
}

static void weights_gradient(struct reference_sum *sum, struct reference *reference, int which,
                             int64_t index)
{
    (void)which;
    second_gradient(sum, reference, index);
}

static double terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    const struct places at = places_of(reference);
    (void)index;
    if (what == VALUE_OUTPUT || what == VALUE_INPUT_GRADIENT)
        return 2;
    return 2 * (double)at.repeats * (double)(at.is_shared ? at.rows : 1);
}

const struct kind_meaning meaning_binary = {.output = output,
                                            .input_gradient = input_gradient,
                                            .weights_gradient = weights_gradient,
                                            .terms = terms};
