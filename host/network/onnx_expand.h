/* Control flow, functions and sequences: nodes that stand for others. Their bodies' nodes are added
 * to the graph, once for each run, and inferred at once; the node itself keeps no work.
 *
 *   If: the branch that its condition says; where that depends on the data, the branch with more
 *       work. Loop: as often as its trip count or condition says, or --dimension NODE=TRIPS.
 *   Scan: once per step. All runs share the body's weights.
 *
 * Private to the onnx_*.c files.
 */
#ifndef EPOCHCAST_NETWORK_ONNX_EXPAND_H
#define EPOCHCAST_NETWORK_ONNX_EXPAND_H

#include "network/onnx_body.h"
#include "network/onnx_dimension.h"

typedef enum status onnx_expand_function(struct onnx_dimensions *dimensions, int node);

/* onnx_branch.c, onnx_control.c */
onnx_expand_function onnx_expand_if, onnx_expand_loop, onnx_expand_scan;
/* onnx_expand.c: a call of a function of the file */
onnx_expand_function onnx_expand_call;
/* onnx_sequence.c */
onnx_expand_function onnx_expand_sequence, onnx_expand_sequence_at, onnx_expand_sequence_insert,
    onnx_expand_sequence_erase, onnx_expand_sequence_length, onnx_expand_sequence_concat,
    onnx_expand_sequence_split;

/* The function that a node calls, or NULL. */
const struct onnx_function *onnx_function_find(const struct onnx_graph *graph,
                                               const struct onnx_node *node);
/* Infers a node, whatever it is; it joins graph->inferred (onnx.c). */
enum status onnx_infer_node(struct onnx_dimensions *dimensions, int node);

/* ---- bodies: of subgraphs and functions ---- */

/* PORT: inputs or outputs of a body. */
enum { ONNX_PORT_LIMIT = 256 };
struct onnx_body {
    const struct onnx_body_fields *fields;
    struct slice message;
    int node;           /* that has it */
    int parent, caller; /* scope around it; node that its attributes refer to */
    int inputs[ONNX_PORT_LIMIT], input_count; /* values */
    int outputs[ONNX_PORT_LIMIT], output_count;
};
/* The subgraph that is the node's attribute `name`. */
enum status onnx_subgraph_body(struct onnx_dimensions *dimensions, int node, const char *name,
                               struct onnx_body *body);
/* Runs it once: inputs are set, outputs come out. */
enum status onnx_run_body(struct onnx_dimensions *dimensions, struct onnx_body *body);

/* ---- nodes that are not in the file ---- */

/* Adds and infers a node of an operator: inputs are values, outputs those with room for them; the
 * attributes are those of `parent`. */
enum status onnx_make_node(struct onnx_dimensions *dimensions, int parent,
                           const struct onnx_operator *known, int axis, const int *inputs,
                           int input_count, const int *outputs, int output_count);
/* Output i of `parent` is that value, or that sequence. */
enum status onnx_bind_output(struct onnx_dimensions *dimensions, int parent, int i, int value);
/* A new constant integer; -1: no room is left. */
int onnx_make_integer(struct onnx_graph *graph, int64_t number, int type);
/* The graph has grown too large. */
enum status onnx_no_room(struct onnx_dimensions *dimensions, int node);

/* One element of `axis`, which goes; the inputs along a new axis `axis`; the input itself; the
 * inputs along an axis that they have; parts of the sizes that the second input has. */
extern const struct onnx_operator onnx_take, onnx_stack, onnx_same, onnx_join, onnx_parts;

#endif
