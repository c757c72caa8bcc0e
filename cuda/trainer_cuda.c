/* The CUDA engine: an epoch is one CUDA graph (a long one is cut into segments), replayed with
 * nothing but the device's own counters changing; the device scores epochs, keeps the best
 * parameters and decides when to stop. The host stays one epoch ahead and reads the state behind.
 */
#include "trainer_cuda.h"

#include "cuda_check.h"
#include "trainer_net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENT_STEPS = 1024, IN_FLIGHT = 2 };

/* A graph and how often an epoch replays it. */
struct segment {
    cudaGraphExec_t graph;
    uint32_t first, steps;
    bool ends_epoch;
};

/* One training run of a net; starts again when the output died. */
struct run {
    struct cuda_net net;
    struct segment *segments;
    uint32_t segment_count;
    struct train_state *states; /* (IN_FLIGHT), page-locked: the state after recent epochs */
    cudaEvent_t copied[IN_FLIGHT];
    const struct train_progress *progress;
    struct train_result *result;
    double epochs_done, epochs_total; /* over all jobs */
    int number;                       /* of the job */
};

/* ---- graphs ---- */

static enum status enqueue_segment(struct cuda_net *net, const struct segment *segment,
                                   struct error *error)
{
    TRY(cuda_net_schedule(net, segment->first, segment->steps, error));
    for (uint32_t i = 0; i < segment->steps; i++) {
        TRY(cuda_net_gradient(net, segment->first + i, error));
        TRY(cuda_net_update(net, segment->first + i, error));
    }
    return segment->ends_epoch ? cuda_net_epoch_end(net, error) : STATUS_OK;
}

static enum status record_segment(struct cuda_net *net, struct segment *segment,
                                  struct error *error)
{
    cudaGraph_t graph = NULL;
    CUDA_TRY(error, cudaStreamBeginCapture(net->stream, cudaStreamCaptureModeThreadLocal));
    enum status status = enqueue_segment(net, segment, error);
    cudaError_t code = cudaStreamEndCapture(net->stream, &graph);
    if (status == STATUS_OK)
        status = cuda_check(code, "cudaStreamEndCapture", __FILE__, __LINE__, error);
    if (status == STATUS_OK)
        status = cuda_check(cudaGraphInstantiate(&segment->graph, graph, 0), "cudaGraphInstantiate",
                            __FILE__, __LINE__, error);
    if (graph)
        cudaGraphDestroy(graph);
    return status;
}

static enum status record_epoch(struct run *run, struct error *error)
{
    uint32_t steps = run->net.epoch_steps;
    uint32_t count = (steps + SEGMENT_STEPS - 1) / SEGMENT_STEPS;
    void *segments;
    TRY(error_allocate(&segments, count, sizeof *run->segments, "graphs", error));
    run->segments = segments;
    run->segment_count = count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t first = i * SEGMENT_STEPS, left = steps - first;
        run->segments[i] = (struct segment){.first = first,
                                            .steps = left < SEGMENT_STEPS ? left : SEGMENT_STEPS,
                                            .ends_epoch = i == count - 1};
        TRY(record_segment(&run->net, &run->segments[i], error));
    }
    return STATUS_OK;
}

/* ---- epochs ---- */

static enum status launch_epoch(struct run *run, int32_t epoch, struct error *error)
{
    cudaStream_t stream = run->net.stream;
    int place = epoch % IN_FLIGHT;
    for (uint32_t i = 0; i < run->segment_count; i++)
        CUDA_TRY(error, cudaGraphLaunch(run->segments[i].graph, stream));
    CUDA_TRY(error, cudaMemcpyAsync(&run->states[place], run->net.state, sizeof *run->states,
                                    cudaMemcpyDeviceToHost, stream));
    CUDA_TRY(error, cudaEventRecord(run->copied[place], stream));
    return STATUS_OK;
}

static void report_epoch(struct run *run, const struct train_state *state, int32_t epoch)
{
    const struct train_progress *progress = run->progress;
    double test_rmsle = run->net.job->data->test_rows ? sqrt(state->score) : NAN;
    if (progress && progress->progress)
        progress_update(progress->progress, run->epochs_done + epoch + 1, run->epochs_total,
                        "epoch %d loss %.5f test rmsle %.4f", epoch + 1, state->batch_loss,
                        test_rmsle);
    if (progress && progress->epoch)
        progress->epoch(progress->payload, run->number, epoch, state->batch_loss, test_rmsle);
}

static enum status not_finite(const struct run *run, const struct train_state *state, int32_t epoch,
                              struct error *error)
{
    FAIL(error, STATUS_FAILED, "net %d: loss is not finite after epoch %d (batch loss %g)",
         run->number, epoch + 1, state->batch_loss);
    return error_hint(error, "train with a smaller learning rate than %g or clip the gradient",
                      (double)run->net.job->options.learning_rate);
}

/* Waits for epoch `epoch`; *state is valid until IN_FLIGHT epochs later. */
static enum status await_epoch(const struct train_state **state, struct run *run, int32_t epoch,
                               struct error *error)
{
    *state = &run->states[epoch % IN_FLIGHT];
    CUDA_TRY(error, cudaEventSynchronize(run->copied[epoch % IN_FLIGHT]));
    if ((*state)->not_finite)
        return not_finite(run, *state, epoch, error);
    if (!(*state)->dead)
        report_epoch(run, *state, epoch);
    return STATUS_OK;
}

static enum status train_once(struct run *run, uint64_t seed, bool *dead, struct error *error)
{
    const struct train_state *state = NULL;
    int32_t epochs = run->net.job->options.epochs, launched = 0;
    TRY(cuda_net_start(&run->net, seed, error));
    for (int32_t epoch = 0; epoch < epochs && !(state && state->stopped); epoch++) {
        while (launched < epochs && launched < epoch + IN_FLIGHT)
            TRY(launch_epoch(run, launched++, error));
        TRY(await_epoch(&state, run, epoch, error));
        if (run->progress && run->progress->interrupted && *run->progress->interrupted)
            return FAIL(error, STATUS_INTERRUPTED, "training interrupted");
    }
    *dead = state->dead;
    run->result->epochs = (int32_t)state->epoch;
    run->result->best_epoch = state->best_epoch;
    CUDA_TRY(error, cudaStreamSynchronize(run->net.stream));
    return STATUS_OK;
}

static enum status train_with_restarts(struct run *run, struct error *error)
{
    const struct train_job *job = run->net.job;
    for (int restart = 0; restart <= TRAIN_RESTART_LIMIT; restart++) {
        bool dead = false;
        TRY(train_once(run, job->seed + (uint64_t)restart, &dead, error));
        if (!dead)
            return STATUS_OK;
    }
    FAIL(error, STATUS_FAILED,
         "net %d: the output stays 0 whatever the initial weights (%d tried from seed %llu)",
         run->number, TRAIN_RESTART_LIMIT + 1, (unsigned long long)job->seed);
    return error_hint(error, "train with a smaller learning rate, an output bias, or output log");
}

/* ---- one job ---- */

static enum status finish(struct run *run, struct error *error)
{
    struct cuda_net *net = &run->net;
    const struct train_data *source = net->job->data;
    void *parameters;
    TRY(error_allocate(&parameters, net->parameter_count, sizeof(float), "trained net", error));
    run->result->parameters = parameters;
    CUDA_TRY(error, cudaMemcpy(parameters, net->best, net->parameter_count * sizeof(float),
                               cudaMemcpyDeviceToHost));
    TRY(cuda_net_rmsle(&run->result->train_rmsle, net, net->best, net->data->train_inputs,
                       net->data->train_targets, source->train_rows, error));
    return cuda_net_rmsle(&run->result->test_rmsle, net, net->best, net->data->test_inputs,
                          net->data->test_targets, source->test_rows, error);
}

static enum status create_run(struct run *run, const struct train_job *job,
                              const struct cuda_train_data *data, cudaStream_t stream,
                              struct error *error)
{
    TRY(cuda_net_create(&run->net, job, data, stream, error));
    CUDA_TRY(error, cudaMallocHost((void **)&run->states, IN_FLIGHT * sizeof *run->states));
    for (int i = 0; i < IN_FLIGHT; i++)
        CUDA_TRY(error, cudaEventCreateWithFlags(&run->copied[i], cudaEventDisableTiming));
    return record_epoch(run, error);
}

static void free_run(struct run *run)
{
    if (run->net.stream)
        cudaStreamSynchronize(run->net.stream);
    for (uint32_t i = 0; i < run->segment_count; i++)
        if (run->segments[i].graph)
            cudaGraphExecDestroy(run->segments[i].graph);
    free(run->segments);
    for (int i = 0; i < IN_FLIGHT; i++)
        if (run->copied[i])
            cudaEventDestroy(run->copied[i]);
    if (run->states)
        cudaFreeHost(run->states);
    cuda_net_free(&run->net);
}

static enum status run_job(struct run *run, const struct train_job *job,
                           const struct cuda_train_data *data, cudaStream_t stream,
                           struct error *error)
{
    double started_s = monotonic_s();
    enum status status = create_run(run, job, data, stream, error);
    if (status == STATUS_OK)
        status = train_with_restarts(run, error);
    if (status == STATUS_OK)
        status = finish(run, error);
    free_run(run);
    run->result->seconds = monotonic_s() - started_s;
    return status;
}

/* Jobs one after the other; neighbours with the same data share its upload. */
static enum status run_jobs(struct train_result *results, const struct train_job *jobs,
                            int job_count, cudaStream_t stream,
                            const struct train_progress *progress, struct error *error)
{
    struct cuda_train_data data = {0};
    double epochs_done = 0, epochs_total = 0;
    enum status status = STATUS_OK;
    for (int i = 0; i < job_count; i++)
        epochs_total += jobs[i].options.epochs;
    for (int i = 0; i < job_count && status == STATUS_OK; i++) {
        if (data.source != jobs[i].data) {
            cuda_train_data_free(&data);
            status = cuda_train_data_create(&data, jobs[i].data, error);
        }
        struct run run = {.progress = progress,
                          .result = &results[i],
                          .number = i,
                          .epochs_done = epochs_done,
                          .epochs_total = epochs_total};
        if (status == STATUS_OK)
            status = run_job(&run, &jobs[i], &data, stream, error);
        epochs_done += jobs[i].options.epochs;
    }
    cuda_train_data_free(&data);
    return status;
}

/* threads is the host engine's. */
static enum status fit(struct train_result *results, const struct train_job *jobs, int job_count,
                       int threads, const struct train_progress *progress, struct error *error)
{
    (void)threads;
    cudaStream_t stream;
    for (int i = 0; i < job_count; i++)
        results[i] = (struct train_result){0};
    for (int i = 0; i < job_count; i++)
        TRY(train_job_check(&jobs[i], i, error));
    CUDA_TRY(error, cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    enum status status = run_jobs(results, jobs, job_count, stream, progress, error);
    cudaStreamDestroy(stream);
    for (int i = 0; i < job_count && status != STATUS_OK; i++)
        train_result_free(&results[i]);
    return status;
}

const struct trainer trainer_cuda = {.name = "cuda", .fit = fit};
