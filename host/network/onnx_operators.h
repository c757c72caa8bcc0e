/* The operator table: what is known of each ONNX operator, and how it becomes a layer. To add one:
 * a row in onnx_operators.c, with a shape function and how it is emitted. To let a layer kind take
 * it: a reader, with a row in onnx_layers.c.
 */
#ifndef EPOCHCAST_NETWORK_ONNX_OPERATORS_H
#define EPOCHCAST_NETWORK_ONNX_OPERATORS_H

#include "network/onnx_expand.h"
#include "network/onnx_fold.h"
#include "network/onnx_shape.h"

/* The network that is being built. */
struct onnx_builder {
    struct onnx_graph *graph;
    struct network *network; /* with room for two layers per node */
    int *slots;              /* open-addressed table of layer names */
    size_t slot_count;
    struct onnx_attention *attentions; /* (attention_count), those that nodes end */
    int attention_count;
};

/* Adds the node's operator. */
typedef enum status onnx_emit_function(struct onnx_builder *builder, const struct onnx_call *call);

enum { ONNX_MATCH_INPUTS = 3 };
/* A layer that a node is. */
struct onnx_match {
    struct layer_config config; /* batch_size and activation are the driver's */
    double rows;                /* of the layer, those of all samples in the file */
    double bias_count; /* an addition of so many numbers behind the layer is its bias; 0: none is */
    bool is_swapped;   /* the node's second input is the layer's first */
    /* constants that the kind counts by itself, or NULL */
    struct onnx_value *parameters[NETWORK_TENSOR_LIMIT];
    bool has_inputs; /* the layer's are not the node's but those below; NULL: the network's input */
    const struct onnx_value *inputs[ONNX_MATCH_INPUTS];
    const struct onnx_value *bias; /* constant weights that an operator before the layer counts */
    const char *suffix; /* of the layer's name, where it is not the node's only one; or NULL */
};
/* False: the kind does not describe the node, which is then an operator. */
typedef bool onnx_read_function(struct onnx_match *match, const struct onnx_call *call);

/* What the backward pass reads beside the output's gradient. */
enum onnx_kept { KEPT_NOTHING, KEPT_OUTPUT, KEPT_INPUTS };

struct onnx_operator {
    const char *op_type;          /* "BatchNormalization" */
    const char *name;             /* "batch_normalization", of the operator */
    onnx_expand_function *expand; /* not NULL: it stands for others, and nothing below holds */
    onnx_shape_function *shape;
    onnx_fold_function *fold; /* NULL: values are not followed through it */
    onnx_emit_function *emit; /* where no kind takes it; NULL: a view, which does no work */
    /* of one output element, where emit is onnx_emit_generic */
    double forward_flops, backward_flops;
    enum onnx_kept kept;
    int statistics;   /* the first of the inputs that are statistics, not trained; 0: none */
    bool is_constant; /* its output depends on shapes alone */
    int value_inputs; /* the first inputs, whose values matter; of the others the type does */
};

const struct onnx_operator *onnx_operator_find(const struct onnx_node *node); /* or NULL */

/* Orders the nodes, fills every tensor's shape and the samples that the shapes hold (onnx.c). */
enum status onnx_infer_shapes(struct onnx_graph *graph, struct error *error);

/* Of a node whose shapes are known: whether its outputs are constant, and what they are a view of
 * (onnx_origin.c). */
void onnx_mark_constant(const struct onnx_call *call);

/* ---- emission ---- */

/* Adds the layer, unless its kind refuses the config. */
enum status onnx_match_add(struct onnx_builder *builder, const struct onnx_call *call,
                           struct onnx_match *match, bool *is_added);

/* The node's layer, or operator, with its name and links (onnx_emit_layer.c). */
enum status onnx_emit_node(struct onnx_builder *builder, const struct onnx_call *call);

/* Beside their shapes (onnx_einsum.c, onnx_shape_signal.c, onnx_standard_attention.c). */
onnx_emit_function onnx_emit_einsum, onnx_emit_stft, onnx_emit_dft, onnx_emit_attention;
/* Operators (onnx_emit.c). */
onnx_emit_function onnx_emit_generic, onnx_emit_move, onnx_emit_gather, onnx_emit_normalization,
    onnx_emit_recurrent, onnx_emit_reduce, onnx_emit_conv, onnx_emit_conv_transpose,
    onnx_emit_deform_conv, onnx_emit_pool, onnx_emit_global_pool, onnx_emit_gemm, onnx_emit_matmul,
    onnx_emit_unknown;

/* Readers beside those of onnx_layers.c. */
/* onnx_moves.c */
onnx_read_function onnx_read_transpose, onnx_read_concat, onnx_read_resize;
/* Whether a framework does nothing at all: the node's outputs are parts of its input, in place. */
bool onnx_is_view(const struct onnx_call *call);
/* onnx_norm.c: LayerNormalization, RMSNormalization; GroupNormalization, InstanceNormalization */
onnx_read_function onnx_read_layer_norm, onnx_read_group_norm;

/* Attention of three inputs, standard and of com.microsoft. */
onnx_read_function onnx_read_attention, onnx_read_attention_of_three;
/* The kind that describes a standard operator's nodes, or NULL (onnx_layers.c). */
onnx_read_function *onnx_reader_find(const struct onnx_operator *known);
/* Of streams over elements (onnx_stream_layers.c). */
onnx_read_function onnx_read_activation, onnx_read_binary, onnx_read_reduction;
onnx_read_function onnx_read_recurrent; /* onnx_recurrent.c */

/* Kinds with indices (onnx_layers_tokens.c). */
onnx_read_function onnx_read_embedding, onnx_read_loss;

/* A new layer, named and linked, of one row; the node's outputs are its. STATUS_BAD_FILE: no name
 * is left. */
enum status onnx_layer_add(struct onnx_builder *builder, const struct onnx_call *call,
                           struct network_layer **layer);
/* The same with a suffix to its name: of a node that is several layers. */
enum status onnx_layer_add_named(struct onnx_builder *builder, const struct onnx_call *call,
                                 const char *suffix, struct network_layer **layer);
/* The same for an operator, with the work of reading its inputs and writing its outputs; its
 * parameters are those of its constant inputs. */
enum status onnx_operator_add(struct onnx_builder *builder, const struct onnx_call *call,
                              const char *name, struct network_layer **layer);
/* Elements of a tensor for one sample; NULL: 0. */
double onnx_per_sample(const struct onnx_call *call, const struct onnx_value *value);
/* The node's operator, of so many multiply-adds (2 operations, twice that backward) and other
 * operations for one sample. */
enum status onnx_emit_products(struct onnx_builder *builder, const struct onnx_call *call,
                               double products, double others);
/* The same where each output element is a dot product of that length. */
enum status onnx_emit_dots(struct onnx_builder *builder, const struct onnx_call *call,
                           int64_t length);
/* The node's recurrent operator: X, W, R as of LSTM, gate_rows (gates * hidden) rows of weights for
 * each direction. */
enum status onnx_emit_steps(struct onnx_builder *builder, const struct onnx_call *call,
                            double gate_rows, double hidden);
/* Counts an initializer's elements as an operator's parameters, unless they are already. */
void onnx_claim_parameters(struct onnx_builder *builder, struct network_layer *layer,
                           const struct onnx_value *value);
/* A layer of a kind, the newest, counts its weights by itself, `value` as parameter `place`: no
 * operator may count them too. Where an earlier layer of a kind has them, both share a tensor. */
enum status onnx_hold_parameters(struct onnx_builder *builder, struct onnx_value *value, int place,
                                 struct error *error);

#endif
