/* The kernels of loss, run in the shim, against double precision, in every storage type. */
#include "cross_entropy.h"
#include "stored_array.h"

/* Classes that a warp takes and that a block takes, in packs of 16 bytes and not; more rows than a
 * grid has in one turn. */
static const struct {
    int64_t rows, classes;
} shapes[] = {{1, 1},    {1, 2},    {9, 10},   {300, 21}, {33, 64},  {5, 1000},
              {3, 1024}, {4, 1025}, {2, 4096}, {3, 5003}, {40000, 2}};

struct layer {
    struct cross_entropy entropy;
    struct array x, logarithms, partial, loss, loss_gradient;
    int32_t *labels;
};

static struct layer make_layer(int64_t rows, int64_t classes, int32_t precision)
{
    struct layer layer = {.entropy = {.rows = rows, .classes = classes, .precision = precision}};
    struct cross_entropy *entropy = &layer.entropy;
    layer.x = make_array((size_t)(rows * classes), 1, precision);
    layer.logarithms = make_array((size_t)rows, 2, PRECISION_FP32);
    layer.partial = make_array((size_t)cross_entropy_partial(entropy), 3, PRECISION_FP32);
    layer.loss = make_array(1, 4, PRECISION_FP32);
    layer.loss_gradient = make_array(1, 5, PRECISION_FP32);
    assert_int_equal(cudaMalloc((void **)&layer.labels, (size_t)rows * 4), cudaSuccess);
    assert_int_equal(launch_indices(layer.labels, rows, (int32_t)classes, 6, 7, NULL), cudaSuccess);
    entropy->labels = layer.labels;
    entropy->logarithms = layer.logarithms.data;
    entropy->partial = layer.partial.data;
    return layer;
}

static void free_layer(struct layer *layer)
{
    cudaFree(layer->x.data), cudaFree(layer->logarithms.data), cudaFree(layer->partial.data);
    cudaFree(layer->loss.data), cudaFree(layer->loss_gradient.data), cudaFree(layer->labels);
}

static double element(const struct layer *layer, int64_t row, int64_t column)
{
    return at(&layer->x, (size_t)(row * layer->entropy.classes + column));
}

static double logarithm_of(const struct layer *layer, int64_t row)
{
    double largest = -INFINITY, sum = 0;
    for (int64_t i = 0; i < layer->entropy.classes; i++)
        largest = fmax(largest, element(layer, row, i));
    for (int64_t i = 0; i < layer->entropy.classes; i++)
        sum += exp(element(layer, row, i) - largest);
    return largest + log(sum);
}

static void assert_close(double got, double expected, double scale)
{
    if (!(fabs(got - expected) <= 1e-5 * fmax(scale, 1e-3)))
        fail_msg("got %.9g, expected %.9g", got, expected);
}

static void check_forward(const struct layer *layer)
{
    double mean = 0;
    assert_int_equal(launch_cross_entropy(layer->loss.data, layer->x.data, &layer->entropy, NULL),
                     cudaSuccess);
    for (int64_t row = 0; row < layer->entropy.rows; row++) {
        const double logarithm = logarithm_of(layer, row);
        if (layer->entropy.logarithms)
            assert_close(at(&layer->logarithms, (size_t)row), logarithm, 1 + fabs(logarithm));
        mean += (logarithm - element(layer, row, layer->labels[row])) / (double)layer->entropy.rows;
    }
    assert_close(at(&layer->loss, 0), mean, fabs(mean) + 1);
}

static void check_backward(const struct layer *layer)
{
    const int64_t rows = layer->entropy.rows, classes = layer->entropy.classes;
    const int32_t precision = layer->entropy.precision;
    struct array gradient = make_array((size_t)(rows * classes), 8, precision);
    const double scale = at(&layer->loss_gradient, 0) / (double)rows;
    const double smallest = precision_bytes(precision) == 2 ? ldexp(1, -24) : 0; /* of fp16 */
    assert_int_equal(launch_cross_entropy_backward(gradient.data, layer->loss_gradient.data,
                                                   layer->x.data, &layer->entropy, NULL),
                     cudaSuccess);
    for (int64_t row = 0; row < rows; row += 1 + rows / 1000) {
        const double logarithm = logarithm_of(layer, row);
        for (int64_t i = 0; i < classes; i++) {
            const double share = exp(element(layer, row, i) - logarithm);
            const double wanted = scale * (share - (i == layer->labels[row]));
            const double got = at(&gradient, (size_t)(row * classes + i));
            if (!(fabs(got - wanted) <= fabs(wanted) * rounding[precision] + smallest +
                                            2e-5 * fabs(scale) * (share + 1e-2)))
                fail_msg("row %d of %d, class %d: got %.9g, expected %.9g", (int)row, (int)rows,
                         (int)i, got, wanted);
        }
    }
    cudaFree(gradient.data);
}

static void losses_and_their_gradients(void **state)
{
    (void)state;
    for (int32_t precision = 0; precision < PRECISION_COUNT; precision++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            struct layer layer = make_layer(shapes[i].rows, shapes[i].classes, precision);
            check_forward(&layer);
            check_backward(&layer);
            free_layer(&layer);
        }
}

/* Exponentials of large elements would be infinite, those of small ones zero. */
static void large_elements_do_not_overflow(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        struct layer layer = make_layer(3, 1500, PRECISION_FP32);
        for (size_t i = 0; i < layer.x.count; i++)
            ((float *)layer.x.data)[i] = (float)sign * (1000 + (float)(i % 64) / 4);
        check_forward(&layer);
        check_backward(&layer);
        free_layer(&layer);
    }
}

static void forward_keeps_nothing(void **state)
{
    (void)state;
    struct layer layer = make_layer(70, 30, PRECISION_BF16);
    layer.entropy.logarithms = NULL;
    check_forward(&layer);
    free_layer(&layer);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_and_their_gradients),
        cmocka_unit_test(large_elements_do_not_overflow),
        cmocka_unit_test(forward_keeps_nothing),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
