#include "data/split.h"
#include "evaluate/evaluate.h"
#include "synthetic_rows.h"
#include "test.h"

/* Forecasts inputs ms; +-10 % for the device "narrow", +-300 % for others; knows only dense. */
static enum status predict_inputs(struct prediction *predictions, const struct predictor *predictor,
                                  const struct layer_question *questions, size_t count,
                                  const struct device_info *device, struct error *error)
{
    (void)predictor;
    (void)error;
    const double factor = strcmp(device->name, "narrow") == 0 ? 1.1 : 4;
    for (size_t i = 0; i < count; i++) {
        const double ms = questions[i].config->as.dense.inputs;
        predictions[i] = (struct prediction){.median_ms = NAN};
        if (questions[i].config->kind == LAYER_DENSE)
            predictions[i] = (struct prediction){
                .median_ms = ms, .low_ms = ms / factor, .high_ms = ms * factor, .covered = true};
    }
    return STATUS_OK;
}

static void free_nothing(struct predictor *predictor)
{
    (void)predictor;
}

static const struct predictor_type inputs_type = {
    .name = "inputs", .predict = predict_inputs, .free = free_nothing};
static const struct predictor inputs_predictor = {.type = &inputs_type};

static void add_row(struct dataset_rows *rows, int32_t device, int32_t pass, int32_t inputs,
                    double measured_ms)
{
    struct measurement *row = &rows->rows[rows->count++];
    *row = (struct measurement){.device = device, .outcome = OUTCOME_OK, .median_ms = measured_ms};
    row->config = (struct layer_config){.kind = LAYER_DENSE,
                                        .batch_size = 1,
                                        .pass = pass,
                                        .as.dense = {.inputs = inputs, .outputs = 1}};
}

/* Two devices; errors: narrow forward +5 %, narrow train -50 %, wide forward exact; then rows that
 * do not count: no time, a kind that is not covered. */
static void rows_create(struct dataset_rows *rows)
{
    const struct device_info devices[] = {synthetic_device("narrow", 1, 1),
                                          synthetic_device("wide", 1, 1)};
    *rows = (struct dataset_rows){.device_count = 2};
    rows->rows = calloc(8, sizeof *rows->rows);
    rows->devices = calloc(2, sizeof *rows->devices);
    assert_true(rows->rows && rows->devices);
    memcpy(rows->devices, devices, sizeof devices);
    add_row(rows, 1, PASS_FORWARD, 10, 10);
    add_row(rows, 0, PASS_FORWARD, 105, 100);
    add_row(rows, 0, PASS_TRAIN, 100, 200);
    add_row(rows, 0, PASS_TRAIN, 1, NAN);
    rows->rows[3].outcome = OUTCOME_OUT_OF_MEMORY;
    add_row(rows, 1, PASS_FORWARD, 7, 7);
    rows->rows[4].config.kind = LAYER_POOL2D;
}

static const struct evaluation_row *find(const struct evaluation *evaluation, const char *device,
                                         const char *pass)
{
    for (size_t i = 0; i < evaluation->count; i++)
        if (strcmp(evaluation->rows[i].device, device) == 0 &&
            strcmp(evaluation->rows[i].pass, pass) == 0)
            return &evaluation->rows[i];
    fail_msg("no group %s, %s", device, pass);
    return NULL;
}

static void groups_hold_their_rows(void **state)
{
    (void)state;
    struct dataset_rows rows;
    rows_create(&rows);
    struct evaluation evaluation;
    assert_int_equal(evaluate_predictor(&evaluation, &inputs_predictor, &rows, -1, NULL),
                     STATUS_OK);
    assert_int_equal(evaluation.count, 8); /* wide has no train rows */
    assert_int_equal(evaluation.uncovered, 1);
    const struct evaluation_row *all = find(&evaluation, "all", "all");
    assert_int_equal(all->errors.count, 3);
    assert_int_equal(all->layer, LAYER_DENSE);
    assert_string_equal(all->predictor, "inputs");
    assert_true(fabs(all->errors.mape_percent - (5 + 50 + 0) / 3.0) < 1e-9);
    assert_true(fabs(all->interval_coverage_percent - 200.0 / 3) < 1e-9);
    const struct evaluation_row *narrow = find(&evaluation, "narrow", "forward");
    assert_int_equal(narrow->errors.count, 1);
    assert_true(fabs(narrow->errors.rmse_ms - 5) < 1e-9);
    assert_true(narrow->interval_coverage_percent == 100);
    assert_true(find(&evaluation, "narrow", "train")->interval_coverage_percent == 0);
    assert_int_equal(find(&evaluation, "all", "forward")->errors.count, 2);
    assert_int_equal(find(&evaluation, "wide", "all")->errors.count, 1);
    evaluation_free(&evaluation);
    synthetic_rows_free(&rows);
}

static void one_device_has_no_all_group(void **state)
{
    (void)state;
    struct dataset_rows rows;
    rows_create(&rows);
    rows.count = 1;
    struct evaluation evaluation;
    assert_int_equal(evaluate_predictor(&evaluation, &inputs_predictor, &rows, -1, NULL),
                     STATUS_OK);
    assert_int_equal(evaluation.count, 2);
    assert_string_equal(evaluation.rows[0].device, "wide");
    assert_string_equal(evaluation.rows[0].pass, "all");
    assert_string_equal(evaluation.rows[1].pass, "forward");
    evaluation_free(&evaluation);
    synthetic_rows_free(&rows);
}

static void split_selects_rows(void **state)
{
    (void)state;
    const enum layer_kind dense[] = {LAYER_DENSE};
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    synthetic_rows_create(&rows, 500, dense, 1, &device, 1, 0);
    size_t total = 0;
    for (int split = 0; split < SPLIT_COUNT; split++) {
        size_t wanted = 0;
        for (size_t i = 0; i < rows.count; i++)
            wanted += (int)split_of(&rows.rows[i].config) == split;
        struct evaluation evaluation;
        assert_int_equal(evaluate_predictor(&evaluation, &inputs_predictor, &rows, split, NULL),
                         STATUS_OK);
        assert_int_equal(evaluation.rows[0].errors.count, wanted);
        total += wanted;
        evaluation_free(&evaluation);
    }
    assert_int_equal(total, rows.count);
    synthetic_rows_free(&rows);
}

static void nothing_left_is_an_error(void **state)
{
    (void)state;
    struct dataset_rows rows;
    rows_create(&rows);
    struct evaluation evaluation;
    struct error error = {0};
    rows.rows[0] = rows.rows[3];
    rows.count = 1;
    assert_int_equal(evaluate_predictor(&evaluation, &inputs_predictor, &rows, -1, &error),
                     STATUS_FAILED);
    assert_non_null(strstr(error.message, "no timed rows"));
    rows.rows[0] = rows.rows[4];
    assert_int_equal(evaluate_predictor(&evaluation, &inputs_predictor, &rows, -1, &error),
                     STATUS_FAILED);
    assert_non_null(strstr(error.message, "covers none of the 1 rows"));
    assert_null(evaluation.rows);
    synthetic_rows_free(&rows);
}

static void join_appends(void **state)
{
    (void)state;
    struct dataset_rows rows;
    rows_create(&rows);
    struct evaluation a, b;
    assert_int_equal(evaluate_predictor(&a, &inputs_predictor, &rows, -1, NULL), STATUS_OK);
    rows.count = 1;
    assert_int_equal(evaluate_predictor(&b, &inputs_predictor, &rows, -1, NULL), STATUS_OK);
    assert_int_equal(evaluation_join(&a, &b, NULL), STATUS_OK);
    assert_int_equal(a.count, 10);
    assert_int_equal(a.rows[8].errors.count, 1);
    assert_int_equal(b.count, 0);
    evaluation_free(&a);
    evaluation_free(&b);
    synthetic_rows_free(&rows);
}

/* The row whose group is `name`; NULL: none. */
static const struct evaluation_row *group_called(const struct evaluation *evaluation,
                                                 const char *name)
{
    for (size_t i = 0; i < evaluation->count; i++)
        if (strcmp(evaluation->rows[i].group, name) == 0)
            return &evaluation->rows[i];
    return NULL;
}

/* Forecasts of 5 and 50 ms, measured at 6 and 60 and once, in place of 5, at 30. */
static void decades_are_of_forecast_or_measurement(void **state)
{
    (void)state;
    struct dataset_rows rows;
    rows_create(&rows);
    rows.count = 0;
    rows.device_count = 1; /* narrow: 10 % */
    add_row(&rows, 0, PASS_FORWARD, 5, 5.1);
    add_row(&rows, 0, PASS_TRAIN, 5, 30);
    add_row(&rows, 0, PASS_FORWARD, 50, 60);
    struct evaluation evaluation;
    assert_int_equal(
        evaluate_predictor_by(&evaluation, &inputs_predictor, &rows, -1, EVALUATION_DECADE, NULL),
        STATUS_OK);
    assert_int_equal(evaluation.count, 3);
    assert_int_equal(group_called(&evaluation, "all")->errors.count, 3);
    assert_int_equal(group_called(&evaluation, "1..10 ms")->errors.count, 2);
    assert_true(group_called(&evaluation, "1..10 ms")->interval_coverage_percent == 50);
    assert_int_equal(group_called(&evaluation, "10..100 ms")->errors.count, 1);
    assert_true(group_called(&evaluation, "10..100 ms")->interval_coverage_percent == 0);
    evaluation_free(&evaluation);
    assert_int_equal(evaluate_predictor_by(&evaluation, &inputs_predictor, &rows, -1,
                                           EVALUATION_MEASURED_DECADE, NULL),
                     STATUS_OK);
    assert_true(group_called(&evaluation, "1..10 ms")->interval_coverage_percent == 100);
    assert_int_equal(group_called(&evaluation, "10..100 ms")->errors.count, 2);
    evaluation_free(&evaluation);
    free(rows.rows);
    free(rows.devices);
}

/* 40 rows make two sums of 16: errors of +5 % and -5 % by turns cancel within them. */
static void sums_are_over_neighbours(void **state)
{
    (void)state;
    struct dataset_rows rows;
    rows_create(&rows);
    free(rows.rows);
    rows.rows = calloc(40, sizeof *rows.rows);
    rows.count = 0;
    rows.device_count = 1;
    for (int i = 0; i < 40; i++) {
        add_row(&rows, 0, PASS_FORWARD, 100, 105);
        rows.rows[i].config.batch_size = 1 + i;
        if (i % 2)
            rows.rows[i].median_ms = 95;
    }
    struct evaluation evaluation;
    assert_int_equal(
        evaluate_predictor_by(&evaluation, &inputs_predictor, &rows, -1, EVALUATION_SUM, NULL),
        STATUS_OK);
    assert_int_equal(evaluation.count, 1);
    assert_string_equal(evaluation.rows[0].group, "sums of 16");
    assert_int_equal(evaluation.rows[0].errors.count, 2);
    assert_true(evaluation.rows[0].errors.mape_percent < 1e-9);
    assert_true(evaluation.rows[0].interval_coverage_percent == 100);
    for (int i = 0; i < 40;
         i++) /* all off by 20 %: outside of root(16) * 10 % without correlation */
        rows.rows[i].median_ms = 120;
    evaluation_free(&evaluation);
    assert_int_equal(
        evaluate_predictor_by(&evaluation, &inputs_predictor, &rows, -1, EVALUATION_SUM, NULL),
        STATUS_OK);
    assert_true(evaluation.rows[0].interval_coverage_percent == 0);
    evaluation_free(&evaluation);
    free(rows.rows);
    free(rows.devices);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_hold_their_rows),
        cmocka_unit_test(one_device_has_no_all_group),
        cmocka_unit_test(split_selects_rows),
        cmocka_unit_test(nothing_left_is_an_error),
        cmocka_unit_test(join_appends),
        cmocka_unit_test(decades_are_of_forecast_or_measurement),
        cmocka_unit_test(sums_are_over_neighbours),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
