/* The arena, and the tensors of a layer in it. The layer's work has their number, elements and
 * storage.
 */
#include "base/philox.h"
#include "cuda_check.h"
#include "cuda_device.h"
#include "precision.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* ---- the arena ---- */

static int64_t aligned(int64_t bytes)
{
    return (bytes + CUDA_ALIGNMENT_BYTES - 1) / CUDA_ALIGNMENT_BYTES * CUDA_ALIGNMENT_BYTES;
}

static enum status out_of_arena(const struct cuda_device *device, int64_t bytes,
                                struct error *error)
{
    FAIL(error, STATUS_OUT_OF_MEMORY,
         "cuda: another %lld bytes do not fit the arena of %lld bytes, %lld of them in use",
         (long long)bytes, (long long)device->arena_bytes,
         (long long)(device->used_bytes + device->workspace_bytes));
    return HINT(error, STATUS_OUT_OF_MEMORY, "use a smaller batch, or a GPU with more free memory");
}

enum status cuda_take(void **memory, struct cuda_device *device, int64_t bytes, struct error *error)
{
    int64_t taken = aligned(bytes);
    *memory = NULL;
    if (bytes < 0 || taken > device->arena_bytes - device->used_bytes - device->workspace_bytes)
        return out_of_arena(device, bytes, error);
    *memory = device->arena + device->used_bytes;
    device->used_bytes += taken;
    return STATUS_OK;
}

int64_t cuda_workspace_limit(const struct cuda_device *device)
{
    return device->arena_bytes - device->used_bytes;
}

enum status cuda_take_workspace(void **workspace, struct cuda_device *device, int64_t bytes,
                                struct error *error)
{
    *workspace = NULL;
    if (bytes < 0 || bytes > cuda_workspace_limit(device))
        return out_of_arena(device, bytes, error);
    const int64_t taken = aligned(bytes);
    *workspace = device->arena + device->arena_bytes - taken;
    if (taken > device->workspace_bytes)
        device->workspace_bytes = taken;
    return STATUS_OK;
}

/* ---- from the work ---- */

static const struct family {
    enum cuda_role first, gradient; /* CUDA_ROLE_COUNT: no gradient */
    int limit;
} families[TENSOR_ROLE_COUNT] = {
    [TENSOR_INPUT] = {CUDA_INPUT, CUDA_INPUT_GRADIENT, LAYER_INPUT_LIMIT},
    [TENSOR_OUTPUT] = {CUDA_OUTPUT, CUDA_OUTPUT_GRADIENT, 1},
    [TENSOR_WEIGHTS] = {CUDA_WEIGHTS, CUDA_WEIGHTS_GRADIENT, CUDA_WEIGHTS_LIMIT},
    [TENSOR_BIAS] = {CUDA_BIAS, CUDA_BIAS_GRADIENT, 1},
    [TENSOR_KEPT] = {CUDA_KEPT, CUDA_ROLE_COUNT, CUDA_KEPT_LIMIT},
};

static void set_tensor(struct cuda_plan *plan, int role, double count, enum storage storage)
{
    plan->count[role] = (int64_t)count;
    plan->storage[role] = storage;
}

/* Tensor `index` of its role. Indices have no gradient. */
static void read_tensor(struct cuda_plan *plan, const struct layer_tensor *tensor, int index)
{
    const struct family *family = &families[tensor->role];
    const bool is_float = tensor->role == TENSOR_WEIGHTS && plan->kind->has_float_parameters;
    const enum storage storage = is_float ? STORAGE_FP32 : tensor->storage;
    assert(index < family->limit);
    if (tensor->role == TENSOR_KEPT && !plan->kind->takes_kept)
        return;
    set_tensor(plan, family->first + index, tensor->count, storage);
    if (family->gradient != CUDA_ROLE_COUNT && tensor_has_gradient(tensor))
        set_tensor(plan, family->gradient + index,
                   tensor->gradient_count > 0 ? tensor->gradient_count : tensor->count, storage);
    if (tensor->role == TENSOR_INPUT)
        plan->shares_gradient[index] = tensor->shares_gradient;
}

/* He et al. 2015: uniform noise that keeps the size of activations from layer to layer; it depends
 * on the inputs per output of the first product. */
static float amplitude_of(const struct layer_work *work)
{
    for (int i = 0; i < work->operation_count; i++)
        if (work->operations[i].type == OPERATION_PRODUCT)
            return (float)sqrt(6 / work->operations[i].depth);
    return 0;
}

static struct channel_layout layout_of(const struct cuda_plan *plan)
{
    const int64_t count = plan->count[CUDA_OUTPUT], channels = plan->count[CUDA_BIAS];
    const bool is_planar = plan->kind->has_planes && channels > 0 &&
                           !cuda_precisions[plan->config.precision].is_channels_last;
    return (struct channel_layout){count, channels,
                                   is_planar ? count / plan->config.batch_size / channels : 1};
}

void cuda_read_work(struct cuda_plan *plan, const struct layer_work *work)
{
    int found[TENSOR_ROLE_COUNT] = {0};
    for (int i = 0; i < work->tensor_count; i++)
        read_tensor(plan, &work->tensors[i], found[work->tensors[i].role]++);
    const struct layer_tensor *output = work_find(work, TENSOR_OUTPUT, 0);
    set_tensor(plan, CUDA_PRODUCT, output->count, output->storage);
    set_tensor(plan, CUDA_PRODUCT_GRADIENT, output->count, output->storage);
    plan->input_count = found[TENSOR_INPUT];
    plan->activation = work->activation;
    plan->weights_amplitude = amplitude_of(work);
    plan->layout = layout_of(plan);
}

static bool casts_weights(const struct cuda_plan *plan)
{
    return precision_traits_of(plan->config.precision)->casts_weights;
}

int32_t cuda_role_precision(const struct cuda_plan *plan, enum cuda_role role)
{
    const bool is_wide = plan->storage[role] == STORAGE_FP32 ||
                         (plan->storage[role] == STORAGE_TABLE && casts_weights(plan));
    return is_wide ? PRECISION_FP32 : plan->config.precision;
}

/* ---- fp32 weights that every step casts ---- */

/* Number i of the parameters, of which the last is the bias. */
static int parameter_role(int i)
{
    return i < CUDA_WEIGHTS_LIMIT ? CUDA_WEIGHTS + i : CUDA_BIAS;
}

/* Noise is what the weights have: `choose` may fill those yet. */
static enum status add_masters(struct cuda_plan *plan, struct error *error)
{
    for (int i = 0; i <= CUDA_WEIGHTS_LIMIT; i++) {
        const int from = parameter_role(i), to = CUDA_MASTER + i;
        void *memory;
        if (plan->count[from] == 0 || plan->storage[from] != STORAGE_LAYER || !casts_weights(plan))
            continue;
        set_tensor(plan, to, (double)plan->count[from], STORAGE_FP32);
        TRY(cuda_take(&memory, plan->device, plan->count[to] * (int64_t)sizeof(float), error));
        plan->tensor[to] = memory;
    }
    return STATUS_OK;
}

enum status cuda_fill_masters(struct cuda_plan *plan, struct error *error)
{
    for (int i = 0; i <= CUDA_WEIGHTS_LIMIT; i++)
        if (plan->tensor[CUDA_MASTER + i])
            CUDA_TRY(error,
                     launch_widen(plan->tensor[CUDA_MASTER + i], plan->tensor[parameter_role(i)],
                                  plan->count[CUDA_MASTER + i], plan->config.precision,
                                  plan->device->stream));
    return STATUS_OK;
}

enum status cuda_cast_masters(const struct cuda_plan *plan, struct error *error)
{
    for (int i = 0; i <= CUDA_WEIGHTS_LIMIT; i++)
        if (plan->tensor[CUDA_MASTER + i])
            CUDA_TRY(error,
                     launch_narrow(plan->tensor[parameter_role(i)], plan->tensor[CUDA_MASTER + i],
                                   plan->count[CUDA_MASTER + i], plan->config.precision,
                                   plan->device->stream));
    return STATUS_OK;
}

/* ---- memory ---- */

/* Noise unless amplitude is 0: never zeros, which save power. */
static enum status add_tensor(struct cuda_plan *plan, int role, float amplitude,
                              struct error *error)
{
    struct cuda_device *device = plan->device;
    const int64_t count = plan->count[role];
    const int32_t precision = cuda_role_precision(plan, role);
    const double bytes = (double)count * stored_bytes(plan->storage[role], precision);
    if (count == 0)
        return STATUS_OK;
    TRY(cuda_take(&plan->tensor[role], device, (int64_t)bytes, error));
    if (plan->storage[role] == STORAGE_INT32)
        CUDA_TRY(error, cudaMemsetAsync(plan->tensor[role], 0, (size_t)bytes, device->stream));
    else if (amplitude > 0)
        CUDA_TRY(error, launch_noise(plan->tensor[role], count, amplitude, (uint32_t)role,
                                     device->seed, precision, device->stream));
    return STATUS_OK;
}

/* As many as the role may have. */
static enum status add_family(struct cuda_plan *plan, enum tensor_role role, int first,
                              float amplitude, struct error *error)
{
    for (int i = 0; i < families[role].limit; i++)
        TRY(add_tensor(plan, first + i, amplitude, error));
    return STATUS_OK;
}

/* What the producers write, or noise. */
static enum status add_inputs(struct cuda_plan *plan, struct plan *const *inputs,
                              struct error *error)
{
    for (int i = 0; i < plan->input_count; i++) {
        const struct cuda_plan *producer = cuda_producer(plan, inputs, i);
        if (!producer)
            TRY(add_tensor(plan, CUDA_INPUT + i, 1, error));
        else if (producer->count[CUDA_OUTPUT] == plan->count[CUDA_INPUT + i])
            plan->tensor[CUDA_INPUT + i] = producer->tensor[CUDA_OUTPUT];
        else
            return FAIL(error, STATUS_FAILED, "cuda: linked to a layer of another size");
    }
    return STATUS_OK;
}

static enum status add_forward_tensors(struct cuda_plan *plan, struct plan *const *inputs,
                                       struct error *error)
{
    TRY(add_inputs(plan, inputs, error));
    TRY(add_family(plan, TENSOR_WEIGHTS, CUDA_WEIGHTS, plan->weights_amplitude, error));
    TRY(add_tensor(plan, CUDA_BIAS, 0.1f, error));
    TRY(add_masters(plan, error));
    TRY(add_tensor(plan, CUDA_OUTPUT, 1, error));
    plan->tensor[CUDA_PRODUCT] = plan->tensor[CUDA_OUTPUT];
    const bool both = plan->kind->keeps_product && plan->config.pass == PASS_TRAIN &&
                      plan->activation != ACTIVATION_NONE;
    return both ? add_tensor(plan, CUDA_PRODUCT, 1, error) : STATUS_OK;
}

/* Where the producer reads it, else memory of its own. Gradients that are the product's are one
 * tensor: that of the first such input. */
static enum status add_input_gradients(void **shared, struct cuda_plan *plan,
                                       struct plan *const *inputs, struct error *error)
{
    *shared = NULL;
    for (int i = 0; i < plan->input_count; i++) {
        const struct cuda_plan *producer = cuda_producer(plan, inputs, i);
        void **gradient = &plan->tensor[CUDA_INPUT_GRADIENT + i];
        if (plan->shares_gradient[i] && *shared)
            *gradient = *shared;
        else if (cuda_is_first_reader(plan, inputs, i))
            *gradient = producer->tensor[CUDA_OUTPUT_GRADIENT];
        else
            TRY(add_tensor(plan, CUDA_INPUT_GRADIENT + i, plan->shares_gradient[i], error));
        if (plan->shares_gradient[i])
            *shared = *gradient;
    }
    return cuda_link_readers(plan, inputs, error);
}

/* Without an activation the product's gradient is the output's; that is made here unless it is the
 * inputs' (`shared`). */
static enum status add_output_gradients(struct cuda_plan *plan, void *shared, struct error *error)
{
    const bool activates = plan->activation != ACTIVATION_NONE;
    plan->tensor[CUDA_OUTPUT_GRADIENT] = plan->tensor[CUDA_PRODUCT_GRADIENT] = shared;
    if (!shared || activates)
        TRY(add_tensor(plan, CUDA_OUTPUT_GRADIENT, 1, error));
    if (shared)
        return STATUS_OK;
    plan->tensor[CUDA_PRODUCT_GRADIENT] = plan->tensor[CUDA_OUTPUT_GRADIENT];
    return activates ? add_tensor(plan, CUDA_PRODUCT_GRADIENT, 0, error) : STATUS_OK;
}

static enum status add_backward_tensors(struct cuda_plan *plan, struct plan *const *inputs,
                                        struct error *error)
{
    void *shared, *scratch = NULL;
    TRY(add_input_gradients(&shared, plan, inputs, error));
    TRY(add_output_gradients(plan, shared, error));
    TRY(add_family(plan, TENSOR_WEIGHTS, CUDA_WEIGHTS_GRADIENT, 0, error));
    TRY(add_tensor(plan, CUDA_BIAS_GRADIENT, 0, error));
    TRY(add_family(plan, TENSOR_KEPT, CUDA_KEPT, 0, error));
    if (plan->count[CUDA_BIAS] > 0)
        TRY(cuda_take(&scratch, plan->device,
                      bias_gradient_scratch(&plan->layout) * (int64_t)sizeof(float), error));
    plan->bias_scratch = scratch;
    return STATUS_OK;
}

/* State starts at zero, as in training. */
static enum status add_update(struct cuda_plan *plan, int parameters, int gradient, int master,
                              struct error *error)
{
    const int64_t count = plan->count[parameters];
    const bool has_master = plan->tensor[master] != NULL;
    if (count == 0)
        return STATUS_OK;
    struct optimizer_update *update = &plan->updates[plan->update_count++];
    *update = (struct optimizer_update){
        .parameters = plan->tensor[has_master ? master : parameters],
        .gradient = plan->tensor[gradient],
        .count = count,
        .has_float_parameters = has_master,
        .optimizer = plan->config.optimizer};
    for (int i = 0; i < optimizer_state_count(plan->config.optimizer); i++) {
        void *state;
        TRY(cuda_take(&state, plan->device, count * (int64_t)sizeof(float), error));
        update->state[i] = state;
    }
    return STATUS_OK;
}

enum status cuda_clear_states(const struct cuda_plan *plan, struct error *error)
{
    for (int i = 0; i < 2 * plan->update_count; i++) {
        const struct optimizer_update *update = &plan->updates[i / 2];
        if (update->state[i % 2])
            CUDA_TRY(error,
                     cudaMemsetAsync(update->state[i % 2], 0, (size_t)update->count * sizeof(float),
                                     plan->device->stream));
    }
    return STATUS_OK;
}

enum status cuda_add_tensors(struct cuda_plan *plan, struct plan *const *inputs,
                             struct error *error)
{
    TRY(add_forward_tensors(plan, inputs, error));
    if (plan->config.pass == PASS_FORWARD)
        return STATUS_OK;
    TRY(add_backward_tensors(plan, inputs, error));
    if (plan->config.optimizer == OPTIMIZER_NONE)
        return STATUS_OK;
    for (int i = 0; i < CUDA_WEIGHTS_LIMIT; i++)
        TRY(add_update(plan, CUDA_WEIGHTS + i, CUDA_WEIGHTS_GRADIENT + i, CUDA_MASTER + i, error));
    return add_update(plan, CUDA_BIAS, CUDA_BIAS_GRADIENT, CUDA_MASTER_END, error);
}

/* ---- what the host writes ---- */

static void make_rows(float *values, const struct cuda_plan *plan, enum cuda_role role,
                      const float *centres, int rows, int64_t columns)
{
    for (int64_t i = 0; i < rows * columns; i++) {
        const uint32_t word =
            philox((uint32_t)i, role, 0, PHILOX_NOISE, plan->device->seed).word[0];
        values[i] = centres[i / columns] + 0.2f * philox_uniform(word) - 0.1f;
    }
}

enum status cuda_fill_rows(struct cuda_plan *plan, enum cuda_role role, const float *centres,
                           int rows, int64_t columns, struct error *error)
{
    const size_t count = (size_t)rows * (size_t)columns;
    float *values;
    TRY(ALLOCATE(&values, count, "values", error));
    make_rows(values, plan, role, centres, rows, columns);
    cudaError_t code = cudaMemcpyAsync(plan->tensor[role], values, count * sizeof *values,
                                       cudaMemcpyHostToDevice, plan->device->stream);
    if (code == cudaSuccess)
        code = cudaStreamSynchronize(plan->device->stream);
    free(values);
    CUDA_TRY(error, code);
    return STATUS_OK;
}
