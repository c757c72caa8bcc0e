#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/sweep.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
    char folder[256], path[300];
    struct worker *worker;
    struct dataset *dataset;
    struct sample_domain domains[2];
    struct sweep_options options;
    int32_t device_row;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    static const char *const command[] = {PROGRAM,  "worker", "--device", "fake",
                                          "--seed", "5",      NULL};
    const struct worker_options worker_options = {.command = command};
    const struct dataset_header header = {.seed = 5};
    const char *parent = getenv("TMPDIR");
    snprintf(fixture.folder, sizeof fixture.folder, "%s/epochcast-XXXXXX",
             parent ? parent : "/tmp");
    assert_non_null(mkdtemp(fixture.folder));
    snprintf(fixture.path, sizeof fixture.path, "%s/data.h5", fixture.folder);
    assert_int_equal(worker_start(&fixture.worker, &worker_options, NULL), STATUS_OK);
    assert_int_equal(dataset_create(&fixture.dataset, fixture.path, &header, false, true, NULL),
                     STATUS_OK);
    assert_int_equal(dataset_add_device(fixture.dataset, worker_device(fixture.worker),
                                        &fixture.device_row, NULL),
                     STATUS_OK);
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
    dataset_close(fixture->dataset);
    worker_close(fixture->worker);
    unlink(fixture->path);
    return rmdir(fixture->folder);
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

#define WITH_DEVICE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DEVICE(rows_are_the_draws),   WITH_DEVICE(report_adds_up),
        WITH_DEVICE(failures_are_rows),    WITH_DEVICE(time_budget_ends_the_sweep),
        WITH_DEVICE(interrupt_keeps_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
