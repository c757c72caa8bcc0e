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

enum status cpu_input(struct cpu_plan *plan, struct plan *const *inputs, int which,
                      const struct cpu_layout *layout, struct error *error)
{
    return take_input(&plan->tensor[CPU_INPUT + which], plan, cpu_producer(inputs, which), layout,
                      error);
}

/* ---- gradients ---- */

/* Where the producer reads its output's gradient; NULL: it does not. */
static const struct cpu_tensor *target_of(const struct cpu_plan *producer)
{
    const struct cpu_tensor *target = producer ? &producer->tensor[CPU_OUTPUT_GRADIENT] : NULL;
    return target && target->memory ? target : NULL;
}

/* Whether nobody else, nor an input before it, hands the producer of input `which` a gradient. */
static bool is_first_reader(struct plan *const *inputs, int which)
{
    const struct cpu_plan *producer = cpu_producer(inputs, which);
    bool is_first = !producer->reader;
    for (int i = 0; i < which; i++)
        is_first &= producer != cpu_producer(inputs, i);
    return is_first;
}

enum status cpu_input_gradient(struct cpu_plan *plan, struct plan *const *inputs, int which,
                               const struct cpu_layout *layout, struct error *error)
{
    struct cpu_tensor *own = &plan->tensor[CPU_INPUT_GRADIENT + which];
    const struct cpu_tensor *target = target_of(cpu_producer(inputs, which));
    if (!target || !is_first_reader(inputs, which))
        return cpu_tensor_create(own, plan, layout, 0, error);
    cpu_operand_spoil(plan->device, target);
    if (cpu_layout_equal(target->layout, layout))
        return cpu_tensor_view(own, plan, layout, target->data, error);
    return cpu_tensor_create(own, plan, layout, 0, error);
}

/* `from` in the target's dimensions. */
static enum status shape_like(struct cpu_tensor *shaped, struct cpu_plan *plan,
                              const struct cpu_tensor *from, const struct cpu_tensor *target,
                              struct error *error)
{
    TRY(cpu_tensor_view(shaped, plan, from->layout, from->data, error));
    if (cpu_same_dimensions(from->layout, target->layout))
        return STATUS_OK;
    return flatten(shaped, plan, PHASE_BACKWARD, shaped, target->layout, error);
}

static enum status add_copy(struct cpu_plan *plan, const struct cpu_tensor *from,
                            const struct cpu_tensor *target, struct error *error)
{
    struct cpu_tensor shaped, wanted;
    TRY(cpu_tensor_view(&wanted, plan, target->layout, target->data, error));
    TRY(shape_like(&shaped, plan, from, target, error));
    return cpu_reorder(plan, PHASE_BACKWARD, &shaped, &wanted, error);
}

/* The target becomes its sum with `from`. */
static enum status add_sum(struct cpu_plan *plan, const struct cpu_tensor *from,
                           const struct cpu_tensor *target, struct error *error)
{
    struct cpu_tensor shaped, ordered, wanted;
    dnnl_primitive_desc_t pd;
    TRY(cpu_tensor_view(&wanted, plan, target->layout, target->data, error));
    TRY(shape_like(&shaped, plan, from, target, error));
    TRY(cpu_adapt(&ordered, plan, PHASE_BACKWARD, &shaped, target->layout, error));
    DNNL_TRY(plan, error, cpu_sum_descriptor(&pd, &plan->device->target, target->layout));
    const struct cpu_argument arguments[] = {
        {DNNL_ARG_SRC_0, &wanted}, {DNNL_ARG_SRC_1, &ordered}, {DNNL_ARG_DST, &wanted}};
    const enum status status = cpu_step_add(plan, PHASE_BACKWARD, pd, arguments, 3, error);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

/* The producer's first reader is the last to run backward: the sum goes behind its own steps. */
static enum status add_to_others(struct cpu_plan *reader, enum outcome *outcome,
                                 const struct cpu_tensor *from, const struct cpu_tensor *target,
                                 struct error *error)
{
    enum outcome *own_outcome = reader->outcome;
    reader->outcome = outcome;
    const enum status status = add_sum(reader, from, target, error);
    reader->outcome = own_outcome;
    return status;
}

enum status cpu_input_gradient_deliver(struct cpu_plan *plan, struct plan *const *inputs, int which,
                                       struct error *error)
{
    struct cpu_plan *producer = cpu_producer(inputs, which);
    const struct cpu_tensor *target = target_of(producer);
    const struct cpu_tensor *own = &plan->tensor[CPU_INPUT_GRADIENT + which];
    if (!target)
        return STATUS_OK;
    if (producer->reader)
        return add_to_others(producer->reader, plan->outcome, own, target, error);
    producer->reader = plan;
    return own->data == target->data ? STATUS_OK : add_copy(plan, own, target, error);
}

enum status cpu_shared_gradient_deliver(struct cpu_plan *plan, struct plan *const *inputs,
                                        int which, struct error *error)
{
    struct cpu_plan *producer = cpu_producer(inputs, which);
    const struct cpu_tensor *target = target_of(producer);
    if (target && producer->reader)
        return add_to_others(producer->reader, plan->outcome, &plan->tensor[CPU_INPUT_GRADIENT],
                             target, error);
    if (target)
        producer->reader = plan;
    return STATUS_OK;
}
