/* What a precision is to the libraries, and how they store tensors in it: the one table of it. */
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
    bool is_channels_last;   /* images: NHWC, the layout that tensor cores want, else NCHW */
    bool takes_tensor_cores; /* allowed; fp32 is strict */
};

extern const struct cuda_precision cuda_precisions[PRECISION_COUNT];

#endif
