#include "bench/worker.h"

#include "base/clock.h"
#include "base/machine.h"
#include "base/message.h"
#include "base/term.h"
#include "bench/worker_messages.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NOT_RUNNABLE = 127 }; /* exit code, as of a shell */
static const double opening_s = 120, default_grace_s = 10, ending_s = 5;

struct worker {
    struct worker_options options;
    int socket; /* -1: no process */
    pid_t process;
    struct device_info info;
    bool can_draw; /* and no draw has failed */
    bool draw_failed;
    int failures; /* in a row */
    int64_t failure_count;
    char failure[256];
};

/* ---- the process ---- */

/* Between fork and exec: only system calls. */
static void become_worker(int socket, const char *const *command, pid_t parent)
{
    sigset_t none;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlives the parent */
    if (getppid() != parent)
        _exit(STATUS_FAILED);
    signal(SIGINT, SIG_IGN); /* the parent decides when to end */
    signal(SIGTERM, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(socket, STDIN_FILENO) >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0) {
        closefrom(STDERR_FILENO + 1); /* only the parent keeps its dataset and lock */
        execv(command[0], (char *const *)command);
    }
    _exit(NOT_RUNNABLE);
}

static enum status spawn(struct worker *worker, struct error *error)
{
    int ends[2];
    const pid_t parent = getpid();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return FAIL(error, STATUS_FAILED, "cannot open a socket for a worker: %s", strerror(errno));
    worker->process = fork();
    if (worker->process == 0)
        become_worker(ends[1], worker->options.command, parent);
    close(ends[1]);
    worker->socket = ends[0];
    if (worker->process > 0)
        return STATUS_OK;
    close(worker->socket);
    worker->socket = -1;
    return FAIL(error, STATUS_FAILED, "cannot start a process for a worker: %s", strerror(errno));
}

/* Waits for the process at most limit_s: it can close its socket and then hang in its driver. */
static bool has_ended(int *how, pid_t process, double limit_s)
{
    const double deadline_s = monotonic_s() + limit_s;
    const struct timespec pause = {.tv_nsec = 1000000};
    for (;;) {
        const pid_t ended = waitpid(process, how, WNOHANG);
        if (ended > 0)
            return true;
        if ((ended < 0 && errno != EINTR) || monotonic_s() >= deadline_s)
            return false;
        nanosleep(&pause, NULL);
    }
}

/* Ends the process. Returns the status of one that had already died by itself, else 0. */
static int end_process(struct worker *worker, bool is_hung)
{
    int how = 0;
    if (worker->socket < 0)
        return 0;
    close(worker->socket); /* a healthy worker then ends */
    worker->socket = -1;
    if (!is_hung && has_ended(&how, worker->process, ending_s))
        return how;
    kill(worker->process, SIGKILL);
    while (waitpid(worker->process, &how, 0) < 0 && errno == EINTR)
        ;
    return 0;
}

/* "killed by signal 9 (Killed)", from waitpid's status. */
static void describe_end(char *text, size_t size, int how)
{
    if (WIFSIGNALED(how))
        snprintf(text, size, "killed by signal %d (%s)", WTERMSIG(how), strsignal(WTERMSIG(how)));
    else
        snprintf(text, size, "ended with exit code %d", WEXITSTATUS(how));
}

static enum status hint_start(int how, struct error *error)
{
    struct machine_memory memory;
    machine_memory_read(&memory, "");
    if (WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL)
        return HINT(error, STATUS_FAILED,
                    "the system ends processes that need more memory than there is: %.1f MiB here",
                    (double)memory.total_bytes / (1 << 20));
    if (WIFEXITED(how) && WEXITSTATUS(how) == NOT_RUNNABLE)
        return HINT(error, STATUS_FAILED, "the program, or its shared libraries, cannot be loaded");
    return HINT(error, STATUS_FAILED, "its own messages, if any, are above");
}

static enum status did_not_start(struct worker *worker, bool is_late, struct error *error)
{
    char end[128];
    const char *program = worker->options.command[0];
    const int how = end_process(worker, is_late);
    describe_end(end, sizeof end, how);
    if (is_late) {
        FAIL(error, STATUS_FAILED, "the worker process did not start: '%s': no answer in %.0f s",
             program, opening_s);
        return HINT(error, STATUS_FAILED, "the device may hang: see 'epochcast devices'");
    }
    FAIL(error, STATUS_FAILED, "the worker process did not start: '%s': %s", program, end);
    return hint_start(how, error);
}

static enum status introduce(struct worker *worker, struct error *error)
{
    struct reply reply;
    const double deadline_s = monotonic_s() + opening_s;
    TRY(spawn(worker, error));
    if (!message_receive(worker->socket, &reply, sizeof reply, deadline_s))
        return did_not_start(worker, monotonic_s() >= deadline_s, error);
    if (reply.status != STATUS_OK) {
        end_process(worker, false);
        FAIL(error, reply.status, "%s", reply.error.message);
        return HINT(error, reply.status, "%s", reply.error.hint);
    }
    worker->info = reply.as.device.info;
    worker->can_draw = reply.as.device.can_draw && !worker->draw_failed;
    return STATUS_OK;
}

enum status worker_start(struct worker **out, const struct worker_options *options,
                         struct error *error)
{
    struct worker *worker;
    *out = NULL;
    TRY(ALLOCATE(&worker, 1, "worker", error));
    *worker = (struct worker){.options = *options, .socket = -1};
    if (!(worker->options.grace_s > 0))
        worker->options.grace_s = default_grace_s;
    const enum status status = introduce(worker, error);
    if (status == STATUS_OK)
        *out = worker;
    else
        free(worker);
    return status;
}

void worker_close(struct worker *worker)
{
    if (!worker)
        return;
    end_process(worker, true); /* closing its device may take seconds, and nothing needs it */
    free(worker);
}

const struct device_info *worker_device(const struct worker *worker)
{
    return &worker->info;
}

bool worker_can_draw(const struct worker *worker)
{
    return worker->can_draw;
}

const char *worker_failure(int64_t *count, const struct worker *worker)
{
    *count = worker->failure_count;
    return worker->failure;
}

/* ---- asking ---- */

/* Notes why a worker without a valid answer was ended. */
static enum outcome note_failure(struct worker *worker, bool is_late, const struct reply *reply)
{
    const size_t size = sizeof worker->failure;
    const int how = end_process(worker, is_late || reply);
    worker->failures++;
    worker->failure_count++;
    if (is_late)
        snprintf(worker->failure, size, "no answer in time");
    else if (reply)
        snprintf(worker->failure, size, "%.250s", reply->error.message);
    else
        describe_end(worker->failure, size, how);
    const bool is_killed = !is_late && !reply && WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL;
    return is_late     ? OUTCOME_TIMEOUT
           : is_killed ? OUTCOME_OUT_OF_MEMORY /* the system's last resort */
                       : OUTCOME_CRASHED;
}

/* A worker that dies while it starts counts as failed; the next one may start. */
static bool restart(struct worker *worker)
{
    struct error reason;
    if (introduce(worker, &reason) == STATUS_OK)
        return true;
    worker->failures++;
    worker->failure_count++;
    snprintf(worker->failure, sizeof worker->failure, "%.250s", reason.message);
    return false;
}

/* Starts a worker if there is none or if it died since its last answer; that is not the fault of
 * the next config. */
static enum status send_request(struct worker *worker, const struct request *request,
                                struct error *error)
{
    for (;;) {
        if (worker->failures >= WORKER_FAILURE_LIMIT) {
            FAIL(error, STATUS_FAILED, "%d workers in a row failed; the last: %s", worker->failures,
                 worker->failure);
            return HINT(error, STATUS_FAILED, "measure one config by hand to see why");
        }
        if (worker->socket < 0 && !restart(worker))
            continue;
        if (message_send(worker->socket, request, sizeof *request))
            return STATUS_OK;
        note_failure(worker, false, NULL);
    }
}

/* OUTCOME_OK: *reply is valid. Otherwise the worker is gone. */
static enum status ask(enum outcome *outcome, struct reply *reply, struct worker *worker,
                       const struct request *request, double limit_s, struct error *error)
{
    *outcome = OUTCOME_OK;
    TRY(send_request(worker, request, error));
    const double deadline_s = monotonic_s() + limit_s;
    if (!message_receive(worker->socket, reply, sizeof *reply, deadline_s))
        *outcome = note_failure(worker, monotonic_s() >= deadline_s, NULL);
    else if (reply->status != STATUS_OK)
        *outcome = note_failure(worker, false, reply);
    else
        worker->failures = 0;
    return STATUS_OK;
}

enum status worker_measure(struct measurement *row, struct worker *worker,
                           const struct layer_config *config, const struct measure_options *options,
                           struct error *error)
{
    return worker_measure_and_check(row, NULL, worker, config, options, error);
}

enum status worker_measure_and_check(struct measurement *row, struct check *check,
                                     struct worker *worker, const struct layer_config *config,
                                     const struct measure_options *options, struct error *error)
{
    struct request request;
    struct reply reply;
    enum outcome outcome;
    memset(&request, 0, sizeof request);
    request.kind = REQUEST_MEASURE;
    request.as.measure.config = *config;
    request.as.measure.options = *options;
    request.as.measure.wants_check = check != NULL;
    if (check)
        *check = (struct check){.is_checked = false};
    const double limit_s = 10 * (options->warmup_ms + options->cap_ms) / 1e3 +
                           worker->options.grace_s;
    TRY(ask(&outcome, &reply, worker, &request, limit_s, error));
    if (outcome != OUTCOME_OK) {
        measurement_fail(row, config, outcome, options);
        return STATUS_OK;
    }
    *row = reply.as.measured.row;
    if (check)
        *check = reply.as.measured.check;
    return STATUS_OK;
}

enum status worker_canary(struct canary *canary, struct worker *worker, struct error *error)
{
    struct request request;
    struct reply reply;
    enum outcome outcome;
    memset(&request, 0, sizeof request);
    request.kind = REQUEST_CANARY;
    TRY(ask(&outcome, &reply, worker, &request, worker->options.grace_s, error));
    if (outcome == OUTCOME_OK)
        *canary = reply.as.canary;
    else
        *canary = (struct canary){.gemm_ms = NAN, .copy_ms = NAN, .pressure_percent = NAN};
    return STATUS_OK;
}

/* False: the device cannot; worker->failure has the reason. */
static bool draw_on_device(struct layer_config *configs, enum stratum *strata,
                           struct worker *worker, const struct request *request,
                           struct error *error)
{
    struct reply reply;
    enum outcome outcome;
    const uint32_t count = request->as.draw.count;
    const double deadline_s = monotonic_s() + opening_s;
    if (ask(&outcome, &reply, worker, request, opening_s, error) != STATUS_OK ||
        outcome != OUTCOME_OK)
        return false;
    if (message_receive(worker->socket, configs, count * sizeof *configs, deadline_s) &&
        message_receive(worker->socket, strata, count * sizeof *strata, deadline_s))
        return true;
    note_failure(worker, true, NULL);
    return false;
}

enum status worker_draw(struct layer_config *configs, enum stratum *strata, struct worker *worker,
                        const struct sample_domain *domain, uint64_t seed, uint32_t first,
                        uint32_t count, struct error *error)
{
    struct request request;
    memset(&request, 0, sizeof request);
    request.kind = REQUEST_DRAW;
    request.as.draw.domain = *domain;
    request.as.draw.seed = seed;
    request.as.draw.first = first;
    request.as.draw.count = count;
    const bool is_news = worker->can_draw;
    if (worker->can_draw && draw_on_device(configs, strata, worker, &request, error))
        return STATUS_OK;
    for (uint32_t i = 0; i < count; i++)
        TRY(sample_draw(&configs[i], &strata[i], domain, seed, first + i, error));
    if (is_news)
        term_message(stderr, "note: configs are drawn on the host from here on: %s\n",
                     worker->failure);
    worker->can_draw = false;
    worker->draw_failed = true;
    return STATUS_OK;
}
