/* The CUDA engine. Jobs that fit one another train side by side, in one graph; other jobs at the
 * same time in runs of their own, which the device overlaps as it can.
 */
#include "trainer_cuda.h"

#include "trainer_run.h"

#include <sched.h>
#include <stdlib.h>

enum { RUNS_AT_ONCE = 8 };

struct runs {
    struct train_run slots[RUNS_AT_ONCE];
    int count; /* under way: their fit is not NULL */
};

static int first_waiting(const struct cuda_fit *fit)
{
    int job = 0;
    while (job < fit->job_count && !fit->waits[job])
        job++;
    return job;
}

static enum status begin_runs(struct runs *runs, struct cuda_fit *fit, struct error *error)
{
    for (int i = 0; i < RUNS_AT_ONCE; i++) {
        const int job = first_waiting(fit);
        if (runs->slots[i].fit || job == fit->job_count)
            continue;
        runs->count++;
        TRY(train_run_begin(&runs->slots[i], fit, job, error));
    }
    return STATUS_OK;
}

/* *taken: whether any run has come further. */
static enum status advance_runs(struct runs *runs, bool *taken, struct error *error)
{
    *taken = false;
    for (int i = 0; i < RUNS_AT_ONCE; i++) {
        struct train_run *run = &runs->slots[i];
        bool own_taken;
        if (!run->fit)
            continue;
        TRY(train_run_advance(run, runs->count == 1, &own_taken, error));
        *taken |= own_taken;
        if (run->left > 0)
            continue;
        train_run_free(run);
        runs->count--;
    }
    return STATUS_OK;
}

static enum status train(struct runs *runs, struct cuda_fit *fit, struct error *error)
{
    for (;;) {
        bool taken;
        TRY(begin_runs(runs, fit, error));
        if (runs->count == 0)
            return STATUS_OK;
        TRY(advance_runs(runs, &taken, error));
        if (!taken)
            sched_yield();
    }
}

static enum status allocate(struct cuda_fit *fit, struct runs **runs, struct error *error)
{
    const unsigned long jobs = (unsigned long)fit->job_count;
    TRY(ALLOCATE(runs, 1, "training", error));
    TRY(ALLOCATE(&fit->data, jobs, "training", error));
    TRY(ALLOCATE(&fit->restarts, jobs, "training", error));
    TRY(ALLOCATE(&fit->waits, jobs, "training", error));
    return STATUS_OK;
}

static void release(struct cuda_fit *fit, struct runs *runs)
{
    for (int i = 0; runs && i < RUNS_AT_ONCE; i++)
        train_run_free(&runs->slots[i]);
    for (int job = 0; fit->data && job < fit->job_count; job++)
        cuda_train_data_free(&fit->data[job]);
    free(runs);
    free(fit->data);
    free(fit->restarts);
    free(fit->waits);
}

/* threads is the host engine's. */
static enum status fit(struct train_result *results, const struct train_job *jobs, int job_count,
                       int threads, const struct train_progress *progress, struct error *error)
{
    (void)threads;
    struct cuda_fit fit = {
        .jobs = jobs, .results = results, .job_count = job_count, .progress = progress};
    struct runs *runs = NULL;
    for (int i = 0; i < job_count; i++)
        results[i] = (struct train_result){0};
    for (int i = 0; i < job_count; i++)
        TRY(train_job_check(&jobs[i], i, error));
    enum status status = allocate(&fit, &runs, error);
    for (int i = 0; i < job_count && status == STATUS_OK; i++) {
        fit.waits[i] = true;
        fit.epochs_total += jobs[i].options.epochs;
    }
    if (status == STATUS_OK)
        status = train(runs, &fit, error);
    release(&fit, runs);
    for (int i = 0; i < job_count && status != STATUS_OK; i++)
        train_result_free(&results[i]);
    return status;
}

const struct trainer trainer_cuda = {.name = "cuda", .fit = fit};
