/* matmul: y = a b or a b', of each matrix; the gradients are g b' and a' g. */
#include "layers/reference_internal.h"

/* Element (row, column) of a matrix is first + row * down + column * right. */
struct side {
    int64_t first, down, right;
};

static const struct matmul *of(const struct reference *reference)
{
    return &reference->config.as.matmul;
}

static struct side left_of(const struct reference *reference, int64_t matrix)
{
    const int64_t rows = of(reference)->left_rows, depth = of(reference)->depth;
    return (struct side){matrix * rows * depth, depth, 1};
}

static struct side right_of(const struct reference *reference, int64_t matrix)
{
    const int64_t depth = of(reference)->depth, columns = of(reference)->right_columns;
    return of(reference)->is_right_transposed ? (struct side){matrix * depth * columns, 1, depth}
                                              : (struct side){matrix * depth * columns, columns, 1};
}

static struct side product_of(const struct reference *reference, int64_t matrix)
{
    const int64_t rows = of(reference)->left_rows, columns = of(reference)->right_columns;
    return (struct side){matrix * rows * columns, columns, 1};
}

/* Adds left[first + i * step] * right[...] for `count` values of i. */
struct run {
    int what;
    int64_t first, step;
};
static void add_products(struct reference_sum *sum, struct reference *reference, struct run left,
                         struct run right, int64_t count)
{
    struct reference_products products;
    reference_products_begin(&products, sum, reference, left.what, right.what);
    for (int64_t i = 0; i < count; i++)
        reference_products_add(&products, left.first + i * left.step, right.first + i * right.step);
    reference_products_end(&products);
}

static void output(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const int64_t columns = of(reference)->right_columns,
                  matrix = index / columns / of(reference)->left_rows;
    const int64_t row = index / columns % of(reference)->left_rows, column = index % columns;
    const struct side left = left_of(reference, matrix), right = right_of(reference, matrix);
    add_products(sum, reference,
                 (struct run){VALUE_INPUT, left.first + row * left.down, left.right},
                 (struct run){VALUE_INPUT + 1, right.first + column * right.right, right.down},
                 of(reference)->depth);
}

static void left_gradient(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const int64_t depth = of(reference)->depth, matrix = index / depth / of(reference)->left_rows;
    const int64_t row = index / depth % of(reference)->left_rows, inner = index % depth;
    const struct side right = right_of(reference, matrix), y = product_of(reference, matrix);
    add_products(sum, reference,
                 (struct run){VALUE_INPUT + 1, right.first + inner * right.down, right.right},
                 (struct run){VALUE_OUTPUT_GRADIENT, y.first + row * y.down, y.right},
                 of(reference)->right_columns);
}

static void right_gradient(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const int64_t depth = of(reference)->depth, columns = of(reference)->right_columns;
    const int64_t matrix = index / depth / columns, within = index % (depth * columns);
    const bool is_turned = of(reference)->is_right_transposed;
    const int64_t inner = is_turned ? within % depth : within / columns;
    const int64_t column = is_turned ? within / depth : within % columns;
    const struct side left = left_of(reference, matrix), y = product_of(reference, matrix);
    add_products(sum, reference,
                 (struct run){VALUE_INPUT, left.first + inner * left.right, left.down},
                 (struct run){VALUE_OUTPUT_GRADIENT, y.first + column * y.right, y.down},
                 of(reference)->left_rows);
}

static void input_gradient(struct reference_sum *sum, struct reference *reference, int which,
                           int64_t index)
{
    (which ? right_gradient : left_gradient)(sum, reference, index);
}

static double terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    (void)index;
    return 2.0 * (what == VALUE_OUTPUT           ? of(reference)->depth
                  : what == VALUE_INPUT_GRADIENT ? of(reference)->right_columns
                                                 : of(reference)->left_rows);
}

const struct kind_meaning meaning_matmul = {
    .output = output, .input_gradient = input_gradient, .terms = terms};
