#include "base/philox.h"
#include "test.h"
#include "trainer/mlp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct mlp_shape paper = {
    .layer_count = 5, .widths = {17, 32, 64, 128, 128, 1}, .output = MLP_OUTPUT_RELU};

static void counts_and_offsets(void **state)
{
    (void)state;
    struct mlp_shape shape = {.layer_count = 2, .widths = {3, 4, 1}};
    assert_int_equal(mlp_parameter_count(&shape), 3 * 4 + 4 + 4 + 1);
    assert_int_equal(mlp_weight_offset(&shape, 0), 0);
    assert_int_equal(mlp_bias_offset(&shape, 0), 12);
    assert_int_equal(mlp_weight_offset(&shape, 1), 16);
    assert_int_equal(mlp_bias_offset(&shape, 1), 20);
    assert_int_equal(mlp_parameter_count(&paper), 27649);
}

static void bad_shapes_are_errors(void **state)
{
    (void)state;
    struct {
        struct mlp_shape shape;
        const char *message;
    } cases[] = {
        {{.layer_count = 0}, "layers"},
        {{.layer_count = MLP_LAYER_LIMIT + 1}, "layers"},
        {{.layer_count = 2, .widths = {3, 0, 1}}, "width 1"},
        {{.layer_count = 2, .widths = {3, MLP_WIDTH_LIMIT + 1, 1}}, "width 1"},
        {{.layer_count = 1, .widths = {-1, 1}}, "width 0"},
        {{.layer_count = 1, .widths = {3, 2}}, "outputs"},
        {{.layer_count = 1, .widths = {3, 1}, .output = 7}, "output kind"},
        {{.layer_count = 1, .widths = {3, 7}, .output = MLP_OUTPUT_LOG}, "outputs, expected 1"},
        {{.layer_count = 1, .widths = {3, 17}, .output = MLP_OUTPUT_SUM}, "expected 1 to 16"},
        {{.layer_count = 1, .widths = {3, 1}, .output_bias = 2}, "output_bias"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {0};
        assert_int_equal(mlp_shape_check(&cases[i].shape, &error), STATUS_FAILED);
        assert_non_null(strstr(error.message, cases[i].message));
        float value = 0;
        assert_int_equal(mlp_predict(&value, &value, NULL, 1, &value, &cases[i].shape, &error),
                         STATUS_FAILED);
    }
    assert_int_equal(mlp_shape_check(&paper, NULL), STATUS_OK);
}

static void initial_weights_follow_philox(void **state)
{
    (void)state;
    float *parameters = malloc(27649 * sizeof *parameters), *again = malloc(27649 * sizeof *again);
    mlp_initialise(parameters, &paper, 42);
    for (int layer = 0; layer < paper.layer_count; layer++) {
        size_t from = mlp_weight_offset(&paper, layer), to = mlp_bias_offset(&paper, layer);
        double limit = sqrt(6.0 / (paper.widths[layer] + paper.widths[layer + 1])), sum = 0;
        for (size_t k = from; k < to; k++) {
            double uniform = (double)philox_uniform(
                philox((uint32_t)(k / 4), 0, 0, PHILOX_WEIGHTS, 42).word[k % 4]);
            assert_true(fabs((double)parameters[k] - limit * (2 * uniform - 1)) < 1e-7);
            sum += (double)parameters[k];
        }
        assert_true(fabs(sum / (double)(to - from)) < 4 * limit / sqrt(3.0 * (double)(to - from)));
        for (size_t k = to; k < mlp_weight_offset(&paper, layer + 1); k++)
            assert_true(parameters[k] == 0);
    }
    mlp_initialise(again, &paper, 42);
    assert_memory_equal(parameters, again, 27649 * sizeof *again);
    mlp_initialise(again, &paper, 43);
    assert_memory_not_equal(parameters, again, 27649 * sizeof *again);
    free(parameters);
    free(again);
}

static void offsets_go_with_sums(void **state)
{
    (void)state;
    const struct mlp_shape sum = {.layer_count = 1, .widths = {2, 3}, .output = MLP_OUTPUT_SUM};
    const struct mlp_shape log = {.layer_count = 1, .widths = {2, 1}, .output = MLP_OUTPUT_LOG};
    const float inputs[2] = {1, 2}, parameters[9] = {0}, offsets[3] = {1, MLP_NO_HEAD, 2};
    float prediction;
    struct error error = {0};
    assert_int_equal(mlp_predict(&prediction, inputs, NULL, 1, parameters, &sum, &error),
                     STATUS_FAILED);
    assert_non_null(strstr(error.message, "output sum needs offsets"));
    assert_int_equal(mlp_predict(&prediction, inputs, offsets, 1, parameters, &log, &error),
                     STATUS_FAILED);
    assert_non_null(strstr(error.message, "output log takes no offsets"));
    assert_int_equal(mlp_predict(&prediction, inputs, offsets, 1, parameters, &sum, &error),
                     STATUS_OK);
    assert_true(fabs((double)prediction - 2.3132616875) < 1e-6); /* ln (e + e^2) */
}

static void sums_start_at_zero(void **state)
{
    (void)state;
    struct mlp_shape shape = {
        .layer_count = 2, .widths = {3, 5, 7}, .output = MLP_OUTPUT_SUM, .output_bias = 1};
    float sum[62], log[62];
    mlp_initialise(sum, &shape, 4);
    shape.output = MLP_OUTPUT_LOG;
    mlp_initialise(log, &shape, 4);
    const size_t hidden = mlp_weight_offset(&shape, 1);
    assert_int_equal(mlp_parameter_count(&shape), 62);
    assert_memory_equal(sum, log, hidden * sizeof *sum);
    for (size_t k = hidden; k < 62; k++)
        assert_true(sum[k] == 0);
}

/* one row, in double, straight from the definition */
static double reference(const float *inputs, const float *offsets, const float *parameters,
                        const struct mlp_shape *shape)
{
    double a[MLP_WIDTH_LIMIT], z[MLP_WIDTH_LIMIT];
    for (int i = 0; i < shape->widths[0]; i++)
        a[i] = (double)inputs[i];
    for (int layer = 0; layer < shape->layer_count; layer++) {
        const float *weights = parameters + mlp_weight_offset(shape, layer);
        const float *bias = parameters + mlp_bias_offset(shape, layer);
        int columns = shape->widths[layer + 1];
        for (int j = 0; j < columns; j++) {
            z[j] = (double)bias[j];
            for (int i = 0; i < shape->widths[layer]; i++)
                z[j] += a[i] * (double)weights[i * columns + j];
        }
        for (int j = 0; j < columns; j++)
            a[j] = layer + 1 < shape->layer_count ? fmax(z[j], 0) : z[j];
    }
    double sum = 0;
    for (int h = 0; h < mlp_head_count(shape) && offsets; h++)
        sum += exp(a[h] + (double)offsets[h]);
    if (shape->output == MLP_OUTPUT_SUM)
        return log(sum);
    return shape->output == MLP_OUTPUT_RELU ? log1p(fmax(a[0], 0)) : a[0];
}

static void check_prediction(const struct mlp_shape *shape, size_t rows)
{
    size_t inputs = (size_t)shape->widths[0], count = mlp_parameter_count(shape);
    size_t heads = (size_t)mlp_head_count(shape);
    float *offsets = shape->output == MLP_OUTPUT_SUM ? malloc((rows + 1) * heads * sizeof *offsets)
                                                     : NULL;
    float *parameters = malloc(count * sizeof *parameters);
    float *data = malloc(rows * inputs * sizeof *data), *out = malloc((rows + 1) * sizeof *out);
    mlp_initialise(parameters, shape, 5);
    for (size_t k = 0; k < count; k++) /* so that biases take part */
        parameters[k] += 0.01f * (float)(k % 7);
    for (size_t i = 0; i < rows * inputs; i++)
        data[i] = 2 * philox_uniform(philox((uint32_t)i, 1, 2, 3, 4).word[0]) - 1;
    for (size_t i = 0; i < rows * heads && offsets; i++)
        offsets[i] = i % 4 == 1 ? (float)MLP_NO_HEAD : 0.3f * (float)(i % 9);
    out[rows] = 77;
    assert_int_equal(mlp_predict(out, data, offsets, rows, parameters, shape, NULL), STATUS_OK);
    assert_true(out[rows] == 77); /* nothing behind the end */
    for (size_t r = 0; r < rows; r++) {
        const float *own = offsets ? offsets + r * heads : NULL;
        double expected = reference(data + r * inputs, own, parameters, shape);
        assert_true(fabs((double)out[r] - expected) < 1e-5 * (1 + fabs(expected)));
        float alone;
        assert_int_equal(mlp_predict(&alone, data + r * inputs, own, 1, parameters, shape, NULL),
                         STATUS_OK);
        assert_memory_equal(&alone, &out[r], sizeof alone);
    }
    free(offsets);
    free(parameters);
    free(data);
    free(out);
}

static void predictions_match_reference(void **state)
{
    (void)state;
    const struct mlp_shape shapes[] = {
        paper,
        {.layer_count = 1, .widths = {5, 1}, .output = MLP_OUTPUT_LOG, .output_bias = 1},
        {.layer_count = 3, .widths = {1, 19, 33, 1}, .output = MLP_OUTPUT_LOG},
        {.layer_count = 2, .widths = {7, 84, 1}, .output = MLP_OUTPUT_LOG},
        {.layer_count = 1, .widths = {4, 16}, .output = MLP_OUTPUT_SUM},
        {.layer_count = 3, .widths = {6, 20, 5, 7}, .output = MLP_OUTPUT_SUM, .output_bias = 1},
        {.layer_count = 2, .widths = {6, 20, 1}, .output = MLP_OUTPUT_SUM},
    };
    const size_t rows[] = {0, 1, 2, 5, 6, 64, 131};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (size_t j = 0; j < sizeof rows / sizeof *rows; j++)
            check_prediction(&shapes[i], rows[j]);
}

static void nan_stays_nan(void **state)
{
    (void)state;
    float parameters[27649], inputs[17] = {0}, prediction = 0;
    mlp_initialise(parameters, &paper, 1);
    inputs[3] = NAN;
    assert_int_equal(mlp_predict(&prediction, inputs, NULL, 1, parameters, &paper, NULL),
                     STATUS_OK);
    assert_true(isnan(prediction));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_and_offsets),
        cmocka_unit_test(bad_shapes_are_errors),
        cmocka_unit_test(initial_weights_follow_philox),
        cmocka_unit_test(offsets_go_with_sums),
        cmocka_unit_test(sums_start_at_zero),
        cmocka_unit_test(predictions_match_reference),
        cmocka_unit_test(nan_stays_nan),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
