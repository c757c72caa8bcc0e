/* A precision in the terms of the libraries; its traits on every device are in layers/work.h. */
#ifndef EPOCHCAST_CUDA_PRECISION_H
#define EPOCHCAST_CUDA_PRECISION_H

#include "base/choice.h"

#include <cublas_v2.h>
#include <cudnn.h>
#include <stdbool.h>

struct cuda_precision {
    cudaDataType_t blas_type;
    cublasComputeType_t blas_compute;
    cudnnDataType_t dnn_type;
    bool is_channels_last; /* images: NHWC, the layout that tensor cores want, else NCHW */
};

extern const struct cuda_precision cuda_precisions[PRECISION_COUNT];

#endif
