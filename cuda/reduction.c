/* reduction with kernels of our own (reduction.h). */
#include "reduction.h"
#include "cuda_check.h"
#include "cuda_device.h"

#include <stdio.h>

struct reduction_plan {
    struct cuda_plan base;
    struct reduction_shape shape;
    void *scratch; /* of slices of the axis */
};

static enum status choose(struct cuda_plan *base, struct error *error)
{
    static const int32_t folds[REDUCE_COUNT] = {[REDUCE_MEAN] = FOLD_SUM,
                                                [REDUCE_SUM] = FOLD_SUM,
                                                [REDUCE_MAX] = FOLD_MAX,
                                                [REDUCE_MIN] = FOLD_MIN,
                                                [REDUCE_NORM] = FOLD_SQUARES};
    struct reduction_plan *plan = (struct reduction_plan *)base;
    const struct reduction *of = &base->config.as.reduction;
    plan->shape = (struct reduction_shape){
        .outer = (int64_t)base->config.batch_size * of->outer,
        .length = of->length,
        .inner = of->inner,
        .fold = folds[of->reduce],
        .precision = base->config.precision,
        .factor = of->reduce == REDUCE_MEAN ? 1.0f / (float)of->length : 1,
        .is_root = of->reduce == REDUCE_NORM,
    };
    snprintf(base->base.algorithm, sizeof base->base.algorithm, "%s",
             of->inner == 1 ? "reduce_rows_kernel" : "reduce_columns_kernel");
    return cuda_take(&plan->scratch, base->device,
                     reduction_scratch(&plan->shape) * (int64_t)sizeof(float), error);
}

static cudaError_t launch_backward(struct reduction_plan *plan)
{
    void *const *tensor = plan->base.tensor;
    cudaStream_t stream = plan->base.device->stream;
    void *to = tensor[CUDA_INPUT_GRADIENT];
    const void *from = tensor[CUDA_PRODUCT_GRADIENT];
    switch (plan->shape.fold) {
    case FOLD_SQUARES:
        return launch_norm_gradient(to, tensor[CUDA_INPUT], from, tensor[CUDA_OUTPUT], &plan->shape,
                                    stream);
    case FOLD_MAX:
    case FOLD_MIN:
        return launch_scatter_winners(to, from, tensor[CUDA_KEPT], &plan->shape, stream);
    default:
        return launch_spread(to, from, &plan->shape, stream);
    }
}

static enum status run(struct cuda_plan *base, enum cuda_direction direction, struct error *error)
{
    struct reduction_plan *plan = (struct reduction_plan *)base;
    if (direction == CUDA_FORWARD)
        CUDA_TRY(error, launch_reduction(base->tensor[CUDA_PRODUCT], base->tensor[CUDA_KEPT],
                                         plan->scratch, base->tensor[CUDA_INPUT], NULL,
                                         &plan->shape, base->device->stream));
    else if (direction == CUDA_BACKWARD_DATA)
        CUDA_TRY(error, launch_backward(plan));
    return STATUS_OK;
}

const struct cuda_kind cuda_reduction = {
    .plan_bytes = sizeof(struct reduction_plan),
    .takes_kept = true,
    .choose = choose,
    .run = run,
};
