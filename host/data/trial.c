#include "data/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIME_LIMIT_S = 60 };

static void run_child(enum status (*work)(void *payload, struct error *error), void *payload,
                      int result)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGILL, SIGALRM};
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        signal(fatal[i], SIG_DFL);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0)
        dup2(null, STDERR_FILENO); // the parent reports a crash
    alarm(TIME_LIMIT_S);
    struct error error = {.status = STATUS_OK};
    error.status = work(payload, &error);
    ssize_t written = write(result, &error, sizeof error); // below PIPE_BUF: whole or not at all
    _exit(written == sizeof error ? 0 : 1);
}

/* Handled signals interrupt neither read nor waitpid: a timer must not lose the child's answer. */
static ssize_t receive(struct error *told, int result)
{
    ssize_t received;
    do
        received = read(result, told, sizeof *told);
    while (received < 0 && errno == EINTR);
    return received;
}

static void wait_for(pid_t child)
{
    int exit_state;
    while (waitpid(child, &exit_state, 0) < 0 && errno == EINTR)
        continue;
}

enum status trial_run(enum status (*work)(void *payload, struct error *error), void *payload,
                      const char *path, struct error *error)
{
    int ends[2];
    struct error told = {.status = STATUS_OK};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return FAIL(error, STATUS_FAILED, "cannot open a pipe");
    pid_t child = fork();
    if (child == 0)
        run_child(work, payload, ends[1]);
    close(ends[1]);
    ssize_t received = child > 0 ? receive(&told, ends[0]) : -1;
    close(ends[0]);
    if (child < 0)
        return FAIL(error, STATUS_FAILED, "cannot start a process to read '%s'", path);
    wait_for(child);
    if (received != sizeof told)
        return FAIL(error, STATUS_BAD_FILE, "'%s' is damaged: HDF5 cannot read it", path);
    if (told.status != STATUS_OK && error)
        *error = told;
    return told.status;
}
