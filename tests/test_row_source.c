/* An evaluation that streams its files has the figures of one that holds all rows. */
#include "evaluate/row_source.h"

#include "data/split.h"
#include "folder_fixture.h"
#include "predictors/row_selection.h"

enum { ROWS = 20000, FILES = 2 }; /* more than one piece of the stream */

/* Forecasts 100 ms per unit of batch size, +-50 %; does not know pool2d. */
static enum status predict_batch(struct prediction *predictions, const struct predictor *predictor,
                                 const struct layer_question *questions, size_t count,
                                 const struct device_info *device, struct error *cause)
{
    (void)predictor;
    (void)device;
    (void)cause;
    for (size_t i = 0; i < count; i++) {
        const double ms = 100 * questions[i].config->batch_size;
        predictions[i] = (struct prediction){.median_ms = ms,
                                             .low_ms = ms / 1.5,
                                             .high_ms = ms * 1.5,
                                             .covered = questions[i].config->kind != LAYER_POOL2D};
    }
    return STATUS_OK;
}

static const struct predictor_type batch_type = {.name = "batch", .predict = predict_batch};
static const struct predictor predictor = {.type = &batch_type};

/* Devices a and b in the first file, b and c in the second. */
static void write_file(const char *path, int which)
{
    struct dataset *dataset;
    int32_t device[2];
    const struct dataset_header header = sample_header();
    const struct device_info infos[] = {sample_device(which ? "b" : "a"),
                                        sample_device(which ? "c" : "b")};
    SUCCEEDS(dataset_create(&dataset, path, &header, true, false, &error));
    for (int i = 0; i < 2; i++)
        SUCCEEDS(dataset_add_device(dataset, &infos[i], &device[i], &error));
    for (int i = 0; i < ROWS; i++) {
        struct measurement row = sample_row(which * ROWS + i);
        row.device = device[i / 7 % 2];
        row.config.batch_size = 1 + i * 37 % 400;
        row.median_ms = 10 + i * 101 % 40000;
        row.outcome = i % 11 == 0 ? OUTCOME_CRASHED : OUTCOME_OK;
        SUCCEEDS(dataset_append(dataset, &row, &error));
    }
    SUCCEEDS(dataset_finish(dataset, &error));
    dataset_close(dataset);
}

static struct file_name files[FILES];
static const char *paths[FILES];

static void write_files(void)
{
    for (int i = 0; i < FILES; i++) {
        files[i] = in_folder(&folder, i ? "second.h5" : "first.h5");
        paths[i] = files[i].text;
        write_file(paths[i], i);
    }
}

static bool is_even_batch(const void *filter, const struct layer_config *config)
{
    assert_ptr_equal(filter, paths);
    return config->batch_size % 2 == 0;
}

static struct row_source source_of(int split, bool filtered)
{
    struct row_source source = {.paths = paths, .path_count = FILES, .split = split};
    source.skips[LAYER_DENSE] = filtered;
    source.keeps = filtered ? is_even_batch : NULL;
    source.filter = paths;
    return source;
}

static void remove_rows(struct dataset_rows *rows, const struct row_source *source)
{
    size_t kept = 0;
    for (size_t i = 0; i < rows->count; i++)
        if (!source->skips[rows->rows[i].config.kind] &&
            (!source->keeps || source->keeps(paths, &rows->rows[i].config)))
            rows->rows[kept++] = rows->rows[i];
    rows->count = kept;
}

static void near(double value, double wanted)
{
    if (isnan(value) != isnan(wanted) || fabs(value - wanted) > 1e-9 * fabs(wanted))
        fail_msg("%.17g, not %.17g", value, wanted);
}

static void expect_same(const struct evaluation *got, const struct evaluation *wanted)
{
    assert_int_equal(got->count, wanted->count);
    assert_int_equal(got->uncovered, wanted->uncovered);
    for (size_t i = 0; i < got->count; i++) {
        const struct evaluation_row *a = &got->rows[i], *b = &wanted->rows[i];
        assert_int_equal(a->layer, b->layer);
        assert_string_equal(a->device, b->device);
        assert_string_equal(a->pass, b->pass);
        assert_string_equal(a->group, b->group);
        assert_string_equal(a->predictor, b->predictor);
        assert_int_equal(a->errors.count, b->errors.count);
        near(a->errors.rmse_ms, b->errors.rmse_ms);
        near(a->errors.mape_percent, b->errors.mape_percent);
        near(a->errors.median_ape_percent, b->errors.median_ape_percent);
        near(a->errors.p90_ape_percent, b->errors.p90_ape_percent);
        near(a->errors.r2, b->errors.r2);
        near(a->interval_coverage_percent, b->interval_coverage_percent);
    }
}

static void streamed_as_held(void **state)
{
    (void)state;
    struct dataset_rows all;
    struct evaluation streamed, held;
    static const enum evaluation_by groupings[] = {EVALUATION_PASS, EVALUATION_DECADE,
                                                   EVALUATION_MEASURED_DECADE};
    write_files();
    SUCCEEDS(dataset_read(&all, paths, FILES, &error));
    for (int filtered = 0; filtered < 2; filtered++) {
        const struct row_source every = source_of(-1, filtered);
        remove_rows(&all, &every);
        for (int i = 0; i < 3 * 3; i++) {
            const struct row_source source = source_of(i / 3 - 1, filtered);
            SUCCEEDS(evaluate_predictor_by(&held, &predictor, &all, source.split, groupings[i % 3],
                                           &error));
            SUCCEEDS(row_source_evaluate(&streamed, &predictor, &source, groupings[i % 3], &error));
            assert_true(held.count >= LAYER_KIND_COUNT && (filtered || held.uncovered > 0));
            expect_same(&streamed, &held);
            evaluation_free(&held);
            evaluation_free(&streamed);
        }
    }
    dataset_rows_free(&all);
}

static void reads_what_is_evaluated(void **state)
{
    (void)state;
    struct dataset_rows all, some;
    size_t usable = 0;
    write_files();
    SUCCEEDS(dataset_read(&all, paths, FILES, &error));
    const struct row_source source = source_of(SPLIT_VALIDATION, false);
    SUCCEEDS(row_source_read(&some, &source, true, &error));
    assert_int_equal(some.count, all.count);
    assert_int_equal(some.device_count, 3);
    assert_memory_equal(some.rows, all.rows, all.count * sizeof *all.rows);
    dataset_rows_free(&some);
    SUCCEEDS(row_source_read(&some, &source, false, &error));
    for (size_t i = 0; i < all.count; i++)
        if (row_is_usable(&all.rows[i]) && split_of(&all.rows[i].config) == SPLIT_VALIDATION)
            assert_memory_equal(&some.rows[usable++], &all.rows[i], sizeof *all.rows);
    assert_int_equal(some.count, usable);
    assert_true(usable > 0 && usable < all.count / 5);
    dataset_rows_free(&some);
    dataset_rows_free(&all);
}

static bool keeps_none(const void *filter, const struct layer_config *config)
{
    (void)filter;
    (void)config;
    return false;
}

static void no_rows_are_an_error(void **state)
{
    (void)state;
    struct evaluation evaluation;
    write_files();
    struct row_source source = source_of(SPLIT_TEST, false);
    source.keeps = keeps_none;
    FAILS(STATUS_FAILED, "no timed test rows",
          row_source_evaluate(&evaluation, &predictor, &source, EVALUATION_PASS, &error));
    assert_null(evaluation.rows);
    source.keeps = NULL;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        source.skips[kind] = kind != LAYER_POOL2D;
    FAILS(STATUS_FAILED, "covers none of",
          row_source_evaluate(&evaluation, &predictor, &source, EVALUATION_PASS, &error));
    paths[1] = "missing.h5";
    FAILS(STATUS_BAD_FILE, "missing.h5",
          row_source_evaluate(&evaluation, &predictor, &source, EVALUATION_PASS, &error));
    FAILS(STATUS_BAD_FILE, "missing.h5",
          row_source_read(&(struct dataset_rows){0}, &source, true, &error));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {TEST(streamed_as_held), TEST(reads_what_is_evaluated),
                                       TEST(no_rows_are_an_error)};
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
