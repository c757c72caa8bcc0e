/* An ONNX model's graph, read in place: nodes and tensors point into the mapped file, weights are
 * never touched. Private to the onnx_*.c files.
 * (format: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto)
 */
#ifndef EPOCHCAST_NETWORK_ONNX_GRAPH_H
#define EPOCHCAST_NETWORK_ONNX_GRAPH_H

#include "network/dimension.h"
#include "network/network.h"
#include "network/wire.h"

/* FOLD: elements of the small tensors whose values are kept, for shapes computed by the graph. */
enum { ONNX_RANK_LIMIT = 8, ONNX_FOLD_LIMIT = 64, ONNX_OPSET_MINIMUM = 7 };
#define ONNX_DIMENSION_LIMIT INT64_C(2147483647)

/* TensorProto.DataType, those that matter by themselves. */
enum onnx_type { ONNX_FLOAT = 1, ONNX_INT32 = 6, ONNX_INT64 = 7, ONNX_BOOL = 9 };
bool onnx_type_is_floating(int type);
/* Bytes of one element, 0: of no fixed size. */
int onnx_type_bytes(int type);

enum { ONNX_NOT_TRAINED = -2 };

/* A tensor, known by its name. */
struct onnx_value {
    struct slice name;
    struct slice declared; /* TypeProto of value_info and outputs; may be empty */
    int type;              /* enum onnx_type */
    int rank;              /* -1: not known yet */
    int64_t dims[ONNX_RANK_LIMIT];
    double count;     /* elements */
    double *folded;   /* (count) values of a small constant tensor, or NULL; of the graph's arena */
    bool is_constant; /* the same for every input: an initializer, or computed from some */
    int origin;       /* the initializer that a constant is a view of, -1: none */
    int producer;     /* node, -1: an initializer or an input of the graph */
    int consumer;     /* the only node that reads it, -1: none or several */
    int consumer_count;
    bool is_output;    /* of the graph */
    int layer;         /* of the network, whose output this is; -1: the network's input */
    int counted_layer; /* initializers: the layer whose parameters it is of, -1: none yet, or: */
};

struct onnx_operator;

struct onnx_node {
    struct slice name, op_type, domain, message;
    const struct onnx_operator *known;    /* NULL: unknown */
    int first, input_count, output_count; /* links[first ..]: inputs, then outputs */
    bool is_constant, is_absorbed;        /* no layer of its own */
};

struct onnx_graph {
    const char *path;
    struct wire file;
    struct onnx_node *nodes;
    int node_count;
    struct onnx_value *values;
    int value_count, value_capacity;
    int *links; /* indices of values, -1: an optional input or output that is left out */
    int link_count;
    int *slots; /* open-addressed table of names: index of a value, or -1 */
    size_t slot_count;
    int *order; /* the nodes, each after those that it reads from */
    double *folds;
    size_t fold_count, fold_capacity;
    int64_t opset;
    struct slice external_location; /* of the external data that was found last, and its size */
    double external_bytes;
    double batch;                  /* samples that the shapes hold */
    struct dimension_sizes *sizes; /* for open dimensions; borrowed, may be NULL */
};

/* Reads the graph of a model; STATUS_BAD_FILE names byte, node or tensor. Free it in any case. */
enum status onnx_graph_read(struct onnx_graph *graph, const char *path, const char *bytes,
                            size_t size, struct error *error);
void onnx_graph_free(struct onnx_graph *graph);

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
struct slice onnx_text(const struct onnx_call *call, const char *name); /* empty: none */
/* Fills type, shape and, where it is small, the values of a tensor attribute. */
enum status onnx_tensor_attribute(const struct onnx_call *call, const char *name,
                                  struct onnx_value *value);

/* ---- tensors ---- */

/* Reads a TensorProto's head: type, shape, small values; checks that the data has the size. */
enum status onnx_tensor_read(struct onnx_graph *graph, struct onnx_value *value,
                             struct slice message, struct error *error);
/* The shape that a TypeProto declares; symbolic dimensions are -1. False: no shape in it. */
bool onnx_type_read(const struct onnx_graph *graph, struct slice message, int *type, int *rank,
                    int64_t dims[ONNX_RANK_LIMIT], struct slice names[ONNX_RANK_LIMIT]);
/* Room for `count` values, or NULL where there is none left. */
double *onnx_fold_room(struct onnx_graph *graph, double count);
/* Bytes of weights in a file beside the model; STATUS_BAD_FILE: outside of its folder, missing or
 * too short. `message` is the TensorProto. */
enum status onnx_external_check(struct onnx_graph *graph, const struct onnx_value *value,
                                struct slice message, double byte_count, struct error *error);

#endif
