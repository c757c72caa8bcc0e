/* activation with a map of our own (elementwise_function.cu). Out of place: a timed call that wrote
 * over its input would find another input the next time.
 */
#include "cuda_check.h"
#include "cuda_device.h"
#include "layers/function.h"

#include <stdio.h>

static enum status choose(struct cuda_plan *plan, struct error *error)
{
    (void)error;
    snprintf(plan->base.algorithm, sizeof plan->base.algorithm, "function_kernel");
    return STATUS_OK;
}

static enum status run(struct cuda_plan *plan, enum cuda_direction direction, struct error *error)
{
    const int32_t function = plan->config.as.activation.function;
    const int32_t precision = plan->config.precision;
    const int64_t count = plan->count[CUDA_OUTPUT];
    void *const *tensor = plan->tensor;
    cudaStream_t stream = plan->device->stream;
    const bool keeps_output = function_traits_of(function)->keeps_output;
    if (direction == CUDA_FORWARD)
        CUDA_TRY(error, launch_function(tensor[CUDA_PRODUCT], tensor[CUDA_INPUT], count, function,
                                        precision, stream));
    else if (direction == CUDA_BACKWARD_DATA)
        CUDA_TRY(error, launch_function_backward(tensor[CUDA_INPUT_GRADIENT],
                                                 tensor[CUDA_PRODUCT_GRADIENT],
                                                 tensor[keeps_output ? CUDA_OUTPUT : CUDA_INPUT],
                                                 count, function, precision, stream));
    return STATUS_OK;
}

const struct cuda_kind cuda_activation = {
    .plan_bytes = sizeof(struct cuda_plan),
    .choose = choose,
    .run = run,
};
