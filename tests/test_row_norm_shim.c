/* Layer normalisation's kernels, run in the shim, against double precision, in every storage type.
 */
#include "row_norm.h"
#include "stored_array.h"

static const double epsilon = 1e-5;

/* Rows that a warp takes and that a block takes, in packs of 16 bytes and not; by mean squares; in
 * groups, of several pixels and of one. */
struct shape {
    int64_t rows, width, pixels, turns;
    bool has_mean;
};
static const struct shape shapes[] = {
    {1, 1, 1, 1, true},    {5, 7, 1, 1, true},     {9, 32, 1, 1, true},    {300, 40, 1, 1, true},
    {3, 768, 1, 1, true},  {2, 1023, 1, 1, true},  {2, 1032, 1, 1, true},  {2, 2051, 1, 1, true},
    {5, 7, 1, 1, false},   {300, 40, 1, 1, false}, {2, 2051, 1, 1, false}, {6, 3, 5, 3, true},
    {8, 10, 64, 4, true},  {600, 2, 9, 2, true},   {4, 3, 700, 2, true},   {3, 1, 1500, 3, true},
    {40, 33, 1, 20, true}, {2, 7, 8, 1, true},
};

struct layer {
    struct row_norm norm;
    struct array x, y_gradient, parameters, statistics;
    size_t count;
};

static struct layer make_layer(const struct shape *shape, int32_t precision)
{
    const int64_t rows = shape->rows, parameters = 2 * shape->turns * shape->width;
    struct layer layer = {.count = (size_t)(rows * shape->width * shape->pixels)};
    layer.x = make_array(layer.count, 1, precision);
    layer.y_gradient = make_array(layer.count, 2, precision);
    layer.parameters = make_array((size_t)parameters, 3, PRECISION_FP32);
    layer.statistics = make_array((size_t)(2 * rows), 4, PRECISION_FP32);
    layer.norm = (struct row_norm){.rows = rows,
                                   .width = shape->width,
                                   .pixels = shape->pixels,
                                   .turns = shape->turns,
                                   .has_mean = shape->has_mean,
                                   .parameters = layer.parameters.data,
                                   .statistics = layer.statistics.data,
                                   .precision = precision,
                                   .epsilon = (float)epsilon};
    return layer;
}

static void free_layer(struct layer *layer)
{
    cudaFree(layer->x.data);
    cudaFree(layer->y_gradient.data);
    cudaFree(layer->parameters.data);
    cudaFree(layer->statistics.data);
}

struct moments {
    double mean, inverse;
};

static int64_t length_of(const struct layer *layer)
{
    return layer->norm.width * layer->norm.pixels;
}

/* Scale of an element; its shift. */
static double scale_of(const struct layer *layer, int64_t row, int64_t column)
{
    const struct row_norm *norm = &layer->norm;
    return at(&layer->parameters,
              (size_t)(row % norm->turns * norm->width + column / norm->pixels));
}
static double shift_of(const struct layer *layer, int64_t row, int64_t column)
{
    const struct row_norm *norm = &layer->norm;
    const int64_t scale = row % norm->turns * norm->width + column / norm->pixels;
    return norm->has_mean ? at(&layer->parameters, (size_t)(norm->turns * norm->width + scale)) : 0;
}

static struct moments moments_of(const struct layer *layer, int64_t row)
{
    const int64_t width = length_of(layer);
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < width && layer->norm.has_mean; i++)
        sum += at(&layer->x, (size_t)(row * width + i));
    for (int64_t i = 0; i < width; i++)
        squares += pow(at(&layer->x, (size_t)(row * width + i)) - sum / (double)width, 2);
    return (struct moments){sum / (double)width, 1 / sqrt(squares / (double)width + epsilon)};
}

/* The normalised element. */
static double normal(const struct layer *layer, int64_t row, int64_t column)
{
    const struct moments moments = moments_of(layer, row);
    return (at(&layer->x, (size_t)(row * length_of(layer) + column)) - moments.mean) *
           moments.inverse;
}

/* Sums in fp32 lose a digit or two beside the rounding of what is stored; few widths have a large
 * 1 / deviation (a row of one element: 316). */
static void assert_close(double got, double expected, double scale, int32_t precision)
{
    const double limit = (4 * rounding[precision] + 2e-5) * fmax(scale, 0.1);
    if (!(fabs(got - expected) <= limit))
        fail_msg("got %.9g, expected %.9g (%s)", got, expected,
                 choice_name(&choice_precision, precision));
}

static void check_forward(const struct layer *layer)
{
    const int64_t rows = layer->norm.rows, width = length_of(layer);
    struct array y = make_array(layer->count, 5, layer->norm.precision);
    assert_int_equal(launch_row_norm(y.data, layer->x.data, &layer->norm, NULL), cudaSuccess);
    for (int64_t row = 0; row < rows; row++) {
        const struct moments moments = moments_of(layer, row);
        const bool has_mean = layer->norm.has_mean;
        const double inverse = at(&layer->statistics, (size_t)(has_mean ? rows + row : row));
        if (has_mean)
            assert_close(at(&layer->statistics, (size_t)row), moments.mean, 1, PRECISION_FP32);
        assert_close(inverse / moments.inverse, 1, 1, PRECISION_FP32);
        for (int64_t i = 0; i < width; i += 1 + width / 17) {
            const double h = normal(layer, row, i), scale = scale_of(layer, row, i),
                         shift = shift_of(layer, row, i);
            assert_close(at(&y, (size_t)(row * width + i)), h * scale + shift,
                         fabs(h * scale) + fabs(shift), layer->norm.precision);
        }
    }
    cudaFree(y.data);
}

static double scaled_gradient(const struct layer *layer, int64_t row, int64_t column)
{
    return at(&layer->y_gradient, (size_t)(row * length_of(layer) + column)) *
           scale_of(layer, row, column);
}

/* From d y_j / d x_i = scale_j (delta_ij - 1 / width - h_i h_j / width) / deviation. */
static void check_row_backward(const struct layer *layer, const struct array *x_gradient,
                               int64_t row)
{
    const int64_t width = length_of(layer);
    const struct moments moments = moments_of(layer, row);
    double sum = 0, product = 0;
    for (int64_t j = 0; j < width; j++) {
        const double h = (at(&layer->x, (size_t)(row * width + j)) - moments.mean) *
                         moments.inverse;
        sum += layer->norm.has_mean ? scaled_gradient(layer, row, j) / (double)width : 0;
        product += scaled_gradient(layer, row, j) * h / (double)width;
    }
    for (int64_t i = 0; i < width; i += 1 + width / 17)
        assert_close(at(x_gradient, (size_t)(row * width + i)),
                     moments.inverse *
                         (scaled_gradient(layer, row, i) - sum - normal(layer, row, i) * product),
                     4 * moments.inverse, layer->norm.precision);
}

static void check_backward(const struct layer *layer)
{
    struct array x_gradient = make_array(layer->count, 6, layer->norm.precision);
    assert_int_equal(launch_row_norm_backward(x_gradient.data, layer->y_gradient.data,
                                              layer->x.data, &layer->norm, NULL),
                     cudaSuccess);
    for (int64_t row = 0; row < layer->norm.rows; row++)
        check_row_backward(layer, &x_gradient, row);
    cudaFree(x_gradient.data);
}

/* Sums over all elements that a scale and its shift have. */
static void sum_of_scale(double *scale, double *shift, const struct layer *layer, int64_t place)
{
    const struct row_norm *norm = &layer->norm;
    const int64_t first = place % norm->width * norm->pixels;
    *scale = *shift = 0;
    for (int64_t row = place / norm->width; row < norm->rows; row += norm->turns)
        for (int64_t i = first; i < first + norm->pixels; i++) {
            const double g = at(&layer->y_gradient, (size_t)(row * length_of(layer) + i));
            *scale += g * normal(layer, row, i);
            *shift += g;
        }
}

static void check_parameters(const struct layer *layer)
{
    const struct row_norm *norm = &layer->norm;
    const int64_t scales = norm->turns * norm->width;
    const double terms = (double)(norm->rows / norm->turns * norm->pixels);
    struct array gradients = make_array((size_t)(2 * scales), 7, PRECISION_FP32);
    struct array scratch = make_array((size_t)row_norm_scratch(&layer->norm), 8, PRECISION_FP32);
    assert_int_equal(launch_row_norm_parameters(gradients.data, scratch.data,
                                                layer->y_gradient.data, layer->x.data, &layer->norm,
                                                NULL),
                     cudaSuccess);
    for (int64_t i = 0; i < scales; i += 1 + scales / 17) {
        double scale, shift;
        sum_of_scale(&scale, &shift, layer, i);
        assert_close(at(&gradients, (size_t)i), scale, sqrt(terms), PRECISION_FP32);
        if (norm->has_mean)
            assert_close(at(&gradients, (size_t)(scales + i)), shift, sqrt(terms), PRECISION_FP32);
    }
    cudaFree(gradients.data);
    cudaFree(scratch.data);
}

static void rows_are_normalised_and_differentiated(void **state)
{
    (void)state;
    for (int32_t precision = 0; precision < PRECISION_COUNT; precision++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            struct layer layer = make_layer(&shapes[i], precision);
            check_forward(&layer);
            check_backward(&layer);
            check_parameters(&layer);
            free_layer(&layer);
        }
}

/* A large mean would swallow the variance in a single pass of sums and squares. */
static void large_means_leave_the_variance(void **state)
{
    (void)state;
    struct layer layer = make_layer(&(struct shape){3, 1500, 1, 1, true}, PRECISION_FP32);
    for (size_t i = 0; i < layer.count; i++)
        ((float *)layer.x.data)[i] = 3000 + (float)(i % 8) / 4;
    struct array y = make_array(layer.count, 5, PRECISION_FP32);
    assert_int_equal(launch_row_norm(y.data, layer.x.data, &layer.norm, NULL), cudaSuccess);
    for (int64_t row = 0; row < 3; row++)
        assert_true(
            fabs(at(&layer.statistics, (size_t)(3 + row)) / moments_of(&layer, row).inverse - 1) <
            1e-3);
    cudaFree(y.data);
    free_layer(&layer);
}

/* The forward pass alone keeps nothing and may work in place. */
static void forward_keeps_nothing(void **state)
{
    (void)state;
    struct layer layer = make_layer(&(struct shape){6, 64, 1, 1, true}, PRECISION_BF16);
    struct array y = make_array(layer.count, 5, PRECISION_BF16);
    assert_int_equal(launch_row_norm(y.data, layer.x.data, &layer.norm, NULL), cudaSuccess);
    layer.norm.statistics = NULL;
    assert_int_equal(launch_row_norm(layer.x.data, layer.x.data, &layer.norm, NULL), cudaSuccess);
    assert_memory_equal(layer.x.data, y.data, layer.count * 2);
    cudaFree(y.data);
    free_layer(&layer);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_normalised_and_differentiated),
        cmocka_unit_test(large_means_leave_the_variance),
        cmocka_unit_test(forward_keeps_nothing),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
