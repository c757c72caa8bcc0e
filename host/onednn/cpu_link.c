/* Layers linked to the layers that feed them. */
#include "onednn/cpu_plan.h"
#include "onednn/processor.h"

#include <string.h>

/* The producer's tensor as seen by a consumer with other dimensions: plain, then reinterpreted. */
static enum status flatten(struct cpu_tensor *flat, struct cpu_plan *plan,
                           const struct cpu_tensor *produced, const dnnl_memory_desc_t *desc,
                           struct error *error)
{
    dnnl_memory_desc_t plain = cpu_desc(produced->desc.ndims, produced->desc.dims, false);
    dnnl_memory_desc_t own_plain = cpu_desc(desc->ndims, desc->dims, false);
    struct cpu_tensor ordered;
    TRY(cpu_adapt(&ordered, plan, PHASE_FORWARD, produced, &plain, error));
    return cpu_tensor_view(flat, plan, &own_plain, ordered.data, error);
}

static bool has_same_dimensions(const dnnl_memory_desc_t *a, const dnnl_memory_desc_t *b)
{
    return a->ndims == b->ndims &&
           memcmp(a->dims, b->dims, (size_t)a->ndims * sizeof *a->dims) == 0;
}

/* A tensor of the layer in the layout desc: noise, or what the producer writes. */
static enum status take_input(struct cpu_tensor *own, struct cpu_plan *plan,
                              const struct cpu_plan *producer, const dnnl_memory_desc_t *desc,
                              struct error *error)
{
    if (!producer)
        return cpu_operand_create(own, plan, desc, error);
    struct cpu_tensor produced = producer->tensor[CPU_OUTPUT];
    TRY(cpu_tensor_view(&produced, plan, &produced.desc, produced.data, error));
    if (!has_same_dimensions(&produced.desc, desc))
        TRY(flatten(&produced, plan, &produced, desc, error));
    return cpu_adapt(own, plan, PHASE_FORWARD, &produced, desc, error);
}

enum status cpu_input(struct cpu_plan *plan, struct cpu_plan *input, const dnnl_memory_desc_t *desc,
                      struct error *error)
{
    return take_input(&plan->tensor[CPU_INPUT], plan, input, desc, error);
}

enum status cpu_second_input(struct cpu_plan *plan, struct cpu_plan *input,
                             const dnnl_memory_desc_t *desc, struct error *error)
{
    return take_input(&plan->tensor[CPU_SECOND_INPUT], plan, input, desc, error);
}

enum status cpu_input_gradient(struct cpu_plan *plan, struct cpu_plan *input,
                               const dnnl_memory_desc_t *desc, struct error *error)
{
    const struct cpu_tensor *target = input ? &input->tensor[CPU_OUTPUT_GRADIENT] : NULL;
    if (target && target->memory)
        cpu_operand_spoil(plan->device, target->data, dnnl_memory_desc_get_size(&target->desc));
    if (target && target->memory && dnnl_memory_desc_equal(&target->desc, desc))
        return cpu_tensor_view(&plan->tensor[CPU_INPUT_GRADIENT], plan, desc, target->data, error);
    return cpu_tensor_create(&plan->tensor[CPU_INPUT_GRADIENT], plan, desc, 0, error);
}

enum status cpu_input_gradient_deliver(struct cpu_plan *plan, struct cpu_plan *input,
                                       struct error *error)
{
    if (!input || !input->tensor[CPU_OUTPUT_GRADIENT].memory)
        return STATUS_OK;
    struct cpu_tensor own = plan->tensor[CPU_INPUT_GRADIENT], wanted;
    const struct cpu_tensor *target = &input->tensor[CPU_OUTPUT_GRADIENT];
    if (own.data == target->data)
        return STATUS_OK;
    TRY(cpu_tensor_view(&wanted, plan, &target->desc, target->data, error));
    if (!has_same_dimensions(&own.desc, &wanted.desc)) {
        dnnl_memory_desc_t own_plain = cpu_desc(own.desc.ndims, own.desc.dims, false);
        dnnl_memory_desc_t plain = cpu_desc(wanted.desc.ndims, wanted.desc.dims, false);
        struct cpu_tensor ordered;
        TRY(cpu_adapt(&ordered, plan, PHASE_BACKWARD, &own, &own_plain, error));
        TRY(cpu_tensor_view(&own, plan, &plain, ordered.data, error));
    }
    return cpu_reorder(plan, PHASE_BACKWARD, &own, &wanted, error);
}

static dnnl_format_tag_t blocked_layout(int32_t channels)
{
    int block = processor_vector_floats() >= 16 ? 16 : 8;
    if (channels < block)
        return dnnl_nchw;
    return block == 16 ? dnnl_nChw16c : dnnl_nChw8c;
}

enum status cpu_image_desc(dnnl_memory_desc_t *desc, struct cpu_plan *plan,
                           const struct cpu_plan *input, int32_t channels, int32_t size,
                           struct error *error)
{
    const dnnl_dims_t dimensions = {plan->config.batch_size, channels, size, size};
    DNNL_TRY(plan, error,
             dnnl_memory_desc_init_by_tag(desc, 4, dimensions, dnnl_f32, blocked_layout(channels)));
    if (input && has_same_dimensions(&input->tensor[CPU_OUTPUT].desc, desc))
        *desc = input->tensor[CPU_OUTPUT].desc;
    return STATUS_OK;
}
