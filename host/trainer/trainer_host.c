/* The host engine: oneDNN's sgemm, OpenMP. A thread trains whole nets, one after the other. Where
 * no net waits any more, threads without one join those that are still in training and share the
 * chunks of each batch.
 */
#include "trainer/trainer_host.h"

#include "base/clock.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* Shared by the jobs of one fit; written in the critical section `fit`. */
struct fit_state {
    const struct train_progress *progress;
    double epochs_done, epochs_total;
    enum status status; /* of the first job that failed */
    struct error *error;
    int stop; /* read and written atomically */
    int idle; /* likewise: threads that no net has */
};

/* One training run of a net; restarts when the output died. */
struct run {
    struct host_net net;
    struct fit_state *fit;
    struct train_result *result;
    int number; /* of the job */
    double best_score;
    int32_t stale_epochs; /* since the best */
};

static void report_failure(struct fit_state *fit, enum status status, const struct error *error)
{
#pragma omp critical(fit)
    if (fit->status == STATUS_OK) {
        fit->status = status;
        if (fit->error)
            *fit->error = *error;
    }
#pragma omp atomic write
    fit->stop = 1;
}

static enum status check_stop(const struct fit_state *fit, struct error *error)
{
    int stop;
#pragma omp atomic read
    stop = fit->stop;
    const struct train_progress *progress = fit->progress;
    if (stop || (progress && progress->interrupted && *progress->interrupted))
        return FAIL(error, STATUS_INTERRUPTED, "training interrupted");
    return STATUS_OK;
}

static void report_epoch(struct run *run, int epoch, double batch_loss, double test_rmsle,
                         double epochs_done)
{
    struct fit_state *fit = run->fit;
    const struct train_progress *progress = fit->progress;
#pragma omp critical(fit)
    {
        fit->epochs_done += epochs_done;
        if (progress && progress->progress)
            progress_update(progress->progress, fit->epochs_done, fit->epochs_total,
                            isnan(test_rmsle) ? "epoch %d loss %.3g"
                                              : "epoch %d loss %.3g test rmsle %.4f",
                            epoch + 1, batch_loss, test_rmsle);
        if (progress && progress->epoch)
            progress->epoch(progress->payload, run->number, epoch, batch_loss, test_rmsle);
    }
}

/* Takes a thread that no net has, if there is one and the net has work for it. */
static void take_idle_thread(struct run *run)
{
    struct fit_state *fit = run->fit;
    int idle;
    if (run->net.crew.size >= run->net.chunk_count)
        return;
#pragma omp atomic read
    idle = fit->idle;
    if (idle < 1)
        return;
#pragma omp atomic capture
    idle = fit->idle--;
    if (idle < 1) { /* another net was faster */
#pragma omp atomic
        fit->idle++;
    } else
        crew_grow(&run->net.crew);
}

static enum status train_epoch(struct run *run, int32_t epoch, double *batch_loss, bool *dead,
                               struct error *error)
{
    struct host_net *net = &run->net;
    double squared_error = 0;
    size_t positive = 0;
    for (size_t i = 0; i < net->epoch_steps; i++) {
        TRY(check_stop(run->fit, error));
        take_idle_thread(run);
        uint32_t step = (uint32_t)((size_t)epoch * net->epoch_steps + i);
        struct host_batch batch = host_batch_at(net, step);
        host_net_gradient(net, &batch, &squared_error, &positive);
        host_net_update(net, step);
    }
    *batch_loss = squared_error / (double)net->job->data->train_rows;
    *dead = net->job->shape.output == MLP_OUTPUT_RELU && positive == 0 && squared_error > 0;
    return STATUS_OK;
}

static enum status check_finite(const struct run *run, int32_t epoch, double batch_loss,
                                double score, struct error *error)
{
    if (isfinite(batch_loss) && isfinite(score))
        return STATUS_OK;
    FAIL(error, STATUS_FAILED, "net %d: loss is not finite after epoch %d (batch loss %g)",
         run->number, epoch + 1, batch_loss);
    return HINT(error, STATUS_FAILED,
                "train with a smaller learning rate than %g or clip the gradient",
                (double)run->net.job->options.learning_rate);
}

/* Keeps the parameters if they are the best so far; true when patience has run out. */
static bool keep_best(struct run *run, int32_t epoch, double score)
{
    const struct host_net *net = &run->net;
    const struct train_options *options = &net->job->options;
    bool better = score < run->best_score;
    run->stale_epochs = better ? 0 : run->stale_epochs + 1;
    if (better)
        run->best_score = score;
    if (better || !options->keep_best) {
        memcpy(net->best, net->parameters, net->parameter_count * sizeof *net->best);
        run->result->best_epoch = epoch;
    }
    return options->patience > 0 && run->stale_epochs >= options->patience;
}

static void start(struct run *run, int restart)
{
    struct host_net *net = &run->net;
    if (net->job->initial)
        memcpy(net->parameters, net->job->initial, net->parameter_count * sizeof(float));
    else
        mlp_initialise(net->parameters, &net->job->shape, net->job->seed + (uint64_t)restart);
    memset(net->m, 0, net->parameter_count * sizeof *net->m);
    memset(net->v, 0, net->parameter_count * sizeof *net->v);
    run->best_score = INFINITY;
    run->stale_epochs = 0;
    run->result->epochs = 0;
}

/* Trains all epochs from initial weights; *dead: the output died. */
static enum status train_once(struct run *run, bool *dead, struct error *error)
{
    struct host_net *net = &run->net;
    const struct train_data *data = net->job->data;
    for (int32_t epoch = 0; epoch < net->job->options.epochs; epoch++) {
        double batch_loss;
        TRY(train_epoch(run, epoch, &batch_loss, dead, error));
        double score = batch_loss;
        if (data->test_rows)
            score = host_net_evaluate_test(net);
        TRY(host_net_check(net, error));
        TRY(check_finite(run, epoch, batch_loss, score, error));
        if (*dead)
            return STATUS_OK;
        run->result->epochs = epoch + 1;
        bool finished = keep_best(run, epoch, score);
        report_epoch(run, epoch, batch_loss, data->test_rows ? sqrt(score) : NAN, 1);
        if (finished)
            break;
    }
    return STATUS_OK;
}

static enum status train_with_restarts(struct run *run, struct error *error)
{
    for (int restart = 0; restart <= TRAIN_RESTART_LIMIT; restart++) {
        bool dead = false;
        start(run, restart);
        TRY(train_once(run, &dead, error));
        if (!dead)
            return STATUS_OK;
#pragma omp critical(fit)
        run->fit->epochs_done -= run->result->epochs;
    }
    FAIL(error, STATUS_FAILED,
         "net %d: the output stays 0 whatever the initial weights (%d tried from seed %llu)",
         run->number, TRAIN_RESTART_LIMIT + 1, (unsigned long long)run->net.job->seed);
    return HINT(error, STATUS_FAILED,
                "train with a smaller learning rate, an output bias, or output log");
}

static enum status finish(struct run *run, struct error *error)
{
    struct host_net *net = &run->net;
    struct train_result *result = run->result;
    TRY(ALLOCATE(&result->parameters, net->parameter_count, "trained net", error));
    memcpy(net->parameters, net->best, net->parameter_count * sizeof(float));
    memcpy(result->parameters, net->best, net->parameter_count * sizeof(float));
    result->train_rmsle = sqrt(host_net_evaluate_train(net));
    result->test_rmsle = sqrt(host_net_evaluate_test(net));
    return host_net_check(net, error);
}

static enum status run_job(struct run *run, const struct train_job *job, struct error *error)
{
    double started_s = monotonic_s();
    TRY(check_stop(run->fit, error));
    TRY(host_net_create(&run->net, job, 1, error));
    enum status status = train_with_restarts(run, error);
    if (status == STATUS_OK)
        status = finish(run, error);
    run->result->seconds = monotonic_s() - started_s;
#pragma omp critical(fit)
    run->fit->epochs_done += job->options.epochs - run->result->epochs; /* saved by patience */
#pragma omp atomic
    run->fit->idle += run->net.crew.size - 1;
    host_net_free(&run->net);
    return status;
}

static void fit_job(struct fit_state *fit, struct train_result *result, const struct train_job *job,
                    int number)
{
    struct run run = {.fit = fit, .result = result, .number = number};
    struct error error = {0};
    enum status status = run_job(&run, job, &error);
    if (status == STATUS_FAILED && job->may_fail) {
        train_result_free(result);
        result->error = error;
    } else if (status != STATUS_OK)
        report_failure(fit, status, &error);
}

static void fit_jobs(struct fit_state *fit, struct train_result *results,
                     const struct train_job *jobs, int job_count, int threads)
{
    int at_once = job_count < threads ? job_count : threads;
    fit->idle = threads - at_once;
#pragma omp parallel num_threads(at_once)
    {
#pragma omp for schedule(dynamic, 1) nowait
        for (int i = 0; i < job_count; i++)
            fit_job(fit, &results[i], &jobs[i], i);
#pragma omp atomic
        fit->idle++;
    }
}

static enum status fit(struct train_result *results, const struct train_job *jobs, int job_count,
                       int threads, const struct train_progress *progress, struct error *error)
{
    struct fit_state state = {.progress = progress, .error = error};
    for (int i = 0; i < job_count; i++)
        results[i] = (struct train_result){0};
    for (int i = 0; i < job_count; i++) {
        TRY(train_job_check(&jobs[i], i, error));
        state.epochs_total += jobs[i].options.epochs;
    }
    if (job_count < 1)
        return STATUS_OK;
    int caller_threads = omp_get_max_threads();
    if (threads < 1)
        threads = caller_threads;
    omp_set_num_threads(1); /* sgemm uses this number outside our parallel regions */
    fit_jobs(&state, results, jobs, job_count, threads);
    omp_set_num_threads(caller_threads);
    for (int i = 0; i < job_count && state.status != STATUS_OK; i++)
        train_result_free(&results[i]);
    return state.status;
}

const struct trainer trainer_host = {.name = "host", .fit = fit};
