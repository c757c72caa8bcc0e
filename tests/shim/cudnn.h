/* cuDNN as far as the cuda backend calls it outside convolution_graph.c. Calls take time on the
 * shim's clock and compute nothing; SHIM_REFUSES in the environment says which of them fail:
 * "pooling=3002,engine2=5000,norm=broken,gemm=15" (a library's code, or broken: with the device).
 */
#ifndef SHIM_CUDNN_H
#define SHIM_CUDNN_H

#include <cuda_runtime.h>

#define CUDNN_VERSION 91900

typedef struct shim_library *cudnnHandle_t;
typedef struct shim_images *cudnnTensorDescriptor_t;
typedef struct shim_pooling *cudnnPoolingDescriptor_t;
typedef struct shim_choice *cudnnBackendDescriptor_t;
typedef struct shim_rnn *cudnnRNNDescriptor_t;
typedef struct shim_sequences *cudnnRNNDataDescriptor_t;
typedef struct shim_dropout *cudnnDropoutDescriptor_t;
typedef enum {
    CUDNN_STATUS_SUCCESS = 0,
    CUDNN_STATUS_NOT_SUPPORTED = 3000,
    CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED = 4003,
    CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED = 4004,
    CUDNN_STATUS_EXECUTION_FAILED = 5000,
} cudnnStatus_t;
typedef enum { CUDNN_DATA_FLOAT, CUDNN_DATA_HALF = 2, CUDNN_DATA_BFLOAT16 = 9 } cudnnDataType_t;
typedef enum { CUDNN_TENSOR_NCHW, CUDNN_TENSOR_NHWC } cudnnTensorFormat_t;
typedef enum {
    CUDNN_POOLING_MAX,
    CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING = 2
} cudnnPoolingMode_t;
typedef enum { CUDNN_PROPAGATE_NAN = 1 } cudnnNanPropagation_t;
typedef enum { CUDNN_BATCHNORM_SPATIAL = 1 } cudnnBatchNormMode_t;
typedef enum {
    CUDNN_RNN_ALGO_STANDARD,
    CUDNN_RNN_ALGO_PERSIST_STATIC,
    CUDNN_RNN_ALGO_PERSIST_DYNAMIC
} cudnnRNNAlgo_t;
typedef enum { CUDNN_RNN_RELU, CUDNN_RNN_TANH, CUDNN_LSTM, CUDNN_GRU } cudnnRNNMode_t;
typedef enum { CUDNN_RNN_NO_BIAS, CUDNN_RNN_DOUBLE_BIAS = 2 } cudnnRNNBiasMode_t;
typedef enum { CUDNN_UNIDIRECTIONAL, CUDNN_BIDIRECTIONAL } cudnnDirectionMode_t;
typedef enum { CUDNN_LINEAR_INPUT } cudnnRNNInputMode_t;
typedef enum { CUDNN_DEFAULT_MATH, CUDNN_TENSOR_OP_MATH, CUDNN_FMA_MATH = 3 } cudnnMathType_t;
typedef enum { CUDNN_FWD_MODE_INFERENCE, CUDNN_FWD_MODE_TRAINING } cudnnForwardMode_t;
typedef enum { CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED = 1 } cudnnRNNDataLayout_t;
typedef enum { CUDNN_WGRAD_MODE_ADD } cudnnWgradMode_t;
enum { CUDNN_RNN_PADDED_IO_DISABLED };

size_t cudnnGetVersion(void);
const char *cudnnGetErrorString(cudnnStatus_t status);
void cudnnGetLastErrorString(char *message, size_t size);
cudnnStatus_t cudnnCreate(cudnnHandle_t *handle);
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle);
cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream);

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t *tensor);
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t tensor);
cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t tensor, cudnnTensorFormat_t format,
                                         cudnnDataType_t type, int n, int c, int h, int w);
cudnnStatus_t cudnnDeriveBNTensorDescriptor(cudnnTensorDescriptor_t channels,
                                            cudnnTensorDescriptor_t images,
                                            cudnnBatchNormMode_t mode);

cudnnStatus_t cudnnCreatePoolingDescriptor(cudnnPoolingDescriptor_t *pooling);
cudnnStatus_t cudnnDestroyPoolingDescriptor(cudnnPoolingDescriptor_t pooling);
cudnnStatus_t cudnnSetPooling2dDescriptor(cudnnPoolingDescriptor_t pooling, cudnnPoolingMode_t mode,
                                          cudnnNanPropagation_t nan, int height, int width,
                                          int pad_vertical, int pad_horizontal, int stride_vertical,
                                          int stride_horizontal);
cudnnStatus_t cudnnGetPooling2dForwardOutputDim(cudnnPoolingDescriptor_t pooling,
                                                cudnnTensorDescriptor_t input, int *n, int *c,
                                                int *h, int *w);
cudnnStatus_t cudnnPoolingForward(cudnnHandle_t handle, cudnnPoolingDescriptor_t pooling,
                                  const void *alpha, cudnnTensorDescriptor_t x_images,
                                  const void *x, const void *beta, cudnnTensorDescriptor_t y_images,
                                  void *y);
cudnnStatus_t cudnnPoolingBackward(cudnnHandle_t handle, cudnnPoolingDescriptor_t pooling,
                                   const void *alpha, cudnnTensorDescriptor_t y_images,
                                   const void *y, cudnnTensorDescriptor_t dy_images, const void *dy,
                                   cudnnTensorDescriptor_t x_images, const void *x,
                                   const void *beta, cudnnTensorDescriptor_t dx_images, void *dx);

cudnnStatus_t cudnnBatchNormalizationForwardInference(
    cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void *alpha, const void *beta,
    cudnnTensorDescriptor_t x_images, const void *x, cudnnTensorDescriptor_t y_images, void *y,
    cudnnTensorDescriptor_t channels, const void *scale, const void *shift, const void *mean,
    const void *variance, double epsilon);
cudnnStatus_t cudnnBatchNormalizationForwardTraining(
    cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void *alpha, const void *beta,
    cudnnTensorDescriptor_t x_images, const void *x, cudnnTensorDescriptor_t y_images, void *y,
    cudnnTensorDescriptor_t channels, const void *scale, const void *shift, double factor,
    void *running_mean, void *running_variance, double epsilon, void *kept_mean,
    void *kept_inverse);
cudnnStatus_t cudnnBatchNormalizationBackward(
    cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void *alpha_data, const void *beta_data,
    const void *alpha_parameters, const void *beta_parameters, cudnnTensorDescriptor_t x_images,
    const void *x, cudnnTensorDescriptor_t dy_images, const void *dy,
    cudnnTensorDescriptor_t dx_images, void *dx, cudnnTensorDescriptor_t channels,
    const void *scale, void *scale_gradient, void *shift_gradient, double epsilon,
    const void *kept_mean, const void *kept_inverse);

cudnnStatus_t cudnnSetTensorNdDescriptor(cudnnTensorDescriptor_t tensor, cudnnDataType_t type,
                                         int rank, const int *dimensions, const int *strides);
cudnnStatus_t cudnnCreateDropoutDescriptor(cudnnDropoutDescriptor_t *dropout);
cudnnStatus_t cudnnDestroyDropoutDescriptor(cudnnDropoutDescriptor_t dropout);
cudnnStatus_t cudnnSetDropoutDescriptor(cudnnDropoutDescriptor_t dropout, cudnnHandle_t handle,
                                        float share, void *states, size_t bytes,
                                        unsigned long long seed);
cudnnStatus_t cudnnCreateRNNDescriptor(cudnnRNNDescriptor_t *rnn);
cudnnStatus_t cudnnDestroyRNNDescriptor(cudnnRNNDescriptor_t rnn);
cudnnStatus_t cudnnSetRNNDescriptor_v8(cudnnRNNDescriptor_t rnn, cudnnRNNAlgo_t algorithm,
                                       cudnnRNNMode_t cell, cudnnRNNBiasMode_t bias,
                                       cudnnDirectionMode_t direction, cudnnRNNInputMode_t input,
                                       cudnnDataType_t type, cudnnDataType_t compute_type,
                                       cudnnMathType_t math, int32_t inputs, int32_t hidden,
                                       int32_t projection, int32_t layers,
                                       cudnnDropoutDescriptor_t dropout, uint32_t flags);
cudnnStatus_t cudnnCreateRNNDataDescriptor(cudnnRNNDataDescriptor_t *rows);
cudnnStatus_t cudnnDestroyRNNDataDescriptor(cudnnRNNDataDescriptor_t rows);
cudnnStatus_t cudnnSetRNNDataDescriptor(cudnnRNNDataDescriptor_t rows, cudnnDataType_t type,
                                        cudnnRNNDataLayout_t layout, int positions, int batch,
                                        int width, const int lengths[], void *padding);
cudnnStatus_t cudnnGetRNNWeightSpaceSize(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn,
                                         size_t *bytes);
cudnnStatus_t cudnnGetRNNTempSpaceSizes(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn,
                                        cudnnForwardMode_t mode, cudnnRNNDataDescriptor_t input,
                                        size_t *workspace_bytes, size_t *reserve_bytes);
cudnnStatus_t cudnnGetRNNWeightParams(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn, int32_t stack,
                                      size_t bytes, const void *weights, int32_t number,
                                      cudnnTensorDescriptor_t matrix, void **matrix_address,
                                      cudnnTensorDescriptor_t bias, void **bias_address);
cudnnStatus_t cudnnRNNForward(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn,
                              cudnnForwardMode_t mode, const int32_t lengths[],
                              cudnnRNNDataDescriptor_t x_rows, const void *x,
                              cudnnRNNDataDescriptor_t y_rows, void *y,
                              cudnnTensorDescriptor_t h_state, const void *hx, void *hy,
                              cudnnTensorDescriptor_t c_state, const void *cx, void *cy,
                              size_t weights_bytes, const void *weights, size_t workspace_bytes,
                              void *workspace, size_t reserve_bytes, void *reserve);
cudnnStatus_t
cudnnRNNBackwardData_v8(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn, const int32_t lengths[],
                        cudnnRNNDataDescriptor_t y_rows, const void *y, const void *dy,
                        cudnnRNNDataDescriptor_t x_rows, void *dx, cudnnTensorDescriptor_t h_state,
                        const void *hx, const void *dhy, void *dhx, cudnnTensorDescriptor_t c_state,
                        const void *cx, const void *dcy, void *dcx, size_t weights_bytes,
                        const void *weights, size_t workspace_bytes, void *workspace,
                        size_t reserve_bytes, void *reserve);
cudnnStatus_t cudnnRNNBackwardWeights_v8(
    cudnnHandle_t handle, cudnnRNNDescriptor_t rnn, cudnnWgradMode_t mode, const int32_t lengths[],
    cudnnRNNDataDescriptor_t x_rows, const void *x, cudnnTensorDescriptor_t h_state, const void *hx,
    cudnnRNNDataDescriptor_t y_rows, const void *y, size_t weights_bytes, void *weights_gradient,
    size_t workspace_bytes, void *workspace, size_t reserve_bytes, void *reserve);

#endif
