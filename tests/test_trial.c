/* Work in a child process: its answer arrives, whatever becomes of it. */
#include "data/trial.h"
#include "test.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t ticks;

static void tick(int number)
{
    (void)number;
    ticks++;
}

static enum status succeed(void *payload, struct error *error)
{
    (void)error;
    *(int *)payload = 7; /* of the child's memory */
    usleep(100000);
    return STATUS_OK;
}

static enum status refuse(void *payload, struct error *error)
{
    (void)payload;
    FAIL(error, STATUS_BAD_FILE, "row 3 is wrong");
    return error_hint(error, "mend it"), STATUS_BAD_FILE;
}

static enum status crash(void *payload, struct error *error)
{
    (void)payload, (void)error;
    raise(SIGSEGV);
    return STATUS_OK;
}

static void answers_arrive(void **state)
{
    (void)state;
    struct error error = {.status = STATUS_OK};
    int value = 3;
    assert_int_equal(trial_run(succeed, &value, "x.h5", &error), STATUS_OK);
    assert_int_equal(value, 3);
    assert_int_equal(trial_run(refuse, NULL, "x.h5", &error), STATUS_BAD_FILE);
    assert_string_equal(error.message, "row 3 is wrong");
    assert_string_equal(error.hint, "mend it");
    assert_int_equal(trial_run(crash, NULL, "x.h5", &error), STATUS_BAD_FILE);
    assert_non_null(strstr(error.message, "'x.h5' is damaged"));
}

/* A timer whose handler interrupts system calls. */
static void signals_lose_no_answer(void **state)
{
    (void)state;
    const struct sigaction action = {.sa_handler = tick};
    const struct itimerval every_ms = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    struct error error = {.status = STATUS_OK};
    int value = 3;
    ticks = 0;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every_ms, NULL);
    const enum status good = trial_run(succeed, &value, "x.h5", &error);
    const enum status bad = trial_run(refuse, NULL, "x.h5", &error);
    setitimer(ITIMER_REAL, &never, NULL);
    assert_true(ticks > 0);
    assert_int_equal(good, STATUS_OK);
    assert_int_equal(bad, STATUS_BAD_FILE);
    assert_string_equal(error.message, "row 3 is wrong");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_arrive),
        cmocka_unit_test(signals_lose_no_answer),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
