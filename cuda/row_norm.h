/* Normalisation of the rows of a (rows, width * pixels) matrix, each by its own mean and variance,
 * then a scale and a shift per column; or by its mean square, without shifts; or of groups:
 * `pixels` neighbours have one scale, and `turns` rows one behind the other (groups of a sample)
 * have scales of their own. Own kernels: cuDNN's engines for it are compiled by the driver, so that
 * no plan can be made, let alone tested, without a GPU (cuDNN 9.19; convolution_graph.h can).
 *
 * x, y and their gradients are in the storage type of `precision` and 16-byte aligned; parameters
 * (scales, then shifts), their gradients and statistics (means, then 1 / deviation: rows of each;
 * without a mean the latter alone) are fp32. All sizes >= 1, rows a multiple of turns; pixels or
 * turns above 1 need has_mean; the matrix has less than 2^31 elements. Sums have a fixed order.
 * Each launcher enqueues on `stream` and returns the launch's error.
 */
#ifndef EPOCHCAST_CUDA_ROW_NORM_H
#define EPOCHCAST_CUDA_ROW_NORM_H

#include "base/choice.h"

#include <cuda_runtime.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct row_norm {
    int64_t rows, width, pixels, turns;
    const float *parameters; /* 2 turns width; without a mean width */
    float *statistics; /* 2 rows: what the forward pass leaves to the backward pass; or NULL */
    int32_t has_mean, precision;
    float epsilon; /* added to the variance */
};

cudaError_t launch_row_norm(void *y, const void *x, const struct row_norm *norm,
                            cudaStream_t stream);

/* The gradient of x. */
cudaError_t launch_row_norm_backward(void *x_gradient, const void *y_gradient, const void *x,
                                     const struct row_norm *norm, cudaStream_t stream);

/* Partial sums that the gradients of the parameters want: floats. */
int64_t row_norm_scratch(const struct row_norm *norm);
/* The gradients of the parameters; two launches. */
cudaError_t launch_row_norm_parameters(float *gradients, float *scratch, const void *y_gradient,
                                       const void *x, const struct row_norm *norm,
                                       cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
