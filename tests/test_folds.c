/* Few rows: nets that each leave out a fold of them, over fitted ceilings. */
#include "data/split.h"
#include "folds_fixture.h"
#include "predictor_calls.h"
#include "predictors/predictor_mlp.h"
#include "synthetic_rows.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

/* ---- folds ---- */

static void folds_are_even_and_independent_of_the_split(void **state)
{
    (void)state;
    enum { COUNT = 20000, FOLDS = 5 };
    int counts[SPLIT_COUNT][FOLDS] = {{0}}, rows[SPLIT_COUNT] = {0};
    for (int i = 0; i < COUNT; i++) {
        const struct layer_config config = {.kind = LAYER_DENSE,
                                            .batch_size = 1 + i % 100,
                                            .as.dense = {.inputs = 1 + i, .outputs = 7}};
        const int fold = fold_of(&config, FOLDS);
        assert_in_range(fold, 0, FOLDS - 1);
        counts[split_of(&config)][fold]++;
        rows[split_of(&config)]++;
    }
    for (int split = 0; split < SPLIT_COUNT; split++)
        for (int fold = 0; fold < FOLDS; fold++) {
            const double expected = rows[split] / (double)FOLDS;
            assert_true(fabs(counts[split][fold] - expected) < 5 * sqrt(expected));
        }
}

/* Other times in fold 3 change every net but the third, and no net learns from validation rows. */
static void a_net_does_not_learn_from_its_fold(void **state)
{
    (void)state;
    enum { FOLD = 3 };
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    struct mlp_options options = quick_options();
    struct predictor *fits[2];
    options.minimum_steps = 500;
    synthetic_rows_create(&rows, 150, dense_only, 1, &device, 1, 0.02);
    for (size_t i = 0; i < rows.count; i++) /* what ceilings cannot follow */
        rows.rows[i].median_ms *= sqrt(rows.rows[i].config.as.dense.outputs);
    for (int i = 0; i < 2; i++) {
        fits[i] = fit_with(&predictor_mlp, &rows, &options, NULL);
        for (size_t row = 0; row < rows.count; row++) {
            const struct layer_config *config = &rows.rows[row].config;
            if (fold_of(config, 5) == FOLD || split_of(config) == SPLIT_VALIDATION)
                rows.rows[row].median_ms *= 1.1;
        }
    }
    const struct mlp_kind *before = dense_of(fits[0]), *after = dense_of(fits[1]);
    const size_t size = mlp_parameter_count(&before->shape);
    assert_int_equal(before->net_count, 5);
    assert_int_equal(before->fold_count, 5);
    assert_null(before->calibrated);
    for (size_t net = 0; net < 5; net++) {
        const bool is_same = memcmp(before->parameters + net * size, after->parameters + net * size,
                                    size * sizeof(float)) == 0;
        assert_int_equal(is_same, net == FOLD);
    }
    for (int i = 0; i < 2; i++)
        fits[i]->type->free(fits[i]);
    synthetic_rows_free(&rows);
}

/* The report's errors are those of forecasts by the one net that left a row out. */
static void held_out_errors_are_by_nets_that_left_the_row_out(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    struct fit_report reports[LAYER_KIND_COUNT];
    const struct mlp_options options = quick_options();
    synthetic_rows_create(&rows, 150, dense_only, 1, &device, 1, 0.2);
    struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, reports);
    const struct held_out_errors *errors = &reports[LAYER_DENSE].held_out;
    assert_int_equal(reports[LAYER_DENSE].folds, 5);
    assert_int_equal(errors->count, reports[LAYER_DENSE].rows);
    assert_int_equal(errors->count, reports[LAYER_DENSE].calibration_rows);
    assert_true(errors->rmsle == reports[LAYER_DENSE].test_rmsle);
    /* Noise of 20 %, which no forecast of a left-out row can know. */
    assert_true(errors->rmsle > 0.1 && errors->rmsle < 0.5);
    assert_true(reports[LAYER_DENSE].train_rmsle < errors->rmsle);
    assert_true(errors->standard_error_percent > 0 &&
                errors->standard_error_percent < errors->mape_percent / 4);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

static void errors_have_known_values(void **state)
{
    (void)state;
    const double measured_ms[] = {1, 2, 4}, predicted_ms[] = {1.1, 1, 4};
    const struct interval_rows rows = {
        .measured_ms = measured_ms, .predicted_ms = predicted_ms, .count = 3};
    const struct held_out_errors errors = held_out_errors_of(&rows);
    assert_int_equal(errors.count, 3);
    assert_true(fabs(errors.mape_percent - 20) < 1e-9); /* 10, 50, 0 */
    assert_true(fabs(errors.standard_error_percent - sqrt(1400.0 / 2 / 3)) < 1e-9);
    assert_true(fabs(errors.rmsle - sqrt((pow(log(1.1), 2) + pow(log(2), 2)) / 3)) < 1e-12);
    char text[HELD_OUT_TEXT_SIZE];
    assert_string_equal(held_out_text(text, &errors), "20 +- 15 %");
    const struct held_out_errors one = held_out_errors_of(&(struct interval_rows){
        .measured_ms = measured_ms, .predicted_ms = predicted_ms, .count = 1});
    assert_string_equal(held_out_text(text, &one), "10 %");
    assert_true(isnan(held_out_errors_known(&(struct held_out_errors){0}).mape_percent));
    const struct held_out_errors none = held_out_errors_of(NULL);
    assert_true(none.count == 0 && isnan(none.mape_percent) && isnan(none.rmsle));
}

/* ---- very few rows ---- */

/* From one row on there is a forecast; below ten rows it is that of the ceilings, and wide. */
static void any_number_of_rows_gives_a_forecast(void **state)
{
    (void)state;
    static const size_t counts[] = {2, 3, 5, 9, 12, 20, 40};
    const struct device_info device = synthetic_device("one", 100, 10);
    const struct mlp_options options = quick_options();
    struct dataset_rows rows, few;
    synthetic_rows_create(&rows, 200, dense_only, 1, &device, 1, 0.1);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct fit_report reports[LAYER_KIND_COUNT];
        few = rows;
        few.count = counts[i];
        struct predictor *predictor = fit_with(&predictor_mlp, &few, &options, reports);
        const struct fit_report *report = &reports[LAYER_DENSE];
        assert_int_equal(report->epochs > 0, report->rows >= 10);
        for (size_t row = 0; row < 100; row++)
            assert_sane(predictor, &rows.rows[row].config);
        if (report->rows < 10) {
            const struct prediction prediction = predict_one(predictor, &rows.rows[150].config,
                                                             NULL);
            assert_true(prediction.high_ms > 1.3 * prediction.median_ms);
            assert_true(fabs(log(prediction.median_ms / rows.rows[150].median_ms)) < 3);
        }
        predictor->type->free(predictor);
    }
    synthetic_rows_free(&rows);
}

static void one_row(struct dataset_rows *rows)
{
    while (split_of(&rows->rows[0].config) == SPLIT_VALIDATION)
        rows->rows[0].config.batch_size++;
    rows->count = 1;
}
static void one_config(struct dataset_rows *rows)
{
    one_row(rows);
    rows->count = 30;
    for (size_t i = 1; i < rows->count; i++)
        rows->rows[i].config = rows->rows[0].config;
}
/* Twice the same layers: what one of them takes 1 ms for, the other takes 100 ms for. */
static void contradictions(struct dataset_rows *rows)
{
    rows->count = 40;
    for (size_t i = 0; i < rows->count; i += 2) {
        rows->rows[i + 1].config = rows->rows[i].config;
        rows->rows[i].median_ms = 1;
        rows->rows[i + 1].median_ms = 100;
    }
}
static void extremes(struct dataset_rows *rows)
{
    rows->count = 30;
    for (size_t i = 0; i < rows->count; i++)
        rows->rows[i].median_ms = i % 2 ? 1e-9 : 1e9;
}
static void constant_times(struct dataset_rows *rows)
{
    rows->count = 30;
    for (size_t i = 0; i < rows->count; i++)
        rows->rows[i].median_ms = 0.25;
}

static void odd_rows_give_a_forecast(void **state)
{
    (void)state;
    static void (*const spoil[])(struct dataset_rows *) = {one_row, one_config, contradictions,
                                                           extremes, constant_times};
    const struct device_info device = synthetic_device("one", 100, 10);
    struct device_info unknown = device;
    unknown.peak_gflops = unknown.bandwidth_gbps = NAN;
    const struct mlp_options options = quick_options();
    for (size_t i = 0; i < 2 * sizeof spoil / sizeof *spoil; i++) {
        struct dataset_rows rows;
        synthetic_rows_create(&rows, 100, dense_only, 1, &device, 1, 0.1);
        if (i % 2)
            rows.devices[0] = unknown;
        const struct layer_config other = rows.rows[60].config;
        const size_t count = rows.count;
        spoil[i / 2](&rows);
        struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, NULL);
        assert_sane(predictor, &other);
        assert_sane(predictor, &rows.rows[0].config);
        predictor->type->free(predictor);
        rows.count = count;
        synthetic_rows_free(&rows);
    }
}

/* A few slow layers do not keep the forecast of a fast one up. */
static void few_rows_set_no_floor(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    const struct mlp_options options = quick_options();
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 100, dense_only, 1, &device, 1, 0);
    const struct layer_config fast = {.kind = LAYER_DENSE,
                                      .batch_size = 1,
                                      .pass = PASS_FORWARD,
                                      .as.dense = {.inputs = 8, .outputs = 8}};
    double fastest_ms = INFINITY;
    size_t kept = 0;
    for (size_t i = 0; i < rows.count && kept < 5; i++)
        if (rows.rows[i].median_ms > 1 && split_of(&rows.rows[i].config) != SPLIT_VALIDATION) {
            fastest_ms = fmin(fastest_ms, rows.rows[i].median_ms);
            rows.rows[kept++] = rows.rows[i];
        }
    assert_int_equal(kept, 5);
    rows.count = kept;
    struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, NULL);
    assert_true(predict_one(predictor, &fast, NULL).median_ms < fastest_ms / 4);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

/* Nets that were never trained forecast nothing where they have no ceilings to fall back on. */
static void few_rows_need_heads(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    struct mlp_options options = quick_options();
    struct error error = {0};
    struct predictor *predictor;
    synthetic_rows_create(&rows, 5, dense_only, 1, &device, 1, 0.1);
    options.output = MLP_OUTPUT_LOG;
    assert_int_equal(predictor_mlp.fit(&predictor, &rows, &options.base, NULL, &error),
                     STATUS_FAILED);
    assert_non_null(strstr(error.message, "too few different rows of dense"));
    predictor_mlp.free(predictor);
    synthetic_rows_free(&rows);
}

/* Times that follow the ceilings but for noise: nets that learnt the noise are not kept. */
static void nets_that_are_worse_than_their_ceilings_are_not_kept(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    struct mlp_options options = small_fit_options();
    struct fit_report reports[LAYER_KIND_COUNT];
    synthetic_rows_create(&rows, 40, dense_only, 1, &device, 1, 0.3);
    options.train.weight_decay = 0;
    options.train.learning_rate = 0.03f;
    struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, reports);
    const struct mlp_kind *kind = dense_of(predictor);
    const size_t size = mlp_parameter_count(&kind->shape);
    float *parameters;
    assert_int_equal(mlp_shape_check(&kind->shape, NULL), STATUS_OK);
    parameters = malloc(size * sizeof *parameters);
    mlp_initialise(parameters, &kind->shape, options.seed);
    assert_memory_equal(parameters, kind->parameters, size * sizeof *parameters);
    assert_true(reports[LAYER_DENSE].epochs > 0);
    free(parameters);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

/* ---- more rows ---- */

static void many_rows_have_no_folds(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    struct mlp_options options = quick_options();
    struct fit_report reports[LAYER_KIND_COUNT];
    synthetic_rows_create(&rows, 200, dense_only, 1, &device, 1, 0.1);
    options.fold_rows = 50;
    struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, reports);
    assert_int_equal(dense_of(predictor)->fold_count, 0);
    assert_int_equal(dense_of(predictor)->net_count, 1);
    assert_int_equal(reports[LAYER_DENSE].folds, 0);
    assert_int_equal(reports[LAYER_DENSE].held_out.count, reports[LAYER_DENSE].calibration_rows);
    assert_true(reports[LAYER_DENSE].calibration_rows < 50);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

static void a_larger_ensemble_has_more_folds(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    struct mlp_options options = quick_options();
    synthetic_rows_create(&rows, 100, dense_only, 1, &device, 1, 0.1);
    options.ensemble = 7;
    struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, NULL);
    assert_int_equal(dense_of(predictor)->net_count, 7);
    assert_int_equal(dense_of(predictor)->fold_count, 7);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

static void recipes_are_by_kind_unless_asked_for(void **state)
{
    (void)state;
    struct mlp_options options = mlp_options_standard;
    struct mlp_recipe recipe = mlp_recipe_of(&options, LAYER_CONV2D);
    assert_int_equal(recipe.hidden[0], 192);
    assert_int_equal(recipe.epochs, 45);
    recipe = mlp_recipe_of(&options, LAYER_POOL2D);
    assert_int_equal(recipe.hidden[2], 128);
    assert_int_equal(recipe.epochs, 60);
    options.epoch_share = 1.0 / 9;
    assert_int_equal(mlp_recipe_of(&options, LAYER_CONV2D).epochs, 5);
    options.hidden[0] = 8;
    options.hidden_count = 1;
    options.train.epochs = 3;
    recipe = mlp_recipe_of(&options, LAYER_CONV2D);
    assert_int_equal(recipe.hidden_count, 1);
    assert_int_equal(recipe.hidden[0], 8);
    assert_int_equal(recipe.epochs, 1);
}

/* ---- devices ---- */

/* Twice as slow, and slower by more than its rates say: each device has its own ceilings. */
static void each_device_has_its_ceilings(void **state)
{
    (void)state;
    const struct device_info devices[] = {synthetic_device("one", 100, 10),
                                          synthetic_device("two", 50, 5)};
    struct dataset_rows rows;
    const struct mlp_options options = quick_options();
    synthetic_rows_create(&rows, 300, dense_only, 1, devices, 2, 0);
    for (size_t i = 0; i < rows.count; i++)
        if (rows.rows[i].device == 1)
            rows.rows[i].median_ms *= 4;
    struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, NULL);
    const struct mlp_kind *kind = dense_of(predictor);
    assert_int_equal(kind->anchor_count, 3);
    const double ratio = kind->ceilings[1].theta[HEAD_FORWARD_COMPUTE] -
                         kind->ceilings[0].theta[HEAD_FORWARD_COMPUTE];
    assert_true(fabs(ratio - log(4)) < 0.2);
    for (size_t i = 0; i < 50; i++) {
        const struct prediction prediction = predict_one(predictor, &rows.rows[i].config,
                                                         &devices[rows.rows[i].device]);
        assert_true(fabs(log(prediction.median_ms / rows.rows[i].median_ms)) < 0.4);
    }
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_are_even_and_independent_of_the_split),
        cmocka_unit_test(a_net_does_not_learn_from_its_fold),
        cmocka_unit_test(held_out_errors_are_by_nets_that_left_the_row_out),
        cmocka_unit_test(errors_have_known_values),
        cmocka_unit_test(any_number_of_rows_gives_a_forecast),
        cmocka_unit_test(odd_rows_give_a_forecast),
        cmocka_unit_test(few_rows_set_no_floor),
        cmocka_unit_test(few_rows_need_heads),
        cmocka_unit_test(nets_that_are_worse_than_their_ceilings_are_not_kept),
        cmocka_unit_test(many_rows_have_no_folds),
        cmocka_unit_test(a_larger_ensemble_has_more_folds),
        cmocka_unit_test(recipes_are_by_kind_unless_asked_for),
        cmocka_unit_test(each_device_has_its_ceilings),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
