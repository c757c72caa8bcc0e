/* cuBLAS as far as the cuda backend calls it. Products take time on the shim's clock; batched ones
 * compute what they say, the others nothing.
 */
#ifndef SHIM_CUBLAS_V2_H
#define SHIM_CUBLAS_V2_H

#include <cuda_runtime.h>
#include <stdbool.h>

typedef struct shim_library *cublasHandle_t;
typedef enum {
    CUBLAS_STATUS_SUCCESS = 0,
    CUBLAS_STATUS_NOT_INITIALIZED = 1,
    CUBLAS_STATUS_ALLOC_FAILED = 3,
    CUBLAS_STATUS_NOT_SUPPORTED = 15,
} cublasStatus_t;
typedef enum { CUBLAS_OP_N, CUBLAS_OP_T } cublasOperation_t;
typedef enum { CUDA_R_32F = 0, CUDA_R_16F = 2, CUDA_R_16BF = 14 } cudaDataType_t;
typedef enum { CUBLAS_COMPUTE_32F = 68, CUBLAS_COMPUTE_32F_FAST_TF32 = 77 } cublasComputeType_t;
enum { CUBLAS_GEMM_DEFAULT = -1 };

cublasStatus_t cublasCreate(cublasHandle_t *handle);
cublasStatus_t cublasDestroy(cublasHandle_t handle);
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream);
cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void *workspace, size_t bytes);
const char *cublasGetStatusString(cublasStatus_t status);
cublasStatus_t cublasSgemm(cublasHandle_t handle, cublasOperation_t transposed_a,
                           cublasOperation_t transposed_b, int m, int n, int k, const float *alpha,
                           const float *a, int lda, const float *b, int ldb, const float *beta,
                           float *c, int ldc);
cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t transposed_a,
                            cublasOperation_t transposed_b, int m, int n, int k, const void *alpha,
                            const void *a, cudaDataType_t type_a, int lda, const void *b,
                            cudaDataType_t type_b, int ldb, const void *beta, void *c,
                            cudaDataType_t type_c, int ldc, cublasComputeType_t compute,
                            int algorithm);
cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t handle, cublasOperation_t transposed_a,
                                          cublasOperation_t transposed_b, int m, int n, int k,
                                          const void *alpha, const void *a, cudaDataType_t type_a,
                                          int lda, long long stride_a, const void *b,
                                          cudaDataType_t type_b, int ldb, long long stride_b,
                                          const void *beta, void *c, cudaDataType_t type_c, int ldc,
                                          long long stride_c, int batch_count,
                                          cublasComputeType_t compute, int algorithm);

/* c = alpha op(a) op(b), column-major, of each of the batch; all of one type. */
struct shim_products {
    bool turned_a, turned_b;
    int m, n, k, lda, ldb, ldc, batch_count;
    cudaDataType_t type;
    float alpha;
    const void *a, *b;
    void *c;
    long long stride_a, stride_b, stride_c;
};
#ifdef __cplusplus
extern "C"
#endif
    void
    shim_multiply(const void *products); /* of a struct shim_products (products.cpp) */

#endif
