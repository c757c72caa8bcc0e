/* Images scaled by the nearest pixel or between the four around, half-pixel centres, and the
 * gradient: every input pixel gathers what it gave, in a fixed order. Images are NCHW, or NHWC
 * where the precision's are (channels_last); sides 1..2^14, both tensors below 2^31 elements.
 * Enqueues on `stream` and returns the launch's error.
 */
#ifndef EPOCHCAST_CUDA_RESIZE_IMAGES_H
#define EPOCHCAST_CUDA_RESIZE_IMAGES_H

#include "base/choice.h"

#include <cuda_runtime.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct resized_images {
    int64_t batch, channels, height, width, output_height, output_width;
    int32_t is_bilinear, is_channels_last, precision;
};
cudaError_t launch_resize(void *output, const void *input, const struct resized_images *images,
                          cudaStream_t stream);
cudaError_t launch_resize_backward(void *input_gradient, const void *output_gradient,
                                   const struct resized_images *images, cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
