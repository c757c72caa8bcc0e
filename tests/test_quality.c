/* The quality report against figures computed by hand. */
#include "data/quality.h"
#include "folder_fixture.h"
#include "test.h"

static void near_to(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-5 * fabs(expected)))
        fail_msg("%g, not %g", value, expected);
}

/* Ten rows of 0.5 ms (interval 1..10 %, spread 10..100 %), ten of 50 ms (interval 2 %, no rounds),
 * five throttled. */
static struct measurement row_of(int i)
{
    struct measurement row = sample_row(i);
    row.outcome = i < 20 ? OUTCOME_OK : OUTCOME_THROTTLED;
    row.median_ms = i < 10 ? 0.5 : i < 20 ? 50 : NAN;
    row.ci_ms = i < 10 ? 0.005 * (i + 1) : 1;
    row.round_count = i < 10 ? 3 : 1;
    row.spread_percent = i < 10 ? 10 * (i + 1) : NAN;
    row.pressure_percent = i == 0 ? NAN : i < 20 ? 30 : 90;
    return row;
}

/* Little pressure and spread, rows that met the cap and crashes by turns. */
static struct measurement steady_row_of(int i)
{
    struct measurement row = row_of(i);
    row.pressure_percent = 5;
    row.spread_percent = 3;
    row.round_count = 3;
    row.outcome = i % 2 ? OUTCOME_CAPPED : OUTCOME_CRASHED;
    row.median_ms = i % 2 ? 1 : NAN;
    return row;
}

static void write_rows(const char *path, struct measurement (*made)(int i), const double *gemm_ms,
                       int canary_count)
{
    struct dataset *dataset;
    int32_t device;
    const struct dataset_header header = sample_header();
    const struct device_info info = sample_device("one");
    SUCCEEDS(dataset_create(&dataset, path, &header, true, false, &error));
    SUCCEEDS(dataset_add_device(dataset, &info, &device, &error));
    for (int i = 0; i < 25; i++) {
        const struct measurement row = made(i);
        SUCCEEDS(dataset_append(dataset, &row, &error));
    }
    for (int i = canary_count - 1; i >= 0; i--) { /* the order of the file is not that of time */
        const struct canary canary = {
            .unix_time_s = 1e9 + i, .gemm_ms = gemm_ms[i], .copy_ms = NAN, .pressure_percent = 1};
        SUCCEEDS(dataset_add_canary(dataset, &canary, &error));
    }
    SUCCEEDS(dataset_finish(dataset, &error));
    dataset_close(dataset);
}

static void write_file(const char *path, const double *gemm_ms, int canary_count)
{
    write_rows(path, row_of, gemm_ms, canary_count);
}

static void write_steady_file(const char *path)
{
    write_rows(path, steady_row_of, NULL, 0);
}

static void noise_by_decade(void **state)
{
    (void)state;
    const struct file_name file = in_folder(&folder, "data.h5");
    struct quality quality;
    write_file(file.text, NULL, 0);
    SUCCEEDS(quality_read(&quality, file.text, &error));
    const struct quality_noise fast = quality_noise(&quality, -1),
                               slow = quality_noise(&quality, 1), none = quality_noise(&quality, 0);
    assert_int_equal(fast.rows, 10);
    assert_int_equal(fast.ci.count, 10);
    near_to(fast.ci.median, 5.5);
    near_to(fast.ci.p90, 9.1);
    assert_int_equal(fast.rounds.count, 10);
    near_to(fast.rounds.median, 55);
    near_to(fast.rounds.p90, 91);
    assert_int_equal(slow.rows, 10);
    near_to(slow.ci.median, 2);
    assert_int_equal(slow.rounds.count, 0);
    assert_true(isnan(slow.rounds.median));
    assert_int_equal(none.rows, 0);
    assert_int_equal(quality_noise_of_all(&quality).rows, 20);
    assert_int_equal(quality_outcome_count(&quality, OUTCOME_THROTTLED), 5);
    assert_int_equal(quality_outcome_count(&quality, OUTCOME_CAPPED), 0);
    assert_int_equal(quality_pressure(&quality).count, 24);
    near_to(quality_pressure(&quality).median, 30);
    quality_free(&quality);
}

static void drift(void **state)
{
    (void)state;
    static const double gemm_ms[] = {1.0, 1.1, 9.0, 1.2, 1.3, 1.2, 1.3, 1.4};
    const struct file_name file = in_folder(&folder, "data.h5");
    struct quality quality;
    write_file(file.text, gemm_ms, 8);
    SUCCEEDS(quality_read(&quality, file.text, &error));
    const struct quality_drift gemm = quality_drift(&quality, 0, CANARY_GEMM),
                               copy = quality_drift(&quality, 0, CANARY_COPY);
    assert_int_equal(gemm.count, 8);
    near_to(gemm.first_ms, 1.1);
    near_to(gemm.last_ms, 1.3);
    near_to(gemm.drift_percent, 100 * (1.3 / 1.1 - 1));
    near_to(gemm.largest_percent, 100 * (9.0 / 1.25 - 1));
    assert_int_equal(copy.count, 0);
    assert_true(isnan(copy.drift_percent));
    quality_free(&quality);
}

static bool warns_of(const struct quality *quality, const char *text)
{
    struct quality_warning warnings[QUALITY_WARNING_LIMIT];
    const int count = quality_warnings(warnings, quality);
    for (int i = 0; i < count; i++)
        if (strstr(warnings[i].what, text))
            return true;
    return false;
}

static void test_warnings(void **state)
{
    (void)state;
    static const double steady_ms[] = {1, 1.01, 1, 1.02}, drifting_ms[] = {1, 1, 1, 0.9, 0.9, 0.9};
    const struct file_name file = in_folder(&folder, "data.h5");
    struct quality quality;
    write_file(file.text, drifting_ms, 6);
    SUCCEEDS(quality_read(&quality, file.text, &error));
    assert_true(warns_of(&quality, "other work waited for the processors 30 %"));
    assert_true(warns_of(&quality, "over 91 % between rounds"));
    assert_true(warns_of(&quality, "drifted by 10 %"));
    assert_true(warns_of(&quality, "20.0 % of the configs were throttled"));
    assert_false(warns_of(&quality, "time cap"));
    assert_false(warns_of(&quality, "crashed"));
    assert_false(warns_of(&quality, "unfinished"));
    quality_free(&quality);
    write_steady_file(file.text);
    SUCCEEDS(quality_read(&quality, file.text, &error));
    assert_false(warns_of(&quality, "other work"));
    assert_false(warns_of(&quality, "between rounds"));
    assert_false(warns_of(&quality, "throttled"));
    assert_true(warns_of(&quality, "48 % of the configs met the time cap"));
    assert_true(warns_of(&quality, "crashed"));
    quality.tables.is_growing = true;
    assert_true(warns_of(&quality, "unfinished: 25 configs"));
    quality_free(&quality);
    write_file(file.text, steady_ms, 4);
    SUCCEEDS(quality_read(&quality, file.text, &error));
    assert_false(warns_of(&quality, "drifted"));
    quality_free(&quality);
}

static void unreadable_file(void **state)
{
    (void)state;
    struct quality quality;
    const struct file_name file = in_folder(&folder, "none.h5");
    FAILS(STATUS_BAD_FILE, "none.h5", quality_read(&quality, file.text, &error));
    assert_null(quality.groups);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(noise_by_decade),
        TEST(drift),
        TEST(test_warnings),
        TEST(unreadable_file),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
