/* loss with kernels of our own (cross_entropy.h). The labels are filled here: no other layer writes
 * indices.
 */
#include "cross_entropy.h"
#include "cuda_check.h"
#include "cuda_device.h"

#include <stdio.h>

struct loss_plan {
    struct cuda_plan base;
    struct cross_entropy entropy;
};

static enum status choose(struct cuda_plan *base, struct error *error)
{
    struct loss_plan *plan = (struct loss_plan *)base;
    struct cuda_device *device = base->device;
    void *partial;
    plan->entropy = (struct cross_entropy){.rows = base->count[CUDA_INPUT + 1],
                                           .classes = base->config.as.loss.classes,
                                           .precision = base->config.precision};
    snprintf(base->base.algorithm, sizeof base->base.algorithm, "cross_entropy_kernel");
    TRY(cuda_take(&partial, device, cross_entropy_partial(&plan->entropy) * (int64_t)sizeof(float),
                  error));
    plan->entropy.partial = partial;
    CUDA_TRY(error, launch_indices(base->tensor[CUDA_INPUT + 1], plan->entropy.rows,
                                   base->config.as.loss.classes, CUDA_INPUT + 1, device->seed,
                                   device->stream));
    return STATUS_OK;
}

static cudaError_t launch(struct loss_plan *plan, enum cuda_direction direction)
{
    void *const *tensor = plan->base.tensor;
    cudaStream_t stream = plan->base.device->stream;
    plan->entropy.labels = tensor[CUDA_INPUT + 1];
    plan->entropy.logarithms = tensor[CUDA_KEPT];
    return direction == CUDA_FORWARD
               ? launch_cross_entropy(tensor[CUDA_PRODUCT], tensor[CUDA_INPUT], &plan->entropy,
                                      stream)
               : launch_cross_entropy_backward(tensor[CUDA_INPUT_GRADIENT],
                                               tensor[CUDA_PRODUCT_GRADIENT], tensor[CUDA_INPUT],
                                               &plan->entropy, stream);
}

static enum status run(struct cuda_plan *base, enum cuda_direction direction, struct error *error)
{
    CUDA_TRY(error, launch((struct loss_plan *)base, direction));
    return STATUS_OK;
}

const struct cuda_kind cuda_loss = {
    .plan_bytes = sizeof(struct loss_plan),
    .takes_kept = true,
    .choose = choose,
    .run = run,
};
