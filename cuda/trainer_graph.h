/* An epoch of nets side by side as CUDA graphs, replayed with nothing but the device's own counters
 * changing. */
#ifndef EPOCHCAST_CUDA_TRAINER_GRAPH_H
#define EPOCHCAST_CUDA_TRAINER_GRAPH_H

#include "trainer_nets.h"

struct epoch_graph {
    struct epoch_segment *segments; /* (count): a long epoch is cut */
    uint32_t count;
};

/* nets have been started, and have to be once more: their kernels are launched before they are
 * captured, since older drivers cannot load them during a capture. */
enum status epoch_graph_record(struct epoch_graph *graph, struct cuda_nets *nets,
                               struct error *error);
/* Enqueues the epoch. */
enum status epoch_graph_launch(const struct epoch_graph *graph, cudaStream_t stream,
                               struct error *error);
void epoch_graph_free(struct epoch_graph *graph);

#endif
