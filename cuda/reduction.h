/* Reductions of (outer, length, inner) along the middle axis, and their gradients. Tensors are in
 * the storage type of `precision`, sums are fp32 in a fixed order. All counts are at least 1, their
 * products below 2^31. Each launcher enqueues on `stream` and returns the launch's error.
 */
#ifndef EPOCHCAST_CUDA_REDUCTION_H
#define EPOCHCAST_CUDA_REDUCTION_H

#include "base/choice.h"

#include <cuda_runtime.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum fold {
    FOLD_SUM,
    FOLD_PRODUCTS, /* of x and `by` */
    FOLD_SQUARES,
    FOLD_MAX,
    FOLD_MIN,
    FOLD_COUNT
};

struct reduction_shape {
    int64_t outer, length, inner;
    /* inner 1: the axis lies in runs, each `run_step` behind the one before; 0: in one. Those of
     * the next outer element begin `run` behind its own. */
    int64_t run, run_step;
    int32_t fold; /* enum fold */
    int32_t precision;
    float factor; /* of sums */
    bool is_root; /* of the sum of squares, before the factor */
};

/* Floats. */
int64_t reduction_scratch(const struct reduction_shape *shape);
/* y (outer, inner); winners (outer, inner): where the first of the largest or smallest was, or
 * NULL. One launch, or two where outer and inner are small. */
cudaError_t launch_reduction(void *y, int32_t *winners, float *scratch, const void *x,
                             const void *by, const struct reduction_shape *shape,
                             cudaStream_t stream);

/* y (outer, length, inner) = factor s (outer, inner). */
cudaError_t launch_spread(void *y, const void *s, const struct reduction_shape *shape,
                          cudaStream_t stream);
/* y = s at the winners, else 0. */
cudaError_t launch_scatter_winners(void *y, const void *s, const int32_t *winners,
                                   const struct reduction_shape *shape, cudaStream_t stream);
/* y = x s / norm: the gradient of a root of a sum of squares. */
cudaError_t launch_norm_gradient(void *y, const void *x, const void *s, const void *norm,
                                 const struct reduction_shape *shape, cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
