#include "predictors/row_correction.h"
#include "synthetic_rows.h"
#include "test.h"

enum { ROWS = 500 };

/* Rows and their forecasts. */
struct case_rows {
    struct dataset_rows rows;
    const struct measurement *pointers[ROWS];
    double predicted_ms[ROWS];
};

static const struct layer_config conv_3x3 = {
    .kind = LAYER_CONV2D,
    .batch_size = 4,
    .as.conv2d = {32, 3, 16, 16, 1, PADDING_SAME, SWITCH_NO, ACTIVATION_NONE, 0, 0, 1, 1}};

static double factor_with(const struct measurement *rows, size_t count, double predicted_ms,
                          const struct layer_config *config)
{
    struct row_correction *correction;
    const struct measurement *pointers[ROWS] = {NULL};
    double forecasts[ROWS] = {0};
    for (size_t i = 0; i < count; i++) {
        pointers[i] = &rows[i];
        forecasts[i] = predicted_ms;
    }
    assert_int_equal(row_correction_create(&correction, pointers, forecasts, count, NULL),
                     STATUS_OK);
    const double factor = row_correction_factor(correction, config, predicted_ms);
    row_correction_free(correction);
    return factor;
}

static void without_rows_nothing_changes(void **state)
{
    (void)state;
    assert_true(factor_with(NULL, 0, 2, &conv_3x3) == 1);
}

/* Equal rows: k = 0.3^2 + 0.1^2 = 0.1 between any two, so n of them at e^r times the forecast make
 * ln factor = 0.1 n / (0.1 n + 0.01) r. */
static void few_rows_are_believed_less(void **state)
{
    (void)state;
    struct measurement rows[100];
    for (int i = 0; i < 100; i++)
        rows[i] = (struct measurement){.config = conv_3x3, .median_ms = 2 * 1.2};
    const double one = log(factor_with(rows, 1, 2, &conv_3x3));
    const double many = log(factor_with(rows, 100, 2, &conv_3x3));
    assert_true(fabs(one - 0.1 / 0.11 * log(1.2)) < 1e-12);
    assert_true(fabs(many - 10 / 10.01 * log(1.2)) < 1e-9);
}

static double log_intensity(const struct layer_config *config)
{
    const struct cost cost = layer_cost(config);
    return log((1 + cost.flops) / (1 + cost.bytes_read + cost.bytes_written));
}

/* Two rows that differ in their pass, and so in their intensity by D: y = +-(D/2) / max(D/2, 0.5)
 * for their standard deviation D/2. k = 0.1 + 0.01 y^2 each, 0.09 between them; at e^0.2 and e^-0.2
 * times the forecast their weights are +-0.2 / (k + 0.01 - 0.09), ln factor = +-0.2 (k - 0.09) /
 * (k - 0.08). */
static void passes_are_told_apart(void **state)
{
    (void)state;
    struct measurement rows[2] = {{.config = conv_3x3, .median_ms = 2 * exp(0.2)},
                                  {.config = conv_3x3, .median_ms = 2 * exp(-0.2)}};
    rows[1].config.pass = PASS_TRAIN;
    const double half = fabs(log_intensity(&rows[0].config) - log_intensity(&rows[1].config)) / 2;
    const double y = half / fmax(half, 0.5), k = 0.1 + 0.01 * y * y;
    const double by_hand = 0.2 * (k - 0.09) / (k - 0.08);
    assert_true(fabs(log(factor_with(rows, 2, 2, &rows[0].config)) - by_hand) < 1e-9);
    assert_true(fabs(log(factor_with(rows, 2, 2, &rows[1].config)) + by_hand) < 1e-9);
}

static void rows_free(struct case_rows *made)
{
    synthetic_rows_free(&made->rows);
}

/* Mean |ln| of what is left of the last `tested` rows after the rows before them taught. */
static double left(const struct case_rows *made, size_t tested)
{
    const size_t taught = made->rows.count - tested;
    struct row_correction *correction;
    double sum = 0;
    assert_int_equal(
        row_correction_create(&correction, made->pointers, made->predicted_ms, taught, NULL),
        STATUS_OK);
    for (size_t i = taught; i < made->rows.count; i++) {
        const struct measurement *row = made->pointers[i];
        sum += fabs(log(row->median_ms / made->predicted_ms[i] /
                        row_correction_factor(correction, &row->config, made->predicted_ms[i])));
    }
    row_correction_free(correction);
    return sum / (double)tested;
}

static void rows_create(struct case_rows *made, double (*factor_of)(const struct measurement *row))
{
    static const enum layer_kind conv2d_only[] = {LAYER_CONV2D};
    const struct device_info device = synthetic_device("one", 100, 10);
    synthetic_rows_create(&made->rows, ROWS, conv2d_only, 1, &device, 1, 0);
    for (size_t i = 0; i < ROWS; i++) {
        struct measurement *row = &made->rows.rows[i];
        made->predicted_ms[i] = row->median_ms;
        row->median_ms *= factor_of(row);
        made->pointers[i] = row;
    }
}

static double power_law(const struct measurement *row)
{
    return 1.5 * pow(row->median_ms, 0.1);
}

static void a_power_law_is_found(void **state)
{
    (void)state;
    struct case_rows made;
    rows_create(&made, power_law);
    assert_true(left(&made, 100) < 0.02);
    rows_free(&made);
}

/* What no function of the forecast alone tells: large kernels, of training, are slower. */
static double slow_kernels(const struct measurement *row)
{
    return row->config.pass == PASS_TRAIN && row->config.as.conv2d.kernel_size >= 3 ? 1.4 : 1;
}

static void neighbourhoods_are_learnt(void **state)
{
    (void)state;
    struct case_rows made;
    rows_create(&made, slow_kernels);
    const double with_10 = left(&made, ROWS - 10), with_400 = left(&made, 100);
    print_message("mean |ln| left: %.3f with 10 rows, %.3f with 400\n", with_10, with_400);
    assert_true(with_400 < 0.5 * with_10);
    rows_free(&made);
}

/* A forecast of nothing, as a linear law may give one, has no logarithm. */
static void factors_are_finite(void **state)
{
    (void)state;
    const struct measurement row = {.config = conv_3x3, .median_ms = 1};
    const double factor = factor_with(&row, 1, 0, &row.config);
    assert_true(isfinite(factor) && factor > 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rows_nothing_changes),
        cmocka_unit_test(few_rows_are_believed_less),
        cmocka_unit_test(passes_are_told_apart),
        cmocka_unit_test(a_power_law_is_found),
        cmocka_unit_test(neighbourhoods_are_learnt),
        cmocka_unit_test(factors_are_finite),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
