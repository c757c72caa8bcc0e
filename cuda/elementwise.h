/* The layers' own kernels: bias, activation, their gradients, the optimizer updates, noise. Tensors
 * are in the storage type of `precision` (enum precision; tf32 stores fp32), arithmetic and
 * optimizer state are fp32. Each launcher enqueues on `stream` and returns the launch's error.
 */
#ifndef EPOCHCAST_CUDA_ELEMENTWISE_H
#define EPOCHCAST_CUDA_ELEMENTWISE_H

#include "base/choice.h"

#include <cuda_runtime.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a tensor of `count` elements holds its channels: element i belongs to channel
 * i / inner % channels. NCHW: inner = height * width; NHWC and (rows, channels): inner = 1. */
struct channel_layout {
    int64_t count, channels, inner;
};

/* values += bias[channel]; count below 2^31 */
cudaError_t launch_bias(void *values, const void *bias, const struct channel_layout *layout,
                        int32_t precision, cudaStream_t stream);

/* output = a + b */
cudaError_t launch_sum(void *output, const void *a, const void *b, int64_t count, int32_t precision,
                       cudaStream_t stream);

/* Where the second operand of an operation is repeated: element i of the first goes with element
 * i / block * block_step + i % block / inner % elements. */
struct repeated_layout {
    int64_t block, block_step, inner, elements;
};
/* output = a operation b (enum binary_operation); layout NULL: of one shape. count below 2^31;
 * output may be a. */
cudaError_t launch_binary(void *output, const void *a, const void *b, int64_t count,
                          const struct repeated_layout *layout, int32_t operation,
                          int32_t precision, cudaStream_t stream);
/* output = -input */
cudaError_t launch_negative(void *output, const void *input, int64_t count, int32_t precision,
                            cudaStream_t stream);
/* A divisor's gradient: output = -x a / b^2; with sums of x a in the place of both, -x / b^2. */
cudaError_t launch_divisor_gradient(void *output, const void *x, const void *a, const void *b,
                                    int64_t count, int32_t precision, cudaStream_t stream);
cudaError_t launch_divisor_share(void *output, const void *x, const void *b, int64_t count,
                                 int32_t precision, cudaStream_t stream);

/* output = f(input); they may be the same. none launches nothing. */
cudaError_t launch_activation(void *output, const void *input, int64_t count, int32_t activation,
                              int32_t precision, cudaStream_t stream);
/* gradient = output_gradient * f'(x), from f's output; gradient may be output_gradient. */
cudaError_t launch_activation_backward(void *gradient, const void *output_gradient,
                                       const void *output, int64_t count, int32_t activation,
                                       int32_t precision, cudaStream_t stream);

/* output = function(input); they may be the same. */
cudaError_t launch_function(void *output, const void *input, int64_t count, int32_t function,
                            int32_t precision, cudaStream_t stream);
/* gradient = output_gradient * function'(x), from `kept`, input or output (layers/function.h);
 * gradient may be output_gradient. */
cudaError_t launch_function_backward(void *gradient, const void *output_gradient, const void *kept,
                                     int64_t count, int32_t function, int32_t precision,
                                     cudaStream_t stream);

/* Partial sums that launch_bias_gradient wants: floats. */
int64_t bias_gradient_scratch(const struct channel_layout *layout);
/* bias_gradient[channel] = sum of gradient over the channel; two launches, sums in a fixed order.
 */
cudaError_t launch_bias_gradient(void *bias_gradient, const void *gradient, float *scratch,
                                 const struct channel_layout *layout, int32_t precision,
                                 cudaStream_t stream);

/* One step of `optimizer` (not none) over an array. The formulas are host/onednn/update.c's; the
 * learning rate is tiny there too: a benchmark repeats one gradient. */
struct optimizer_update {
    void *parameters;
    const void *gradient;
    float *state[2]; /* as many as optimizer_state_count says */
    int64_t count;   /* of the parameters */
    int32_t optimizer;
    /* Not NULL: a sparse gradient (rows, width), whose row i is that of row owners[i] of the
     * parameters, or of none (-1). No row has two. */
    const int32_t *owners;
    int64_t rows, width;
    bool has_float_parameters; /* the gradient alone is in the storage type */
};
cudaError_t launch_optimizer(const struct optimizer_update *update, int32_t precision,
                             cudaStream_t stream);

/* to = from, rounded to the storage type; and back. */
cudaError_t launch_narrow(void *to, const float *from, int64_t count, int32_t precision,
                          cudaStream_t stream);
cudaError_t launch_widen(float *to, const void *from, int64_t count, int32_t precision,
                         cudaStream_t stream);

/* Uniform noise in (-amplitude, amplitude): element i from word i % 4 of philox(i / 4, stream_id,
 * 0, PHILOX_NOISE, seed). */
cudaError_t launch_noise(void *values, int64_t count, float amplitude, uint32_t stream_id,
                         uint64_t seed, int32_t precision, cudaStream_t stream);

/* Uniform indices below `bound` from the same words. */
cudaError_t launch_indices(int32_t *values, int64_t count, int32_t bound, uint32_t stream_id,
                           uint64_t seed, cudaStream_t stream);

/* values[i] = tensor[places[i]] */
cudaError_t launch_pick(float *values, const void *tensor, const int64_t *places, int64_t count,
                        int32_t precision, cudaStream_t stream);
cudaError_t launch_pick_indices(float *values, const int32_t *tensor, const int64_t *places,
                                int64_t count, cudaStream_t stream);

/* Does nothing; its launch is what is measured. */
cudaError_t launch_empty(cudaStream_t stream);
/* Keeps the device busy for some 15 us. */
cudaError_t launch_spin(cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
