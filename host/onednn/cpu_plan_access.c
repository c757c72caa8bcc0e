/* A plan's tensors in plain layout, for tests. */
#include "onednn/cpu_plan.h"

#include <string.h>

static enum status copy_once(struct cpu_plan *plan, const struct cpu_tensor *from,
                             const struct cpu_tensor *to, struct error *error)
{
    int first = plan->step_count;
    TRY(cpu_reorder(plan, 0, from, to, error));
    const struct cpu_step *step = &plan->steps[first];
    dnnl_status_t status = dnnl_primitive_execute(step->primitive, plan->device->stream,
                                                  step->argument_count, step->arguments);
    dnnl_primitive_destroy(step->primitive);
    plan->step_count = first;
    return status == dnnl_success ? STATUS_OK
                                  : FAIL(error, STATUS_FAILED, "oneDNN: reorder %d", (int)status);
}

static enum status plain_tensor(struct cpu_tensor *plain, struct cpu_plan *plan,
                                const struct cpu_tensor *tensor, float *values, struct error *error)
{
    if (!tensor->memory)
        return FAIL(error, STATUS_FAILED, "the plan has no such tensor");
    dnnl_memory_desc_t desc = cpu_desc(tensor->desc.ndims, tensor->desc.dims, false);
    return cpu_tensor_view(plain, plan, &desc, values, error);
}

enum status cpu_plan_read(float *values, struct cpu_plan *plan, enum cpu_role role,
                          struct error *error)
{
    struct cpu_tensor plain;
    TRY(plain_tensor(&plain, plan, &plan->tensor[role], values, error));
    return copy_once(plan, &plan->tensor[role], &plain, error);
}

enum status cpu_plan_write(struct cpu_plan *plan, enum cpu_role role, const float *values,
                           struct error *error)
{
    struct cpu_tensor plain;
    TRY(plain_tensor(&plain, plan, &plan->tensor[role], (float *)values, error));
    return copy_once(plan, &plain, &plan->tensor[role], error);
}
