/* Further sets of a plan's operands: copies of the first, behind it in the arena. A recording of
 * calls that take turns on them holds the pointers of each.
 */
#include "cuda_check.h"
#include "cuda_device.h"

static void *moved(const void *memory, int64_t distance)
{
    unsigned char *start = (unsigned char *)(uintptr_t)memory;
    return start ? start + distance : NULL;
}

static void move_update(struct optimizer_update *update, int64_t distance)
{
    update->parameters = moved(update->parameters, distance);
    update->gradient = moved(update->gradient, distance);
    for (int i = 0; i < 2; i++)
        update->state[i] = moved(update->state[i], distance);
}

void cuda_use_set(struct cuda_plan *plan, int set)
{
    const int64_t distance = (set - plan->bound_set) * plan->base.operand_bytes;
    if (distance == 0)
        return;
    for (int role = 0; role < CUDA_ROLE_COUNT; role++)
        plan->tensor[role] = moved(plan->tensor[role], distance);
    for (int i = 0; i < plan->update_count; i++)
        move_update(&plan->updates[i], distance);
    plan->bound_set = set;
}

static enum status fill_set(struct cuda_plan *plan, int set, struct error *error)
{
    struct cuda_device *device = plan->device;
    const int64_t bytes = plan->base.operand_bytes;
    unsigned char *first = device->arena + plan->operand_start;
    CUDA_TRY(error, cudaMemcpyAsync(first + set * bytes, first, (size_t)bytes,
                                    cudaMemcpyDeviceToDevice, device->stream));
    cuda_use_set(plan, set);
    return plan->kind->bind_set ? plan->kind->bind_set(plan, error) : STATUS_OK;
}

enum status cuda_replicate(struct cuda_plan *plan, int count, struct error *error)
{
    enum status status = STATUS_OK;
    void *memory;
    TRY(cuda_take(&memory, plan->device, (count - 1) * plan->base.operand_bytes, error));
    plan->set_count = count;
    for (int set = 1; set < count && status == STATUS_OK; set++)
        status = fill_set(plan, set, error);
    cuda_use_set(plan, 0);
    TRY(status);
    CUDA_TRY(error, cudaStreamSynchronize(plan->device->stream));
    return STATUS_OK;
}
