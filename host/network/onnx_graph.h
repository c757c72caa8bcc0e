/* An ONNX model's graph, read in place: nodes and tensors point into the mapped file, weights are
 * never touched. Private to the onnx_*.c files.
 * (format: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto)
 */
#ifndef EPOCHCAST_NETWORK_ONNX_GRAPH_H
#define EPOCHCAST_NETWORK_ONNX_GRAPH_H

#include "network/dimension.h"
#include "network/network.h"
#include "network/onnx_tensor.h"

enum { ONNX_OPSET_MINIMUM = 7 };

/* Field numbers of onnx.proto that several readers ask for. */
enum { NODE_INPUT = 1, NODE_OUTPUT, NODE_NAME, NODE_OP_TYPE, NODE_ATTRIBUTE, NODE_DOMAIN = 7 };
enum { ATTRIBUTE_GRAPH = 6, ATTRIBUTE_REFERENCE = 21, INFO_NAME = 1, INFO_TYPE = 2 };

struct onnx_operator;

struct onnx_node {
    struct slice name, op_type, domain, message;
    const struct onnx_operator *known;    /* NULL: unknown */
    int first, input_count, output_count; /* links[first ..]: inputs, then outputs */
    int own_count;                        /* inputs before those that its subgraphs capture */
    bool is_constant, is_absorbed;        /* no layer of its own */
    const char *pattern; /* it stands for several nodes of the file (onnx_pattern.h); else NULL */
    int attention;       /* it ends one: number, from 1 on (onnx_attention_pattern.h); 0: none */
    /* of expansions (onnx_expand.h) */
    int scope;             /* of the names of its inputs and outputs */
    int depth;             /* of subgraphs and functions around it */
    int caller;            /* node whose function's body it is in, -1: none */
    struct slice function; /* FunctionProto that it is a call of */
    int axis;              /* of nodes that are not in the file; groups of a pattern */
};

/* Names: see onnx_names.h. */
struct onnx_names {
    struct onnx_name {
        struct slice name;
        int scope, value;
    } * list;
    int count, capacity;
    struct onnx_scope {
        int parent, statics;
    } * scopes;
    int scope_count, scope_capacity;
    int *slots; /* open-addressed */
    size_t slot_count;
};

/* Functions of the model, and bodies that have been entered. */
struct onnx_function {
    struct slice name, domain, message;
};
struct onnx_static {
    const char *body; /* its message */
    int scope;        /* of its initializers and constants, which all runs share */
};

struct onnx_graph {
    struct onnx_source source;
    struct onnx_node *nodes;
    int node_count, node_capacity;
    struct onnx_value *values;
    int value_count, value_capacity;
    int *links; /* indices of values, -1: an optional input or output that is left out */
    int link_count, link_capacity;
    struct onnx_names names;
    int *order;    /* the nodes, each after those that it reads from */
    int *inferred; /* those whose shapes are known, in that order; becomes `order` */
    int inferred_count;
    struct onnx_function *functions;
    int function_count;
    struct onnx_static *statics;
    int static_count;
    int64_t fields_left; /* that expansions may still look at */
    int64_t opset;
    double batch;                         /* samples that the shapes hold */
    const struct onnx_value *batch_input; /* that has them on batch_axis; NULL: none */
    int batch_axis;
    bool is_batch_open;            /* the file leaves it open: shapes hold one sample of it */
    struct dimension_sizes *sizes; /* for open dimensions; borrowed, may be NULL */
};

/* Reads the graph of a model; STATUS_BAD_FILE names byte, node or tensor. Free it in any case. */
enum status onnx_graph_read(struct onnx_graph *graph, const char *path, const char *bytes,
                            size_t size, struct error *error);
void onnx_graph_free(struct onnx_graph *graph);

/* How many samples a tensor is of: one that no batch stands in is whole for each. */
static inline double onnx_samples(const struct onnx_graph *graph, const struct onnx_value *value)
{
    return value->batch_axis == ONNX_UNBATCHED ? 1 : graph->batch;
}

/* Takes out the nodes that no output needs (onnx_needed.c). */
enum status onnx_keep_needed(struct onnx_graph *graph, struct error *error);
/* Who reads each tensor. */
void onnx_count_consumers(struct onnx_graph *graph);

/* A node being looked at, with where its complaints go. */
struct onnx_call {
    struct onnx_graph *graph;
    struct onnx_node *node;
    struct error *error;
};

/* The i-th input or output, or NULL where it is left out. */
struct onnx_value *onnx_input(const struct onnx_call *call, int i);
struct onnx_value *onnx_output(const struct onnx_call *call, int i);

/* STATUS_BAD_FILE with file, node, operator and byte before the message. */
enum status onnx_fail(const struct onnx_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- attributes; onnx_graph_read has checked that they can be walked ---- */

bool onnx_has_attribute(const struct onnx_call *call, const char *name);
int64_t onnx_integer(const struct onnx_call *call, const char *name, int64_t otherwise);
double onnx_number(const struct onnx_call *call, const char *name, double otherwise);
/* How many the list has, -1: no such attribute; the first `limit` are stored. */
int onnx_integers(const struct onnx_call *call, const char *name, int64_t *values, int limit);
int onnx_numbers(const struct onnx_call *call, const char *name, double *values, int limit);
struct slice onnx_text(const struct onnx_call *call, const char *name);     /* empty: none */
struct slice onnx_subgraph(const struct onnx_call *call, const char *name); /* bytes NULL: none */
int onnx_texts(const struct onnx_call *call, const char *name); /* how many the list has */
/* Fills type, shape and, where it is small, the values of a tensor attribute. */
enum status onnx_tensor_attribute(const struct onnx_call *call, const char *name,
                                  struct onnx_value *value);

#endif
