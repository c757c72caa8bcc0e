#include "evaluate/residuals.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 5 };

/* Dense: 0.5 ms off by +10 %, 2 ms exact, 4 ms off by -50 %; conv2d: kernels 3 and 5, exact. */
struct fixture {
    struct measurement measured[ROWS];
    const struct measurement *rows[ROWS];
    struct prediction predictions[ROWS];
    struct row_forecasts forecasts;
};

static void fill(struct fixture *fixture)
{
    static const double measured_ms[ROWS] = {0.5, 2, 4, 1, 10};
    static const double predicted_ms[ROWS] = {0.55, 2, 2, 1, 10};
    static const int32_t inputs[] = {1, 20, 1000};
    memset(fixture, 0, sizeof *fixture);
    for (int i = 0; i < ROWS; i++) {
        struct measurement *row = &fixture->measured[i];
        row->median_ms = measured_ms[i];
        row->ci_ms = i == 4 ? NAN : 0.0196 * measured_ms[i];
        row->config.batch_size = 1;
        row->config.kind = i < 3 ? LAYER_DENSE : LAYER_CONV2D;
        if (i < 3)
            row->config.as.dense = (struct dense){inputs[i], 1, SWITCH_NO, ACTIVATION_TANH};
        else
            row->config.as.conv2d.kernel_size = i == 3 ? 5 : 3;
        snprintf(row->algorithm, sizeof row->algorithm, "%s", i == 1 ? "gemm" : "");
        fixture->rows[i] = row;
        fixture->predictions[i].median_ms = predicted_ms[i];
    }
    fixture->forecasts = (struct row_forecasts){
        .count = ROWS, .rows = fixture->rows, .predictions = fixture->predictions};
}

static const struct slice *find(const struct residuals *residuals, int32_t layer, const char *label)
{
    for (size_t i = 0; i < residuals->count; i++)
        if (residuals->slices[i].layer == layer && strcmp(residuals->slices[i].label, label) == 0)
            return &residuals->slices[i];
    fail_msg("no slice %s", label);
    return NULL;
}

static void decades_hold_their_rows(void **state)
{
    (void)state;
    struct fixture fixture;
    struct residuals residuals;
    const char *const keys[] = {"decade"};
    fill(&fixture);
    assert_int_equal(residuals_create(&residuals, &fixture.forecasts, keys, 1, NULL), STATUS_OK);
    assert_int_equal(residuals.count, 4);
    const struct slice *below = find(&residuals, LAYER_DENSE, "[0.1, 1) ms");
    assert_int_equal(below->errors.count, 1);
    assert_true(fabs(below->errors.mape_percent - 10) < 1e-9);
    assert_true(fabs(below->bias_percent - 10) < 1e-9);
    assert_true(fabs(below->squares_percent - 100 * 0.0025 / 4.0025) < 1e-9);
    assert_true(fabs(below->noise_percent - 1) < 1e-9);
    assert_true(fabs(below->noise_rmse_ms - 0.005) < 1e-12);
    const struct slice *above = find(&residuals, LAYER_DENSE, "[1, 10) ms");
    assert_int_equal(above->errors.count, 2);
    assert_true(fabs(above->bias_percent - 100 * (sqrt(0.5) - 1)) < 1e-9);
    assert_int_equal(find(&residuals, LAYER_CONV2D, "[10, 100) ms")->errors.count, 1);
    residuals_free(&residuals);
}

static void features_and_algorithms_are_keys(void **state)
{
    (void)state;
    struct fixture fixture;
    struct residuals residuals;
    const char *const keys[] = {"kernel_size", "inputs", "activation", "algorithm", "noise"};
    fill(&fixture);
    assert_int_equal(residuals_create(&residuals, &fixture.forecasts, keys, 5, NULL), STATUS_OK);
    assert_string_equal(residuals.slices[0].label, "3"); /* sorted; dense has no kernel */
    assert_string_equal(residuals.slices[1].label, "5");
    assert_string_equal(residuals.slices[0].key, "kernel_size");
    assert_int_equal(find(&residuals, LAYER_DENSE, "[1, 2)")->errors.count, 1);
    assert_int_equal(find(&residuals, LAYER_DENSE, "[16, 32)")->errors.count, 1);
    assert_int_equal(find(&residuals, LAYER_DENSE, "[512, 1024)")->errors.count, 1);
    assert_int_equal(find(&residuals, LAYER_DENSE, "tanh")->errors.count, 3);
    assert_int_equal(find(&residuals, LAYER_DENSE, "gemm")->errors.count, 1);
    assert_int_equal(find(&residuals, LAYER_DENSE, "unknown")->errors.count, 2);
    assert_int_equal(find(&residuals, LAYER_CONV2D, "[1, 2) %")->errors.count, 1); /* NaN: none */
    residuals_free(&residuals);
}

static void unknown_keys_are_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    struct residuals residuals;
    struct error error = {0};
    const char *const keys[] = {"decade", "colour"};
    fill(&fixture);
    assert_int_equal(residuals_create(&residuals, &fixture.forecasts, keys, 2, &error),
                     STATUS_USAGE);
    assert_non_null(strstr(error.message, "'colour'"));
    assert_null(residuals.slices);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decades_hold_their_rows),
        cmocka_unit_test(features_and_algorithms_are_keys),
        cmocka_unit_test(unknown_keys_are_refused),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
