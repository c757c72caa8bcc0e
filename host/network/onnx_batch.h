/* The samples that a file's shapes hold. Private to the onnx_*.c files. */
#ifndef EPOCHCAST_NETWORK_ONNX_BATCH_H
#define EPOCHCAST_NETWORK_ONNX_BATCH_H

#include "network/onnx_graph.h"

/* An input of the graph that some node reads. */
bool onnx_is_read_input(const struct onnx_value *value);

/* Sets graph->batch, and batch_axis of all tensors, once all shapes are known. The batch is what
 * the open dimensions or the command line said (graph->batch_input is set, or
 * sizes->batch_in_file); else an axis of the inputs that no operator mixes, first the first one;
 * else the file as a whole is one sample. STATUS_BAD_FILE: a tensor does not divide into the
 * samples that were said. */
enum status onnx_find_batch(struct onnx_graph *graph, struct error *error);

/* ---- one node (onnx_follow.c) ---- */

/* The axis of the output on which the samples of all batched inputs stand; ONNX_UNBATCHED,
 * ONNX_MIXED. */
int onnx_follow_output(const struct onnx_call *call, const struct onnx_value *output,
                       double samples);
/* The node is a product that sums up along the samples' axis of an input. */
bool onnx_sums_up_batch(const struct onnx_call *call, double samples);

#endif
