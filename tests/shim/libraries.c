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
struct shim_rnn {
    cudnnRNNAlgo_t algorithm;
    int gates, inputs, hidden, layers, directions, element_bytes;
    bool has_bias;
};
struct shim_sequences {
    int rows;
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

cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t handle, cublasOperation_t transposed_a,
                                          cublasOperation_t transposed_b, int m, int n, int k,
                                          const void *alpha, const void *a, cudaDataType_t type_a,
                                          int lda, long long stride_a, const void *b,
                                          cudaDataType_t type_b, int ldb, long long stride_b,
                                          const void *beta, void *c, cudaDataType_t type_c, int ldc,
                                          long long stride_c, int batch_count,
                                          cublasComputeType_t compute, int algorithm)
{
    const struct shim_products products = {.turned_a = transposed_a == CUBLAS_OP_T,
                                           .turned_b = transposed_b == CUBLAS_OP_T,
                                           .m = m,
                                           .n = n,
                                           .k = k,
                                           .lda = lda,
                                           .ldb = ldb,
                                           .ldc = ldc,
                                           .batch_count = batch_count,
                                           .type = type_c,
                                           .alpha = *(const float *)alpha,
                                           .a = a,
                                           .b = b,
                                           .c = c,
                                           .stride_a = stride_a,
                                           .stride_b = stride_b,
                                           .stride_c = stride_c};
    const int code = refusal_of("gemm-batched");
    if (code)
        return code;
    return shim_library_work(handle->stream, "gemm-batched", 10, shim_multiply, &products,
                             sizeof products) == cudaSuccess
               ? CUBLAS_STATUS_SUCCESS
               : CUBLAS_STATUS_NOT_SUPPORTED;
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

/* ---- recurrent layers ---- */

cudnnStatus_t cudnnSetTensorNdDescriptor(cudnnTensorDescriptor_t tensor, cudnnDataType_t type,
                                         int rank, const int *dimensions, const int *strides)
{
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateDropoutDescriptor(cudnnDropoutDescriptor_t *dropout)
{
    return create((void **)dropout, 1);
}

cudnnStatus_t cudnnDestroyDropoutDescriptor(cudnnDropoutDescriptor_t dropout)
{
    free(dropout);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetDropoutDescriptor(cudnnDropoutDescriptor_t dropout, cudnnHandle_t handle,
                                        float share, void *states, size_t bytes,
                                        unsigned long long seed)
{
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateRNNDescriptor(cudnnRNNDescriptor_t *rnn)
{
    return create((void **)rnn, sizeof **rnn);
}

cudnnStatus_t cudnnDestroyRNNDescriptor(cudnnRNNDescriptor_t rnn)
{
    free(rnn);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetRNNDescriptor_v8(cudnnRNNDescriptor_t rnn, cudnnRNNAlgo_t algorithm,
                                       cudnnRNNMode_t cell, cudnnRNNBiasMode_t bias,
                                       cudnnDirectionMode_t direction, cudnnRNNInputMode_t input,
                                       cudnnDataType_t type, cudnnDataType_t compute_type,
                                       cudnnMathType_t math, int32_t inputs, int32_t hidden,
                                       int32_t projection, int32_t layers,
                                       cudnnDropoutDescriptor_t dropout, uint32_t flags)
{
    static const int gates[] = {1, 1, 4, 3};
    *rnn = (struct shim_rnn){.algorithm = algorithm,
                             .gates = gates[cell],
                             .inputs = inputs,
                             .hidden = hidden,
                             .layers = layers,
                             .directions = direction == CUDNN_BIDIRECTIONAL ? 2 : 1,
                             .element_bytes = type == CUDNN_DATA_FLOAT ? 4 : 2,
                             .has_bias = bias != CUDNN_RNN_NO_BIAS};
    return refusal_of("rnn-cell");
}

cudnnStatus_t cudnnCreateRNNDataDescriptor(cudnnRNNDataDescriptor_t *rows)
{
    return create((void **)rows, sizeof **rows);
}

cudnnStatus_t cudnnDestroyRNNDataDescriptor(cudnnRNNDataDescriptor_t rows)
{
    free(rows);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetRNNDataDescriptor(cudnnRNNDataDescriptor_t rows, cudnnDataType_t type,
                                        cudnnRNNDataLayout_t layout, int positions, int batch,
                                        int width, const int lengths[], void *padding)
{
    rows->rows = 0;
    for (int i = 0; i < batch; i++)
        rows->rows += lengths[i];
    return CUDNN_STATUS_SUCCESS;
}

/* Inputs of a gate's matrix: those of the layer, then the state. */
static int depth_of(const struct shim_rnn *rnn, int stack, int number)
{
    if (number >= rnn->gates)
        return rnn->hidden;
    return stack < rnn->directions ? rnn->inputs : rnn->directions * rnn->hidden;
}

/* Elements of all matrices before one; of all where `stack` is behind the last. */
static size_t matrices_before(const struct shim_rnn *rnn, int stack, int number)
{
    size_t count = 0;
    for (int i = 0; i <= stack && i < rnn->layers * rnn->directions; i++)
        for (int j = 0; j < 2 * rnn->gates && (i < stack || j < number); j++)
            count += (size_t)rnn->hidden * (size_t)depth_of(rnn, i, j);
    return count;
}

/* Matrices first, then biases, and some bytes that hold nothing. */
enum { UNUSED_BYTES = 64 };

cudnnStatus_t cudnnGetRNNWeightSpaceSize(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn,
                                         size_t *bytes)
{
    const size_t stacks = (size_t)(rnn->layers * rnn->directions);
    const size_t biases = rnn->has_bias ? stacks * 2 * (size_t)(rnn->gates * rnn->hidden) : 0;
    *bytes = (matrices_before(rnn, (int)stacks, 0) + biases) * (size_t)rnn->element_bytes +
             UNUSED_BYTES;
    return refusal_of("rnn-size");
}

cudnnStatus_t cudnnGetRNNTempSpaceSizes(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn,
                                        cudnnForwardMode_t mode, cudnnRNNDataDescriptor_t input,
                                        size_t *workspace_bytes, size_t *reserve_bytes)
{
    const size_t stacks = (size_t)(rnn->layers * rnn->directions);
    const size_t cells = (size_t)input->rows * stacks * (size_t)rnn->hidden;
    *workspace_bytes = 1024;
    *reserve_bytes = mode == CUDNN_FWD_MODE_TRAINING
                         ? cells * (size_t)(rnn->gates + 1) * (size_t)rnn->element_bytes
                         : 0;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetRNNWeightParams(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn, int32_t stack,
                                      size_t bytes, const void *weights, int32_t number,
                                      cudnnTensorDescriptor_t matrix, void **matrix_address,
                                      cudnnTensorDescriptor_t bias, void **bias_address)
{
    unsigned char *first = (unsigned char *)weights;
    const size_t element = (size_t)rnn->element_bytes, stacks = (size_t)rnn->layers * 2;
    const size_t all = matrices_before(rnn, (int)stacks, 0);
    const size_t gate = (size_t)(stack * 2 * rnn->gates + number);
    *matrix_address = first + element * matrices_before(rnn, stack, number);
    *bias_address = rnn->has_bias ? first + element * (all + gate * (size_t)rnn->hidden) : NULL;
    return CUDNN_STATUS_SUCCESS;
}

static int run_rnn(const struct shim_library *library, const struct shim_rnn *rnn, const char *name,
                   double us)
{
    const bool stays = rnn->algorithm == CUDNN_RNN_ALGO_PERSIST_STATIC;
    const int code = stays ? refusal_of("persist") : 0;
    return code ? code : run(library, name, us);
}

cudnnStatus_t cudnnRNNForward(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn,
                              cudnnForwardMode_t mode, const int32_t lengths[],
                              cudnnRNNDataDescriptor_t x_rows, const void *x,
                              cudnnRNNDataDescriptor_t y_rows, void *y,
                              cudnnTensorDescriptor_t h_state, const void *hx, void *hy,
                              cudnnTensorDescriptor_t c_state, const void *cx, void *cy,
                              size_t weights_bytes, const void *weights, size_t workspace_bytes,
                              void *workspace, size_t reserve_bytes, void *reserve)
{
    return run_rnn(handle, rnn, "rnn", 30);
}

cudnnStatus_t
cudnnRNNBackwardData_v8(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn, const int32_t lengths[],
                        cudnnRNNDataDescriptor_t y_rows, const void *y, const void *dy,
                        cudnnRNNDataDescriptor_t x_rows, void *dx, cudnnTensorDescriptor_t h_state,
                        const void *hx, const void *dhy, void *dhx, cudnnTensorDescriptor_t c_state,
                        const void *cx, const void *dcy, void *dcx, size_t weights_bytes,
                        const void *weights, size_t workspace_bytes, void *workspace,
                        size_t reserve_bytes, void *reserve)
{
    return run_rnn(handle, rnn, "rnn-backward", 30);
}

cudnnStatus_t cudnnRNNBackwardWeights_v8(
    cudnnHandle_t handle, cudnnRNNDescriptor_t rnn, cudnnWgradMode_t mode, const int32_t lengths[],
    cudnnRNNDataDescriptor_t x_rows, const void *x, cudnnTensorDescriptor_t h_state, const void *hx,
    cudnnRNNDataDescriptor_t y_rows, const void *y, size_t weights_bytes, void *weights_gradient,
    size_t workspace_bytes, void *workspace, size_t reserve_bytes, void *reserve)
{
    return run_rnn(handle, rnn, "rnn-weights", 20);
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
