/* The layers' own CUDA kernels, run in the shim, against double precision, in every storage type.
 */
#include "base/philox.h"
#include "elementwise.h"
#include "layers/function.h"
#include "stored_array.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double *copy_of(const struct array *array)
{
    double *copy = malloc(array->count * sizeof *copy);
    for (size_t i = 0; i < array->count; i++)
        copy[i] = at(array, i);
    return copy;
}

static void assert_near(double got, double expected, double scale, int32_t precision)
{
    double limit = 2 * rounding[precision] * fmax(scale, 1e-3);
    if (!(fabs(got - expected) <= limit))
        fail_msg("got %.9g, expected %.9g (%s)", got, expected,
                 choice_name(&choice_precision, precision));
}

/* ---- noise ---- */

static void noise_is_philox(void **state)
{
    (void)state;
    struct array noise = make_array(1003, 9, PRECISION_FP32);
    for (size_t i = 0; i < noise.count; i++) {
        struct philox_words words = philox((uint32_t)(i / 4), 9, 0, PHILOX_NOISE, 5);
        assert_float_equal(((float *)noise.data)[i], 2 * philox_uniform(words.word[i % 4]) - 1, 0);
    }
    cudaFree(noise.data);
    for (int32_t precision = PRECISION_FP16; precision <= PRECISION_BF16; precision++) {
        struct array rounded = make_array(1003, 9, precision);
        for (size_t i = 0; i < rounded.count; i++) {
            struct philox_words words = philox((uint32_t)(i / 4), 9, 0, PHILOX_NOISE, 5);
            double exact = 2 * (double)philox_uniform(words.word[i % 4]) - 1;
            assert_true(fabs(at(&rounded, i) - exact) <= rounding[precision] * fabs(exact) + 1e-7);
        }
        cudaFree(rounded.data);
    }
}

/* ---- bias, activation ---- */

static const struct channel_layout layouts[] = {
    {.count = 12, .channels = 3, .inner = 1},
    {.count = 7 * 130, .channels = 130, .inner = 1},
    {.count = 3 * 5 * 49, .channels = 5, .inner = 49},
    {.count = 2 * 4 * 900, .channels = 4, .inner = 900},
    {.count = 33, .channels = 33, .inner = 1},
    {.count = 1900 * 20, .channels = 20, .inner = 1},
    {.count = 1200 * 3 * 4, .channels = 3, .inner = 4},
    {.count = 2 * 3 * 1, .channels = 3, .inner = 1},
    {.count = 5 * 64, .channels = 64, .inner = 1},
    {.count = 2 * 7 * 2, .channels = 7, .inner = 2},
    {.count = 3 * 2 * 16, .channels = 2, .inner = 16},
    {.count = 3 * 1 * 25, .channels = 1, .inner = 25},
};

static void bias_reaches_its_channel(void **state)
{
    (void)state;
    for (int32_t precision = 0; precision < 4; precision++)
        for (size_t l = 0; l < sizeof layouts / sizeof *layouts; l++) {
            struct array values = make_array((size_t)layouts[l].count, 1, precision);
            struct array bias = make_array((size_t)layouts[l].channels, 2, precision);
            double *before = copy_of(&values);
            assert_int_equal(launch_bias(values.data, bias.data, &layouts[l], precision, NULL),
                             cudaSuccess);
            for (size_t i = 0; i < values.count; i++) {
                size_t channel = i / (size_t)layouts[l].inner % (size_t)layouts[l].channels;
                assert_near(at(&values, i), before[i] + at(&bias, channel), 2, precision);
            }
            free(before);
            cudaFree(values.data);
            cudaFree(bias.data);
        }
}

static void sums_add_two_tensors(void **state)
{
    (void)state;
    for (int32_t precision = 0; precision < 4; precision++)
        for (int64_t count = 1; count < 2000; count = 3 * count + 2) {
            struct array a = make_array(count, 1, precision), b = make_array(count, 2, precision);
            struct array sum = make_array(count, 3, precision);
            launch_sum(sum.data, a.data, b.data, count, precision, NULL);
            for (size_t i = 0; i < sum.count; i++)
                assert_near(at(&sum, i), at(&a, i) + at(&b, i), 2, precision);
            cudaFree(a.data), cudaFree(b.data), cudaFree(sum.data);
        }
}

/* Of every size around the width of an access, from every place in one: what lies before and after
 * stays. */
static void maps_write_their_elements_alone(void **state)
{
    (void)state;
    enum { ROOM = 64, LARGEST = 1100 };
    static const int64_t counts[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 1023, LARGEST};
    for (int32_t precision = 0; precision < 4; precision++)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
            for (size_t shift = 0; shift < 9; shift++) {
                const size_t bytes = (size_t)precision_bytes(precision), count = (size_t)counts[c];
                struct array a = make_array(LARGEST + ROOM, 1, precision);
                struct array b = make_array(LARGEST + ROOM, 2, precision);
                struct array sum = make_array(LARGEST + ROOM, 3, precision);
                double *before = copy_of(&sum);
                assert_int_equal(launch_sum((char *)sum.data + shift * bytes,
                                            (char *)a.data + shift % 3 * bytes, b.data, counts[c],
                                            precision, NULL),
                                 cudaSuccess);
                for (size_t i = 0; i < sum.count; i++)
                    if (i >= shift && i < shift + count)
                        assert_near(at(&sum, i), at(&a, i - shift + shift % 3) + at(&b, i - shift),
                                    2, precision);
                    else
                        assert_true(at(&sum, i) == before[i]);
                free(before);
                cudaFree(a.data), cudaFree(b.data), cudaFree(sum.data);
            }
}

/* More packs than a grid of the largest size takes in one turn. */
static void large_maps_take_several_turns(void **state)
{
    (void)state;
    const int64_t count = INT64_C(65535) * 256 * 2 * 8 + 12345;
    struct array values = {.precision = PRECISION_FP16, .count = (size_t)count};
    assert_int_equal(cudaMalloc(&values.data, (size_t)count * 2), cudaSuccess);
    uint16_t *raw = values.data;
    for (int64_t i = 0; i < count; i++)
        raw[i] = (uint16_t)(0x3C00 | (i & 1) << 15); /* 1, -1, 1, -1 ... */
    launch_activation(raw, raw, count, ACTIVATION_RELU, PRECISION_FP16, NULL);
    int64_t wrong = 0;
    for (int64_t i = 0; i < count; i++)
        wrong += raw[i] != (i & 1 ? 0 : 0x3C00);
    assert_int_equal(wrong, 0);
    cudaFree(values.data);
}

static double reference_activation(double x, int32_t activation)
{
    const double values[] = {x, fmax(x, 0), tanh(x), 1 / (1 + exp(-x))};
    return values[activation];
}

static void activations_and_their_gradients(void **state)
{
    (void)state;
    const double h = 1e-6;
    for (int32_t precision = 0; precision < 4; precision++)
        for (int32_t activation = 0; activation < ACTIVATION_COUNT; activation++) {
            struct array values = make_array(777, 1, precision);
            struct array gradient = make_array(777, 2, precision);
            double *x = copy_of(&values), *dy = copy_of(&gradient);
            launch_activation(values.data, values.data, 777, activation, precision, NULL);
            launch_activation_backward(gradient.data, gradient.data, values.data, 777, activation,
                                       precision, NULL);
            for (size_t i = 0; i < values.count; i++) {
                assert_near(at(&values, i), reference_activation(x[i], activation), 1, precision);
                double slope = (reference_activation(x[i] + h, activation) -
                                reference_activation(x[i] - h, activation)) /
                               (2 * h); /* a difference, not the kernel's formula */
                if (activation != ACTIVATION_RELU || fabs(x[i]) > h)
                    assert_near(at(&gradient, i), dy[i] * slope, 1.5, precision);
            }
            free(x);
            free(dy);
            cudaFree(values.data);
            cudaFree(gradient.data);
        }
}

/* Times 8: exact in every type. */
static void spread(struct array *array)
{
    const int mantissa = array->precision == PRECISION_BF16 ? 7 : 10;
    for (size_t i = 0; i < array->count; i++)
        if (precision_bytes(array->precision) == 4)
            ((float *)array->data)[i] *= 8;
        else if (((uint16_t *)array->data)[i] >> mantissa & 31)
            ((uint16_t *)array->data)[i] += (uint16_t)(3 << mantissa);
}

/* Slopes of the function itself, by a difference; arguments of both sides of every bend. */
static void functions_and_their_gradients(void **state)
{
    (void)state;
    enum { COUNT = 777 };
    const double h = 1e-5;
    for (int32_t precision = 0; precision < 4; precision++)
        for (int32_t function = 0; function < FUNCTION_COUNT; function++) {
            struct array input = make_array(COUNT, 1, precision);
            struct array output = make_array(COUNT, 2, precision);
            struct array gradient = make_array(COUNT, 3, precision);
            double *dy = copy_of(&gradient);
            spread(&input);
            launch_function(output.data, input.data, COUNT, function, precision, NULL);
            launch_function_backward(gradient.data, gradient.data,
                                     function_traits_of(function)->keeps_output ? output.data
                                                                                : input.data,
                                     COUNT, function, precision, NULL);
            for (size_t i = 0; i < COUNT; i++) {
                const double x = at(&input, i), y = function_value(function, x);
                const double slope = (function_value(function, x + h) -
                                      function_value(function, x - h)) /
                                     (2 * h);
                assert_near(at(&output, i), y, fmax(fabs(x), fabs(y)), precision);
                if (fabs(remainder(x, 3)) > h) /* no bend */
                    assert_near(at(&gradient, i), dy[i] * slope, 2 * fmax(1, fabs(slope)),
                                precision);
            }
            free(dy);
            cudaFree(input.data), cudaFree(output.data), cudaFree(gradient.data);
        }
}

static void bias_gradient_sums_channels(void **state)
{
    (void)state;
    for (int32_t precision = 0; precision < 4; precision++)
        for (size_t l = 0; l < sizeof layouts / sizeof *layouts; l++) {
            const struct channel_layout *layout = &layouts[l];
            struct array gradient = make_array((size_t)layout->count, 1, precision);
            struct array sums = make_array((size_t)layout->channels, 2, precision);
            void *scratch;
            cudaMalloc(&scratch, (size_t)bias_gradient_scratch(layout) * sizeof(float));
            assert_int_equal(
                launch_bias_gradient(sums.data, gradient.data, scratch, layout, precision, NULL),
                cudaSuccess);
            for (size_t channel = 0; channel < sums.count; channel++) {
                double expected = 0, size = 0;
                for (size_t i = 0; i < gradient.count; i++)
                    if (i / (size_t)layout->inner % sums.count == channel) {
                        expected += at(&gradient, i);
                        size += fabs(at(&gradient, i));
                    }
                assert_true(fabs(at(&sums, channel) - expected) <=
                            1e-6 * size + rounding[precision] * fabs(expected) + 1e-6);
            }
            cudaFree(scratch);
            cudaFree(gradient.data);
            cudaFree(sums.data);
        }
}

/* ---- optimizers ---- */

/* One step of the usual forms in double; see host/onednn/update.c. */
static double reference_step(double w, double g, double *s, double *t, int32_t optimizer)
{
    const double rate = 1e-8, decay = (double)0.9f, decay2 = (double)0.999f, tiny = 1e-7;
    double delta;
    switch (optimizer) {
    case OPTIMIZER_SGD:
        return w - rate * g;
    case OPTIMIZER_MOMENTUM:
        *s = decay * *s + g;
        return w - rate * *s;
    case OPTIMIZER_ADAGRAD:
        *s += g * g;
        return w - rate * g / (sqrt(*s) + tiny);
    case OPTIMIZER_ADADELTA:
        *s = decay * *s + (1 - decay) * g * g;
        delta = sqrt(*t + tiny) / sqrt(*s + tiny) * g;
        *t = decay * *t + (1 - decay) * delta * delta;
        return w - rate * delta;
    case OPTIMIZER_RMSPROP:
        *s = decay * *s + (1 - decay) * g * g;
        return w - rate * g / (sqrt(*s) + tiny);
    default:
        *s = decay * *s + (1 - decay) * g;
        *t = decay2 * *t + (1 - decay2) * g * g;
        w -= optimizer == OPTIMIZER_ADAMW ? ldexp(w, -24) : 0;
        return w - rate * *s / (sqrt(*t) + tiny);
    }
}

static void optimizers_follow_their_formulas(void **state)
{
    (void)state;
    const size_t count = 600;
    for (int32_t precision = 0; precision < 4; precision++)
        for (int32_t optimizer = OPTIMIZER_SGD; optimizer < OPTIMIZER_COUNT; optimizer++) {
            struct array w = make_array(count, 1, precision), g = make_array(count, 2, precision);
            double *expected = copy_of(&w), *s = calloc(count, sizeof *s),
                   *t = calloc(count, sizeof *t);
            struct optimizer_update update = {.parameters = w.data,
                                              .gradient = g.data,
                                              .count = (int64_t)count,
                                              .optimizer = optimizer};
            for (int k = 0; k < optimizer_state_count(optimizer); k++) {
                cudaMalloc((void **)&update.state[k], count * sizeof(float));
                cudaMemsetAsync(update.state[k], 0, count * sizeof(float), NULL);
            }
            for (int step = 0; step < 3; step++) {
                assert_int_equal(launch_optimizer(&update, precision, NULL), cudaSuccess);
                for (size_t i = 0; i < count; i++)
                    expected[i] = reference_step(expected[i], at(&g, i), &s[i], &t[i], optimizer);
            }
            for (size_t i = 0; i < count; i++) {
                assert_near(at(&w, i), expected[i], 1, precision);
                if (update.state[0])
                    assert_near((double)update.state[0][i], s[i], fabs(s[i]), PRECISION_FP32);
                if (update.state[1])
                    assert_near((double)update.state[1][i], t[i], fabs(t[i]), PRECISION_FP32);
            }
            free(expected);
            free(s);
            free(t);
            cudaFree(w.data);
            cudaFree(g.data);
            cudaFree(update.state[0]);
            cudaFree(update.state[1]);
        }
}

/* A unit in the last place per step, without a gradient. */
static void adamw_shrinks_weights(void **state)
{
    (void)state;
    float w[4] = {1, -1, 1, 1}, g[4] = {0}, s[4] = {0}, t[4] = {0};
    const struct optimizer_update update = {
        .parameters = w, .gradient = g, .state = {s, t}, .count = 4, .optimizer = OPTIMIZER_ADAMW};
    for (int step = 0; step < 1000; step++)
        assert_int_equal(launch_optimizer(&update, PRECISION_FP32, NULL), cudaSuccess);
    for (int i = 0; i < 4; i++)
        assert_true(fabsf(fabsf(w[i]) - (1 - 1000 * 0x1p-24f)) < 1e-6f);
}

/* A sparse gradient: its rows go to their owners, one row has none. */
static void sparse_updates_change_their_rows_alone(void **state)
{
    (void)state;
    enum { WIDTH = 30, ROWS = 4, PARAMETERS = 7 * WIDTH };
    const int32_t owners[ROWS] = {5, -1, 0, 3};
    for (int32_t optimizer = OPTIMIZER_SGD; optimizer < OPTIMIZER_COUNT; optimizer++) {
        struct array w = make_array(PARAMETERS, 1, PRECISION_FP32);
        struct array g = make_array(ROWS * WIDTH, 2, PRECISION_FP32);
        double *before = copy_of(&w);
        struct optimizer_update update = {.parameters = w.data,
                                          .gradient = g.data,
                                          .count = PARAMETERS,
                                          .optimizer = optimizer,
                                          .owners = owners,
                                          .rows = ROWS,
                                          .width = WIDTH};
        for (int k = 0; k < optimizer_state_count(optimizer); k++) {
            cudaMalloc((void **)&update.state[k], PARAMETERS * sizeof(float));
            cudaMemsetAsync(update.state[k], 0, PARAMETERS * sizeof(float), NULL);
        }
        assert_int_equal(launch_optimizer(&update, PRECISION_FP32, NULL), cudaSuccess);
        for (size_t row = 0; row < PARAMETERS / WIDTH; row++)
            for (size_t i = 0; i < WIDTH; i++) {
                const size_t place = row * WIDTH + i;
                const size_t from = row == 5 ? 0 : row == 0 ? 2 : row == 3 ? 3 : ROWS;
                double s = 0, t = 0;
                const double wanted = from < ROWS
                                          ? reference_step(before[place], at(&g, from * WIDTH + i),
                                                           &s, &t, optimizer)
                                          : before[place];
                assert_near(at(&w, place), wanted, 1, PRECISION_FP32);
                if (update.state[0])
                    assert_near((double)update.state[0][place], s, fabs(s), PRECISION_FP32);
            }
        free(before);
        cudaFree(w.data), cudaFree(g.data);
        cudaFree(update.state[0]), cudaFree(update.state[1]);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_is_philox),
        cmocka_unit_test(bias_reaches_its_channel),
        cmocka_unit_test(sums_add_two_tensors),
        cmocka_unit_test(maps_write_their_elements_alone),
        cmocka_unit_test(large_maps_take_several_turns),
        cmocka_unit_test(activations_and_their_gradients),
        cmocka_unit_test(functions_and_their_gradients),
        cmocka_unit_test(bias_gradient_sums_channels),
        cmocka_unit_test(optimizers_follow_their_formulas),
        cmocka_unit_test(adamw_shrinks_weights),
        cmocka_unit_test(sparse_updates_change_their_rows_alone),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
