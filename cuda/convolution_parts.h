/* The operation graph of a convolution, for the plans made of it. Internal to the convolution
 * files. */
#ifndef EPOCHCAST_CUDA_CONVOLUTION_PARTS_H
#define EPOCHCAST_CUDA_CONVOLUTION_PARTS_H

#include "convolution_graph.h"
#include "cudnn_descriptor.h"

/* Kept because the graph refers to them. */
enum part { PART_X, PART_W, PART_Y, PART_CONVOLUTION, PART_OPERATION, PART_GRAPH, PART_COUNT };
#define TENSOR_COUNT PART_CONVOLUTION /* a tensor's part is also its unique id */

struct cudnn_graph {
    cudnnBackendDescriptor_t parts[PART_COUNT];
};

/* Release it in any case. */
cudnnStatus_t cudnn_graph_create(struct cudnn_graph *graph,
                                 const struct cudnn_convolution *convolution,
                                 const struct cudnn_target *target, struct error *error);
void cudnn_graph_release(struct cudnn_graph *graph);

/* Numerical notes, as bits, of engines that break a precision. */
unsigned cudnn_forbidden_notes(int32_t precision);

#endif
