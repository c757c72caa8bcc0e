/* cuBLAS is column-major, so that it is given output' = right' left'. */
#include "batched_product.h"

#include "precision.h"

#include <stdio.h>

enum status batched_product_run(struct cuda_plan *plan, const struct batched_product *of,
                                void *output, const void *left, const void *right,
                                struct error *error)
{
    const struct cuda_precision *precision = &cuda_precisions[plan->config.precision];
    const long long rows = of->rows, depth = of->depth, columns = of->columns;
    const float zero = 0;
    CUBLAS_RUN(plan, error,
               cublasGemmStridedBatchedEx(
                   plan->device->cublas, of->is_right_turned ? CUBLAS_OP_T : CUBLAS_OP_N,
                   of->is_left_turned ? CUBLAS_OP_T : CUBLAS_OP_N, of->columns, of->rows, of->depth,
                   &of->scale, right, precision->blas_type,
                   of->is_right_turned ? of->depth : of->columns, depth * columns, left,
                   precision->blas_type, of->is_left_turned ? of->rows : of->depth, rows * depth,
                   &zero, output, precision->blas_type, of->columns, rows * columns, of->matrices,
                   precision->blas_compute, CUBLAS_GEMM_DEFAULT));
    return STATUS_OK;
}

void batched_product_name(struct cuda_plan *plan, const char *algorithm)
{
    snprintf(plan->base.algorithm, sizeof plan->base.algorithm, "%s", algorithm);
    snprintf(plan->base.numerical_notes, sizeof plan->base.numerical_notes, "%s",
             precision_traits_of(plan->config.precision)->takes_tensor_cores ? "tensor_core" : "");
}
