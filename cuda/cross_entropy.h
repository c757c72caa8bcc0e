/* Softmax with cross entropy over rows of x (rows, classes): the mean over the rows of
 * log(sum(exp(x))) - x[label], and the gradient of x. A row's largest element is taken off first,
 * so that no exponential overflows.
 *
 * x and its gradient are in the storage type of `precision` and 16-byte aligned, all else is fp32.
 * rows, classes >= 1, their product below 2^31. Sums have a fixed order. Each launcher enqueues on
 * `stream` and returns the launch's error.
 */
#ifndef EPOCHCAST_CUDA_CROSS_ENTROPY_H
#define EPOCHCAST_CUDA_CROSS_ENTROPY_H

#include "base/choice.h"

#include <cuda_runtime.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct cross_entropy {
    int64_t rows, classes;
    const int32_t *labels; /* rows; each in [0, classes) */
    float *logarithms;     /* rows: what the forward pass leaves to the backward pass; or NULL */
    float *partial;        /* cross_entropy_partial(): scratch of the forward pass */
    int32_t precision;
};
int64_t cross_entropy_partial(const struct cross_entropy *entropy);

/* loss: one number; two launches. */
cudaError_t launch_cross_entropy(float *loss, const void *x, const struct cross_entropy *entropy,
                                 cudaStream_t stream);

/* loss_gradient: one number. */
cudaError_t launch_cross_entropy_backward(void *x_gradient, const float *loss_gradient,
                                          const void *x, const struct cross_entropy *entropy,
                                          cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
