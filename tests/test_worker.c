/* The process that measures, and what becomes of it. */
#include "bench/worker.h"
#include "dataset_files.h"
#include "test.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

static const char *const fake_command[] = {PROGRAM,  "worker", "--device", "fake",
                                           "--seed", "5",      NULL};
static const struct layer_config config = {
    .kind = LAYER_DENSE, .batch_size = 4, .as.dense = {.inputs = 100, .outputs = 30}};

/* "crash=1": every config does that from the next worker on; NULL: none. */
static void set_faults(const char *faults)
{
    if (faults)
        setenv("EPOCHCAST_FAKE_FAULTS", faults, 1);
    else
        unsetenv("EPOCHCAST_FAKE_FAULTS");
}

static int without_faults(void **state)
{
    (void)state;
    set_faults(NULL);
    return 0;
}

static struct worker *started(const char *const *command, double grace_s)
{
    struct error error;
    struct worker *worker;
    const struct worker_options options = {.command = command, .grace_s = grace_s};
    SUCCEEDS(worker_start(&worker, &options, &error));
    return worker;
}

static struct measurement measured(struct worker *worker)
{
    struct error error;
    struct measurement row;
    SUCCEEDS(worker_measure(&row, worker, &config, &measure_options_default, &error));
    assert_memory_equal(&row.config, &config, sizeof config);
    assert_int_equal(row.round_count, 1);
    return row;
}

/* The worker that the faults meet, and that a next one goes on as if nothing had been. */
static void fails_once(const char *faults, double grace_s, enum outcome outcome,
                       const char *message)
{
    int64_t failures;
    set_faults(faults);
    struct worker *worker = started(fake_command, grace_s);
    set_faults(NULL);
    const struct measurement failed = measured(worker);
    assert_int_equal(failed.outcome, outcome);
    assert_true(isnan(failed.median_ms) && failed.unix_time_s > 0);
    if (!strstr(worker_failure(&failures, worker), message))
        fail_msg("%s: '%s'", faults, worker_failure(&failures, worker));
    assert_int_equal(failures, 1);
    assert_int_equal(measured(worker).outcome, OUTCOME_OK);
    worker_failure(&failures, worker);
    assert_int_equal(failures, 1);
    worker_close(worker);
}

static void measures_as_the_device_does(void **state)
{
    (void)state;
    struct error error;
    struct device *device;
    struct measurement wanted;
    int64_t failures;
    const struct device_options options = {.seed = 5};
    SUCCEEDS(device_open(&device, "fake", &options, &error));
    SUCCEEDS(measure_config(&wanted, device, &config, &measure_options_default, &error));
    struct worker *worker = started(fake_command, 0);
    const struct measurement row = measured(worker);
    assert_int_equal(row.outcome, wanted.outcome);
    assert_int_equal(row.sample_count, wanted.sample_count);
    assert_true(fabs(row.median_ms - wanted.median_ms) < 1e-9 * wanted.median_ms);
    assert_string_equal(worker_device(worker)->backend, "fake");
    assert_true(worker_device(worker)->measured_copy_gbps > 0);
    assert_false(worker_can_draw(worker));
    assert_string_equal(worker_failure(&failures, worker), "");
    assert_int_equal(failures, 0);
    worker_close(worker);
    device_close(device);
    worker_close(NULL);
}

static void canaries_have_times(void **state)
{
    (void)state;
    struct error error;
    struct canary first, second;
    struct worker *worker = started(fake_command, 0);
    SUCCEEDS(worker_canary(&first, worker, &error));
    SUCCEEDS(worker_canary(&second, worker, &error));
    assert_true(first.gemm_ms > 0 && first.copy_ms > 0 && first.unix_time_s > 0);
    assert_true(fabs(first.gemm_ms - second.gemm_ms) < 1e-6 * first.gemm_ms);
    worker_close(worker);
}

static void failed_canaries_have_none(void **state)
{
    (void)state;
    struct error error;
    struct canary canary;
    set_faults("crash=1");
    struct worker *worker = started(fake_command, 0);
    SUCCEEDS(worker_canary(&canary, worker, &error));
    assert_true(isnan(canary.gemm_ms) && isnan(canary.copy_ms));
    worker_close(worker);
}

static void a_crash_costs_a_row(void **state)
{
    (void)state;
    fails_once("crash=1", 0, OUTCOME_CRASHED, "killed by signal 6");
}

static void a_hang_costs_a_row(void **state)
{
    (void)state;
    fails_once("hang=1", 2, OUTCOME_TIMEOUT, "no answer in time");
}

/* The system's last resort when memory ends. */
static void a_kill_costs_a_row(void **state)
{
    (void)state;
    fails_once("die=1", 0, OUTCOME_OUT_OF_MEMORY, "killed by signal 9");
}

static void a_poisoned_device_costs_a_row(void **state)
{
    (void)state;
    fails_once("poison=1", 0, OUTCOME_CRASHED, "the device is poisoned");
}

static void five_in_a_row_are_the_end(void **state)
{
    (void)state;
    struct error error;
    struct measurement row;
    struct canary canary;
    set_faults("crash=1");
    struct worker *worker = started(fake_command, 0);
    for (int i = 0; i < WORKER_FAILURE_LIMIT; i++)
        assert_int_equal(measured(worker).outcome, OUTCOME_CRASHED);
    FAILS(STATUS_FAILED, "5 workers in a row failed; the last: killed by signal 6",
          worker_measure(&row, worker, &config, &measure_options_default, &error));
    assert_true(strlen(error.hint) > 0);
    FAILS(STATUS_FAILED, "in a row", worker_canary(&canary, worker, &error));
    worker_close(worker);
}

/* ---- a worker whose process is known ---- */

struct known {
    struct folder folder;
    char script[1024];
    const char *command[4];
};

static void make_known(struct known *known)
{
    known->folder = folder_make();
    snprintf(known->script, sizeof known->script,
             "cd '%s'; if [ -e stumble ]; then rm stumble; exit 3; fi; echo $$ >pid; "
             "exec '%s' worker --device fake",
             known->folder.path, PROGRAM);
    known->command[0] = "/bin/sh";
    known->command[1] = "-c";
    known->command[2] = known->script;
    known->command[3] = NULL;
}

static pid_t process_of(const struct known *known)
{
    int process = 0;
    FILE *file = fopen(in_folder(&known->folder, "pid").text, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &process), 1);
    fclose(file);
    return process;
}

static void kill_and_wait(pid_t process)
{
    siginfo_t info;
    assert_int_equal(kill(process, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)process, &info, WEXITED | WNOWAIT), 0);
}

/* Nobody asked it anything when it died: the config that comes next is not to blame. */
static void death_between_requests_costs_nothing(void **state)
{
    (void)state;
    struct known known;
    int64_t failures;
    make_known(&known);
    struct worker *worker = started(known.command, 0);
    const pid_t first = process_of(&known);
    assert_int_equal(measured(worker).outcome, OUTCOME_OK);
    kill_and_wait(first);
    assert_int_equal(measured(worker).outcome, OUTCOME_OK);
    assert_true(process_of(&known) != first);
    assert_non_null(strstr(worker_failure(&failures, worker), "killed by signal 9"));
    assert_int_equal(failures, 1);
    worker_close(worker);
    folder_remove(&known.folder);
}

/* The next worker does not even come up: the one after it does. */
static void death_at_the_start_costs_nothing(void **state)
{
    (void)state;
    struct known known;
    int64_t failures;
    make_known(&known);
    struct worker *worker = started(known.command, 0);
    fclose(fopen(in_folder(&known.folder, "stumble").text, "w"));
    kill_and_wait(process_of(&known));
    assert_int_equal(measured(worker).outcome, OUTCOME_OK);
    assert_non_null(strstr(worker_failure(&failures, worker), "did not start"));
    assert_int_equal(failures, 2);
    worker_close(worker);
    folder_remove(&known.folder);
}

/* A good row between sets the count back. */
static void failures_far_apart_are_not_the_end(void **state)
{
    (void)state;
    struct known known;
    int64_t failures;
    make_known(&known);
    struct worker *worker = started(known.command, 0);
    for (int i = 0; i < 2; i++) {
        set_faults("crash=1"); /* in the workers from now on */
        kill_and_wait(process_of(&known));
        for (int j = 0; j < WORKER_FAILURE_LIMIT - 2; j++)
            assert_int_equal(measured(worker).outcome, OUTCOME_CRASHED);
        set_faults(NULL);
        assert_int_equal(measured(worker).outcome, OUTCOME_OK);
    }
    worker_failure(&failures, worker);
    assert_int_equal(failures, 2 * (WORKER_FAILURE_LIMIT - 1));
    worker_close(worker);
    folder_remove(&known.folder);
}

static void closing_ends_the_process(void **state)
{
    (void)state;
    struct known known;
    make_known(&known);
    struct worker *worker = started(known.command, 0);
    const pid_t process = process_of(&known);
    assert_int_equal(kill(process, 0), 0);
    worker_close(worker);
    assert_int_equal(kill(process, 0), -1); /* and is waited for */
    folder_remove(&known.folder);
}

/* A lock of the parent's would outlive it in a worker that a driver keeps from dying. */
static void files_of_the_parent_stay_its_own(void **state)
{
    (void)state;
    const struct folder folder = folder_make();
    const struct file_name name = in_folder(&folder, "locked");
    const int held = open(name.text, O_RDWR | O_CREAT, 0600);
    assert_true(held >= 0 && flock(held, LOCK_EX | LOCK_NB) == 0);
    struct worker *worker = started(fake_command, 0);
    close(held);
    const int again = open(name.text, O_RDWR);
    assert_int_equal(flock(again, LOCK_EX | LOCK_NB), 0);
    close(again);
    worker_close(worker);
    folder_remove(&folder);
}

/* ---- workers that do not start ---- */

static void devices_that_do_not_open_are_told(void **state)
{
    static const char *const command[] = {PROGRAM, "worker", "--device", "fake:7", NULL};
    (void)state;
    struct error error;
    struct worker *worker = (struct worker *)1;
    const struct worker_options options = {.command = command};
    FAILS(STATUS_NO_DEVICE, "fake", worker_start(&worker, &options, &error));
    assert_null(worker);
    assert_true(strlen(error.hint) > 0);
}

static void programs_that_are_none_are_told(void **state)
{
    static const struct {
        const char *command[4], *end, *hint;
    } cases[] = {
        {{"/no/such/program"}, "'/no/such/program': ended with exit code 127", "cannot be loaded"},
        {{"/bin/true"}, "'/bin/true': ended with exit code 0", "messages"},
        {{"/bin/sh", "-c", "exit 3"}, "'/bin/sh': ended with exit code 3", "messages"},
        {{"/bin/sh", "-c", "kill -9 $$"}, "killed by signal 9", "more memory than there is"},
        {{"/bin/sh", "-c", "kill -6 $$"}, "killed by signal 6", "messages"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error;
        struct worker *worker;
        const struct worker_options options = {.command = cases[i].command};
        FAILS(STATUS_FAILED, cases[i].end, worker_start(&worker, &options, &error));
        assert_null(worker);
        assert_non_null(strstr(error.hint, cases[i].hint));
    }
}

#define WITHOUT_FAULTS(test) cmocka_unit_test_setup_teardown(test, without_faults, without_faults)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITHOUT_FAULTS(measures_as_the_device_does),
        WITHOUT_FAULTS(canaries_have_times),
        WITHOUT_FAULTS(failed_canaries_have_none),
        WITHOUT_FAULTS(a_crash_costs_a_row),
        WITHOUT_FAULTS(a_hang_costs_a_row),
        WITHOUT_FAULTS(a_kill_costs_a_row),
        WITHOUT_FAULTS(a_poisoned_device_costs_a_row),
        WITHOUT_FAULTS(five_in_a_row_are_the_end),
        WITHOUT_FAULTS(death_between_requests_costs_nothing),
        WITHOUT_FAULTS(death_at_the_start_costs_nothing),
        WITHOUT_FAULTS(failures_far_apart_are_not_the_end),
        WITHOUT_FAULTS(closing_ends_the_process),
        WITHOUT_FAULTS(files_of_the_parent_stay_its_own),
        WITHOUT_FAULTS(devices_that_do_not_open_are_told),
        WITHOUT_FAULTS(programs_that_are_none_are_told),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
