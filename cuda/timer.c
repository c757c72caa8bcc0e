/* A label is the time that K calls take back to back on the device, from before the first to after
 * the last, over K: the work and the device's own gaps, no launch by the host. An event outside a
 * graph would add that launch (4-8 us: 3-9 % of a short sample), so both are nodes of the graph.
 */
#include "timer.h"

#include "cuda_check.h"
#include "elementwise.h"

#include <math.h>

enum { CHECK_CALLS = 32, CHECK_RUNS = 5 };
static const double error_limit_ms = 0.002;

enum status cuda_timer_open(struct cuda_timer *timer, cudaStream_t stream, struct error *error)
{
    *timer = (struct cuda_timer){.stream = stream};
    cudaEvent_t *const events[] = {&timer->started, &timer->stopped, &timer->first_node,
                                   &timer->last_node};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        CUDA_TRY(error, cudaEventCreate(events[i]));
    return STATUS_OK;
}

void cuda_timer_forget(struct cuda_timer *timer)
{
    if (timer->recording)
        cudaGraphExecDestroy(timer->recording);
    timer->recording = NULL;
}

void cuda_timer_close(struct cuda_timer *timer)
{
    const cudaEvent_t events[] = {timer->started, timer->stopped, timer->first_node,
                                  timer->last_node};
    cuda_timer_forget(timer);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (events[i])
            cudaEventDestroy(events[i]);
}

enum status cuda_timer_start(struct cuda_timer *timer, struct error *error)
{
    timer->replay_count = 0;
    CUDA_TRY(error, cudaEventRecord(timer->started, timer->stream));
    return STATUS_OK;
}

enum status cuda_timer_stop(struct cuda_timer *timer, double *elapsed_ms, struct error *error)
{
    const bool is_inside = timer->replay_count == 1 && !timer->spins;
    float elapsed;
    CUDA_TRY(error, cudaEventRecord(timer->stopped, timer->stream));
    CUDA_TRY(error, cudaEventSynchronize(timer->stopped));
    CUDA_TRY(error, cudaEventElapsedTime(&elapsed, is_inside ? timer->first_node : timer->started,
                                         is_inside ? timer->last_node : timer->stopped));
    *elapsed_ms = (double)elapsed;
    return STATUS_OK;
}

/* A node of the recording that is an event, unless events are to stay outside. */
static cudaError_t mark(struct cuda_timer *timer, cudaEvent_t event)
{
    return timer->spins ? cudaSuccess
                        : cudaEventRecordWithFlags(event, timer->stream, cudaEventRecordExternal);
}

enum status cuda_timer_record_start(struct cuda_timer *timer, struct error *error)
{
    cuda_timer_forget(timer);
    CUDA_TRY(error, cudaStreamBeginCapture(timer->stream, cudaStreamCaptureModeThreadLocal));
    const cudaError_t marked = mark(timer, timer->first_node);
    cudaGraph_t graph = NULL;
    if (marked != cudaSuccess && cudaStreamEndCapture(timer->stream, &graph) == cudaSuccess)
        cudaGraphDestroy(graph);
    CUDA_TRY(error, marked);
    return STATUS_OK;
}

/* The capture ends whatever came of the last node. */
enum status cuda_timer_record_stop(struct cuda_timer *timer, struct error *error)
{
    cudaGraph_t graph = NULL;
    const cudaError_t marked = mark(timer, timer->last_node);
    CUDA_TRY(error, cudaStreamEndCapture(timer->stream, &graph));
    const cudaError_t code = marked == cudaSuccess
                                 ? cudaGraphInstantiate(&timer->recording, graph, 0)
                                 : marked;
    cudaGraphDestroy(graph);
    CUDA_TRY(error, code);
    CUDA_TRY(error, cudaGraphUpload(timer->recording, timer->stream));
    return STATUS_OK;
}

/* With a kernel that spins the time starts anew behind it: the launch has come before it ends. */
enum status cuda_timer_replay(struct cuda_timer *timer, struct error *error)
{
    timer->replay_count++;
    if (timer->spins) {
        CUDA_TRY(error, launch_spin(timer->stream));
        CUDA_TRY(error, cudaEventRecord(timer->started, timer->stream));
    }
    CUDA_TRY(error, cudaGraphLaunch(timer->recording, timer->stream));
    return STATUS_OK;
}

/* ---- calibration ---- */

static enum status time_empty(double *fastest_ms, struct cuda_timer *timer, int count,
                              struct error *error)
{
    cudaError_t code = cudaSuccess;
    TRY(cuda_timer_record_start(timer, error));
    for (int i = 0; i < count && code == cudaSuccess; i++)
        code = launch_empty(timer->stream);
    TRY(cuda_timer_record_stop(timer, error));
    CUDA_TRY(error, code);
    *fastest_ms = INFINITY;
    for (int i = 0; i <= CHECK_RUNS; i++) { /* the first is the recording's first use */
        double elapsed_ms;
        TRY(cuda_timer_start(timer, error));
        TRY(cuda_timer_replay(timer, error));
        TRY(cuda_timer_stop(timer, &elapsed_ms, error));
        if (i > 0)
            *fastest_ms = fmin(*fastest_ms, elapsed_ms);
    }
    return STATUS_OK;
}

static enum status find_error(double *error_ms, struct cuda_timer *timer, bool spins,
                              struct error *error)
{
    double once_ms, twice_ms;
    timer->spins = spins;
    TRY(time_empty(&once_ms, timer, CHECK_CALLS, error));
    TRY(time_empty(&twice_ms, timer, 2 * CHECK_CALLS, error));
    *error_ms = 2 * once_ms - twice_ms;
    return STATUS_OK;
}

enum status cuda_timer_calibrate(struct cuda_timer *timer, struct error *error)
{
    CUDA_TRY(error, launch_empty(timer->stream)); /* loads it outside a recording */
    CUDA_TRY(error, launch_spin(timer->stream));
    timer->inside_error_ms = timer->spin_error_ms = INFINITY; /* also where events are refused */
    const enum status inside = find_error(&timer->inside_error_ms, timer, false, NULL);
    if (inside != STATUS_OK)
        CUDA_TRY(error, cudaStreamSynchronize(timer->stream));
    if (fabs(timer->inside_error_ms) > error_limit_ms) {
        TRY(find_error(&timer->spin_error_ms, timer, true, error));
        timer->spins = fabs(timer->spin_error_ms) < fabs(timer->inside_error_ms);
    }
    cuda_timer_forget(timer);
    return STATUS_OK;
}
