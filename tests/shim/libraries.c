/* Doubles of cuBLAS, cuDNN and the plans of convolution_graph.h: see cudnn.h. */
#include "convolution_graph.h"
#include "cudnn_check.h"

#include <cublas_v2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENGINE_COUNT = 3 }; /* proposed for a convolution: engines 1, 2, 3, each slower */

struct shim_library {
    cudaStream_t stream;
};
struct shim_images {
    int size;
};
struct shim_pooling {
    int kernel, padding, stride;
};
struct shim_choice {
    int engine;
};

/* 0, or the code with which a call of this name fails. */
static int refusal_of(const char *name)
{
    const char *at = getenv("SHIM_REFUSES");
    const size_t length = strlen(name);
    for (; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : "") {
        if (strncmp(at, name, length) != 0 || at[length] != '=')
            continue;
        if (strncmp(at + length + 1, "broken", 6) != 0)
            return (int)strtol(at + length + 1, NULL, 10);
        shim_break_device();
        return CUDNN_STATUS_EXECUTION_FAILED;
    }
    return 0;
}

static int run(const struct shim_library *library, const char *name, double us)
{
    const int code = refusal_of(name);
    if (code)
        return code;
    return shim_library_call(library->stream, name, us) == cudaSuccess
               ? 0
               : CUDNN_STATUS_EXECUTION_FAILED;
}

static int create(void **out, size_t bytes)
{
    *out = calloc(1, bytes);
    return *out ? 0 : CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED;
}

/* ---- cuBLAS ---- */

cublasStatus_t cublasCreate(cublasHandle_t *handle)
{
    return create((void **)handle, sizeof **handle);
}

cublasStatus_t cublasDestroy(cublasHandle_t handle)
{
    free(handle);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream)
{
    handle->stream = stream;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void *workspace, size_t bytes)
{
    return CUBLAS_STATUS_SUCCESS;
}

const char *cublasGetStatusString(cublasStatus_t status)
{
    return status == CUBLAS_STATUS_NOT_SUPPORTED ? "CUBLAS_STATUS_NOT_SUPPORTED" : "CUBLAS_STATUS";
}

cublasStatus_t cublasSgemm(cublasHandle_t handle, cublasOperation_t transposed_a,
                           cublasOperation_t transposed_b, int m, int n, int k, const float *alpha,
                           const float *a, int lda, const float *b, int ldb, const float *beta,
                           float *c, int ldc)
{
    return run(handle, "gemm", 100);
}

cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t transposed_a,
                            cublasOperation_t transposed_b, int m, int n, int k, const void *alpha,
                            const void *a, cudaDataType_t type_a, int lda, const void *b,
                            cudaDataType_t type_b, int ldb, const void *beta, void *c,
                            cudaDataType_t type_c, int ldc, cublasComputeType_t compute,
                            int algorithm)
{
    return run(handle, "gemm", 10);
}

/* ---- cuDNN ---- */

size_t cudnnGetVersion(void)
{
    return CUDNN_VERSION;
}

const char *cudnnGetErrorString(cudnnStatus_t status)
{
    static char text[32];
    snprintf(text, sizeof text, "CUDNN_STATUS_%d", (int)status);
    return text;
}

void cudnnGetLastErrorString(char *message, size_t size)
{
    snprintf(message, size, "the shim refuses");
}

cudnnStatus_t cudnnCreate(cudnnHandle_t *handle)
{
    return create((void **)handle, sizeof **handle);
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle)
{
    free(handle);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream)
{
    handle->stream = stream;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t *tensor)
{
    return create((void **)tensor, sizeof **tensor);
}

cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t tensor)
{
    free(tensor);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t tensor, cudnnTensorFormat_t format,
                                         cudnnDataType_t type, int n, int c, int h, int w)
{
    tensor->size = h;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDeriveBNTensorDescriptor(cudnnTensorDescriptor_t channels,
                                            cudnnTensorDescriptor_t images,
                                            cudnnBatchNormMode_t mode)
{
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreatePoolingDescriptor(cudnnPoolingDescriptor_t *pooling)
{
    return create((void **)pooling, sizeof **pooling);
}

cudnnStatus_t cudnnDestroyPoolingDescriptor(cudnnPoolingDescriptor_t pooling)
{
    free(pooling);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetPooling2dDescriptor(cudnnPoolingDescriptor_t pooling, cudnnPoolingMode_t mode,
                                          cudnnNanPropagation_t nan, int height, int width,
                                          int pad_vertical, int pad_horizontal, int stride_vertical,
                                          int stride_horizontal)
{
    *pooling = (struct shim_pooling){height, pad_vertical, stride_vertical};
    return refusal_of("window");
}

cudnnStatus_t cudnnGetPooling2dForwardOutputDim(cudnnPoolingDescriptor_t pooling,
                                                cudnnTensorDescriptor_t input, int *n, int *c,
                                                int *h, int *w)
{
    *n = *c = 0;
    *h = *w = (input->size + 2 * pooling->padding - pooling->kernel) / pooling->stride + 1;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnPoolingForward(cudnnHandle_t handle, cudnnPoolingDescriptor_t pooling,
                                  const void *alpha, cudnnTensorDescriptor_t x_images,
                                  const void *x, const void *beta, cudnnTensorDescriptor_t y_images,
                                  void *y)
{
    return run(handle, "pooling", 10);
}

cudnnStatus_t cudnnPoolingBackward(cudnnHandle_t handle, cudnnPoolingDescriptor_t pooling,
                                   const void *alpha, cudnnTensorDescriptor_t y_images,
                                   const void *y, cudnnTensorDescriptor_t dy_images, const void *dy,
                                   cudnnTensorDescriptor_t x_images, const void *x,
                                   const void *beta, cudnnTensorDescriptor_t dx_images, void *dx)
{
    return run(handle, "pooling-backward", 20);
}

cudnnStatus_t cudnnBatchNormalizationForwardInference(
    cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void *alpha, const void *beta,
    cudnnTensorDescriptor_t x_images, const void *x, cudnnTensorDescriptor_t y_images, void *y,
    cudnnTensorDescriptor_t channels, const void *scale, const void *shift, const void *mean,
    const void *variance, double epsilon)
{
    return run(handle, "norm", 10);
}

cudnnStatus_t cudnnBatchNormalizationForwardTraining(
    cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void *alpha, const void *beta,
    cudnnTensorDescriptor_t x_images, const void *x, cudnnTensorDescriptor_t y_images, void *y,
    cudnnTensorDescriptor_t channels, const void *scale, const void *shift, double factor,
    void *running_mean, void *running_variance, double epsilon, void *kept_mean, void *kept_inverse)
{
    return run(handle, "norm", 15);
}

cudnnStatus_t cudnnBatchNormalizationBackward(
    cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void *alpha_data, const void *beta_data,
    const void *alpha_parameters, const void *beta_parameters, cudnnTensorDescriptor_t x_images,
    const void *x, cudnnTensorDescriptor_t dy_images, const void *dy,
    cudnnTensorDescriptor_t dx_images, void *dx, cudnnTensorDescriptor_t channels,
    const void *scale, void *scale_gradient, void *shift_gradient, double epsilon,
    const void *kept_mean, const void *kept_inverse)
{
    return run(handle, "norm-backward", 20);
}

/* ---- plans of convolutions ---- */

struct cudnn_convolution cudnn_convolution_of(const struct layer_config *config,
                                              enum cudnn_direction direction)
{
    return (struct cudnn_convolution){.direction = direction, .precision = config->precision};
}

/* The slower engines need less scratch memory. */
cudnnStatus_t cudnn_convolution_plans(struct cudnn_choice *choices, int limit, int *count,
                                      const struct cudnn_convolution *convolution,
                                      const struct cudnn_target *target,
                                      int64_t workspace_limit_bytes, struct error *error)
{
    const cudnnStatus_t refusal = refusal_of("plans");
    *count = 0;
    if (cudnn_check(refusal, "plans", __FILE__, __LINE__, error) != STATUS_OK)
        return refusal;
    for (; *count < limit && *count < ENGINE_COUNT; ++*count) {
        struct cudnn_choice *choice = &choices[*count];
        *choice = (struct cudnn_choice){.engine = *count + 1,
                                        .workspace_bytes = 1000 * (ENGINE_COUNT - *count)};
        if (create((void **)&choice->plan, sizeof *choice->plan))
            return CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED;
        choice->plan->engine = *count + 1;
    }
    return CUDNN_STATUS_SUCCESS;
}

void cudnn_choice_release(struct cudnn_choice *choice)
{
    free(choice->plan);
    choice->plan = NULL;
}

void cudnn_notes_text(char *text, size_t size, unsigned notes)
{
    snprintf(text, size, "double");
}

enum status cudnn_execution_prepare(struct cudnn_execution *execution, cudnnHandle_t handle,
                                    const struct cudnn_choice *choice,
                                    const struct cudnn_operands *operands, struct error *error)
{
    *execution = (struct cudnn_execution){.handle = handle, .plan = choice->plan};
    return STATUS_OK;
}

cudnnStatus_t cudnn_execution_run(const struct cudnn_execution *execution)
{
    char name[32];
    snprintf(name, sizeof name, "engine%d", execution->plan->engine);
    return run(execution->handle, name, 20 * execution->plan->engine);
}

void cudnn_execution_release(struct cudnn_execution *execution)
{
    execution->plan = NULL;
}
