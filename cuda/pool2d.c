/* pool2d with cuDNN's pooling calls, which pad both sides alike: where `same` has one cell more
 * after than before and the stride is above 1, both sides get the larger count (the output keeps
 * its size); with stride 1 that is unsupported.
 */
#include "cuda_device.h"
#include "cudnn_check.h"

#include <stdio.h>

struct pool_plan {
    struct cuda_plan base;
    cudnnPoolingDescriptor_t pooling;
    cudnnTensorDescriptor_t input, output;
};

static enum status describe_window(struct pool_plan *plan, const struct window *window,
                                   struct error *error)
{
    const struct pool2d *pool = &plan->base.config.as.pool2d;
    cudnnPoolingMode_t mode = pool->pooling == POOLING_MAX
                                  ? CUDNN_POOLING_MAX
                                  : CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING;
    int32_t padding = window->pad_after;
    CUDNN_RUN(&plan->base, error, cudnnCreatePoolingDescriptor(&plan->pooling));
    CUDNN_RUN(&plan->base, error,
              cudnnSetPooling2dDescriptor(plan->pooling, mode, CUDNN_PROPAGATE_NAN,
                                          pool->kernel_size, pool->kernel_size, padding, padding,
                                          pool->stride, pool->stride));
    return STATUS_OK;
}

static enum status choose(struct cuda_plan *base, struct error *error)
{
    struct pool_plan *plan = (struct pool_plan *)base;
    const struct pool2d *pool = &base->config.as.pool2d;
    struct window window = window_of(pool->image_size, pool->kernel_size, pool->stride,
                                     pool->padding);
    int n, c, height, width;
    if (window.pad_after != window.pad_before && pool->stride == 1)
        return cuda_unsupported(base, "cuDNN pools with the same padding on both sides", error);
    TRY(describe_window(plan, &window, error));
    TRY(cuda_describe_images(&plan->input, base, pool->channels, pool->image_size, error));
    TRY(cuda_describe_images(&plan->output, base, pool->channels, window.output_size, error));
    CUDNN_RUN(
        base, error,
        cudnnGetPooling2dForwardOutputDim(plan->pooling, plan->input, &n, &c, &height, &width));
    if (height != window.output_size || width != window.output_size)
        return cuda_unsupported(base, "cuDNN pools this to another size", error);
    snprintf(base->base.algorithm, sizeof base->base.algorithm, "cudnnPooling");
    return STATUS_OK;
}

static enum status run(struct cuda_plan *base, enum cuda_direction direction, struct error *error)
{
    const struct pool_plan *plan = (const struct pool_plan *)base;
    cudnnHandle_t handle = base->device->cudnn;
    const float one = 1, zero = 0;
    if (direction == CUDA_FORWARD)
        CUDNN_RUN(base, error,
                  cudnnPoolingForward(handle, plan->pooling, &one, plan->input,
                                      base->tensor[CUDA_INPUT], &zero, plan->output,
                                      base->tensor[CUDA_PRODUCT]));
    else
        CUDNN_RUN(base, error,
                  cudnnPoolingBackward(handle, plan->pooling, &one, plan->output,
                                       base->tensor[CUDA_PRODUCT], plan->output,
                                       base->tensor[CUDA_PRODUCT_GRADIENT], plan->input,
                                       base->tensor[CUDA_INPUT], &zero, plan->input,
                                       base->tensor[CUDA_INPUT_GRADIENT]));
    return STATUS_OK;
}

static void release(struct cuda_plan *base)
{
    struct pool_plan *plan = (struct pool_plan *)base;
    if (plan->pooling)
        cudnnDestroyPoolingDescriptor(plan->pooling);
    if (plan->input)
        cudnnDestroyTensorDescriptor(plan->input);
    if (plan->output)
        cudnnDestroyTensorDescriptor(plan->output);
}

const struct cuda_kind cuda_pool2d = {
    .plan_bytes = sizeof(struct pool_plan),
    .keeps_product = true,
    .choose = choose,
    .run = run,
    .release = release,
};
