/* Softmax of each row of a (rows, width) matrix, with or without a causal mask.
 *
 * Tensors are in the storage type of `precision` and 16-byte aligned; rows, width >= 1, their
 * product below 2^31. Sums are fp32 and have a fixed order. A launcher enqueues on `stream` and
 * returns the launch's error; both may work in place.
 */
#ifndef EPOCHCAST_CUDA_ROW_SOFTMAX_H
#define EPOCHCAST_CUDA_ROW_SOFTMAX_H

#include "base/choice.h"

#include <cuda_runtime.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct row_softmax {
    int64_t rows, width;
    /* 0: rows are whole. Else rows are `period` queries in turn, the last of which sees all keys,
     * the one before it one key less, and so on; period <= width. What a row does not see is 0. */
    int64_t period;
    int32_t precision;
};

cudaError_t launch_row_softmax(void *y, const void *x, const struct row_softmax *softmax,
                               cudaStream_t stream);

/* The gradient of x, from that of y and from y. */
cudaError_t launch_row_softmax_backward(void *x_gradient, const void *y_gradient, const void *y,
                                        const struct row_softmax *softmax, cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
