/* Operations with a repeated operand and reductions: the CUDA kernels, run in the shim, against
 * double precision, in every storage type. */
#include "elementwise.h"
#include "reduction.h"
#include "stored_array.h"
#include "test.h"

static void assert_near(double got, double expected, double size, int32_t precision)
{
    const double limit = 2 * rounding[precision] * fmax(size, 1e-3);
    if (!(fabs(got - expected) <= limit))
        fail_msg("got %.9g, expected %.9g (%s)", got, expected,
                 choice_name(&choice_precision, precision));
}

/* ---- two operands ---- */

static double combined(double a, double b, int32_t operation)
{
    const double results[BINARY_COUNT] = {[BINARY_ADD] = a + b,
                                          [BINARY_MULTIPLY] = a * b,
                                          [BINARY_SUBTRACT] = a - b,
                                          [BINARY_DIVIDE] = a / b};
    return results[operation];
}

/* Rows (repeats, elements), elements of their own or shared; (elements, repeats); scalars. */
static const struct {
    int64_t count, second_count;
    struct repeated_layout layout;
} repetitions[] = {
    {3 * 7 * 50, 3 * 50, {.block = 350, .block_step = 50, .inner = 1, .elements = 50}},
    {3 * 7 * 50, 50, {.block = 350, .block_step = 0, .inner = 1, .elements = 50}},
    {3 * 7 * 50, 3 * 50, {.block = 350, .block_step = 50, .inner = 7, .elements = 50}},
    {3 * 7 * 50, 50, {.block = 350, .block_step = 0, .inner = 7, .elements = 50}},
    {2 * 999, 2, {.block = 999, .block_step = 1, .inner = 1, .elements = 1}},
    {5000, 1, {.block = 5000, .block_step = 0, .inner = 1, .elements = 1}},
    {4 * 3, 4 * 3, {.block = 3, .block_step = 3, .inner = 1, .elements = 3}},
};

static void operands_are_repeated(void **state)
{
    (void)state;
    for (int32_t precision = 0; precision < 4; precision++)
        for (int32_t operation = 0; operation < BINARY_COUNT; operation++)
            for (size_t r = 0; r < sizeof repetitions / sizeof *repetitions; r++) {
                const struct repeated_layout *layout = &repetitions[r].layout;
                struct array a = make_array((size_t)repetitions[r].count, 1, precision);
                struct array b = make_array((size_t)repetitions[r].second_count, 2, precision);
                struct array y = make_array(a.count, 3, precision);
                assert_int_equal(launch_binary(y.data, a.data, b.data, repetitions[r].count, layout,
                                               operation, precision, NULL),
                                 cudaSuccess);
                for (size_t i = 0; i < a.count; i++) {
                    const int64_t index = (int64_t)i, row = index / layout->block;
                    const int64_t element = index % layout->block / layout->inner %
                                            layout->elements;
                    const double second = at(&b, (size_t)(row * layout->block_step + element));
                    const double wanted = combined(at(&a, i), second, operation);
                    if (fabs(wanted) < 1e4)
                        assert_near(at(&y, i), wanted, fmax(2, fabs(wanted)), precision);
                }
                cudaFree(a.data), cudaFree(b.data), cudaFree(y.data);
            }
}

static void operands_of_one_shape(void **state)
{
    (void)state;
    enum { COUNT = 1003 };
    for (int32_t precision = 0; precision < 4; precision++) {
        struct array a = make_array(COUNT, 1, precision), b = make_array(COUNT, 2, precision);
        struct array x = make_array(COUNT, 4, precision), y = make_array(COUNT, 3, precision);
        for (int32_t operation = 0; operation < BINARY_COUNT; operation++) {
            launch_binary(y.data, a.data, b.data, COUNT, NULL, operation, precision, NULL);
            for (size_t i = 0; i < COUNT; i++) {
                const double wanted = combined(at(&a, i), at(&b, i), operation);
                if (fabs(wanted) < 1e4)
                    assert_near(at(&y, i), wanted, fmax(2, fabs(wanted)), precision);
            }
        }
        launch_negative(y.data, a.data, COUNT, precision, NULL);
        for (size_t i = 0; i < COUNT; i++)
            assert_true(at(&y, i) == -at(&a, i));
        launch_divisor_gradient(y.data, x.data, a.data, b.data, COUNT, precision, NULL);
        for (size_t i = 0; i < COUNT; i++) {
            const double wanted = -at(&x, i) * at(&a, i) / (at(&b, i) * at(&b, i));
            if (fabs(wanted) < 1e4)
                assert_near(at(&y, i), wanted, fmax(1, fabs(wanted)), precision);
        }
        launch_divisor_share(y.data, x.data, b.data, COUNT, precision, NULL);
        for (size_t i = 0; i < COUNT; i++) {
            const double wanted = -at(&x, i) / (at(&b, i) * at(&b, i));
            if (fabs(wanted) < 1e4)
                assert_near(at(&y, i), wanted, fmax(1, fabs(wanted)), precision);
        }
        cudaFree(a.data), cudaFree(b.data), cudaFree(x.data), cudaFree(y.data);
    }
}

/* ---- reductions ---- */

/* Warps, blocks and slices of rows; columns in wide and narrow blocks, with and without slices. */
static const int64_t shapes[][3] = {
    {3, 4, 1}, {40, 33, 1}, {7, 1024, 1}, {5, 1500, 1},  {1, 20000, 1}, {2, 9000, 1},
    {3, 4, 5}, {1, 700, 3}, {2, 50, 64},  {1, 1000, 33}, {5, 3, 100},   {1, 2, 2},
};

struct expected {
    double value, size;
    int64_t place;
};

static struct expected expect(const struct array *x, const struct array *by,
                              const struct reduction_shape *shape, int64_t result)
{
    struct expected found = {.place = 0};
    const int64_t first = result / shape->inner * shape->length * shape->inner +
                          result % shape->inner;
    for (int64_t l = 0; l < shape->length; l++) {
        const double value = at(x, (size_t)(first + l * shape->inner));
        const double other = at(by, (size_t)(first + l * shape->inner));
        const double terms[FOLD_COUNT] = {value, value * other, value * value};
        const bool is_better = shape->fold == FOLD_MAX ? value > found.value : value < found.value;
        if (shape->fold == FOLD_MAX || shape->fold == FOLD_MIN) {
            found.place = l == 0 || is_better ? l : found.place;
            found.value = l == 0 || is_better ? value : found.value;
            continue;
        }
        found.value += terms[shape->fold];
        found.size += terms[shape->fold] * terms[shape->fold];
    }
    found.size = sqrt(found.size) + fabs(found.value);
    if (shape->is_root)
        found.value = sqrt(found.value);
    found.value *= (double)shape->factor;
    return found;
}

static void check_reduction(const struct reduction_shape *shape)
{
    const size_t results = (size_t)(shape->outer * shape->inner);
    const size_t count = results * (size_t)shape->length;
    struct array x = make_array(count, 1, shape->precision);
    struct array by = make_array(count, 2, shape->precision);
    struct array y = make_array(results, 3, shape->precision);
    int32_t *winners;
    float *scratch;
    cudaMalloc((void **)&winners, results * sizeof *winners);
    cudaMalloc((void **)&scratch, (size_t)reduction_scratch(shape) * sizeof *scratch);
    const bool is_best = shape->fold == FOLD_MAX || shape->fold == FOLD_MIN;
    assert_int_equal(
        launch_reduction(y.data, is_best ? winners : NULL, scratch, x.data, by.data, shape, NULL),
        cudaSuccess);
    for (size_t i = 0; i < results; i++) {
        const struct expected wanted = expect(&x, &by, shape, (int64_t)i);
        assert_near(at(&y, i), wanted.value, fmax(wanted.size, fabs(wanted.value)),
                    shape->precision);
        if (is_best)
            assert_int_equal(winners[i], wanted.place);
    }
    cudaFree(x.data), cudaFree(by.data), cudaFree(y.data);
    cudaFree(winners), cudaFree(scratch);
}

static void axes_are_reduced(void **state)
{
    (void)state;
    for (int32_t precision = 0; precision < 4; precision++)
        for (int32_t fold = 0; fold < FOLD_COUNT; fold++)
            for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
                const struct reduction_shape shape = {.outer = shapes[s][0],
                                                      .length = shapes[s][1],
                                                      .inner = shapes[s][2],
                                                      .fold = fold,
                                                      .precision = precision,
                                                      .factor = fold == FOLD_SUM ? -0.25f : 1,
                                                      .is_root = fold == FOLD_SQUARES};
                check_reduction(&shape);
            }
}

/* The sum for each of 6 elements over 4 rows of (6, 5): runs of 5, 30 apart. */
static void runs_are_reduced_together(void **state)
{
    (void)state;
    enum { ROWS = 4, ELEMENTS = 6, REPEATS = 5 };
    const struct reduction_shape shape = {.outer = ELEMENTS,
                                          .length = ROWS * REPEATS,
                                          .inner = 1,
                                          .run = REPEATS,
                                          .run_step = ELEMENTS * REPEATS,
                                          .fold = FOLD_SUM,
                                          .precision = PRECISION_FP32,
                                          .factor = 1};
    struct array x = make_array(ROWS * ELEMENTS * REPEATS, 1, PRECISION_FP32);
    struct array y = make_array(ELEMENTS, 2, PRECISION_FP32);
    float scratch[1];
    assert_int_equal(reduction_scratch(&shape), 1);
    launch_reduction(y.data, NULL, scratch, x.data, NULL, &shape, NULL);
    for (size_t e = 0; e < ELEMENTS; e++) {
        double wanted = 0;
        for (size_t i = 0; i < x.count; i++)
            wanted += i / REPEATS % ELEMENTS == e ? at(&x, i) : 0;
        assert_near(at(&y, e), wanted, 10, PRECISION_FP32);
    }
    cudaFree(x.data), cudaFree(y.data);
}

static void gradients_go_back_along_the_axis(void **state)
{
    (void)state;
    for (int32_t precision = 0; precision < 4; precision++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            const struct reduction_shape shape = {.outer = shapes[s][0],
                                                  .length = shapes[s][1],
                                                  .inner = shapes[s][2],
                                                  .precision = precision,
                                                  .factor = 0.5f};
            const size_t results = (size_t)(shape.outer * shape.inner);
            struct array y = make_array(results * (size_t)shape.length, 1, precision);
            struct array x = make_array(y.count, 2, precision);
            struct array g = make_array(results, 3, precision),
                         n = make_array(results, 4, precision);
            int32_t *winners;
            cudaMalloc((void **)&winners, results * sizeof *winners);
            for (size_t i = 0; i < results; i++)
                winners[i] = (int32_t)(i % (size_t)shape.length);
            for (int which = 0; which < 3; which++) {
                if (which == 0)
                    launch_spread(y.data, g.data, &shape, NULL);
                else if (which == 1)
                    launch_scatter_winners(y.data, g.data, winners, &shape, NULL);
                else
                    launch_norm_gradient(y.data, x.data, g.data, n.data, &shape, NULL);
                for (size_t i = 0; i < y.count; i++) {
                    const size_t inner = (size_t)shape.inner, length = (size_t)shape.length;
                    const size_t above = i / inner / length * inner + i % inner;
                    const double gradient = at(&g, above);
                    const bool has_won = winners[above] == (int32_t)(i / inner % length);
                    const double wanted[] = {gradient / 2, has_won ? gradient : 0,
                                             at(&x, i) * (gradient / at(&n, above))};
                    if (fabs(wanted[which]) < 1e4)
                        assert_near(at(&y, i), wanted[which], fabs(wanted[which]), precision);
                }
            }
            cudaFree(x.data), cudaFree(y.data), cudaFree(g.data), cudaFree(n.data);
            cudaFree(winners);
        }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operands_are_repeated),
        cmocka_unit_test(operands_of_one_shape),
        cmocka_unit_test(axes_are_reduced),
        cmocka_unit_test(runs_are_reduced_together),
        cmocka_unit_test(gradients_go_back_along_the_axis),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
