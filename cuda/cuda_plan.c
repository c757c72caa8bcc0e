/* What the layer kinds share of a plan: its steps, how they are tried out, what a library refuses.
 */
#include "cuda_check.h"
#include "cuda_device.h"
#include "cudnn_check.h"
#include "precision.h"

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
    TRY(cuda_cast_masters(plan, error));
    TRY(run_kind(plan, CUDA_FORWARD, error));
    if (plan->count[CUDA_BIAS] > 0)
        CUDA_TRY(error, launch_bias(plan->tensor[CUDA_PRODUCT], plan->tensor[CUDA_BIAS],
                                    &plan->layout, precision, stream));
    CUDA_TRY(error,
             launch_activation(plan->tensor[CUDA_OUTPUT], plan->tensor[CUDA_PRODUCT],
                               plan->count[CUDA_OUTPUT], plan->activation, precision, stream));
    return STATUS_OK;
}

static enum status enqueue_backward(struct cuda_plan *plan, struct error *error)
{
    int32_t precision = plan->config.precision;
    cudaStream_t stream = plan->device->stream;
    CUDA_TRY(error, launch_activation_backward(plan->tensor[CUDA_PRODUCT_GRADIENT],
                                               plan->tensor[CUDA_OUTPUT_GRADIENT],
                                               plan->tensor[CUDA_OUTPUT], plan->count[CUDA_OUTPUT],
                                               plan->activation, precision, stream));
    if (plan->count[CUDA_BIAS] > 0)
        CUDA_TRY(error, launch_bias_gradient(plan->tensor[CUDA_BIAS_GRADIENT],
                                             plan->tensor[CUDA_PRODUCT_GRADIENT],
                                             plan->bias_scratch, &plan->layout, precision, stream));
    TRY(run_kind(plan, CUDA_BACKWARD_DATA, error));
    if (plan->count[CUDA_WEIGHTS] > 0)
        TRY(run_kind(plan, CUDA_BACKWARD_WEIGHTS, error));
    for (int i = 0; i < plan->sum_count; i++) {
        const struct gradient_sum *sum = &plan->sums[i];
        CUDA_TRY(error,
                 launch_sum(sum->target, sum->target, sum->from, sum->count, precision, stream));
    }
    return STATUS_OK;
}

static enum status enqueue(struct plan *plan, int phases, struct error *error)
{
    struct cuda_plan *own = (struct cuda_plan *)plan;
    cuda_use_set(own, plan->set);
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
    TRY(cuda_clear_states(plan, error));
    TRY(enqueue(&plan->base, phases_of(&plan->config), error));
    CUDA_TRY(error, cudaStreamSynchronize(plan->device->stream));
    return cuda_clear_states(plan, error);
}

/* Libraries may refuse to run even a plan that they finalised or a tensor that they described, so
 * every step is run once here. After a refusal the kind's next algorithm has its turn; without one
 * the layer is unsupported. An error that no call clears is a kernel's fault and ends the device.
 */
static enum status try_out(struct cuda_plan *plan, struct error *error)
{
    struct error reason = {0};
    plan->is_refused = false;
    enum status status = plan->kind->choose(plan, &reason);
    if (status == STATUS_OK)
        status = cuda_fill_masters(plan, &reason);
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

/* What is too large anyhow is found before a library is asked; what that refuses is unsupported. */
static enum status count_tensors(struct cuda_plan *plan, struct error *error)
{
    const int64_t used_bytes = plan->device->used_bytes;
    struct error reason = {0};
    void *all;
    TRY(cuda_take(&all, plan->device, layer_cost(&plan->config).memory_bytes, error));
    plan->device->used_bytes = used_bytes;
    const enum status status = plan->kind->count(plan, &reason);
    if (status != STATUS_OK && plan->is_refused)
        return cuda_unsupported(plan, reason.message, error);
    if (status != STATUS_OK && error)
        *error = reason;
    return status;
}

static enum status fill_plan(struct cuda_plan *plan, struct plan *const *inputs,
                             struct error *error)
{
    struct layer_work work;
    layer_work(&work, &plan->config);
    cuda_read_work(plan, &work);
    if (plan->kind->count)
        TRY(count_tensors(plan, error));
    TRY(cuda_add_tensors(plan, inputs, error));
    TRY(try_out(plan, error));
    CUDA_TRY(error, cudaStreamSynchronize(plan->device->stream));
    return STATUS_OK;
}

static void release(struct plan *plan)
{
    if (!plan)
        return;
    struct cuda_plan *own = (struct cuda_plan *)plan;
    if (own->device)
        cudaStreamSynchronize(own->device->stream);
    if (own->kind->release)
        own->kind->release(own);
    free(own->sums);
    free(own);
}

#define KIND_OF(KIND, kind) [LAYER_##KIND] = &cuda_##kind,
static const struct cuda_kind *const kinds[LAYER_KIND_COUNT] = {LAYER_KINDS(KIND_OF)};

static enum status prepare(struct plan **out, struct device *device,
                           const struct layer_config *config, struct plan *const *inputs,
                           enum outcome *outcome, struct error *error)
{
    const struct cuda_kind *kind = kinds[config->kind];
    void *memory;
    *out = NULL;
    TRY(error_allocate(&memory, 1, kind->plan_bytes, "plan", error));
    struct cuda_plan *plan = memory;
    plan->base.bench = &cuda_bench;
    plan->base.engine = -1;
    plan->device = (struct cuda_device *)device;
    plan->config = *config;
    plan->kind = kind;
    plan->outcome = outcome;
    plan->set_count = 1;
    plan->operand_start = plan->device->used_bytes;
    const enum status status = fill_plan(plan, inputs, error);
    plan->base.operand_bytes = plan->device->used_bytes - plan->operand_start;
    plan->outcome = NULL;
    if (status == STATUS_OK)
        *out = &plan->base;
    else
        release(&plan->base);
    return status;
}

static enum status replicate(struct plan *plan, int count, struct error *error)
{
    return cuda_replicate((struct cuda_plan *)plan, count, error);
}

const struct bench cuda_bench = {
    .prepare = prepare,
    .enqueue = enqueue,
    .replicate = replicate,
    .release = release,
    .read = cuda_read,
};
