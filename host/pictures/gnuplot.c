#include "pictures/gnuplot.h"

#include "base/message.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* --default-settings: without the user's and the system's start-up files. */
static char *const arguments[] = {"gnuplot", "--default-settings", "-", NULL};

struct child {
    pid_t process;
    int input;  /* its standard input: a socket, so that writing to a dead child raises no signal */
    int errors; /* a file in memory with its messages */
};

static enum status not_started(int cause, struct error *error)
{
    if (cause != ENOENT)
        return FAIL(error, STATUS_FAILED, "cannot start gnuplot: %s", strerror(cause));
    FAIL(error, STATUS_FAILED, "pictures need gnuplot, which is not on PATH");
    return HINT(error, STATUS_FAILED, "install it: apt-get install gnuplot-nox");
}

/* Resets every signal to its default: this program blocks some that should end the child. */
static int set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int failed = posix_spawnattr_setsigmask(attributes, &none);
    failed = failed ? failed : posix_spawnattr_setsigdefault(attributes, &all);
    return failed ? failed
                  : posix_spawnattr_setflags(attributes,
                                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int spawn(pid_t *process, int input, int output, int errors)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int failed = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    failed = failed ? failed : posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    failed = failed ? failed : posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    failed = failed ? failed : set_signals(&attributes);
    failed = failed
                 ? failed
                 : posix_spawnp(process, arguments[0], &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

static enum status start(struct child *child, int output, struct error *error)
{
    int ends[2];
    child->errors = memfd_create("gnuplot-errors", MFD_CLOEXEC);
    if (child->errors < 0)
        return FAIL(error, STATUS_FAILED, "cannot start gnuplot: %s", strerror(errno));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        close(child->errors);
        return FAIL(error, STATUS_FAILED, "cannot start gnuplot: %s", strerror(errno));
    }
    const int failed = spawn(&child->process, ends[1], output, child->errors);
    close(ends[1]);
    child->input = ends[0];
    if (!failed)
        return STATUS_OK;
    close(child->input);
    close(child->errors);
    return not_started(failed, error);
}

/* The first line with a message, without the echo of the command above it. */
static void first_complaint(char *text, size_t size, int errors)
{
    char said[4096];
    const ssize_t length = pread(errors, said, sizeof said - 1, 0);
    said[length > 0 ? length : 0] = '\0';
    const char *place = strstr(said, "line ");
    snprintf(text, size, "%.200s", place ? place : said);
    text[strcspn(text, "\n")] = '\0';
}

static enum status finish(const struct child *child, bool is_sent, struct error *error)
{
    int how = 0;
    char complaint[256];
    while (waitpid(child->process, &how, 0) < 0 && errno == EINTR)
        ;
    if (is_sent && WIFEXITED(how) && WEXITSTATUS(how) == 0)
        return STATUS_OK;
    if (WIFSIGNALED(how))
        return FAIL(error, STATUS_FAILED, "gnuplot was killed by signal %d (%s)", WTERMSIG(how),
                    strsignal(WTERMSIG(how)));
    first_complaint(complaint, sizeof complaint, child->errors);
    FAIL(error, STATUS_FAILED, "gnuplot failed (exit code %d): %s", WEXITSTATUS(how), complaint);
    return HINT(error, STATUS_FAILED,
                "pictures need gnuplot 5.4 or later; check 'gnuplot --version'");
}

enum status gnuplot_run(int output, const char *script, size_t size, struct error *error)
{
    struct child child;
    TRY(start(&child, output, error));
    const bool is_sent = message_send(child.input, script, size);
    close(child.input);
    const enum status status = finish(&child, is_sent, error);
    close(child.errors);
    return status;
}

enum status gnuplot_check(struct error *error)
{
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0)
        return FAIL(error, STATUS_FAILED, "cannot open /dev/null: %s", strerror(errno));
    const enum status status = gnuplot_run(nowhere, "", 0, error);
    close(nowhere);
    return status;
}
