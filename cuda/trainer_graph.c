#include "trainer_graph.h"

#include "cuda_check.h"

#include <stdlib.h>

enum { SEGMENT_STEPS = 1024 };

struct epoch_segment {
    cudaGraphExec_t graph;
    uint32_t first, steps;
    bool ends_epoch;
};

static enum status enqueue_step(struct cuda_nets *nets, uint32_t index, struct error *error)
{
    TRY(cuda_nets_gradient(nets, index, error));
    return cuda_nets_update(nets, index, error);
}

static enum status enqueue_segment(struct cuda_nets *nets, const struct epoch_segment *segment,
                                   struct error *error)
{
    TRY(cuda_nets_schedule(nets, segment->first, segment->steps, error));
    for (uint32_t i = 0; i < segment->steps; i++)
        TRY(enqueue_step(nets, segment->first + i, error));
    return segment->ends_epoch ? cuda_nets_epoch_end(nets, error) : STATUS_OK;
}

/* Every kernel of an epoch at least once: a full batch, the tail, the end. */
static enum status load_kernels(struct cuda_nets *nets, struct error *error)
{
    TRY(cuda_nets_schedule(nets, 0, 1, error));
    TRY(enqueue_step(nets, 0, error));
    TRY(enqueue_step(nets, nets->plan.epoch_steps - 1, error));
    TRY(cuda_nets_epoch_end(nets, error));
    CUDA_TRY(error, cudaStreamSynchronize(nets->launch.stream));
    return STATUS_OK;
}

static enum status record_segment(struct cuda_nets *nets, struct epoch_segment *segment,
                                  struct error *error)
{
    cudaStream_t stream = nets->launch.stream;
    cudaGraph_t graph = NULL;
    CUDA_TRY(error, cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    enum status status = enqueue_segment(nets, segment, error);
    cudaError_t code = cudaStreamEndCapture(stream, &graph);
    if (status == STATUS_OK)
        status = cuda_check(code, "cudaStreamEndCapture", __FILE__, __LINE__, error);
    if (status == STATUS_OK)
        status = cuda_check(cudaGraphInstantiate(&segment->graph, graph, 0), "cudaGraphInstantiate",
                            __FILE__, __LINE__, error);
    if (graph)
        cudaGraphDestroy(graph);
    return status;
}

enum status epoch_graph_record(struct epoch_graph *graph, struct cuda_nets *nets,
                               struct error *error)
{
    uint32_t steps = nets->plan.epoch_steps;
    uint32_t count = (steps + SEGMENT_STEPS - 1) / SEGMENT_STEPS;
    void *segments;
    *graph = (struct epoch_graph){0};
    TRY(load_kernels(nets, error));
    TRY(error_allocate(&segments, count, sizeof *graph->segments, "graphs", error));
    *graph = (struct epoch_graph){segments, count};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t first = i * SEGMENT_STEPS, left = steps - first;
        graph->segments[i] = (struct epoch_segment){.first = first,
                                                    .steps = left < SEGMENT_STEPS ? left
                                                                                  : SEGMENT_STEPS,
                                                    .ends_epoch = i == count - 1};
        TRY(record_segment(nets, &graph->segments[i], error));
    }
    return STATUS_OK;
}

enum status epoch_graph_launch(const struct epoch_graph *graph, cudaStream_t stream,
                               struct error *error)
{
    for (uint32_t i = 0; i < graph->count; i++)
        CUDA_TRY(error, cudaGraphLaunch(graph->segments[i].graph, stream));
    return STATUS_OK;
}

void epoch_graph_free(struct epoch_graph *graph)
{
    for (uint32_t i = 0; i < graph->count; i++)
        if (graph->segments[i].graph)
            cudaGraphExecDestroy(graph->segments[i].graph);
    free(graph->segments);
    *graph = (struct epoch_graph){0};
}
