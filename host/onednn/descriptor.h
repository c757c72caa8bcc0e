/* What oneDNN 2.6 and oneDNN 3 say differently: memory descriptors, descriptors of primitives, the
 * instruction sets that compute in 16 bits. descriptor_2*.c and descriptor_3*.c both implement this
 * header; those of the installed version are compiled, the others are empty. No other file knows
 * the version.
 */
#ifndef EPOCHCAST_ONEDNN_DESCRIPTOR_H
#define EPOCHCAST_ONEDNN_DESCRIPTOR_H

#include <dnnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether primitives of this enum precision run here with the processor's own instructions. */
bool cpu_has_precision(int32_t precision);

/* ---- layouts: dimensions, element type and order of a tensor in memory ---- */

struct cpu_layout; /* the library's memory descriptor */

/* The caller destroys *layout. */
dnnl_status_t cpu_layout_create(struct cpu_layout **layout, int rank, const dnnl_dim_t *dimensions,
                                dnnl_data_type_t type, dnnl_format_tag_t tag);
void cpu_layout_destroy(struct cpu_layout *layout); /* NULL: nothing */
int cpu_layout_rank(const struct cpu_layout *layout);
const dnnl_dim_t *cpu_layout_dimensions(const struct cpu_layout *layout); /* (rank) */
dnnl_data_type_t cpu_layout_type(const struct cpu_layout *layout);
size_t cpu_layout_bytes(const struct cpu_layout *layout); /* padding included; NULL: 0 */
bool cpu_layout_equal(const struct cpu_layout *a, const struct cpu_layout *b);
/* Where the elements are: outer dimensions with strides, then inner blocks, the last one the
 * innermost. */
struct cpu_order {
    int rank, inner_count;
    dnnl_dim_t first; /* offset of element 0 */
    dnnl_dims_t dimensions, padded, strides, inner_sizes, inner_dimensions;
};
/* False: the order is the library's secret, or the tensor part of a larger one. */
bool cpu_layout_order(struct cpu_order *order, const struct cpu_layout *layout);

/* A primitive's layout of one argument; the descriptor owns it. */
const struct cpu_layout *cpu_layout_of(const_dnnl_primitive_desc_t pd, dnnl_query_t what,
                                       int index);

/* A memory object over `data`; *own is its layout, equal to `layout`, and lives as long as it. */
dnnl_status_t cpu_memory_create(dnnl_memory_t *memory, const struct cpu_layout **own,
                                const struct cpu_layout *layout, dnnl_engine_t engine, void *data);

/* Layout of a memory object, which owns it; NULL: it has none. */
const struct cpu_layout *cpu_memory_layout(const_dnnl_memory_t memory);

/* ---- descriptors of primitives: the caller destroys *pd with dnnl_primitive_desc_destroy ---- */

/* Where a primitive runs, and its attributes. */
struct cpu_target {
    dnnl_engine_t engine;
    dnnl_primitive_attr_t attributes;
};

/* `pass` is dnnl_forward_training, _forward_inference, _backward_data or _backward_weights. A
 * backward pass names its gradients' layouts in the places of their tensors, and needs the forward
 * descriptor. */
struct cpu_convolution {
    dnnl_prop_kind_t pass;
    bool is_transposed; /* a deconvolution; weights (channels out, channels in, ...) alike */
    const struct cpu_layout *input, *weights, *bias, *output; /* bias NULL: none */
    dnnl_dims_t strides, gaps, pad_before, pad_after; /* gaps: pixels between cells of the kernel */
};
dnnl_status_t cpu_convolution_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                         const struct cpu_convolution *convolution,
                                         const_dnnl_primitive_desc_t forward);

struct cpu_inner_product {
    dnnl_prop_kind_t pass;
    const struct cpu_layout *input, *weights, *bias, *output; /* bias NULL: none */
};
dnnl_status_t cpu_inner_product_descriptor(dnnl_primitive_desc_t *pd,
                                           const struct cpu_target *target,
                                           const struct cpu_inner_product *product,
                                           const_dnnl_primitive_desc_t forward);

struct cpu_pooling {
    dnnl_prop_kind_t pass; /* backward: dnnl_backward_data */
    dnnl_alg_kind_t algorithm;
    const struct cpu_layout *input, *output;
    dnnl_dims_t strides, kernel, pad_before, pad_after;
};
dnnl_status_t cpu_pooling_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                     const struct cpu_pooling *pooling,
                                     const_dnnl_primitive_desc_t forward);

/* Scales and shifts are arguments of their own. The backward primitive takes the shifts by this
 * name, 0: not at all. */
extern const int cpu_backward_shift_argument;
struct cpu_batch_normalization {
    dnnl_prop_kind_t pass; /* backward: dnnl_backward */
    const struct cpu_layout *image;
    float epsilon;
    bool has_relu, has_given_statistics;
};
dnnl_status_t cpu_batch_normalization_descriptor(dnnl_primitive_desc_t *pd,
                                                 const struct cpu_target *target,
                                                 const struct cpu_batch_normalization *norm,
                                                 const_dnnl_primitive_desc_t forward);

/* Statistics of rows, the last dimension; scales and shifts as above. */
struct cpu_layer_normalization {
    dnnl_prop_kind_t pass; /* forward inference computes its statistics and keeps none */
    const struct cpu_layout *rows, *statistics; /* (rows, width), fp32 (rows) */
    float epsilon;
};
dnnl_status_t cpu_layer_normalization_descriptor(dnnl_primitive_desc_t *pd,
                                                 const struct cpu_target *target,
                                                 const struct cpu_layer_normalization *norm,
                                                 const_dnnl_primitive_desc_t forward);

/* One layer of recurrent cells, tensors (positions, batch, channels), weights (1, directions,
 * inputs, gates, hidden), states to begin with (1, directions, batch, hidden): without them oneDNN
 * 2.6 computes wrong gradients of the state's weights. The gates of a GRU have one bias more: of
 * the product with the state. Gradients of parameters are added to what is there. */
struct cpu_recurrent_layouts {
    const struct cpu_layout *input, *input_weights, *state_weights, *bias, *output;
    const struct cpu_layout *state, *memory; /* h, and c of an LSTM */
};
struct cpu_recurrent {
    dnnl_prop_kind_t pass; /* backward: dnnl_backward */
    dnnl_alg_kind_t cell;  /* dnnl_vanilla_rnn (tanh), dnnl_vanilla_lstm, dnnl_lbr_gru */
    dnnl_rnn_direction_t direction;
    struct cpu_recurrent_layouts of, gradient; /* forward: no gradients are read */
};
dnnl_status_t cpu_recurrent_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                       const struct cpu_recurrent *recurrent,
                                       const_dnnl_primitive_desc_t forward);

struct cpu_resampling {
    dnnl_prop_kind_t pass; /* backward: dnnl_backward_data */
    dnnl_alg_kind_t algorithm;
    const struct cpu_layout *input, *output;
};
dnnl_status_t cpu_resampling_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                        const struct cpu_resampling *resampling,
                                        const_dnnl_primitive_desc_t forward);

struct cpu_elementwise {
    dnnl_prop_kind_t pass; /* backward: dnnl_backward_data */
    dnnl_alg_kind_t algorithm;
    float alpha, beta;                          /* of the algorithm */
    const struct cpu_layout *output, *gradient; /* forward: gradient is not read */
};
dnnl_status_t cpu_elementwise_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                         const struct cpu_elementwise *elementwise,
                                         const_dnnl_primitive_desc_t forward);

/* Of rows over the last dimension; in place, too. */
struct cpu_softmax {
    dnnl_prop_kind_t pass; /* backward: dnnl_backward_data */
    const struct cpu_layout *rows;
};
dnnl_status_t cpu_softmax_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                     const struct cpu_softmax *softmax,
                                     const_dnnl_primitive_desc_t forward);

/* output = scale * left right, of matrices (matrices, rows, columns). */
struct cpu_matmul {
    const struct cpu_layout *left, *right, *output;
    float scale;
};
dnnl_status_t cpu_matmul_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                    const struct cpu_matmul *matmul);

/* Of two tensors of one layout. */
dnnl_status_t cpu_binary_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                    dnnl_alg_kind_t algorithm, const struct cpu_layout *layout);
static inline dnnl_status_t cpu_sum_descriptor(dnnl_primitive_desc_t *pd,
                                               const struct cpu_target *target,
                                               const struct cpu_layout *layout)
{
    return cpu_binary_descriptor(pd, target, dnnl_binary_add, layout);
}

dnnl_status_t cpu_reorder_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                     const struct cpu_layout *from, const struct cpu_layout *to);

#endif
