/* A plan's tensors in plain fp32, for tests. */
#include "onednn/cpu_plan.h"

static enum status plain_tensor(struct cpu_tensor *plain, struct cpu_plan *plan,
                                const struct cpu_tensor *tensor, float *values, struct error *error)
{
    const struct cpu_layout *layout;
    if (!tensor->memory)
        return FAIL(error, STATUS_FAILED, "the plan has no such tensor");
    TRY(cpu_plain_layout(&layout, plan, cpu_layout_rank(tensor->layout),
                         cpu_layout_dimensions(tensor->layout), dnnl_f32, error));
    return cpu_tensor_view(plain, plan, layout, values, error);
}

enum status cpu_plan_read(float *values, struct cpu_plan *plan, enum cpu_role role,
                          struct error *error)
{
    struct cpu_tensor plain;
    TRY(plain_tensor(&plain, plan, &plan->tensor[role], values, error));
    return cpu_copy(plan, &plan->tensor[role], &plain, error);
}

enum status cpu_plan_write(struct cpu_plan *plan, enum cpu_role role, const float *values,
                           struct error *error)
{
    struct cpu_tensor plain;
    TRY(plain_tensor(&plain, plan, &plan->tensor[role], (float *)values, error));
    return cpu_copy(plan, &plain, &plan->tensor[role], error);
}
