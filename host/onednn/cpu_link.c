/* Layers linked to the layers that feed them. */
#include "onednn/cpu_plan.h"

/* Row-major, with the dimensions and type of `like`. */
static enum status plain_like(const struct cpu_layout **layout, struct cpu_plan *plan,
                              const struct cpu_layout *like, struct error *error)
{
    return cpu_plain_layout(layout, plan, cpu_layout_rank(like), cpu_layout_dimensions(like),
                            cpu_layout_type(like), error);
}

/* `from` with the dimensions of `wanted`: in plain order, then reinterpreted. */
static enum status flatten(struct cpu_tensor *flat, struct cpu_plan *plan, int phase,
                           const struct cpu_tensor *from, const struct cpu_layout *wanted,
                           struct error *error)
{
    const struct cpu_layout *plain, *wanted_plain;
    struct cpu_tensor ordered;
    TRY(plain_like(&plain, plan, from->layout, error));
    TRY(plain_like(&wanted_plain, plan, wanted, error));
    TRY(cpu_adapt(&ordered, plan, phase, from, plain, error));
    return cpu_tensor_view(flat, plan, wanted_plain, ordered.data, error);
}

/* A tensor of the layer in that layout: noise, or what the producer writes. */
static enum status take_input(struct cpu_tensor *own, struct cpu_plan *plan,
                              const struct cpu_plan *producer, const struct cpu_layout *layout,
                              struct error *error)
{
    if (!producer)
        return cpu_operand_create(own, plan, layout, error);
    struct cpu_tensor produced = producer->tensor[CPU_OUTPUT];
    TRY(cpu_tensor_view(&produced, plan, produced.layout, produced.data, error));
    if (!cpu_same_dimensions(produced.layout, layout))
        TRY(flatten(&produced, plan, PHASE_FORWARD, &produced, layout, error));
    return cpu_adapt(own, plan, PHASE_FORWARD, &produced, layout, error);
}

enum status cpu_input(struct cpu_plan *plan, struct cpu_plan *input,
                      const struct cpu_layout *layout, struct error *error)
{
    return take_input(&plan->tensor[CPU_INPUT], plan, input, layout, error);
}

enum status cpu_second_input(struct cpu_plan *plan, struct cpu_plan *input,
                             const struct cpu_layout *layout, struct error *error)
{
    return take_input(&plan->tensor[CPU_SECOND_INPUT], plan, input, layout, error);
}

enum status cpu_input_gradient(struct cpu_plan *plan, struct cpu_plan *input,
                               const struct cpu_layout *layout, struct error *error)
{
    const struct cpu_tensor *target = input ? &input->tensor[CPU_OUTPUT_GRADIENT] : NULL;
    if (target && target->memory)
        cpu_operand_spoil(plan->device, target);
    if (target && target->memory && cpu_layout_equal(target->layout, layout))
        return cpu_tensor_view(&plan->tensor[CPU_INPUT_GRADIENT], plan, layout, target->data,
                               error);
    return cpu_tensor_create(&plan->tensor[CPU_INPUT_GRADIENT], plan, layout, 0, error);
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
    TRY(cpu_tensor_view(&wanted, plan, target->layout, target->data, error));
    if (!cpu_same_dimensions(own.layout, wanted.layout))
        TRY(flatten(&own, plan, PHASE_BACKWARD, &own, wanted.layout, error));
    return cpu_reorder(plan, PHASE_BACKWARD, &own, &wanted, error);
}
