#include "dataset_files.h"
#include "sweep/sweep.h"
#include "test.h"

struct fixture {
    struct folder folder;
    char path[512];
    struct worker *worker;
    struct dataset *dataset;
    struct sample_domain domains[2];
    struct sweep_options options;
    int32_t device_row;
};

static void start_worker(struct fixture *fixture)
{
    static const char *const command[] = {PROGRAM,  "worker", "--device", "fake",
                                          "--seed", "5",      NULL};
    struct error error;
    const struct worker_options options = {.command = command};
    worker_close(fixture->worker);
    SUCCEEDS(worker_start(&fixture->worker, &options, &error));
}

/* A new file of the folder, in place of the one that was open. */
static void start_file(struct fixture *fixture, const char *name)
{
    struct error error;
    const struct dataset_header header = {.seed = 5};
    snprintf(fixture->path, sizeof fixture->path, "%s", in_folder(&fixture->folder, name).text);
    dataset_close(fixture->dataset);
    SUCCEEDS(dataset_create(&fixture->dataset, fixture->path, &header, false, true, &error));
    SUCCEEDS(dataset_add_device(fixture->dataset, worker_device(fixture->worker),
                                &fixture->device_row, &error));
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.folder = folder_make()};
    start_worker(&fixture);
    start_file(&fixture, "data.h5");
    sample_domain_default(&fixture.domains[0], LAYER_DENSE);
    sample_domain_default(&fixture.domains[1], LAYER_CONV2D);
    fixture.options = (struct sweep_options){.domains = fixture.domains,
                                             .domain_count = 2,
                                             .samples = 60,
                                             .rounds = 3,
                                             .shard_count = 1,
                                             .seed = 5,
                                             .measure = measure_options_default};
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    unsetenv("EPOCHCAST_FAKE_FAULTS");
    dataset_close(fixture->dataset);
    worker_close(fixture->worker);
    folder_remove(&fixture->folder);
    return 0;
}

static struct dataset_rows close_and_read(struct fixture *fixture)
{
    struct error error = {0};
    struct dataset_rows rows;
    const char *path = fixture->path;
    dataset_close(fixture->dataset);
    fixture->dataset = NULL;
    if (dataset_read(&rows, &path, 1, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return rows;
}

/* Every stored row is the draw that it says it is, kinds in turn, each draw once. */
static void rows_are_the_draws(void **state)
{
    struct fixture *fixture = *state;
    struct sweep_report report;
    assert_int_equal(sweep_run(&report, fixture->dataset, fixture->device_row, fixture->worker,
                               &fixture->options, NULL),
                     STATUS_OK);
    assert_int_equal(report.rows, 180);
    assert_int_equal(report.configs, 60);
    struct dataset_rows rows = close_and_read(fixture);
    assert_int_equal(rows.count, 60);
    bool seen[2][30] = {{false}};
    for (size_t i = 0; i < rows.count; i++) {
        const struct measurement *row = &rows.rows[i];
        struct layer_config config;
        enum stratum stratum;
        int which = row->config.kind == LAYER_CONV2D;
        assert_in_range(row->draw, 0, 29);
        assert_false(seen[which][row->draw]);
        seen[which][row->draw] = true;
        assert_int_equal(
            sample_draw(&config, &stratum, &fixture->domains[which], 5, (uint32_t)row->draw, NULL),
            STATUS_OK);
        assert_memory_equal(&row->config, &config, sizeof config);
        assert_int_equal(row->stratum, stratum);
    }
    dataset_rows_free(&rows);
}

static void report_adds_up(void **state)
{
    struct fixture *fixture = *state;
    struct sweep_report report;
    assert_int_equal(sweep_run(&report, fixture->dataset, fixture->device_row, fixture->worker,
                               &fixture->options, NULL),
                     STATUS_OK);
    int64_t outcomes = 0;
    for (int i = 0; i < OUTCOME_COUNT; i++)
        outcomes += report.outcome_count[i];
    assert_int_equal(outcomes, report.rows);
    assert_true(isfinite(report.measuring_s) && report.measuring_s > 0);
    assert_true(isfinite(report.warmup_s) && report.warmup_s > 0);
    assert_true(report.seconds > 0);
}

/* Precision fp16 is nothing that the fake device can do: outcomes, not an end of the sweep. */
static void failures_are_rows(void **state)
{
    struct fixture *fixture = *state;
    struct sweep_report report;
    bool applied;
    for (int i = 0; i < 2; i++)
        assert_int_equal(sample_domain_set(&fixture->domains[i], "precision=fp16", &applied, NULL),
                         STATUS_OK);
    assert_int_equal(sweep_run(&report, fixture->dataset, fixture->device_row, fixture->worker,
                               &fixture->options, NULL),
                     STATUS_OK);
    assert_int_equal(report.outcome_count[OUTCOME_UNSUPPORTED], 60);
    assert_true(isfinite(report.measuring_s));
    struct dataset_rows rows = close_and_read(fixture);
    assert_int_equal(rows.count, 60);
    for (size_t i = 0; i < rows.count; i++)
        assert_true(isnan(rows.rows[i].median_ms));
    dataset_rows_free(&rows);
}

static void time_budget_ends_the_sweep(void **state)
{
    struct fixture *fixture = *state;
    struct sweep_report report;
    fixture->options.samples = 0;
    fixture->options.time_budget_s = 0.05;
    assert_int_equal(sweep_run(&report, fixture->dataset, fixture->device_row, fixture->worker,
                               &fixture->options, NULL),
                     STATUS_OK);
    assert_true(report.rows > 0);
    assert_true(report.seconds >= 0.05);
}

/* The point under way is finished and kept: readable before the dataset is closed. */
static void interrupt_keeps_rows(void **state)
{
    struct fixture *fixture = *state;
    const volatile sig_atomic_t interrupted = 1;
    struct error error = {0};
    struct sweep_report report;
    fixture->options.interrupted = &interrupted;
    assert_int_equal(sweep_run(&report, fixture->dataset, fixture->device_row, fixture->worker,
                               &fixture->options, &error),
                     STATUS_INTERRUPTED);
    assert_int_equal(report.rows, 1);
    struct dataset_rows rows = close_and_read(fixture);
    assert_int_equal(rows.count, 1);
    dataset_rows_free(&rows);
}

/* ---- faults ---- */

static void faults_are_rows(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct sweep_report report;
    setenv("EPOCHCAST_FAKE_FAULTS", "crash=0.07,die=0.07,poison=0.07", 1);
    start_worker(fixture);
    SUCCEEDS(sweep_run(&report, fixture->dataset, fixture->device_row, fixture->worker,
                       &fixture->options, &error));
    const int64_t crashed = report.outcome_count[OUTCOME_CRASHED];
    const int64_t killed = report.outcome_count[OUTCOME_OUT_OF_MEMORY];
    assert_true(crashed > 0 && killed > 0);
    assert_int_equal(report.configs, 60);
    assert_int_equal(report.rows, 3 * (60 - crashed - killed) + crashed + killed);
    assert_true(isfinite(report.measuring_s + report.warmup_s + report.setup_s));
    struct dataset_rows rows = close_and_read(fixture);
    assert_int_equal(rows.count, 60);
    for (size_t i = 0; i < rows.count; i++) {
        assert_int_equal(rows.rows[i].round_count, measurement_is_timed(&rows.rows[i]) ? 3 : 1);
        report.config_count[rows.rows[i].outcome]--; // the file agrees with the report
    }
    for (int i = 0; i < OUTCOME_COUNT; i++)
        assert_int_equal(report.config_count[i], 0);
    dataset_rows_free(&rows);
}

/* Layers that no engine supports, or that fail when they are called: rows, and the worker lives. */
static void engines_that_fail_are_rows(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct sweep_report report;
    int64_t failures;
    setenv("EPOCHCAST_FAKE_FAULTS", "unsupported=0.1,refuse=0.1", 1);
    start_worker(fixture);
    SUCCEEDS(sweep_run(&report, fixture->dataset, fixture->device_row, fixture->worker,
                       &fixture->options, &error));
    const int64_t unsupported = report.outcome_count[OUTCOME_UNSUPPORTED];
    assert_int_equal(report.configs, 60);
    assert_int_equal(report.rows, 3 * (60 - unsupported) + unsupported);
    worker_failure(&failures, fixture->worker);
    assert_int_equal(failures, 0);
    struct dataset_rows rows = close_and_read(fixture);
    assert_int_equal(rows.count, 60);
    int of_prepare = 0, of_calls = 0;
    for (size_t i = 0; i < rows.count; i++) {
        const struct measurement *row = &rows.rows[i];
        const bool has_plan = row->algorithm[0] != '\0';
        assert_true(measurement_is_timed(row) == (row->outcome != OUTCOME_UNSUPPORTED));
        of_prepare += row->outcome == OUTCOME_UNSUPPORTED && !has_plan;
        of_calls += row->outcome == OUTCOME_UNSUPPORTED && has_plan;
    }
    assert_true(of_prepare > 0 && of_calls > 0 && of_prepare + of_calls == unsupported);
    dataset_rows_free(&rows);
}

/* Chosen configs whose results differ from their definition: one row each, without times; the
 * others are measured in all rounds. Whoever is not chosen is believed. */
static void wrong_results_are_rows(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct sweep_report report;
    setenv("EPOCHCAST_FAKE_FAULTS", "wrong=0.3", 1);
    start_worker(fixture);
    fixture->options.check_every = 2;
    SUCCEEDS(sweep_run(&report, fixture->dataset, fixture->device_row, fixture->worker,
                       &fixture->options, &error));
    const int64_t incorrect = report.incorrect;
    assert_true(incorrect > 0 && incorrect < report.checked && report.checked < 60);
    assert_int_equal(report.config_count[OUTCOME_INCORRECT], incorrect);
    assert_int_equal(report.rows, 3 * (60 - incorrect) + incorrect);
    assert_true(report.check_s > 0);
    struct dataset_rows rows = close_and_read(fixture);
    assert_int_equal(rows.count, 60);
    for (size_t i = 0; i < rows.count; i++) {
        const struct measurement *row = &rows.rows[i];
        const bool is_wrong = row->outcome == OUTCOME_INCORRECT;
        assert_true(measurement_is_timed(row) == !is_wrong);
        assert_true(!is_wrong || check_is_due(&row->config, fixture->options.seed, 2));
        assert_true(!is_wrong || isnan(row->median_ms));
    }
    dataset_rows_free(&rows);
}

/* A device that does nothing but die: the sweep ends with a message and keeps what it knows. */
static void too_many_faults_end_the_sweep(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct sweep_report report;
    setenv("EPOCHCAST_FAKE_FAULTS", "crash=1", 1);
    start_worker(fixture);
    FAILS(STATUS_FAILED, "5 workers in a row",
          sweep_run(&report, fixture->dataset, fixture->device_row, fixture->worker,
                    &fixture->options, &error));
    struct dataset_rows rows = close_and_read(fixture);
    assert_int_equal(rows.count, WORKER_FAILURE_LIMIT - 1); /* the canary was the first */
    dataset_rows_free(&rows);
}

/* ---- resume ---- */

static struct dataset_rows undisturbed(struct fixture *fixture)
{
    struct error error;
    struct sweep_report report;
    start_file(fixture, "undisturbed.h5");
    SUCCEEDS(sweep_run(&report, fixture->dataset, fixture->device_row, fixture->worker,
                       &fixture->options, &error));
    SUCCEEDS(dataset_finish(fixture->dataset, &error));
    return close_and_read(fixture);
}

static void are_the_same(const struct dataset_rows *rows, const struct dataset_rows *wanted)
{
    assert_int_equal(rows->count, wanted->count);
    for (size_t i = 0; i < rows->count; i++) {
        const struct measurement *row = &rows->rows[i], *other = &wanted->rows[i];
        assert_memory_equal(&row->config, &other->config, sizeof row->config);
        assert_int_equal(row->draw, other->draw);
        assert_int_equal(row->outcome, other->outcome);
        assert_int_equal(row->round_count, other->round_count);
        assert_true(fabs(row->median_ms - other->median_ms) <= 1e-6 * other->median_ms);
    }
}

/* Goes on with the file for one more row; false: it was complete. */
static bool one_more_row(struct fixture *fixture)
{
    const volatile sig_atomic_t interrupted = 1;
    struct error error;
    struct sweep_report report;
    struct dataset_rows done;
    struct sweep_options options = fixture->options;
    SUCCEEDS(dataset_read_rounds(&done, fixture->path, &error));
    assert_true(done.is_growing);
    SUCCEEDS(dataset_resume(&fixture->dataset, fixture->path, &done, &error));
    options.done = &done;
    options.interrupted = &interrupted;
    const bool was_complete = sweep_is_complete(&report, &options);
    const enum status status = sweep_run(&report, fixture->dataset, 0, fixture->worker, &options,
                                         &error);
    assert_int_equal(status, was_complete ? STATUS_OK : STATUS_INTERRUPTED);
    assert_int_equal(report.rows, was_complete ? 0 : 1);
    if (was_complete)
        SUCCEEDS(dataset_finish(fixture->dataset, &error));
    dataset_close(fixture->dataset);
    fixture->dataset = NULL;
    dataset_rows_free(&done);
    return !was_complete;
}

/* Cut off after every single row, it ends as if it had never been. */
static void resumed_is_undisturbed(void **state)
{
    struct fixture *fixture = *state;
    int rows = 0;
    fixture->options.samples = 8;
    struct dataset_rows wanted = undisturbed(fixture);
    start_file(fixture, "resumed.h5");
    dataset_close(fixture->dataset);
    while (one_more_row(fixture))
        rows++;
    assert_int_equal(rows, 24);
    struct dataset_rows resumed = close_and_read(fixture);
    assert_false(resumed.is_growing);
    are_the_same(&resumed, &wanted);
    dataset_rows_free(&resumed);
    dataset_rows_free(&wanted);
}

/* Rows that no sweep of these options would have made. */
static void rows_of_another_sweep_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const int64_t draws[] = {-1, 3, INT64_C(1) << 31, INT64_C(1) << 40, INT64_MAX};
    struct measurement row = {.outcome = OUTCOME_OK, .round_count = 1, .median_ms = 1};
    struct dataset_rows done = {.rows = &row, .count = 1};
    struct sweep_options options = fixture->options;
    struct sweep_report report;
    struct error error;
    options.done = &done;
    for (size_t i = 0; i < sizeof draws / sizeof *draws; i++) {
        row.draw = draws[i];
        FAILS(STATUS_BAD_FILE, "does not belong to this sweep",
              sweep_run(&report, fixture->dataset, 0, fixture->worker, &options, &error));
        assert_int_equal(report.rows, 0);
    }
    row.draw = 0;
    row.config.kind = LAYER_POOL2D;
    FAILS(STATUS_BAD_FILE, "draw 0 of pool2d",
          sweep_run(&report, fixture->dataset, 0, fixture->worker, &options, &error));
}

/* ---- shards ---- */

static void shards_are_the_whole(void **state)
{
    enum { SHARDS = 3 };
    struct fixture *fixture = *state;
    struct error error;
    struct sweep_report report;
    const char *paths[SHARDS];
    struct file_name names[SHARDS];
    fixture->options.samples = 20; /* 7, 7 and 6 */
    struct dataset_rows wanted = undisturbed(fixture);
    for (int i = 0; i < SHARDS; i++) {
        fixture->options.shard = i;
        fixture->options.shard_count = SHARDS;
        const char *const shard_names[SHARDS] = {"1.h5", "2.h5", "3.h5"};
        start_file(fixture, shard_names[i]);
        SUCCEEDS(sweep_run(&report, fixture->dataset, fixture->device_row, fixture->worker,
                           &fixture->options, &error));
        SUCCEEDS(dataset_finish(fixture->dataset, &error));
        assert_int_equal(report.configs, i < 2 ? 7 : 6);
        names[i] = in_folder(&fixture->folder, shard_names[i]);
        paths[i] = names[i].text;
    }
    struct dataset_rows rows;
    SUCCEEDS(dataset_read(&rows, paths, SHARDS, &error));
    assert_int_equal(rows.device_count, 1);
    assert_int_equal(rows.count, wanted.count);
    for (size_t i = 0; i < wanted.count; i++) { /* each config of the whole in one shard */
        int found = 0;
        for (size_t j = 0; j < rows.count; j++)
            found += rows.rows[j].draw == wanted.rows[i].draw &&
                     memcmp(&rows.rows[j].config, &wanted.rows[i].config,
                            sizeof rows.rows[j].config) == 0;
        assert_int_equal(found, 1);
    }
    dataset_rows_free(&rows);
    dataset_rows_free(&wanted);
}

static void empty_shards_are_told(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct sweep_report report;
    fixture->options.samples = 3;
    fixture->options.shard = 3;
    fixture->options.shard_count = 4;
    FAILS(STATUS_USAGE, "shard 4 of 4",
          sweep_run(&report, fixture->dataset, fixture->device_row, fixture->worker,
                    &fixture->options, &error));
    assert_false(sweep_is_complete(&report, &fixture->options));
}

#define WITH_DEVICE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITH_DEVICE(rows_are_the_draws),
        WITH_DEVICE(report_adds_up),
        WITH_DEVICE(failures_are_rows),
        WITH_DEVICE(time_budget_ends_the_sweep),
        WITH_DEVICE(interrupt_keeps_rows),
        WITH_DEVICE(faults_are_rows),
        WITH_DEVICE(engines_that_fail_are_rows),
        WITH_DEVICE(wrong_results_are_rows),
        WITH_DEVICE(too_many_faults_end_the_sweep),
        WITH_DEVICE(resumed_is_undisturbed),
        WITH_DEVICE(rows_of_another_sweep_are_refused),
        WITH_DEVICE(shards_are_the_whole),
        WITH_DEVICE(empty_shards_are_told),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
