/* Few rows in folds: fine-tuning to a device's rows, and the rivals that are judged on the same
 * folds. */
#include "data/split.h"
#include "folds_fixture.h"
#include "predictor_calls.h"
#include "predictors/predictor_mlp.h"
#include "predictors/rivals.h"
#include "synthetic_rows.h"
#include "test.h"

/* Fine-tuning keeps the folds and the device's ceilings; a device that was not seen gets its own.
 */
static void tuning_keeps_folds_and_ceilings(void **state)
{
    (void)state;
    const struct device_info devices[] = {synthetic_device("one", 100, 10),
                                          synthetic_device("two", 50, 5)};
    const struct device_info third = synthetic_device("third", 20, 2);
    struct dataset_rows rows, others;
    struct mlp_options options = quick_options();
    synthetic_rows_create(&rows, 300, dense_only, 1, devices, 2, 0.1);
    synthetic_rows_create(&others, 100, dense_only, 1, &third, 1, 0.1);
    for (int is_new = 0; is_new < 2; is_new++) {
        const struct dataset_rows *own = is_new ? &others : &rows;
        struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, NULL);
        const struct fitted_ceilings before = dense_of(predictor)->ceilings[1];
        struct mlp_options tuning = options;
        snprintf(tuning.fine_tune, sizeof tuning.fine_tune, is_new ? "third" : "two");
        assert_int_equal(predictor->type->tune(predictor, own, &tuning.base, NULL, NULL),
                         STATUS_OK);
        const struct mlp_kind *kind = dense_of(predictor);
        assert_int_equal(kind->fold_count, 5);
        assert_int_equal(kind->anchor_count, 2);
        const double theta = kind->ceilings[0].theta[HEAD_FORWARD_COMPUTE];
        assert_int_equal(theta == before.theta[HEAD_FORWARD_COMPUTE], !is_new);
        for (size_t i = 0; i < own->count; i++)
            assert_sane(predictor, &own->rows[i].config);
        predictor->type->free(predictor);
    }
    synthetic_rows_free(&rows);
    synthetic_rows_free(&others);
}

/* Folds are learnt from whatever split their rows are of: a device's rows may all be test rows. */
static void tuning_learns_from_test_rows_alone(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    const struct device_info other = synthetic_device("other", 20, 2);
    struct dataset_rows rows, others;
    struct mlp_options options = quick_options();
    synthetic_rows_create(&rows, 60, dense_only, 1, &device, 1, 0.1);
    synthetic_rows_create(&others, 300, dense_only, 1, &other, 1, 0.1);
    size_t kept = 0;
    for (size_t i = 0; i < others.count; i++)
        if (split_of(&others.rows[i].config) == SPLIT_TEST)
            others.rows[kept++] = others.rows[i];
    assert_true(kept >= 12);
    snprintf(options.fine_tune, sizeof options.fine_tune, "other");
    for (others.count = 2; others.count <= 12; others.count += 10) {
        struct fit_report reports[LAYER_KIND_COUNT];
        struct mlp_options first = options;
        first.fine_tune[0] = '\0';
        struct predictor *predictor = fit_with(&predictor_mlp, &rows, &first, NULL);
        assert_int_equal(predictor->type->tune(predictor, &others, &options.base, reports, NULL),
                         STATUS_OK);
        assert_int_equal(reports[LAYER_DENSE].held_out.count, others.count);
        assert_int_equal(dense_of(predictor)->fold_count, 5);
        assert_sane(predictor, &others.rows[0].config);
        predictor->type->free(predictor);
    }
    synthetic_rows_free(&rows);
    synthetic_rows_free(&others);
}

/* Of a kind that a known device had no rows of, its own ceilings are those of the others. */
static void tuning_fits_ceilings_that_were_not_the_devices(void **state)
{
    (void)state;
    static const enum layer_kind two_kinds[] = {LAYER_DENSE, LAYER_POOL2D};
    const struct device_info devices[] = {synthetic_device("one", 100, 10),
                                          synthetic_device("two", 50, 5)};
    struct dataset_rows rows, known;
    struct mlp_options options = quick_options();
    synthetic_rows_create(&rows, 200, two_kinds, 2, devices, 2, 0.1);
    synthetic_rows_create(&known, 200, two_kinds, 2, devices, 2, 0.1);
    known.count = 0;
    for (size_t i = 0; i < rows.count; i++) {
        const bool is_new = rows.rows[i].device == 1 && rows.rows[i].config.kind == LAYER_DENSE;
        rows.rows[i].median_ms *= is_new ? 10 : 1;
        if (!is_new)
            known.rows[known.count++] = rows.rows[i];
    }
    struct predictor *predictor = fit_with(&predictor_mlp, &known, &options, NULL);
    struct fit_report reports[LAYER_KIND_COUNT];
    snprintf(options.fine_tune, sizeof options.fine_tune, "two");
    assert_int_equal(predictor->type->tune(predictor, &rows, &options.base, reports, NULL),
                     STATUS_OK);
    assert_true(reports[LAYER_DENSE].held_out.mape_percent < 25);
    assert_true(reports[LAYER_POOL2D].held_out.mape_percent < 25);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
    synthetic_rows_free(&known);
}

/* Nets without folds need rows to learn from and others to stop by; of fewer rows the ceilings are
 * fitted, from one row on. */
static void nets_without_folds_are_tuned_to_few_rows(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    const struct device_info other = synthetic_device("other", 20, 2);
    struct dataset_rows rows, others;
    struct mlp_options options = quick_options();
    synthetic_rows_create(&rows, 300, dense_only, 1, &device, 1, 0.1);
    synthetic_rows_create(&others, 60, dense_only, 1, &other, 1, 0.1);
    size_t kept = 0;
    for (size_t i = 0; i < others.count; i++)
        if (split_of(&others.rows[i].config) == SPLIT_TRAIN)
            others.rows[kept++] = others.rows[i];
    assert_true(kept >= 20);
    options.fold_rows = 0;
    for (others.count = 1; others.count <= 20; others.count += 6) {
        struct mlp_options first = options, tuning = options;
        struct predictor *predictor = fit_with(&predictor_mlp, &rows, &first, NULL);
        snprintf(tuning.fine_tune, sizeof tuning.fine_tune, "other");
        struct fit_report reports[LAYER_KIND_COUNT];
        assert_int_equal(predictor->type->tune(predictor, &others, &tuning.base, reports, NULL),
                         STATUS_OK);
        assert_int_equal(dense_of(predictor)->fold_count, 0);
        assert_true(reports[LAYER_DENSE].calibration_rows > 0);
        for (size_t i = 0; i < rows.count; i++)
            assert_sane(predictor, &rows.rows[i].config);
        predictor->type->free(predictor);
    }
    others.count = 1;
    while (split_of(&others.rows[0].config) != SPLIT_TEST)
        others.rows[0].config.batch_size++; /* one test row: nothing to learn from */
    struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, NULL);
    snprintf(options.fine_tune, sizeof options.fine_tune, "other");
    assert_int_equal(predictor->type->tune(predictor, &others, &options.base, NULL, NULL),
                     STATUS_OK);
    assert_false(predictor->type->knows(predictor, LAYER_DENSE));
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
    synthetic_rows_free(&others);
}

/* ---- rivals ---- */

/* On rows that lie on the roofline `fitted` is right; the nearest rows are not. */
static void rivals_are_judged_on_rows_they_left_out(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct dataset_rows rows;
    struct held_out_errors folds[LAYER_KIND_COUNT], split[LAYER_KIND_COUNT];
    const int32_t five[LAYER_KIND_COUNT] = {[LAYER_DENSE] = 5}, none[LAYER_KIND_COUNT] = {0};
    size_t test = 0, learnt = 0;
    synthetic_rows_create(&rows, 200, dense_only, 1, &device, 1, 0.05);
    for (size_t i = 0; i < rows.count; i++) {
        test += split_of(&rows.rows[i].config) == SPLIT_TEST;
        learnt += split_of(&rows.rows[i].config) == SPLIT_TRAIN;
    }
    assert_int_equal(predictor_nearest.judge(folds, &rows, five, NULL), STATUS_OK);
    assert_int_equal(folds[LAYER_DENSE].count, learnt + test);
    assert_true(folds[LAYER_DENSE].mape_percent > 5); /* its own row would give 0 */
    assert_int_equal(folds[LAYER_CONV2D].count, 0);
    assert_int_equal(predictor_nearest.judge(split, &rows, none, NULL), STATUS_OK);
    assert_int_equal(split[LAYER_DENSE].count, test);
    assert_true(split[LAYER_DENSE].mape_percent > 5);
    synthetic_rows_free(&rows);
}

/* A tuned predictor is compared on the rows of its own device only. */
static void rivals_of_a_tuned_predictor_see_its_device(void **state)
{
    (void)state;
    const struct device_info devices[] = {synthetic_device("one", 100, 10),
                                          synthetic_device("two", 50, 5)};
    struct dataset_rows rows;
    struct mlp_options options = quick_options();
    struct fit_report reports[LAYER_KIND_COUNT];
    synthetic_rows_create(&rows, 100, dense_only, 1, devices, 2, 0.1);
    snprintf(options.fine_tune, sizeof options.fine_tune, "two");
    struct predictor *predictor = fit_with(&predictor_mlp, &rows, &options, reports);
    assert_int_equal(rivals_judge(reports, predictor, &rows, NULL), STATUS_OK);
    for (int rival = 0; rival < RIVAL_COUNT; rival++)
        assert_int_equal(reports[LAYER_DENSE].rivals[rival].count,
                         reports[LAYER_DENSE].held_out.count);
    predictor->type->free(predictor);
    synthetic_rows_free(&rows);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tuning_keeps_folds_and_ceilings),
        cmocka_unit_test(tuning_learns_from_test_rows_alone),
        cmocka_unit_test(tuning_fits_ceilings_that_were_not_the_devices),
        cmocka_unit_test(nets_without_folds_are_tuned_to_few_rows),
        cmocka_unit_test(rivals_are_judged_on_rows_they_left_out),
        cmocka_unit_test(rivals_of_a_tuned_predictor_see_its_device),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
