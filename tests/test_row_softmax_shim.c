/* Softmax's kernels, run in the shim, against double precision, in every storage type. */
#include "row_softmax.h"
#include "stored_array.h"

/* Widths that a warp takes and that a block takes, in packs of 16 bytes and not; with a causal
 * mask where there is a period. */
static const struct {
    int64_t rows, width, period;
} shapes[] = {{1, 1, 0},    {5, 7, 0},    {9, 32, 0}, {300, 40, 0},  {3, 768, 0}, {2, 1023, 0},
              {2, 1032, 0}, {2, 2051, 0}, {1, 1, 1},  {12, 16, 4},   {10, 7, 5},  {33, 33, 33},
              {3, 1032, 3}, {2, 1100, 2}, {6, 9, 1},  {24, 1048, 12}};

struct layer {
    struct row_softmax softmax;
    struct array x, y, y_gradient;
    size_t count;
};

static struct layer make_layer(int64_t rows, int64_t width, int64_t period, int32_t precision)
{
    struct layer layer = {
        .softmax = {.rows = rows, .width = width, .period = period, .precision = precision},
        .count = (size_t)(rows * width)};
    layer.x = make_array(layer.count, 1, precision);
    layer.y_gradient = make_array(layer.count, 2, precision);
    layer.y = make_array(layer.count, 3, precision);
    return layer;
}

static void free_layer(struct layer *layer)
{
    cudaFree(layer->x.data);
    cudaFree(layer->y.data);
    cudaFree(layer->y_gradient.data);
}

/* Keys that the row sees: of its period's last query all. */
static int64_t visible_of(const struct layer *layer, int64_t row)
{
    const int64_t period = layer->softmax.period, width = layer->softmax.width;
    return period ? width - (period - 1 - row % period) : width;
}

static void assert_close(double got, double expected, int32_t precision)
{
    const double smallest = precision_bytes(precision) == 2 ? 0x1p-24 : 1e-9;
    const double limit = (2 * rounding[precision] + 2e-5) * fabs(expected) + smallest;
    if (!(fabs(got - expected) <= limit))
        fail_msg("got %.9g, expected %.9g (%s)", got, expected,
                 choice_name(&choice_precision, precision));
}

static void check_forward(const struct layer *layer)
{
    const int64_t width = layer->softmax.width;
    assert_int_equal(launch_row_softmax(layer->y.data, layer->x.data, &layer->softmax, NULL),
                     cudaSuccess);
    for (int64_t row = 0; row < layer->softmax.rows; row++) {
        double sum = 0;
        const int64_t visible = visible_of(layer, row);
        for (int64_t i = 0; i < visible; i++)
            sum += exp(at(&layer->x, (size_t)(row * width + i)));
        for (int64_t i = 0; i < width; i++) {
            const size_t index = (size_t)(row * width + i);
            assert_close(at(&layer->y, index), i < visible ? exp(at(&layer->x, index)) / sum : 0,
                         layer->softmax.precision);
        }
    }
}

/* From d y_j / d x_i = y_j (delta_ij - y_i). */
static void check_backward(const struct layer *layer)
{
    const int64_t width = layer->softmax.width;
    struct array x_gradient = make_array(layer->count, 4, layer->softmax.precision);
    assert_int_equal(launch_row_softmax_backward(x_gradient.data, layer->y_gradient.data,
                                                 layer->y.data, &layer->softmax, NULL),
                     cudaSuccess);
    for (int64_t row = 0; row < layer->softmax.rows; row++)
        for (int64_t i = 0; i < width; i += 1 + width / 17) {
            const double y = at(&layer->y, (size_t)(row * width + i));
            double wanted = 0, size = 0;
            for (int64_t j = 0; j < width; j++) {
                const size_t other = (size_t)(row * width + j);
                const double term = at(&layer->y_gradient, other) * at(&layer->y, other) *
                                    ((i == j) - y);
                wanted += term;
                size += fabs(term);
            }
            const double got = at(&x_gradient, (size_t)(row * width + i));
            const double limit = rounding[layer->softmax.precision] * fabs(wanted) + 1e-5 * size;
            if (!(fabs(got - wanted) <= limit + 0x1p-24))
                fail_msg("gradient %.9g, expected %.9g", got, wanted);
        }
    cudaFree(x_gradient.data);
}

static void rows_are_divided_and_differentiated(void **state)
{
    (void)state;
    for (int32_t precision = 0; precision < PRECISION_COUNT; precision++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            struct layer layer = make_layer(shapes[i].rows, shapes[i].width, shapes[i].period,
                                            precision);
            check_forward(&layer);
            check_backward(&layer);
            free_layer(&layer);
        }
}

static void large_inputs_do_not_overflow(void **state)
{
    (void)state;
    struct layer layer = make_layer(2, 40, 0, PRECISION_FP32);
    float *x = layer.x.data;
    for (size_t i = 0; i < layer.count; i++)
        x[i] = i % 40 == 7 ? 3e4f : -3e4f;
    assert_int_equal(launch_row_softmax(layer.y.data, x, &layer.softmax, NULL), cudaSuccess);
    for (size_t i = 0; i < layer.count; i++)
        assert_true(at(&layer.y, i) == (i % 40 == 7));
    free_layer(&layer);
}

static void both_passes_may_work_in_place(void **state)
{
    (void)state;
    static const int64_t widths[] = {64, 1096, 1101};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        struct layer layer = make_layer(6, widths[i], 3, PRECISION_BF16);
        struct array x_gradient = make_array(layer.count, 5, PRECISION_BF16);
        launch_row_softmax(layer.y.data, layer.x.data, &layer.softmax, NULL);
        launch_row_softmax(layer.x.data, layer.x.data, &layer.softmax, NULL);
        assert_memory_equal(layer.x.data, layer.y.data, layer.count * 2);
        launch_row_softmax_backward(x_gradient.data, layer.y_gradient.data, layer.y.data,
                                    &layer.softmax, NULL);
        launch_row_softmax_backward(layer.y_gradient.data, layer.y_gradient.data, layer.y.data,
                                    &layer.softmax, NULL);
        assert_memory_equal(layer.y_gradient.data, x_gradient.data, layer.count * 2);
        cudaFree(x_gradient.data);
        free_layer(&layer);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_divided_and_differentiated),
        cmocka_unit_test(large_inputs_do_not_overflow),
        cmocka_unit_test(both_passes_may_work_in_place),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
