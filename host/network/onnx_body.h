/* The parts of a graph, a subgraph or a function's body, read into the graph within a scope.
 * Private to the onnx_*.c files.
 */
#ifndef EPOCHCAST_NETWORK_ONNX_BODY_H
#define EPOCHCAST_NETWORK_ONNX_BODY_H

#include "network/onnx_names.h"

/* Where GraphProto and FunctionProto keep what they have in common; 0: not at all. */
struct onnx_body_fields {
    uint32_t node, initializer, sparse, input, output, value_info;
    bool is_name_alone; /* inputs and outputs are names, not ValueInfoProto */
};
extern const struct onnx_body_fields onnx_graph_fields, onnx_function_fields;

/* The field `number` of a message, the last one if there are several. */
struct slice onnx_member(const struct wire *wire, struct slice message, uint32_t number);
/* Name of a body's input or output. */
struct slice onnx_port_name(const struct onnx_graph *graph, const struct onnx_body_fields *fields,
                            struct slice message);

enum status onnx_add_initializer(struct onnx_graph *graph, int scope, struct slice message,
                                 struct error *error);
enum status onnx_add_sparse(struct onnx_graph *graph, int scope, struct slice message,
                            struct error *error);
/* The type that a value_info or an output of a graph declares. */
void onnx_declare(struct onnx_graph *graph, int scope, struct slice message, bool is_output);
/* A node with its outputs; `node` brings scope, depth and caller. Inputs are linked later, when all
 * names are known; their places stay free. */
enum status onnx_add_node(struct onnx_graph *graph, struct onnx_node node, struct slice message,
                          struct error *error);
/* With the names that its subgraphs capture, as far as they are in its scope. */
enum status onnx_link_inputs(struct onnx_graph *graph, int index, struct error *error);

/* Names that the subgraphs of an attribute read, from inside or outside: at most so many links. */
size_t onnx_subgraph_names(const struct wire *wire, struct slice attribute);
/* Nodes of a subgraph and of those in it that multiply matrices, then all others. */
double onnx_subgraph_weight(const struct wire *wire, struct slice graph, int depth);
bool onnx_has_subgraph(const struct wire *wire, struct slice attribute);

#endif
