#include "cuda_check.h"
#include "cuda_device.h"
#include "cudnn_check.h"
#include "precision.h"

#include <math.h>
#include <stdlib.h>

enum status cublas_check(cublasStatus_t code, const char *call, const char *file, int line,
                         struct error *error)
{
    if (code == CUBLAS_STATUS_SUCCESS)
        return STATUS_OK;
    enum status status = code == CUBLAS_STATUS_ALLOC_FAILED ? STATUS_OUT_OF_MEMORY : STATUS_FAILED;
    error_set(error, status, file, line, "cuBLAS: %s from %.160s", cublasGetStatusString(code),
              call);
    error_hint(error,
               "try again; if the error persists, run under compute-sanitizer and report it");
    return status;
}

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

/* ---- what a library refuses ---- */

enum status cuda_plan_check_cudnn(struct cuda_plan *plan, cudnnStatus_t code, const char *call,
                                  const char *file, int line, struct error *error)
{
    plan->is_refused = cudnn_is_refusal(code);
    return cudnn_check(code, call, file, line, error);
}

enum status cuda_plan_check_cublas(struct cuda_plan *plan, cublasStatus_t code, const char *call,
                                   const char *file, int line, struct error *error)
{
    const enum status status = cublas_check(code, call, file, line, error);
    plan->is_refused = status == STATUS_FAILED && code != CUBLAS_STATUS_NOT_INITIALIZED;
    return status;
}

bool cuda_device_goes_on(struct cuda_device *device)
{
    cudaGetLastError();
    return cudaStreamSynchronize(device->stream) == cudaSuccess;
}

enum status cuda_unsupported(struct cuda_plan *plan, const char *what, struct error *error)
{
    *plan->outcome = OUTCOME_UNSUPPORTED;
    return FAIL(error, STATUS_FAILED, "cuda: no implementation: %s", what);
}

float cuda_weights_amplitude(double inputs_per_output)
{
    return (float)sqrt(6 / inputs_per_output);
}

/* ---- tensors ---- */

int32_t cuda_role_precision(const struct cuda_plan *plan, enum cuda_role role)
{
    const bool is_parameter = role == CUDA_WEIGHTS || role == CUDA_WEIGHTS_GRADIENT;
    return plan->has_float_parameters && is_parameter ? PRECISION_FP32 : plan->config.precision;
}

enum status cuda_describe_images(cudnnTensorDescriptor_t *images, struct cuda_plan *plan,
                                 int32_t channels, int32_t size, struct error *error)
{
    const struct cuda_precision *precision = &cuda_precisions[plan->config.precision];
    CUDNN_RUN(plan, error, cudnnCreateTensorDescriptor(images));
    CUDNN_RUN(plan, error,
              cudnnSetTensor4dDescriptor(
                  *images, precision->is_channels_last ? CUDNN_TENSOR_NHWC : CUDNN_TENSOR_NCHW,
                  precision->dnn_type, plan->config.batch_size, channels, size, size));
    return STATUS_OK;
}

/* Memory for a tensor, filled with noise unless amplitude is 0: never zeros, which save power. */
static enum status add_tensor(struct cuda_plan *plan, enum cuda_role role, int64_t count,
                              float amplitude, struct error *error)
{
    struct cuda_device *device = plan->device;
    int32_t precision = cuda_role_precision(plan, role);
    if (count == 0)
        return STATUS_OK;
    TRY(cuda_take(&plan->tensor[role], device, count * (int64_t)precision_bytes(precision), error));
    if (amplitude > 0)
        CUDA_TRY(error, launch_noise(plan->tensor[role], count, amplitude, (uint32_t)role,
                                     device->seed, precision, device->stream));
    return STATUS_OK;
}

/* What the producer writes, or noise. */
static enum status add_input(struct cuda_plan *plan, enum cuda_role role, int64_t count,
                             const struct cuda_plan *producer, struct error *error)
{
    if (!producer)
        return add_tensor(plan, role, count, 1, error);
    plan->tensor[role] = producer->tensor[CUDA_OUTPUT];
    return STATUS_OK;
}

static enum status add_forward_tensors(struct cuda_plan *plan, const struct cuda_plan *input,
                                       const struct cuda_plan *second, struct error *error)
{
    TRY(add_input(plan, CUDA_INPUT, plan->input_count, input, error));
    TRY(add_input(plan, CUDA_SECOND_INPUT, plan->second_input_count, second, error));
    TRY(add_tensor(plan, CUDA_WEIGHTS, plan->weights_count, plan->weights_amplitude, error));
    TRY(add_tensor(plan, CUDA_BIAS, plan->bias_count, 0.1f, error));
    TRY(add_tensor(plan, CUDA_OUTPUT, plan->output_count, 1, error));
    plan->tensor[CUDA_PRODUCT] = plan->tensor[CUDA_OUTPUT];
    bool both = plan->keeps_product && plan->config.pass == PASS_TRAIN &&
                plan->activation != ACTIVATION_NONE;
    return both ? add_tensor(plan, CUDA_PRODUCT, plan->output_count, 1, error) : STATUS_OK;
}

static enum status add_input_gradient(struct cuda_plan *plan, const struct cuda_plan *input,
                                      float amplitude, struct error *error)
{
    if (!input || !input->tensor[CUDA_OUTPUT_GRADIENT])
        return add_tensor(plan, CUDA_INPUT_GRADIENT, plan->input_count, amplitude, error);
    plan->tensor[CUDA_INPUT_GRADIENT] = input->tensor[CUDA_OUTPUT_GRADIENT];
    return STATUS_OK;
}

/* Where one gradient is another's they are the same memory. */
static enum status add_handed_gradients(struct cuda_plan *plan, const struct cuda_plan *input,
                                        struct error *error)
{
    TRY(add_input_gradient(plan, input, 1, error));
    plan->tensor[CUDA_PRODUCT_GRADIENT] = plan->tensor[CUDA_INPUT_GRADIENT];
    plan->tensor[CUDA_OUTPUT_GRADIENT] = plan->tensor[CUDA_INPUT_GRADIENT];
    return plan->activation == ACTIVATION_NONE
               ? STATUS_OK
               : add_tensor(plan, CUDA_OUTPUT_GRADIENT, plan->output_count, 1, error);
}

static enum status add_backward_tensors(struct cuda_plan *plan, const struct cuda_plan *input,
                                        struct error *error)
{
    void *scratch = NULL;
    if (plan->hands_gradient_on)
        return add_handed_gradients(plan, input, error);
    TRY(add_tensor(plan, CUDA_OUTPUT_GRADIENT, plan->output_count, 1, error));
    plan->tensor[CUDA_PRODUCT_GRADIENT] = plan->tensor[CUDA_OUTPUT_GRADIENT];
    if (plan->activation != ACTIVATION_NONE)
        TRY(add_tensor(plan, CUDA_PRODUCT_GRADIENT, plan->output_count, 0, error));
    TRY(add_input_gradient(plan, input, 0, error));
    TRY(add_tensor(plan, CUDA_WEIGHTS_GRADIENT, plan->weights_count, 0, error));
    TRY(add_tensor(plan, CUDA_BIAS_GRADIENT, plan->bias_count, 0, error));
    if (plan->bias_count > 0)
        TRY(cuda_take(&scratch, plan->device,
                      bias_gradient_scratch(&plan->layout) * (int64_t)sizeof(float), error));
    plan->bias_scratch = scratch;
    return STATUS_OK;
}

/* State starts at zero, as in training. */
static enum status add_update(struct cuda_plan *plan, enum cuda_role parameters,
                              enum cuda_role gradient, int64_t count, struct error *error)
{
    if (count == 0)
        return STATUS_OK;
    struct optimizer_update *update = &plan->updates[plan->update_count++];
    *update = (struct optimizer_update){.parameters = plan->tensor[parameters],
                                        .gradient = plan->tensor[gradient],
                                        .count = count,
                                        .optimizer = plan->config.optimizer};
    for (int i = 0; i < optimizer_state_count(plan->config.optimizer); i++) {
        void *state;
        TRY(cuda_take(&state, plan->device, count * (int64_t)sizeof(float), error));
        update->state[i] = state;
    }
    return STATUS_OK;
}

static enum status clear_states(const struct cuda_plan *plan, struct error *error)
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

static enum status add_tensors(struct cuda_plan *plan, const struct cuda_plan *input,
                               const struct cuda_plan *second, struct error *error)
{
    TRY(add_forward_tensors(plan, input, second, error));
    if (plan->config.pass == PASS_FORWARD)
        return STATUS_OK;
    TRY(add_backward_tensors(plan, input, error));
    if (plan->config.optimizer == OPTIMIZER_NONE)
        return STATUS_OK;
    TRY(add_update(plan, CUDA_WEIGHTS, CUDA_WEIGHTS_GRADIENT, plan->weights_count, error));
    return add_update(plan, CUDA_BIAS, CUDA_BIAS_GRADIENT, plan->bias_count, error);
}

/* ---- steps ---- */

static enum status run_kind(struct cuda_plan *plan, enum cuda_direction direction,
                            struct error *error)
{
    plan->direction = direction;
    return plan->kind->run(plan, direction, error);
}

static enum status enqueue_forward(struct cuda_plan *plan, struct error *error)
{
    int32_t precision = plan->config.precision;
    cudaStream_t stream = plan->device->stream;
    TRY(run_kind(plan, CUDA_FORWARD, error));
    if (plan->bias_count > 0)
        CUDA_TRY(error, launch_bias(plan->tensor[CUDA_PRODUCT], plan->tensor[CUDA_BIAS],
                                    &plan->layout, precision, stream));
    CUDA_TRY(error, launch_activation(plan->tensor[CUDA_OUTPUT], plan->tensor[CUDA_PRODUCT],
                                      plan->output_count, plan->activation, precision, stream));
    return STATUS_OK;
}

static enum status enqueue_backward(struct cuda_plan *plan, struct error *error)
{
    int32_t precision = plan->config.precision;
    cudaStream_t stream = plan->device->stream;
    CUDA_TRY(error, launch_activation_backward(plan->tensor[CUDA_PRODUCT_GRADIENT],
                                               plan->tensor[CUDA_OUTPUT_GRADIENT],
                                               plan->tensor[CUDA_OUTPUT], plan->output_count,
                                               plan->activation, precision, stream));
    if (plan->bias_count > 0)
        CUDA_TRY(error, launch_bias_gradient(plan->tensor[CUDA_BIAS_GRADIENT],
                                             plan->tensor[CUDA_PRODUCT_GRADIENT],
                                             plan->bias_scratch, &plan->layout, precision, stream));
    TRY(run_kind(plan, CUDA_BACKWARD_DATA, error));
    return plan->weights_count > 0 ? run_kind(plan, CUDA_BACKWARD_WEIGHTS, error) : STATUS_OK;
}

enum status cuda_plan_enqueue(struct plan *plan, int phases, struct error *error)
{
    struct cuda_plan *own = (struct cuda_plan *)plan;
    if (phases & PHASE_FORWARD)
        TRY(enqueue_forward(own, error));
    if (phases & PHASE_BACKWARD)
        TRY(enqueue_backward(own, error));
    for (int i = 0; i < own->update_count && phases & PHASE_UPDATE; i++)
        CUDA_TRY(error, launch_optimizer(&own->updates[i], cuda_role_precision(own, CUDA_WEIGHTS),
                                         own->device->stream));
    return STATUS_OK;
}

/* ---- preparing ---- */

static enum status run_once(struct cuda_plan *plan, struct error *error)
{
    TRY(clear_states(plan, error));
    TRY(cuda_plan_enqueue(&plan->base, phases_of(&plan->config), error));
    CUDA_TRY(error, cudaStreamSynchronize(plan->device->stream));
    return clear_states(plan, error);
}

/* A finalised plan or a described tensor says little: whether a library runs it shows when it does,
 * so every step is run once here. Refused: the kind's next algorithm has its turn, without one it
 * is unsupported. What no call clears is a kernel's fault: an error, which ends the device. */
static enum status try_out(struct cuda_plan *plan, struct error *error)
{
    struct error reason = {0};
    plan->is_refused = false;
    enum status status = plan->kind->choose(plan, &reason);
    if (status == STATUS_OK)
        status = run_once(plan, &reason);
    while (status != STATUS_OK && plan->is_refused) {
        bool found = false;
        CUDA_TRY(error, cudaStreamSynchronize(plan->device->stream));
        if (plan->kind->choose_next)
            TRY(plan->kind->choose_next(&found, plan, plan->direction, error));
        if (!found)
            return cuda_unsupported(plan, reason.message, error);
        status = run_once(plan, &reason);
    }
    if (status != STATUS_OK && error)
        *error = reason;
    return status;
}

static enum status fill_plan(struct cuda_plan *plan, const struct cuda_plan *input,
                             const struct cuda_plan *second, struct error *error)
{
    if ((input && input->output_count != plan->input_count) ||
        (second && second->output_count != plan->second_input_count))
        return FAIL(error, STATUS_FAILED, "cuda: linked to a layer of another size");
    TRY(add_tensors(plan, input, second, error));
    TRY(try_out(plan, error));
    CUDA_TRY(error, cudaStreamSynchronize(plan->device->stream));
    return STATUS_OK;
}

enum status cuda_plan_prepare(struct plan **out, struct cuda_plan *plan, struct device *device,
                              const struct layer_config *config, struct plan *const *inputs,
                              enum outcome *outcome, struct error *error)
{
    const bool has_two = layer_input_count(config) > 1;
    const struct cuda_plan *input = (struct cuda_plan *)producer_of(inputs, 0);
    const struct cuda_plan *second = (struct cuda_plan *)(has_two ? producer_of(inputs, 1) : NULL);
    plan->base.bench = device->backend->bench[config->kind];
    plan->base.engine = -1;
    plan->device = (struct cuda_device *)device;
    plan->config = *config;
    plan->outcome = outcome;
    enum status status = fill_plan(plan, input, second, error);
    plan->outcome = NULL;
    *out = &plan->base;
    if (status != STATUS_OK) {
        cuda_plan_release(&plan->base);
        *out = NULL;
    }
    return status;
}

void cuda_plan_release(struct plan *plan)
{
    if (!plan)
        return;
    struct cuda_plan *own = (struct cuda_plan *)plan;
    if (own->device)
        cudaStreamSynchronize(own->device->stream);
    if (own->kind->release)
        own->kind->release(own);
    free(own);
}
