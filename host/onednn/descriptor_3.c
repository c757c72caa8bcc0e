/* oneDNN 3: opaque memory descriptors, primitives described in one call. */
#include <dnnl_version.h>

#if DNNL_VERSION_MAJOR >= 3

#include "base/choice.h"
#include "onednn/descriptor.h"

#include <string.h>

static const_dnnl_memory_desc_t library(const struct cpu_layout *layout)
{
    return (const_dnnl_memory_desc_t)layout;
}

bool cpu_has_precision(int32_t precision)
{
    /* Every instruction set of a row computes in that precision. */
    static const dnnl_cpu_isa_t sets[PRECISION_COUNT][2] = {
        [PRECISION_BF16] = {dnnl_cpu_isa_avx512_core_bf16, dnnl_cpu_isa_avx2_vnni_2},
        [PRECISION_FP16] = {dnnl_cpu_isa_avx512_core_fp16, dnnl_cpu_isa_avx2_vnni_2},
    };
    const unsigned present = (unsigned)dnnl_get_effective_cpu_isa();
    for (int i = 0; i < 2; i++) {
        const unsigned wanted = (unsigned)sets[precision][i];
        if (wanted && (present & wanted) == wanted)
            return true;
    }
    return precision == PRECISION_FP32;
}

/* ---- layouts ---- */

dnnl_status_t cpu_layout_create(struct cpu_layout **layout, int rank, const dnnl_dim_t *dimensions,
                                dnnl_data_type_t type, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t created = NULL;
    const dnnl_status_t status = dnnl_memory_desc_create_with_tag(&created, rank, dimensions, type,
                                                                  tag);
    *layout = (struct cpu_layout *)created;
    return status;
}

void cpu_layout_destroy(struct cpu_layout *layout)
{
    if (layout)
        dnnl_memory_desc_destroy((dnnl_memory_desc_t)layout);
}

int cpu_layout_rank(const struct cpu_layout *layout)
{
    int rank = 0;
    dnnl_memory_desc_query(library(layout), dnnl_query_ndims_s32, &rank);
    return rank;
}

const dnnl_dim_t *cpu_layout_dimensions(const struct cpu_layout *layout)
{
    dnnl_dims_t *dimensions = NULL;
    dnnl_memory_desc_query(library(layout), dnnl_query_dims, &dimensions);
    return dimensions ? *dimensions : NULL;
}

dnnl_data_type_t cpu_layout_type(const struct cpu_layout *layout)
{
    dnnl_data_type_t type = dnnl_data_type_undef;
    dnnl_memory_desc_query(library(layout), dnnl_query_data_type, &type);
    return type;
}

size_t cpu_layout_bytes(const struct cpu_layout *layout)
{
    return layout ? dnnl_memory_desc_get_size(library(layout)) : 0;
}

bool cpu_layout_equal(const struct cpu_layout *a, const struct cpu_layout *b)
{
    return dnnl_memory_desc_equal(library(a), library(b)) != 0;
}

static bool is_plain_tensor(const_dnnl_memory_desc_t from, int rank)
{
    dnnl_format_kind_t kind = dnnl_format_kind_undef;
    dnnl_dims_t *offsets = NULL;
    dnnl_memory_desc_query(from, dnnl_query_format_kind, &kind);
    if (kind != dnnl_blocked ||
        dnnl_memory_desc_query(from, dnnl_query_padded_offsets, &offsets) != dnnl_success)
        return false;
    for (int i = 0; i < rank; i++)
        if ((*offsets)[i] != 0)
            return false;
    return true;
}

bool cpu_layout_order(struct cpu_order *order, const struct cpu_layout *layout)
{
    const_dnnl_memory_desc_t from = library(layout);
    dnnl_dims_t *strides = NULL, *padded = NULL, *sizes = NULL, *dimensions = NULL;
    *order = (struct cpu_order){.rank = cpu_layout_rank(layout)};
    if (!is_plain_tensor(from, order->rank) ||
        dnnl_memory_desc_query(from, dnnl_query_strides, &strides) != dnnl_success ||
        dnnl_memory_desc_query(from, dnnl_query_padded_dims, &padded) != dnnl_success ||
        dnnl_memory_desc_query(from, dnnl_query_inner_nblks_s32, &order->inner_count) !=
            dnnl_success ||
        dnnl_memory_desc_query(from, dnnl_query_inner_blks, &sizes) != dnnl_success ||
        dnnl_memory_desc_query(from, dnnl_query_inner_idxs, &dimensions) != dnnl_success ||
        dnnl_memory_desc_query(from, dnnl_query_submemory_offset_s64, &order->first) !=
            dnnl_success)
        return false;
    memcpy(order->dimensions, cpu_layout_dimensions(layout), sizeof order->dimensions);
    memcpy(order->padded, *padded, sizeof order->padded);
    memcpy(order->strides, *strides, sizeof order->strides);
    memcpy(order->inner_sizes, *sizes, sizeof order->inner_sizes);
    memcpy(order->inner_dimensions, *dimensions, sizeof order->inner_dimensions);
    return true;
}

const struct cpu_layout *cpu_layout_of(const_dnnl_primitive_desc_t pd, dnnl_query_t what, int index)
{
    return (const struct cpu_layout *)dnnl_primitive_desc_query_md(pd, what, index);
}

dnnl_status_t cpu_memory_create(dnnl_memory_t *memory, const struct cpu_layout **own,
                                const struct cpu_layout *layout, dnnl_engine_t engine, void *data)
{
    const_dnnl_memory_desc_t kept = NULL;
    dnnl_status_t status = dnnl_memory_create(memory, library(layout), engine, data);
    if (status == dnnl_success)
        status = dnnl_memory_get_memory_desc(*memory, &kept);
    *own = (const struct cpu_layout *)kept;
    return status;
}

const struct cpu_layout *cpu_memory_layout(const_dnnl_memory_t memory)
{
    const_dnnl_memory_desc_t kept = NULL;
    return dnnl_memory_get_memory_desc(memory, &kept) == dnnl_success
               ? (const struct cpu_layout *)kept
               : NULL;
}

/* ---- descriptors ---- */

static const dnnl_dims_t dense_window; /* zeros: windows without dilation */

static dnnl_status_t describe_deconvolution(dnnl_primitive_desc_t *pd,
                                            const struct cpu_target *target,
                                            const struct cpu_convolution *c,
                                            const_dnnl_primitive_desc_t forward)
{
    const_dnnl_memory_desc_t input = library(c->input), weights = library(c->weights);
    const_dnnl_memory_desc_t bias = library(c->bias), output = library(c->output);
    if (c->pass == dnnl_backward_data)
        return dnnl_deconvolution_backward_data_primitive_desc_create(
            pd, target->engine, dnnl_deconvolution_direct, input, weights, output, c->strides,
            c->gaps, c->pad_before, c->pad_after, forward, target->attributes);
    if (c->pass == dnnl_backward_weights)
        return dnnl_deconvolution_backward_weights_primitive_desc_create(
            pd, target->engine, dnnl_deconvolution_direct, input, weights, bias, output, c->strides,
            c->gaps, c->pad_before, c->pad_after, forward, target->attributes);
    return dnnl_deconvolution_forward_primitive_desc_create(
        pd, target->engine, c->pass, dnnl_deconvolution_direct, input, weights, bias, output,
        c->strides, c->gaps, c->pad_before, c->pad_after, target->attributes);
}

dnnl_status_t cpu_convolution_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                         const struct cpu_convolution *c,
                                         const_dnnl_primitive_desc_t forward)
{
    if (c->is_transposed)
        return describe_deconvolution(pd, target, c, forward);
    const_dnnl_memory_desc_t input = library(c->input), weights = library(c->weights);
    const_dnnl_memory_desc_t bias = library(c->bias), output = library(c->output);
    if (c->pass == dnnl_backward_data)
        return dnnl_convolution_backward_data_primitive_desc_create(
            pd, target->engine, dnnl_convolution_direct, input, weights, output, c->strides,
            c->gaps, c->pad_before, c->pad_after, forward, target->attributes);
    if (c->pass == dnnl_backward_weights)
        return dnnl_convolution_backward_weights_primitive_desc_create(
            pd, target->engine, dnnl_convolution_direct, input, weights, bias, output, c->strides,
            c->gaps, c->pad_before, c->pad_after, forward, target->attributes);
    return dnnl_convolution_forward_primitive_desc_create(
        pd, target->engine, c->pass, dnnl_convolution_direct, input, weights, bias, output,
        c->strides, c->gaps, c->pad_before, c->pad_after, target->attributes);
}

dnnl_status_t cpu_inner_product_descriptor(dnnl_primitive_desc_t *pd,
                                           const struct cpu_target *target,
                                           const struct cpu_inner_product *p,
                                           const_dnnl_primitive_desc_t forward)
{
    const_dnnl_memory_desc_t input = library(p->input), weights = library(p->weights);
    const_dnnl_memory_desc_t bias = library(p->bias), output = library(p->output);
    if (p->pass == dnnl_backward_data)
        return dnnl_inner_product_backward_data_primitive_desc_create(
            pd, target->engine, input, weights, output, forward, target->attributes);
    if (p->pass == dnnl_backward_weights)
        return dnnl_inner_product_backward_weights_primitive_desc_create(
            pd, target->engine, input, weights, bias, output, forward, target->attributes);
    return dnnl_inner_product_forward_primitive_desc_create(
        pd, target->engine, p->pass, input, weights, bias, output, target->attributes);
}

dnnl_status_t cpu_pooling_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                     const struct cpu_pooling *p,
                                     const_dnnl_primitive_desc_t forward)
{
    if (p->pass == dnnl_backward_data)
        return dnnl_pooling_backward_primitive_desc_create(
            pd, target->engine, p->algorithm, library(p->input), library(p->output), p->strides,
            p->kernel, dense_window, p->pad_before, p->pad_after, forward, target->attributes);
    return dnnl_pooling_forward_primitive_desc_create(
        pd, target->engine, p->pass, p->algorithm, library(p->input), library(p->output),
        p->strides, p->kernel, dense_window, p->pad_before, p->pad_after, target->attributes);
}

const int cpu_backward_shift_argument = 0;

dnnl_status_t cpu_batch_normalization_descriptor(dnnl_primitive_desc_t *pd,
                                                 const struct cpu_target *target,
                                                 const struct cpu_batch_normalization *n,
                                                 const_dnnl_primitive_desc_t forward)
{
    const_dnnl_memory_desc_t image = library(n->image);
    const unsigned flags = dnnl_use_scale | dnnl_use_shift |
                           (n->has_relu ? dnnl_fuse_norm_relu : 0) |
                           (n->has_given_statistics ? dnnl_use_global_stats : 0);
    if (n->pass == dnnl_backward)
        return dnnl_batch_normalization_backward_primitive_desc_create(
            pd, target->engine, n->pass, image, image, image, n->epsilon, flags, forward,
            target->attributes);
    return dnnl_batch_normalization_forward_primitive_desc_create(
        pd, target->engine, n->pass, image, image, n->epsilon, flags, target->attributes);
}

dnnl_status_t cpu_layer_normalization_descriptor(dnnl_primitive_desc_t *pd,
                                                 const struct cpu_target *target,
                                                 const struct cpu_layer_normalization *n,
                                                 const_dnnl_primitive_desc_t forward)
{
    const_dnnl_memory_desc_t rows = library(n->rows), statistics = library(n->statistics);
    const unsigned flags = dnnl_use_scale | dnnl_use_shift;
    if (n->pass == dnnl_backward)
        return dnnl_layer_normalization_backward_primitive_desc_create(
            pd, target->engine, n->pass, rows, rows, rows, statistics, n->epsilon, flags, forward,
            target->attributes);
    return dnnl_layer_normalization_forward_primitive_desc_create(
        pd, target->engine, n->pass, rows, rows, statistics, n->epsilon, flags, target->attributes);
}

/* The factors follow from the layouts. */
dnnl_status_t cpu_resampling_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                        const struct cpu_resampling *r,
                                        const_dnnl_primitive_desc_t forward)
{
    const_dnnl_memory_desc_t input = library(r->input), output = library(r->output);
    if (r->pass == dnnl_backward_data)
        return dnnl_resampling_backward_primitive_desc_create(
            pd, target->engine, r->algorithm, NULL, input, output, forward, target->attributes);
    return dnnl_resampling_forward_primitive_desc_create(pd, target->engine, r->pass, r->algorithm,
                                                         NULL, input, output, target->attributes);
}

dnnl_status_t cpu_elementwise_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                         const struct cpu_elementwise *e,
                                         const_dnnl_primitive_desc_t forward)
{
    const_dnnl_memory_desc_t output = library(e->output), gradient = library(e->gradient);
    if (e->pass == dnnl_backward_data)
        return dnnl_eltwise_backward_primitive_desc_create(pd, target->engine, e->algorithm,
                                                           gradient, gradient, output, e->alpha,
                                                           e->beta, forward, target->attributes);
    return dnnl_eltwise_forward_primitive_desc_create(pd, target->engine, e->pass, e->algorithm,
                                                      output, output, e->alpha, e->beta,
                                                      target->attributes);
}

dnnl_status_t cpu_softmax_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                     const struct cpu_softmax *s,
                                     const_dnnl_primitive_desc_t forward)
{
    const int axis = cpu_layout_rank(s->rows) - 1;
    const_dnnl_memory_desc_t rows = library(s->rows);
    if (s->pass == dnnl_backward_data)
        return dnnl_softmax_backward_primitive_desc_create(pd, target->engine,
                                                           dnnl_softmax_accurate, rows, rows, rows,
                                                           axis, forward, target->attributes);
    return dnnl_softmax_forward_primitive_desc_create(
        pd, target->engine, s->pass, dnnl_softmax_accurate, rows, rows, axis, target->attributes);
}

static dnnl_status_t scale_output(dnnl_primitive_attr_t attributes, float scale)
{
    dnnl_post_ops_t operations;
    dnnl_status_t status = dnnl_post_ops_create(&operations);
    if (status != dnnl_success)
        return status;
    status = dnnl_post_ops_append_eltwise(operations, dnnl_eltwise_linear, scale, 0);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(attributes, operations);
    dnnl_post_ops_destroy(operations);
    return status;
}

dnnl_status_t cpu_matmul_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                    const struct cpu_matmul *m)
{
    dnnl_primitive_attr_t scaled;
    dnnl_status_t status = dnnl_primitive_attr_clone(&scaled, target->attributes);
    if (status != dnnl_success)
        return status;
    if (m->scale != 1)
        status = scale_output(scaled, m->scale);
    if (status == dnnl_success)
        status = dnnl_matmul_primitive_desc_create(pd, target->engine, library(m->left),
                                                   library(m->right), NULL, library(m->output),
                                                   scaled);
    dnnl_primitive_attr_destroy(scaled);
    return status;
}

dnnl_status_t cpu_binary_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                    dnnl_alg_kind_t algorithm, const struct cpu_layout *layout)
{
    const_dnnl_memory_desc_t tensor = library(layout);
    return dnnl_binary_primitive_desc_create(pd, target->engine, algorithm, tensor, tensor, tensor,
                                             target->attributes);
}

dnnl_status_t cpu_reorder_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                     const struct cpu_layout *from, const struct cpu_layout *to)
{
    return dnnl_reorder_primitive_desc_create(pd, library(from), target->engine, library(to),
                                              target->engine, target->attributes);
}

#endif
