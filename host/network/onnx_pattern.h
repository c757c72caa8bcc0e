/* Operators that exporters write as several nodes: layer norm as means, differences and a root,
 * GELU as divisions and an error function. Once all shapes are known each is found by its pattern
 * and becomes one node of the operator that it is; the others go. What is not a pattern to the
 * letter (another axis, another constant, a tensor inside that somebody else reads) stays as it is.
 *
 * To add one: a row in onnx_pattern.c, or, where texts do not reach, a function that fills struct
 * onnx_found and calls onnx_pattern_replace. Private to the onnx_*.c files.
 */
#ifndef EPOCHCAST_NETWORK_ONNX_PATTERN_H
#define EPOCHCAST_NETWORK_ONNX_PATTERN_H

#include "network/onnx_graph.h"

enum { ONNX_FOUND_NODES = 48, ONNX_FOUND_INPUTS = 4 };
struct onnx_found {
    const char *name;                           /* "layer_norm": what is counted */
    const char *op_type;                        /* of the operator table: "LayerNormalization" */
    const struct onnx_operator *known;          /* where the table does not have it; else NULL */
    int nodes[ONNX_FOUND_NODES], node_count;    /* each once; the first gives the result */
    int inputs[ONNX_FOUND_INPUTS], input_count; /* values that the operator reads */
    int groups;                                 /* of channels, where it is a norm of groups */
};

/* Replaces all patterns of the graph. */
void onnx_recognise(struct onnx_graph *graph);

/* How many of each there are: the network's patterns. */
void onnx_tell_patterns(struct network *network, const struct onnx_graph *graph);

/* Makes the first node one of the operator; the others go. False, and nothing is changed: a tensor
 * between them is read elsewhere, or an output of the graph. */
bool onnx_pattern_replace(struct onnx_graph *graph, const struct onnx_found *found);

/* Heads of keys or values that are repeated (onnx_repeat.c): whether the node ends such a pattern;
 * it is a node then that reads the heads themselves. */
bool onnx_recognise_repeat(struct onnx_graph *graph, int node);
/* The node of that pattern that gives a tensor, or NULL. */
const struct onnx_node *onnx_repeat_of(const struct onnx_graph *graph,
                                       const struct onnx_value *value);

/* ---- patterns as texts ----
 *
 * "Mul(Add(Erf(x), 1), w)": a node by its operator, its inputs in brackets; those of Add and Mul in
 * any order. Casts between two nodes are passed over.
 *
 *   x y        a tensor that depends on the network's input
 *   w b        a constant tensor; o: of ones; z: of zeros; s t u: any tensor
 *   e          a constant number above 0, up to 0.1
 *   0.5        a constant number, to 3 digits
 *   min=0      an attribute, or where the node has none the input at this place, is that number
 *   beta=.5?   an attribute is that number, or not there
 *   square(x)  one of the texts of that name in onnx_pattern_match.c, $1 being x
 *
 * A letter is the same tensor wherever it stands. ReduceMean is over the last axis, which it keeps.
 */
struct onnx_bound {
    int values['z' - 'a' + 1]; /* by letter; -1: none */
};
/* Whether the pattern ends in the node: fills found->nodes and what the letters are. */
bool onnx_pattern_match(struct onnx_found *found, struct onnx_bound *bound,
                        struct onnx_graph *graph, int node, const char *pattern);

#endif
