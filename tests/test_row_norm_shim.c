/* Layer normalisation's kernels, run in the shim, against double precision, in every storage type.
 */
#include "row_norm.h"
#include "stored_array.h"

static const double epsilon = 1e-5;

/* Widths that a warp takes and that a block takes, in packs of 16 bytes and not. */
static const struct {
    int64_t rows, width;
} shapes[] = {{1, 1}, {5, 7}, {9, 32}, {300, 40}, {3, 768}, {2, 1023}, {2, 1032}, {2, 2051}};

struct layer {
    struct row_norm norm;
    struct array x, y_gradient, parameters, statistics;
    size_t count;
};

static struct layer make_layer(int64_t rows, int64_t width, int32_t precision)
{
    struct layer layer = {.count = (size_t)(rows * width)};
    layer.x = make_array(layer.count, 1, precision);
    layer.y_gradient = make_array(layer.count, 2, precision);
    layer.parameters = make_array((size_t)(2 * width), 3, PRECISION_FP32);
    layer.statistics = make_array((size_t)(2 * rows), 4, PRECISION_FP32);
    layer.norm = (struct row_norm){.rows = rows,
                                   .width = width,
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

static struct moments moments_of(const struct layer *layer, int64_t row)
{
    const int64_t width = layer->norm.width;
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < width; i++)
        sum += at(&layer->x, (size_t)(row * width + i));
    for (int64_t i = 0; i < width; i++)
        squares += pow(at(&layer->x, (size_t)(row * width + i)) - sum / (double)width, 2);
    return (struct moments){sum / (double)width, 1 / sqrt(squares / (double)width + epsilon)};
}

/* The normalised element. */
static double normal(const struct layer *layer, int64_t row, int64_t column)
{
    const struct moments moments = moments_of(layer, row);
    return (at(&layer->x, (size_t)(row * layer->norm.width + column)) - moments.mean) *
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
    const int64_t rows = layer->norm.rows, width = layer->norm.width;
    struct array y = make_array(layer->count, 5, layer->norm.precision);
    assert_int_equal(launch_row_norm(y.data, layer->x.data, &layer->norm, NULL), cudaSuccess);
    for (int64_t row = 0; row < rows; row++) {
        const struct moments moments = moments_of(layer, row);
        const double inverse = at(&layer->statistics, (size_t)(rows + row));
        assert_close(at(&layer->statistics, (size_t)row), moments.mean, 1, PRECISION_FP32);
        assert_close(inverse / moments.inverse, 1, 1, PRECISION_FP32);
        for (int64_t i = 0; i < width; i += 1 + width / 17) {
            const double h = normal(layer, row, i), scale = at(&layer->parameters, (size_t)i),
                         shift = at(&layer->parameters, (size_t)(width + i));
            assert_close(at(&y, (size_t)(row * width + i)), h * scale + shift,
                         fabs(h * scale) + fabs(shift), layer->norm.precision);
        }
    }
    cudaFree(y.data);
}

static double scaled_gradient(const struct layer *layer, int64_t row, int64_t column)
{
    return at(&layer->y_gradient, (size_t)(row * layer->norm.width + column)) *
           at(&layer->parameters, (size_t)column);
}

/* From d y_j / d x_i = scale_j (delta_ij - 1 / width - h_i h_j / width) / deviation. */
static void check_row_backward(const struct layer *layer, const struct array *x_gradient,
                               int64_t row)
{
    const int64_t width = layer->norm.width;
    const struct moments moments = moments_of(layer, row);
    double sum = 0, product = 0;
    for (int64_t j = 0; j < width; j++) {
        const double h = (at(&layer->x, (size_t)(row * width + j)) - moments.mean) *
                         moments.inverse;
        sum += scaled_gradient(layer, row, j) / (double)width;
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

static void check_parameters(const struct layer *layer)
{
    const int64_t rows = layer->norm.rows, width = layer->norm.width;
    struct array gradients = make_array((size_t)(2 * width), 7, PRECISION_FP32);
    struct array scratch = make_array((size_t)row_norm_scratch(&layer->norm), 8, PRECISION_FP32);
    assert_int_equal(launch_row_norm_parameters(gradients.data, scratch.data,
                                                layer->y_gradient.data, layer->x.data, &layer->norm,
                                                NULL),
                     cudaSuccess);
    for (int64_t i = 0; i < width; i += 1 + width / 17) {
        double scale = 0, shift = 0;
        for (int64_t row = 0; row < rows; row++) {
            const double g = at(&layer->y_gradient, (size_t)(row * width + i));
            scale += g * normal(layer, row, i);
            shift += g;
        }
        assert_close(at(&gradients, (size_t)i), scale, sqrt((double)rows), PRECISION_FP32);
        assert_close(at(&gradients, (size_t)(width + i)), shift, sqrt((double)rows),
                     PRECISION_FP32);
    }
    cudaFree(gradients.data);
    cudaFree(scratch.data);
}

static void rows_are_normalised_and_differentiated(void **state)
{
    (void)state;
    for (int32_t precision = 0; precision < PRECISION_COUNT; precision++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            struct layer layer = make_layer(shapes[i].rows, shapes[i].width, precision);
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
    struct layer layer = make_layer(3, 1500, PRECISION_FP32);
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
    struct layer layer = make_layer(6, 64, PRECISION_BF16);
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
