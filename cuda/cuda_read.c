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
static enum cuda_role role_of(const struct value_place *place)
{
    static const struct {
        enum cuda_role tensor, gradient;
    } roles[TENSOR_ROLE_COUNT] = {
        [TENSOR_INPUT] = {CUDA_INPUT, CUDA_INPUT_GRADIENT},
        [TENSOR_OUTPUT] = {CUDA_OUTPUT, CUDA_OUTPUT_GRADIENT},
        [TENSOR_WEIGHTS] = {CUDA_WEIGHTS, CUDA_WEIGHTS_GRADIENT},
        [TENSOR_BIAS] = {CUDA_BIAS, CUDA_BIAS_GRADIENT},
        [TENSOR_KEPT] = {CUDA_KEPT, CUDA_KEPT},
    };
    const int first = (int)(place->is_gradient ? roles[place->role].gradient
                                               : roles[place->role].tensor);
    return (enum cuda_role)(place->role == TENSOR_KEPT ? first : first + place->index);
}

enum cuda_role cuda_holder_of(const struct cuda_plan *plan, enum cuda_role role)
{
    if (!plan->kind->weights_place)
        return role;
    for (int i = 0; i < CUDA_WEIGHTS_LIMIT; i++) {
        if (role == (enum cuda_role)(CUDA_WEIGHTS + i))
            return CUDA_WEIGHTS;
        if (role == (enum cuda_role)(CUDA_WEIGHTS_GRADIENT + i))
            return CUDA_WEIGHTS_GRADIENT;
    }
    return role;
}

/* Up to CUDA_PICK_LIMIT elements. */
static enum status pick(float *values, const struct cuda_plan *plan, enum layer_value what,
                        const int64_t *indices, int count, struct error *error)
{
    struct cuda_device *device = plan->device;
    const struct value_place place = layer_value_place(what);
    const enum cuda_role role = cuda_holder_of(plan, role_of(&place));
    const bool is_joined = place.role == TENSOR_WEIGHTS && plan->kind->weights_place;
    const int64_t elements = layer_value_count(&plan->config, what);
    const struct cuda_order order = cuda_order_of(plan, place.role, elements);
    const int64_t shift = place.role == TENSOR_KEPT ? place.index * elements : 0;
    int64_t places[CUDA_PICK_LIMIT];
    for (int i = 0; i < count; i++)
        places[i] = is_joined ? plan->kind->weights_place(plan, place.index, indices[i])
                              : shift + cuda_place_of(&order, indices[i]);
    CUDA_TRY(error, cudaMemcpyAsync(device->pick_places, places, (size_t)count * sizeof *places,
                                    cudaMemcpyHostToDevice, device->stream));
    CUDA_TRY(error, plan->storage[role] == STORAGE_INT32
                        ? launch_pick_indices(device->pick_values, plan->tensor[role],
                                              device->pick_places, count, device->stream)
                        : launch_pick(device->pick_values, plan->tensor[role], device->pick_places,
                                      count, cuda_role_precision(plan, role), device->stream));
    CUDA_TRY(error, cudaMemcpyAsync(values, device->pick_values, (size_t)count * sizeof *values,
                                    cudaMemcpyDeviceToHost, device->stream));
    CUDA_TRY(error, cudaStreamSynchronize(device->stream));
    return STATUS_OK;
}

enum status cuda_read(float *values, struct plan *plan, enum layer_value what,
                      const int64_t *indices, int count, struct error *error)
{
    struct cuda_plan *own = (struct cuda_plan *)plan;
    const struct value_place place = layer_value_place(what);
    cuda_use_set(own, plan->set);
    if (!own->tensor[cuda_holder_of(own, role_of(&place))])
        return FAIL(error, STATUS_FAILED, "cuda: the plan has no %s", layer_value_names[what]);
    for (int i = 0; i < count; i += CUDA_PICK_LIMIT)
        TRY(pick(values + i, own, what, indices + i,
                 count - i < CUDA_PICK_LIMIT ? count - i : CUDA_PICK_LIMIT, error));
    return STATUS_OK;
}
