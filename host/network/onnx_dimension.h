/* The shapes that a model declares, with its open dimensions closed. Private to the onnx_*.c files.
 *
 * An open dimension gets the size that was given for it (graph->sizes). The batch is what
 * --batch-axis says. Else it is a dimension whose name says "batch", wherever it stands, and those
 * that the inputs have on the first of several axes, unless they stand on a later axis, too (nodes
 * by nodes) or have a telling name beside a batch; where there is none, the only one left, if it is
 * an input's only axis or the model has a recurrent operator, whose batch stands behind its steps.
 * The batch counts as 1, unless --batch-in-file says more. What is left then is an error.
 */
#ifndef EPOCHCAST_NETWORK_ONNX_DIMENSION_H
#define EPOCHCAST_NETWORK_ONNX_DIMENSION_H

#include "network/onnx_graph.h"

/* An open dimension of the inputs; those of one name are one. */
struct onnx_open {
    struct slice name;              /* may be empty */
    const struct onnx_value *input; /* the first that has it */
    int axis;                       /* of that input */
    bool is_batch;
    bool is_met_again;            /* on an axis behind the first, too: it is steps or nodes */
    struct dimension_size *given; /* or NULL */
};

struct onnx_dimensions {
    struct onnx_graph *graph;
    struct onnx_open open[DIMENSION_LIMIT];
    int open_count;
    bool is_symbolic; /* the batch is open */
    struct error *error;
};

/* Shapes of the graph's inputs that are read. */
enum status onnx_read_inputs(struct onnx_dimensions *dimensions);
/* The shape that the file declares for a tensor. */
enum status onnx_read_declared(struct onnx_dimensions *dimensions, struct onnx_value *value);

/* LSTM, GRU, RNN of ONNX. */
bool onnx_is_recurrent(const struct onnx_node *node);

#endif
