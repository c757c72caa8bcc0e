/* resize with kernels of our own, in the order that convolutions have. */
#include "cuda_check.h"
#include "cuda_device.h"
#include "precision.h"
#include "resize_images.h"

#include <stdio.h>

static enum status choose(struct cuda_plan *plan, struct error *error)
{
    (void)error;
    snprintf(plan->base.algorithm, sizeof plan->base.algorithm, "resize_kernel");
    return STATUS_OK;
}

static enum status run(struct cuda_plan *plan, enum cuda_direction direction, struct error *error)
{
    const struct resize *of = &plan->config.as.resize;
    const struct resize_sides sides = resize_sides(of);
    const int32_t precision = plan->config.precision;
    const struct resized_images images = {
        .batch = plan->config.batch_size,
        .channels = of->channels,
        .height = sides.height,
        .width = sides.width,
        .output_height = sides.output_height,
        .output_width = sides.output_width,
        .is_bilinear = of->interpolation == INTERPOLATION_BILINEAR,
        .is_channels_last = cuda_precisions[precision].is_channels_last,
        .precision = precision};
    cudaStream_t stream = plan->device->stream;
    if (direction == CUDA_FORWARD)
        CUDA_TRY(error, launch_resize(plan->tensor[CUDA_PRODUCT], plan->tensor[CUDA_INPUT], &images,
                                      stream));
    else
        CUDA_TRY(error,
                 launch_resize_backward(plan->tensor[CUDA_INPUT_GRADIENT],
                                        plan->tensor[CUDA_PRODUCT_GRADIENT], &images, stream));
    return STATUS_OK;
}

const struct cuda_kind cuda_resize = {
    .plan_bytes = sizeof(struct cuda_plan),
    .has_planes = true,
    .choose = choose,
    .run = run,
};
