/* dense with cuBLAS: x (batch, inputs), W (inputs, outputs), row-major; cuBLAS is column-major, so
 * that it is given y^T = W^T x^T.
 */
#include "cuda_device.h"
#include "precision.h"

#include <stdio.h>

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
             precision_traits_of(plan->config.precision)->takes_tensor_cores ? "tensor_core" : "");
    return STATUS_OK;
}

const struct cuda_kind cuda_dense = {
    .plan_bytes = sizeof(struct cuda_plan),
    .choose = choose,
    .run = run,
};
