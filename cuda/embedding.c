/* embedding with kernels of our own (row_gather.h). Indices and the table are filled here: no other
 * layer writes indices, and no product tells the size of the table's noise.
 */
#include "cuda_check.h"
#include "cuda_device.h"
#include "row_gather.h"

#include <stdio.h>

struct embedding_plan {
    struct cuda_plan base;
    struct row_gather gather;
    struct row_groups groups;
    int32_t *owners; /* NULL: the gradient is dense */
};

static enum status fill_operands(struct cuda_plan *plan, struct error *error)
{
    struct cuda_device *device = plan->device;
    CUDA_TRY(error, launch_indices(plan->tensor[CUDA_INPUT], plan->count[CUDA_INPUT],
                                   embedding_indices(&plan->config.as.embedding), CUDA_INPUT,
                                   device->seed, device->stream));
    CUDA_TRY(error,
             launch_noise(plan->tensor[CUDA_WEIGHTS], plan->count[CUDA_WEIGHTS], 1, CUDA_WEIGHTS,
                          device->seed, cuda_role_precision(plan, CUDA_WEIGHTS), device->stream));
    return STATUS_OK;
}

static enum status take_numbers(int32_t **numbers, struct embedding_plan *plan, struct error *error)
{
    void *memory;
    TRY(cuda_take(&memory, plan->base.device, plan->gather.rows * (int64_t)sizeof **numbers,
                  error));
    *numbers = memory;
    return STATUS_OK;
}

static enum status take_groups(struct embedding_plan *plan, struct error *error)
{
    struct row_groups *groups = &plan->groups;
    struct cuda_device *device = plan->base.device;
    void *partial;
    TRY(take_numbers(&groups->counted, plan, error));
    TRY(take_numbers(&groups->sorted, plan, error));
    TRY(take_numbers(&groups->positions, plan, error));
    TRY(cuda_take(&partial, device, row_gather_partial(&plan->gather) * (int64_t)sizeof(float),
                  error));
    groups->partial = partial;
    CUDA_TRY(error, row_gather_sort_bytes(&groups->sort_bytes, &plan->gather));
    TRY(cuda_take_workspace(&groups->sort_workspace, device, groups->sort_bytes, error));
    plan->base.base.workspace_bytes = groups->sort_bytes;
    CUDA_TRY(error, launch_count_up(groups->counted, plan->gather.rows, device->stream));
    return STATUS_OK;
}

/* An update changes the rows that have owners. */
static enum status take_owners(struct embedding_plan *plan, struct error *error)
{
    TRY(take_numbers(&plan->owners, plan, error));
    for (int i = 0; i < plan->base.update_count; i++) {
        plan->base.updates[i].owners = plan->owners;
        plan->base.updates[i].rows = plan->gather.rows;
        plan->base.updates[i].width = plan->gather.width;
    }
    return STATUS_OK;
}

static enum status choose(struct cuda_plan *base, struct error *error)
{
    struct embedding_plan *plan = (struct embedding_plan *)base;
    const struct embedding *of = &base->config.as.embedding;
    plan->gather = (struct row_gather){.rows = base->count[CUDA_INPUT],
                                       .width = of->width,
                                       .vocabulary = of->vocabulary,
                                       .precision = base->config.precision};
    snprintf(base->base.algorithm, sizeof base->base.algorithm, "row_gather_kernel");
    TRY(fill_operands(base, error));
    if (base->config.pass == PASS_FORWARD)
        return STATUS_OK;
    TRY(take_groups(plan, error));
    return of->gradient == GRADIENT_SPARSE ? take_owners(plan, error) : STATUS_OK;
}

static cudaError_t launch(struct embedding_plan *plan, enum cuda_direction direction)
{
    void *const *tensor = plan->base.tensor;
    cudaStream_t stream = plan->base.device->stream;
    plan->gather.indices = tensor[CUDA_INPUT];
    switch (direction) {
    case CUDA_FORWARD:
        return launch_row_gather(tensor[CUDA_PRODUCT], tensor[CUDA_WEIGHTS], &plan->gather, stream);
    case CUDA_BACKWARD_WEIGHTS:
        return launch_row_scatter(tensor[CUDA_WEIGHTS_GRADIENT], plan->owners,
                                  tensor[CUDA_PRODUCT_GRADIENT], &plan->gather, &plan->groups,
                                  stream);
    default: /* indices have no gradient */
        return cudaSuccess;
    }
}

static enum status run(struct cuda_plan *base, enum cuda_direction direction, struct error *error)
{
    CUDA_TRY(error, launch((struct embedding_plan *)base, direction));
    return STATUS_OK;
}

const struct cuda_kind cuda_embedding = {
    .plan_bytes = sizeof(struct embedding_plan),
    .choose = choose,
    .run = run,
};
