/* softmax with kernels of our own (row_softmax.h). */
#include "cuda_check.h"
#include "cuda_device.h"
#include "row_softmax.h"

#include <stdio.h>

static enum status choose(struct cuda_plan *plan, struct error *error)
{
    (void)error;
    snprintf(plan->base.algorithm, sizeof plan->base.algorithm, "row_softmax_kernel");
    return STATUS_OK;
}

static enum status run(struct cuda_plan *plan, enum cuda_direction direction, struct error *error)
{
    const int64_t width = plan->config.as.softmax.width;
    const struct row_softmax softmax = {.rows = plan->count[CUDA_INPUT] / width,
                                        .width = width,
                                        .precision = plan->config.precision};
    void *const *tensor = plan->tensor;
    cudaStream_t stream = plan->device->stream;
    if (direction == CUDA_FORWARD)
        CUDA_TRY(error,
                 launch_row_softmax(tensor[CUDA_PRODUCT], tensor[CUDA_INPUT], &softmax, stream));
    else
        CUDA_TRY(error, launch_row_softmax_backward(tensor[CUDA_INPUT_GRADIENT],
                                                    tensor[CUDA_PRODUCT_GRADIENT],
                                                    tensor[CUDA_PRODUCT], &softmax, stream));
    return STATUS_OK;
}

const struct cuda_kind cuda_softmax = {
    .plan_bytes = sizeof(struct cuda_plan),
    .choose = choose,
    .run = run,
};
