/* dense with cuBLAS: x (batch, inputs), W (inputs, outputs), row-major; cuBLAS is column-major, so
 * that it is given y^T = W^T x^T.
 */
#include "cuda_device.h"
#include "precision.h"

#include <stdio.h>
#include <stdlib.h>

/* c (rows, columns) = op(a) op(b), all row-major. */
static enum status multiply(struct cuda_plan *plan, enum cuda_role c, enum cuda_role a,
                            bool a_transposed, enum cuda_role b, bool b_transposed, int rows,
                            int columns, int depth, struct error *error)
{
    const struct cuda_precision *precision = &cuda_precisions[plan->config.precision];
    const float one = 1, zero = 0;
    CUBLAS_RUN(plan, error,
               cublasGemmEx(plan->device->cublas, b_transposed ? CUBLAS_OP_T : CUBLAS_OP_N,
                            a_transposed ? CUBLAS_OP_T : CUBLAS_OP_N, columns, rows, depth, &one,
                            plan->tensor[b], precision->blas_type, b_transposed ? depth : columns,
                            plan->tensor[a], precision->blas_type, a_transposed ? rows : depth,
                            &zero, plan->tensor[c], precision->blas_type, columns,
                            precision->blas_compute, CUBLAS_GEMM_DEFAULT));
    return STATUS_OK;
}

static enum status run(struct cuda_plan *plan, enum cuda_direction direction, struct error *error)
{
    const struct dense *dense = &plan->config.as.dense;
    int batch = plan->config.batch_size, inputs = dense->inputs, outputs = dense->outputs;
    switch (direction) {
    case CUDA_FORWARD:
        return multiply(plan, CUDA_PRODUCT, CUDA_INPUT, false, CUDA_WEIGHTS, false, batch, outputs,
                        inputs, error);
    case CUDA_BACKWARD_DATA:
        return multiply(plan, CUDA_INPUT_GRADIENT, CUDA_PRODUCT_GRADIENT, false, CUDA_WEIGHTS, true,
                        batch, inputs, outputs, error);
    default:
        return multiply(plan, CUDA_WEIGHTS_GRADIENT, CUDA_INPUT, true, CUDA_PRODUCT_GRADIENT, false,
                        inputs, outputs, batch, error);
    }
}

static enum status choose(struct cuda_plan *plan, struct error *error)
{
    (void)error;
    snprintf(plan->base.algorithm, sizeof plan->base.algorithm, "cublasGemmEx");
    snprintf(plan->base.numerical_notes, sizeof plan->base.numerical_notes, "%s",
             cuda_precisions[plan->config.precision].takes_tensor_cores ? "tensor_core" : "");
    return STATUS_OK;
}

static const struct cuda_kind kind = {.choose = choose, .run = run};

static enum status prepare(struct plan **out, struct device *device,
                           const struct layer_config *config, struct plan *const *inputs,
                           enum outcome *outcome, struct error *error)
{
    const struct dense *dense = &config->as.dense;
    struct cuda_plan *plan;
    *out = NULL;
    TRY(ALLOCATE(&plan, 1, "plan", error));
    plan->kind = &kind;
    plan->input_count = (int64_t)config->batch_size * dense->inputs;
    plan->weights_count = (int64_t)dense->inputs * dense->outputs;
    plan->bias_count = dense->use_bias ? dense->outputs : 0;
    plan->output_count = (int64_t)config->batch_size * dense->outputs;
    plan->activation = dense->activation;
    plan->layout = (struct channel_layout){plan->output_count, dense->outputs, 1};
    plan->weights_amplitude = cuda_weights_amplitude(dense->inputs);
    return cuda_plan_prepare(out, plan, device, config, inputs, outcome, error);
}

const struct bench cuda_bench_dense = {
    .prepare = prepare, .enqueue = cuda_plan_enqueue, .release = cuda_plan_release};
