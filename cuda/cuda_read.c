/* Elements of a plan's tensors for the host: where they lie, a kernel that picks them. */
#include "cuda_check.h"
#include "cuda_device.h"
#include "precision.h"

struct cuda_order cuda_order_of(const struct cuda_plan *plan, enum tensor_role what, int64_t count)
{
    const bool has_planes = what != TENSOR_BIAS && what != TENSOR_KEPT;
    const struct value_planes planes = has_planes ? reference_planes(&plan->config, what)
                                                  : (struct value_planes){0};
    if (planes.channels == 0)
        return (struct cuda_order){1, 1, count, false};
    return (struct cuda_order){
        planes.outer, planes.channels, count / planes.outer / planes.channels,
        planes.is_transposed || cuda_precisions[plan->config.precision].is_channels_last};
}

int64_t cuda_place_of(const struct cuda_order *order, int64_t index)
{
    const int64_t inner = index % order->inner, channel = index / order->inner % order->channels;
    const int64_t outer = index / order->inner / order->channels;
    return order->is_channels_last ? (outer * order->inner + inner) * order->channels + channel
                                   : index;
}

/* Statistics are one tensor: means, then variances. */
static const struct value {
    enum cuda_role role;
    enum tensor_role what;
} values_of[VALUE_COUNT] = {
    [VALUE_INPUT] = {CUDA_INPUT, TENSOR_INPUT},
    [VALUE_SECOND_INPUT] = {CUDA_INPUT + 1, TENSOR_INPUT},
    [VALUE_WEIGHTS] = {CUDA_WEIGHTS, TENSOR_WEIGHTS},
    [VALUE_BIAS] = {CUDA_BIAS, TENSOR_BIAS},
    [VALUE_MEAN] = {CUDA_KEPT, TENSOR_KEPT},
    [VALUE_VARIANCE] = {CUDA_KEPT, TENSOR_KEPT},
    [VALUE_OUTPUT_GRADIENT] = {CUDA_OUTPUT_GRADIENT, TENSOR_OUTPUT},
    [VALUE_OUTPUT] = {CUDA_OUTPUT, TENSOR_OUTPUT},
    [VALUE_INPUT_GRADIENT] = {CUDA_INPUT_GRADIENT, TENSOR_INPUT},
    [VALUE_WEIGHTS_GRADIENT] = {CUDA_WEIGHTS_GRADIENT, TENSOR_WEIGHTS},
    [VALUE_BIAS_GRADIENT] = {CUDA_BIAS_GRADIENT, TENSOR_BIAS},
};

/* Up to CUDA_PICK_LIMIT elements. */
static enum status pick(float *values, const struct cuda_plan *plan, enum layer_value what,
                        const int64_t *indices, int count, struct error *error)
{
    struct cuda_device *device = plan->device;
    const struct value *value = &values_of[what];
    const int64_t elements = layer_value_count(&plan->config, what);
    const struct cuda_order order = cuda_order_of(plan, value->what, elements);
    const int64_t shift = what == VALUE_VARIANCE ? elements : 0;
    int64_t places[CUDA_PICK_LIMIT];
    for (int i = 0; i < count; i++)
        places[i] = shift + cuda_place_of(&order, indices[i]);
    CUDA_TRY(error, cudaMemcpyAsync(device->pick_places, places, (size_t)count * sizeof *places,
                                    cudaMemcpyHostToDevice, device->stream));
    CUDA_TRY(error, launch_pick(device->pick_values, plan->tensor[value->role], device->pick_places,
                                count, cuda_role_precision(plan, value->role), device->stream));
    CUDA_TRY(error, cudaMemcpyAsync(values, device->pick_values, (size_t)count * sizeof *values,
                                    cudaMemcpyDeviceToHost, device->stream));
    CUDA_TRY(error, cudaStreamSynchronize(device->stream));
    return STATUS_OK;
}

enum status cuda_read(float *values, struct plan *plan, enum layer_value what,
                      const int64_t *indices, int count, struct error *error)
{
    struct cuda_plan *own = (struct cuda_plan *)plan;
    cuda_use_set(own, plan->set);
    if (!own->tensor[values_of[what].role])
        return FAIL(error, STATUS_FAILED, "cuda: the plan has no %s", layer_value_names[what]);
    for (int i = 0; i < count; i += CUDA_PICK_LIMIT)
        TRY(pick(values + i, own, what, indices + i,
                 count - i < CUDA_PICK_LIMIT ? count - i : CUDA_PICK_LIMIT, error));
    return STATUS_OK;
}
