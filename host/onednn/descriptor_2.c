/* oneDNN 2.6: memory descriptors are plain structs, primitives are described in two steps. */
#include <dnnl_version.h>

#if DNNL_VERSION_MAJOR == 2

#include "base/choice.h"
#include "onednn/descriptor.h"

#include <stdlib.h>

static const dnnl_memory_desc_t *library(const struct cpu_layout *layout)
{
    return (const dnnl_memory_desc_t *)layout;
}

/* 16 bits are taken from version 3 on. */
bool cpu_has_precision(int32_t precision)
{
    return precision == PRECISION_FP32;
}

/* ---- layouts ---- */

dnnl_status_t cpu_layout_create(struct cpu_layout **layout, int rank, const dnnl_dim_t *dimensions,
                                dnnl_data_type_t type, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t *created = malloc(sizeof *created);
    *layout = (struct cpu_layout *)created;
    if (!created)
        return dnnl_out_of_memory;
    const dnnl_status_t status = dnnl_memory_desc_init_by_tag(created, rank, dimensions, type, tag);
    if (status != dnnl_success) {
        free(created);
        *layout = NULL;
    }
    return status;
}

void cpu_layout_destroy(struct cpu_layout *layout)
{
    free(layout);
}

int cpu_layout_rank(const struct cpu_layout *layout)
{
    return library(layout)->ndims;
}

const dnnl_dim_t *cpu_layout_dimensions(const struct cpu_layout *layout)
{
    return library(layout)->dims;
}

dnnl_data_type_t cpu_layout_type(const struct cpu_layout *layout)
{
    return library(layout)->data_type;
}

size_t cpu_layout_bytes(const struct cpu_layout *layout)
{
    return layout ? dnnl_memory_desc_get_size(library(layout)) : 0;
}

bool cpu_layout_equal(const struct cpu_layout *a, const struct cpu_layout *b)
{
    return dnnl_memory_desc_equal(library(a), library(b)) != 0;
}

bool cpu_layout_order(struct cpu_order *order, const struct cpu_layout *layout)
{
    const dnnl_memory_desc_t *from = library(layout);
    const dnnl_blocking_desc_t *blocking = &from->format_desc.blocking;
    if (from->format_kind != dnnl_blocked)
        return false;
    *order = (struct cpu_order){
        .rank = from->ndims, .inner_count = blocking->inner_nblks, .first = from->offset0};
    for (int i = 0; i < from->ndims; i++) {
        order->dimensions[i] = from->dims[i];
        order->padded[i] = from->padded_dims[i];
        order->strides[i] = blocking->strides[i];
        if (from->padded_offsets[i] != 0)
            return false;
    }
    for (int i = 0; i < blocking->inner_nblks; i++) {
        order->inner_sizes[i] = blocking->inner_blks[i];
        order->inner_dimensions[i] = blocking->inner_idxs[i];
    }
    return true;
}

const struct cpu_layout *cpu_layout_of(const_dnnl_primitive_desc_t pd, dnnl_query_t what, int index)
{
    return (const struct cpu_layout *)dnnl_primitive_desc_query_md(pd, what, index);
}

dnnl_status_t cpu_memory_create(dnnl_memory_t *memory, const struct cpu_layout **own,
                                const struct cpu_layout *layout, dnnl_engine_t engine, void *data)
{
    const dnnl_memory_desc_t *kept = NULL;
    dnnl_status_t status = dnnl_memory_create(memory, library(layout), engine, data);
    if (status == dnnl_success)
        status = dnnl_memory_get_memory_desc(*memory, &kept);
    *own = (const struct cpu_layout *)kept;
    return status;
}

const struct cpu_layout *cpu_memory_layout(const_dnnl_memory_t memory)
{
    const dnnl_memory_desc_t *kept = NULL;
    return dnnl_memory_get_memory_desc(memory, &kept) == dnnl_success
               ? (const struct cpu_layout *)kept
               : NULL;
}

/* ---- descriptors ---- */

/* The second step, where the first one succeeded. */
static dnnl_status_t describe(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                              dnnl_status_t status, const_dnnl_op_desc_t operation,
                              const_dnnl_primitive_desc_t forward)
{
    if (status != dnnl_success)
        return status;
    return dnnl_primitive_desc_create(pd, operation, target->attributes, target->engine, forward);
}

static dnnl_status_t start_convolution(dnnl_convolution_desc_t *operation,
                                       const struct cpu_convolution *c)
{
    const dnnl_memory_desc_t *input = library(c->input), *weights = library(c->weights);
    const dnnl_memory_desc_t *bias = library(c->bias), *output = library(c->output);
    if (c->pass == dnnl_backward_data)
        return dnnl_dilated_convolution_backward_data_desc_init(
            operation, dnnl_convolution_direct, input, weights, output, c->strides, c->gaps,
            c->pad_before, c->pad_after);
    if (c->pass == dnnl_backward_weights)
        return dnnl_dilated_convolution_backward_weights_desc_init(
            operation, dnnl_convolution_direct, input, weights, bias, output, c->strides, c->gaps,
            c->pad_before, c->pad_after);
    return dnnl_dilated_convolution_forward_desc_init(operation, c->pass, dnnl_convolution_direct,
                                                      input, weights, bias, output, c->strides,
                                                      c->gaps, c->pad_before, c->pad_after);
}

static dnnl_status_t start_deconvolution(dnnl_deconvolution_desc_t *operation,
                                         const struct cpu_convolution *c)
{
    const dnnl_memory_desc_t *input = library(c->input), *weights = library(c->weights);
    const dnnl_memory_desc_t *bias = library(c->bias), *output = library(c->output);
    if (c->pass == dnnl_backward_data)
        return dnnl_dilated_deconvolution_backward_data_desc_init(
            operation, dnnl_deconvolution_direct, input, weights, output, c->strides, c->gaps,
            c->pad_before, c->pad_after);
    if (c->pass == dnnl_backward_weights)
        return dnnl_dilated_deconvolution_backward_weights_desc_init(
            operation, dnnl_deconvolution_direct, input, weights, bias, output, c->strides, c->gaps,
            c->pad_before, c->pad_after);
    return dnnl_dilated_deconvolution_forward_desc_init(
        operation, c->pass, dnnl_deconvolution_direct, input, weights, bias, output, c->strides,
        c->gaps, c->pad_before, c->pad_after);
}

dnnl_status_t cpu_convolution_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                         const struct cpu_convolution *convolution,
                                         const_dnnl_primitive_desc_t forward)
{
    dnnl_convolution_desc_t operation; /* a deconvolution's is the same type */
    const dnnl_status_t status = convolution->is_transposed
                                     ? start_deconvolution(&operation, convolution)
                                     : start_convolution(&operation, convolution);
    return describe(pd, target, status, &operation, forward);
}

static dnnl_status_t start_inner_product(dnnl_inner_product_desc_t *operation,
                                         const struct cpu_inner_product *p)
{
    const dnnl_memory_desc_t *input = library(p->input), *weights = library(p->weights);
    const dnnl_memory_desc_t *bias = library(p->bias), *output = library(p->output);
    if (p->pass == dnnl_backward_data)
        return dnnl_inner_product_backward_data_desc_init(operation, input, weights, output);
    if (p->pass == dnnl_backward_weights)
        return dnnl_inner_product_backward_weights_desc_init(operation, input, weights, bias,
                                                             output);
    return dnnl_inner_product_forward_desc_init(operation, p->pass, input, weights, bias, output);
}

dnnl_status_t cpu_inner_product_descriptor(dnnl_primitive_desc_t *pd,
                                           const struct cpu_target *target,
                                           const struct cpu_inner_product *product,
                                           const_dnnl_primitive_desc_t forward)
{
    dnnl_inner_product_desc_t operation;
    return describe(pd, target, start_inner_product(&operation, product), &operation, forward);
}

dnnl_status_t cpu_pooling_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                     const struct cpu_pooling *p,
                                     const_dnnl_primitive_desc_t forward)
{
    dnnl_pooling_desc_t operation;
    const dnnl_memory_desc_t *input = library(p->input), *output = library(p->output);
    const dnnl_status_t status =
        p->pass == dnnl_backward_data
            ? dnnl_pooling_backward_desc_init(&operation, p->algorithm, input, output, p->strides,
                                              p->kernel, p->pad_before, p->pad_after)
            : dnnl_pooling_forward_desc_init(&operation, p->pass, p->algorithm, input, output,
                                             p->strides, p->kernel, p->pad_before, p->pad_after);
    return describe(pd, target, status, &operation, forward);
}

const int cpu_backward_shift_argument = DNNL_ARG_SHIFT;

dnnl_status_t cpu_batch_normalization_descriptor(dnnl_primitive_desc_t *pd,
                                                 const struct cpu_target *target,
                                                 const struct cpu_batch_normalization *n,
                                                 const_dnnl_primitive_desc_t forward)
{
    dnnl_batch_normalization_desc_t operation;
    const dnnl_memory_desc_t *image = library(n->image);
    const unsigned flags = dnnl_use_scale | dnnl_use_shift |
                           (n->has_relu ? dnnl_fuse_norm_relu : 0) |
                           (n->has_given_statistics ? dnnl_use_global_stats : 0);
    const dnnl_status_t status = n->pass == dnnl_backward
                                     ? dnnl_batch_normalization_backward_desc_init(
                                           &operation, n->pass, image, image, n->epsilon, flags)
                                     : dnnl_batch_normalization_forward_desc_init(
                                           &operation, n->pass, image, n->epsilon, flags);
    return describe(pd, target, status, &operation, forward);
}

dnnl_status_t cpu_layer_normalization_descriptor(dnnl_primitive_desc_t *pd,
                                                 const struct cpu_target *target,
                                                 const struct cpu_layer_normalization *n,
                                                 const_dnnl_primitive_desc_t forward)
{
    dnnl_layer_normalization_desc_t operation;
    const dnnl_memory_desc_t *rows = library(n->rows), *statistics = library(n->statistics);
    const unsigned flags = dnnl_use_scale | dnnl_use_shift;
    const dnnl_status_t status =
        n->pass == dnnl_backward
            ? dnnl_layer_normalization_backward_desc_init(&operation, n->pass, rows, rows,
                                                          statistics, n->epsilon, flags)
            : dnnl_layer_normalization_forward_desc_init(&operation, n->pass, rows, statistics,
                                                         n->epsilon, flags);
    return describe(pd, target, status, &operation, forward);
}

/* The factors follow from the layouts. */
dnnl_status_t cpu_resampling_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                        const struct cpu_resampling *r,
                                        const_dnnl_primitive_desc_t forward)
{
    dnnl_resampling_desc_t operation;
    const dnnl_memory_desc_t *input = library(r->input), *output = library(r->output);
    const dnnl_status_t status = r->pass == dnnl_backward_data
                                     ? dnnl_resampling_backward_desc_init(&operation, r->algorithm,
                                                                          NULL, input, output)
                                     : dnnl_resampling_forward_desc_init(
                                           &operation, r->pass, r->algorithm, NULL, input, output);
    return describe(pd, target, status, &operation, forward);
}

dnnl_status_t cpu_elementwise_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                         const struct cpu_elementwise *e,
                                         const_dnnl_primitive_desc_t forward)
{
    dnnl_eltwise_desc_t operation;
    const dnnl_status_t status =
        e->pass == dnnl_backward_data
            ? dnnl_eltwise_backward_desc_init(&operation, e->algorithm, library(e->gradient),
                                              library(e->output), e->alpha, e->beta)
            : dnnl_eltwise_forward_desc_init(&operation, e->pass, e->algorithm, library(e->output),
                                             e->alpha, e->beta);
    return describe(pd, target, status, &operation, forward);
}

dnnl_status_t cpu_softmax_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                     const struct cpu_softmax *s,
                                     const_dnnl_primitive_desc_t forward)
{
    dnnl_softmax_desc_t operation;
    const int axis = cpu_layout_rank(s->rows) - 1;
    const dnnl_memory_desc_t *rows = library(s->rows);
    const dnnl_status_t status = s->pass == dnnl_backward_data
                                     ? dnnl_softmax_backward_desc_init(&operation, rows, rows, axis)
                                     : dnnl_softmax_forward_desc_init(&operation, s->pass, rows,
                                                                      axis);
    return describe(pd, target, status, &operation, forward);
}

dnnl_status_t cpu_matmul_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                    const struct cpu_matmul *m)
{
    dnnl_matmul_desc_t operation;
    struct cpu_target scaled = {.engine = target->engine};
    dnnl_status_t status = dnnl_primitive_attr_clone(&scaled.attributes, target->attributes);
    if (status != dnnl_success)
        return status;
    if (m->scale != 1)
        status = dnnl_primitive_attr_set_output_scales(scaled.attributes, 1, 0, &m->scale);
    if (status == dnnl_success)
        status = dnnl_matmul_desc_init(&operation, library(m->left), library(m->right), NULL,
                                       library(m->output));
    status = describe(pd, &scaled, status, &operation, NULL);
    dnnl_primitive_attr_destroy(scaled.attributes);
    return status;
}

dnnl_status_t cpu_binary_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                    dnnl_alg_kind_t algorithm, const struct cpu_layout *layout)
{
    dnnl_binary_desc_t operation;
    const dnnl_memory_desc_t *tensor = library(layout);
    return describe(pd, target,
                    dnnl_binary_desc_init(&operation, algorithm, tensor, tensor, tensor),
                    &operation, NULL);
}

dnnl_status_t cpu_reorder_descriptor(dnnl_primitive_desc_t *pd, const struct cpu_target *target,
                                     const struct cpu_layout *from, const struct cpu_layout *to)
{
    return dnnl_reorder_primitive_desc_create(pd, library(from), target->engine, library(to),
                                              target->engine, target->attributes);
}

#endif
