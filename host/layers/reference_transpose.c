/* transpose: (outer, rows, columns, inner) becomes (outer, columns, rows, inner). */
#include "layers/reference_internal.h"

/* Where the element `index` of matrices of `rows` by `columns` blocks stands in their transpose. */
static int64_t turned(int64_t index, int64_t rows, int64_t columns, int64_t inner)
{
    const int64_t block = index / inner, matrix = block / (rows * columns);
    const int64_t row = block / columns % rows, column = block % columns;
    return ((matrix * columns + column) * rows + row) * inner + index % inner;
}

static void add(struct reference_sum *sum, struct reference *reference, int what, int64_t index)
{
    double value, size;
    reference_read(&value, &size, reference, what, &index, 1);
    reference_add(sum, value, size);
}

static void output(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const struct transpose *of = &reference->config.as.transpose;
    add(sum, reference, VALUE_INPUT, turned(index, of->matrix_columns, of->matrix_rows, of->inner));
}

static void input_gradient(struct reference_sum *sum, struct reference *reference, int which,
                           int64_t index)
{
    const struct transpose *of = &reference->config.as.transpose;
    (void)which;
    add(sum, reference, VALUE_PRODUCT_GRADIENT,
        turned(index, of->matrix_rows, of->matrix_columns, of->inner));
}

static double terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    (void)reference, (void)what, (void)index;
    return 1;
}

const struct kind_meaning meaning_transpose = {
    .output = output, .input_gradient = input_gradient, .terms = terms};
