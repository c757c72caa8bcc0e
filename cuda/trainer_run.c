#include "trainer_run.h"
#include "base/clock.h"

#include "cuda_check.h"

#include <math.h>

/* ---- begin ---- */

/* Nets of the plan that may take a quarter of the free memory: other runs come beside. */
static enum status most_nets(int *most, const struct net_plan *plan, struct error *error)
{
    size_t free_bytes, total_bytes;
    CUDA_TRY(error, cudaMemGetInfo(&free_bytes, &total_bytes));
    const size_t nets = free_bytes / 4 / cuda_nets_bytes_each(plan);
    *most = nets < 1 ? 1 : nets > RUN_NET_LIMIT ? RUN_NET_LIMIT : (int)nets;
    return STATUS_OK;
}

/* The data of a job, on the device since the first job that has them. */
static enum status find_data(const struct cuda_train_data **data, struct train_run *run, int job,
                             struct error *error)
{
    struct cuda_fit *fit = run->fit;
    int first = 0;
    while (fit->jobs[first].data != fit->jobs[job].data)
        first++;
    *data = &fit->data[first];
    if (fit->data[first].source)
        return STATUS_OK;
    TRY(cuda_train_data_create(&fit->data[first], fit->jobs[job].data,
                               mlp_head_count(&fit->jobs[job].shape), run->stream, error));
    CUDA_TRY(error, cudaStreamSynchronize(run->stream)); /* other runs read them, too */
    return STATUS_OK;
}

static enum status take_jobs(struct train_run *run, int first, struct error *error)
{
    struct cuda_fit *fit = run->fit;
    const struct net_plan plan = net_plan_of(&fit->jobs[first]);
    int most;
    TRY(most_nets(&most, &plan, error));
    for (int job = first; job < fit->job_count && run->count < most; job++) {
        const struct net_plan other = net_plan_of(&fit->jobs[job]);
        if (!fit->waits[job] || !net_plans_fit(&plan, &other))
            continue;
        TRY(find_data(&run->data[run->count], run, job, error));
        run->jobs[run->count] = &fit->jobs[job];
        run->numbers[run->count++] = job;
        fit->waits[job] = false;
    }
    run->left = run->count;
    return STATUS_OK;
}

static enum status start(struct train_run *run, struct error *error)
{
    int restarts[RUN_NET_LIMIT];
    for (int net = 0; net < run->count; net++)
        restarts[net] = run->fit->restarts[run->numbers[net]];
    return cuda_nets_start(&run->nets, restarts, error);
}

enum status train_run_begin(struct train_run *run, struct cuda_fit *fit, int first,
                            struct error *error)
{
    *run = (struct train_run){.fit = fit, .started_s = monotonic_s()};
    CUDA_TRY(error, cudaStreamCreateWithFlags(&run->stream, cudaStreamNonBlocking));
    TRY(take_jobs(run, first, error));
    TRY(cuda_nets_create(&run->nets, run->jobs, run->data, run->count, run->stream, error));
    CUDA_TRY(error, cudaMallocHost((void **)&run->states,
                                   RUN_IN_FLIGHT * (size_t)run->count * sizeof *run->states));
    for (int i = 0; i < RUN_IN_FLIGHT; i++)
        CUDA_TRY(error, cudaEventCreateWithFlags(&run->copied[i], cudaEventDisableTiming));
    TRY(start(run, error));
    TRY(epoch_graph_record(&run->graph, &run->nets, error));
    return start(run, error);
}

void train_run_free(struct train_run *run)
{
    if (run->stream)
        cudaStreamSynchronize(run->stream);
    epoch_graph_free(&run->graph);
    for (int i = 0; i < RUN_IN_FLIGHT; i++)
        if (run->copied[i])
            cudaEventDestroy(run->copied[i]);
    if (run->states)
        cudaFreeHost(run->states);
    cuda_nets_free(&run->nets);
    if (run->stream)
        cudaStreamDestroy(run->stream);
    *run = (struct train_run){0};
}

/* ---- a net's epoch ---- */

static void report_epoch(const struct train_run *run, int net, const struct train_state *state)
{
    struct cuda_fit *fit = run->fit;
    const struct train_progress *progress = fit->progress;
    const int epoch = (int)state->epoch - 1;
    double test_rmsle = run->jobs[net]->data->test_rows ? sqrt(state->score) : NAN;
    fit->epochs_done++;
    if (progress && progress->progress)
        progress_update(progress->progress, fit->epochs_done, fit->epochs_total,
                        "epoch %d loss %.3g test rmsle %.4f", epoch + 1, state->batch_loss,
                        test_rmsle);
    if (progress && progress->epoch)
        progress->epoch(progress->payload, run->numbers[net], epoch, state->batch_loss, test_rmsle);
}

/* The whole fit fails, or where the job may fail its result alone. */
static enum status fail_net(struct train_run *run, int net, const struct error *failure,
                            struct error *error)
{
    struct error *own = &run->fit->results[run->numbers[net]].error;
    if (!run->jobs[net]->may_fail)
        own = error;
    if (own)
        *own = *failure;
    return run->jobs[net]->may_fail ? STATUS_OK : failure->status;
}

static enum status not_finite(struct train_run *run, int net, const struct train_state *state,
                              struct error *error)
{
    struct error failure = {0};
    FAIL(&failure, STATUS_FAILED, "net %d: loss is not finite after epoch %u (batch loss %g)",
         run->numbers[net], state->epoch, state->batch_loss);
    error_hint(&failure, "train with a smaller learning rate than %g or clip the gradient",
               (double)run->jobs[net]->options.learning_rate);
    return fail_net(run, net, &failure, error);
}

/* The net waits for a run with other initial weights, unless it has had all of them. */
static enum status died(struct train_run *run, int net, const struct train_state *state,
                        struct error *error)
{
    struct cuda_fit *fit = run->fit;
    const int number = run->numbers[net];
    struct error failure = {0};
    fit->epochs_done -= (double)state->epoch - 1;
    fit->waits[number] = fit->restarts[number]++ < TRAIN_RESTART_LIMIT;
    if (fit->waits[number])
        return STATUS_OK;
    FAIL(&failure, STATUS_FAILED,
         "net %d: the output stays 0 whatever the initial weights (%d tried from seed %llu)",
         number, TRAIN_RESTART_LIMIT + 1, (unsigned long long)run->jobs[net]->seed);
    error_hint(&failure, "train with a smaller learning rate, an output bias, or output log");
    return fail_net(run, net, &failure, error);
}

static void trained(struct train_run *run, int net, const struct train_state *state)
{
    struct train_result *result = &run->fit->results[run->numbers[net]];
    result->epochs = (int32_t)state->epoch;
    result->best_epoch = state->best_epoch;
    run->is_trained[net] = true;
    run->fit->epochs_done += run->jobs[net]->options.epochs - result->epochs; /* by patience */
}

static enum status take_state(struct train_run *run, int net, const struct train_state *state,
                              struct error *error)
{
    run->has_ended[net] = state->stopped;
    run->left -= run->has_ended[net];
    if (state->not_finite)
        return not_finite(run, net, state, error);
    if (state->dead)
        return died(run, net, state, error);
    report_epoch(run, net, state);
    if (state->stopped)
        trained(run, net, state);
    return STATUS_OK;
}

/* ---- epochs ---- */

static enum status launch_epoch(struct train_run *run, struct error *error)
{
    const int place = run->launched++ % RUN_IN_FLIGHT;
    TRY(epoch_graph_launch(&run->graph, run->stream, error));
    CUDA_TRY(error, cudaMemcpyAsync(run->states + place * run->count, run->nets.nets.states,
                                    (size_t)run->count * sizeof *run->states,
                                    cudaMemcpyDeviceToHost, run->stream));
    CUDA_TRY(error, cudaEventRecord(run->copied[place], run->stream));
    return STATUS_OK;
}

static enum status take_epoch(struct train_run *run, struct error *error)
{
    const struct train_progress *progress = run->fit->progress;
    const int place = run->taken++ % RUN_IN_FLIGHT;
    for (int net = 0; net < run->count; net++)
        if (!run->has_ended[net])
            TRY(take_state(run, net, &run->states[place * run->count + net], error));
    if (progress && progress->interrupted && *progress->interrupted)
        return FAIL(error, STATUS_INTERRUPTED, "training interrupted");
    return STATUS_OK;
}

static enum status finish_net(struct train_run *run, int net, double train_rmsle, double test_rmsle,
                              struct error *error)
{
    struct train_result *result = &run->fit->results[run->numbers[net]];
    const size_t count = run->nets.plan.parameter_count;
    TRY(ALLOCATE(&result->parameters, count, "trained net", error));
    result->train_rmsle = train_rmsle;
    result->test_rmsle = test_rmsle;
    return cuda_nets_download(result->parameters, &run->nets, net, run->nets.first.best,
                              count * sizeof(float), error);
}

static enum status finish(struct train_run *run, struct error *error)
{
    double train_rmsles[RUN_NET_LIMIT], test_rmsles[RUN_NET_LIMIT];
    TRY(cuda_nets_rmsle(train_rmsles, &run->nets, ROWS_TRAIN, error));
    TRY(cuda_nets_rmsle(test_rmsles, &run->nets, ROWS_TEST, error));
    for (int net = 0; net < run->count; net++)
        if (run->is_trained[net])
            TRY(finish_net(run, net, train_rmsles[net], test_rmsles[net], error));
    for (int net = 0; net < run->count; net++)
        run->fit->results[run->numbers[net]].seconds += (monotonic_s() - run->started_s) /
                                                        run->count;
    return STATUS_OK;
}

enum status train_run_advance(struct train_run *run, bool wait, bool *taken, struct error *error)
{
    while (run->launched < run->taken + RUN_IN_FLIGHT)
        TRY(launch_epoch(run, error));
    cudaEvent_t copied = run->copied[run->taken % RUN_IN_FLIGHT];
    cudaError_t code = wait ? cudaEventSynchronize(copied) : cudaEventQuery(copied);
    *taken = code != cudaErrorNotReady;
    if (!*taken)
        return STATUS_OK;
    CUDA_TRY(error, code);
    TRY(take_epoch(run, error));
    return run->left == 0 ? finish(run, error) : STATUS_OK;
}
