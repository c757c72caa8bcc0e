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

#endif
