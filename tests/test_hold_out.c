#include "data/split.h"
#include "evaluate/hold_out.h"
#include "synthetic_rows.h"
#include "test.h"

static const enum layer_kind two_kinds[] = {LAYER_DENSE, LAYER_POOL2D};

/* Three devices; "odd" takes three times what the law says. */
static void rows_create(struct dataset_rows *rows, size_t count)
{
    const struct device_info devices[] = {synthetic_device("slow", 100, 10),
                                          synthetic_device("fast", 400, 40),
                                          synthetic_device("odd", 200, 20)};
    synthetic_rows_create(rows, count, two_kinds, 2, devices, 3, 0);
    for (size_t i = 0; i < count; i++) {
        rows->rows[i].device = (int32_t)(i / 4 % 3);
        rows->rows[i].median_ms = synthetic_ms(&rows->rows[i].config,
                                               &devices[rows->rows[i].device]) *
                                  (rows->rows[i].device == 2 ? 3 : 1);
    }
}

static const struct evaluation_row *find(const struct evaluation *evaluation, int32_t layer,
                                         int32_t calibration_rows)
{
    for (size_t i = 0; i < evaluation->count; i++)
        if (evaluation->rows[i].layer == layer && strcmp(evaluation->rows[i].pass, "all") == 0 &&
            evaluation->rows[i].calibration_rows == calibration_rows)
            return &evaluation->rows[i];
    fail_msg("no row of %s with %d rows", layer_descriptors[layer]->name, calibration_rows);
    return NULL;
}

/* paleo's law is near the rows': the held-out device is off by 3 until its rows say so. */
static void calibration_rows_help(void **state)
{
    (void)state;
    struct dataset_rows rows;
    rows_create(&rows, 3000);
    const struct mlp_options options = small_fit_options();
    const struct hold_out hold_out = {.device = 2,
                                      .split = SPLIT_VALIDATION,
                                      .options = &options,
                                      .calibration_rows = {0, 5, 100},
                                      .calibration_count = 3};
    struct evaluation evaluation;
    struct error error = {0};
    if (hold_out_evaluate(&evaluation, &hold_out, &predictor_paleo, &rows, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    for (int kind = 0; kind < 2; kind++) {
        const struct evaluation_row *none = find(&evaluation, (int32_t)two_kinds[kind], 0);
        const struct evaluation_row *many = find(&evaluation, (int32_t)two_kinds[kind], 100);
        assert_string_equal(none->device, "odd");
        assert_string_equal(none->predictor, "paleo");
        assert_int_equal(none->errors.count, many->errors.count);
        assert_true(none->errors.mape_percent > 40);
        print_message("%s: %.1f %%, with 100 rows %.1f %%\n",
                      layer_descriptors[two_kinds[kind]]->name, none->errors.mape_percent,
                      many->errors.mape_percent);
        assert_true(many->errors.mape_percent < 0.8 * none->errors.mape_percent);
        assert_true(find(&evaluation, (int32_t)two_kinds[kind], 5)->errors.mape_percent <
                    none->errors.mape_percent);
    }
    size_t validation = 0;
    for (size_t i = 0; i < rows.count; i++)
        validation += rows.rows[i].device == 2 && rows.rows[i].config.kind == LAYER_DENSE &&
                      split_of(&rows.rows[i].config) == SPLIT_VALIDATION;
    assert_int_equal(find(&evaluation, LAYER_DENSE, 0)->errors.count, validation);
    evaluation_free(&evaluation);
    synthetic_rows_free(&rows);
}

/* A device in place of the held-out one, so that only its forecasts differ: the same rows at a
 * thousand times the time teach nothing, so the mean forecast, mae of rows of next to no time,
 * stays.
 */
static double mean_forecast_ms(struct dataset_rows *rows, const struct hold_out *hold_out,
                               const struct predictor_type *type, double factor)
{
    double *kept = calloc(rows->count, sizeof *kept);
    struct dataset_rows changed = *rows;
    struct evaluation evaluation;
    assert_non_null(kept);
    for (size_t i = 0; i < rows->count; i++) {
        kept[i] = rows->rows[i].median_ms;
        if (rows->rows[i].device == hold_out->device)
            rows->rows[i].median_ms = factor * 1e-12 * (1 + (double)i / 1000);
    }
    assert_int_equal(hold_out_evaluate(&evaluation, hold_out, type, &changed, NULL), STATUS_OK);
    for (size_t i = 0; i < rows->count; i++)
        rows->rows[i].median_ms = kept[i];
    free(kept);
    const double mean_ms = find(&evaluation, LAYER_DENSE, 0)->errors.mae_ms;
    evaluation_free(&evaluation);
    return mean_ms;
}

static void held_out_rows_are_not_learnt(void **state)
{
    (void)state;
    struct dataset_rows rows;
    rows_create(&rows, 1200);
    struct mlp_options options = small_fit_options();
    options.trainer = &trainer_host;
    options.minimum_steps = 20;
    options.train.epochs = 1;
    const struct hold_out hold_out = {
        .device = 1, .split = -1, .options = &options, .calibration_count = 1};
    const struct predictor_type *const types[] = {&predictor_mlp, &predictor_linear,
                                                  &predictor_neusight};
    for (int type = 0; type < 3; type++) {
        const double a = mean_forecast_ms(&rows, &hold_out, types[type], 1);
        const double b = mean_forecast_ms(&rows, &hold_out, types[type], 1000);
        assert_true(a > 1e-4 && fabs(a / b - 1) < 1e-6);
    }
    synthetic_rows_free(&rows);
}

/* Folds trained side by side forecast what each does alone. */
static void folds_side_by_side_are_alone(void **state)
{
    (void)state;
    struct dataset_rows rows;
    rows_create(&rows, 900);
    struct mlp_options options = small_fit_options();
    options.minimum_steps = 60;
    options.train.epochs = 2;
    struct hold_out hold_outs[3];
    struct predictor *predictors[3];
    for (int i = 0; i < 3; i++)
        hold_outs[i] = (struct hold_out){
            .device = i, .split = -1, .options = &options, .calibration_count = 1};
    assert_int_equal(hold_outs_fit(predictors, hold_outs, 3, &rows, NULL), STATUS_OK);
    for (int i = 0; i < 3; i++) {
        struct evaluation alone, fitted;
        assert_int_equal(hold_out_evaluate(&alone, &hold_outs[i], &predictor_mlp, &rows, NULL),
                         STATUS_OK);
        hold_outs[i].fitted = predictors[i];
        assert_int_equal(hold_out_evaluate(&fitted, &hold_outs[i], &predictor_mlp, &rows, NULL),
                         STATUS_OK);
        assert_true(find(&alone, LAYER_DENSE, 0)->errors.mae_ms ==
                    find(&fitted, LAYER_DENSE, 0)->errors.mae_ms);
        assert_true(find(&alone, LAYER_POOL2D, 0)->errors.mape_percent ==
                    find(&fitted, LAYER_POOL2D, 0)->errors.mape_percent);
        evaluation_free(&alone);
        evaluation_free(&fitted);
        predictor_mlp.free(predictors[i]);
    }
    synthetic_rows_free(&rows);
}

/* One fold that cannot be fitted: its error, and no predictor. */
static void a_fold_that_fails_is_told(void **state)
{
    (void)state;
    struct dataset_rows rows;
    rows_create(&rows, 900);
    struct mlp_options options[2] = {small_fit_options(), small_fit_options()};
    struct hold_out hold_outs[2];
    struct predictor *predictors[2];
    struct error error = {0};
    for (int i = 0; i < 2; i++) {
        options[i].minimum_steps = 20;
        options[i].train.epochs = 1;
        hold_outs[i] = (struct hold_out){
            .device = i, .split = -1, .options = &options[i], .calibration_count = 1};
    }
    options[1].train.learning_rate = 1e30f;
    options[1].train.gradient_clip = 0;
    assert_int_equal(hold_outs_fit(predictors, hold_outs, 2, &rows, &error), STATUS_FAILED);
    assert_non_null(strstr(error.message, "not finite"));
    assert_null(predictors[0]);
    synthetic_rows_free(&rows);
}

static void calibration_rows_are_not_evaluated(void **state)
{
    (void)state;
    struct dataset_rows rows;
    rows_create(&rows, 1200);
    const struct mlp_options options = small_fit_options();
    struct hold_out hold_out = {
        .device = 1, .split = -1, .options = &options, .calibration_count = 1};
    struct evaluation all, part;
    assert_int_equal(hold_out_evaluate(&all, &hold_out, &predictor_linear, &rows, NULL), STATUS_OK);
    hold_out.calibration_rows[0] = 30;
    assert_int_equal(hold_out_evaluate(&part, &hold_out, &predictor_linear, &rows, NULL),
                     STATUS_OK);
    assert_int_equal(find(&all, LAYER_DENSE, 0)->errors.count - 30,
                     find(&part, LAYER_DENSE, 30)->errors.count);
    evaluation_free(&all);
    evaluation_free(&part);
    synthetic_rows_free(&rows);
}

static void what_cannot_be_held_out_is_told(void **state)
{
    (void)state;
    struct dataset_rows rows;
    rows_create(&rows, 600);
    const struct mlp_options options = small_fit_options();
    struct hold_out hold_out = {
        .device = 0, .split = -1, .options = &options, .calibration_count = 1};
    struct evaluation evaluation;
    struct error error = {0};
    assert_int_equal(hold_out_evaluate(&evaluation, &hold_out, &predictor_nearest, &rows, &error),
                     STATUS_OK);
    assert_int_equal(evaluation.count, 0); /* it knows no device but its own */
    evaluation_free(&evaluation);
    hold_out.calibration_rows[0] = 100000;
    assert_int_equal(hold_out_evaluate(&evaluation, &hold_out, &predictor_linear, &rows, &error),
                     STATUS_USAGE);
    assert_non_null(strstr(error.message, "100000 calibration rows of dense"));
    hold_out.calibration_rows[0] = 0;
    for (size_t i = 0; i < rows.count; i++)
        rows.rows[i].device = 0;
    assert_int_equal(hold_out_evaluate(&evaluation, &hold_out, &predictor_linear, &rows, &error),
                     STATUS_FAILED);
    assert_non_null(strstr(error.message, "no rows from any device other than"));
    synthetic_rows_free(&rows);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calibration_rows_help),
        cmocka_unit_test(held_out_rows_are_not_learnt),
        cmocka_unit_test(folds_side_by_side_are_alone),
        cmocka_unit_test(a_fold_that_fails_is_told),
        cmocka_unit_test(calibration_rows_are_not_evaluated),
        cmocka_unit_test(what_cannot_be_held_out_is_told),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
