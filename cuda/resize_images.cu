#include "elementwise_storage.cuh"
#include "resize_images.h"

/* What an output pixel has along one axis: of input pixel `first` 1 - share, of the next one share.
 */
struct axis_taps {
    int first;
    float share;
};

/* Integers where they decide, so that the gradient sees the same pixels. */
static __device__ inline struct axis_taps taps_of(int output, int from, int to, bool is_bilinear)
{
    const int numerator = (2 * output + 1) * from, denominator = 2 * to; /* sides of 2^14 at most */
    struct axis_taps taps = {numerator / denominator, 0};
    if (!is_bilinear)
        return taps;
    const int place = numerator - to; /* less half a pixel, times the denominator */
    taps.first = place < 0 ? 0 : place / denominator;
    taps.share = place < 0 ? 0 : (float)(place % denominator) / (float)denominator;
    if (taps.first >= from - 1) {
        taps.first = from - 1;
        taps.share = 0;
    }
    return taps;
}

/* Where an image's pixel lies; `index` counts images as they are stored. */
struct pixel {
    int row, column;
    int64_t plane; /* of NCHW: image and channel; of NHWC the channel */
    int64_t image; /* of NHWC */
};

static __device__ inline struct pixel pixel_of(uint32_t index, uint32_t channels, uint32_t height,
                                               uint32_t width, bool is_channels_last)
{
    const uint32_t channel = is_channels_last ? index % channels : 0;
    const uint32_t cell = is_channels_last ? index / channels : index;
    const uint32_t row = cell / width % height, outer = cell / width / height;
    return {(int)row, (int)(cell % width), is_channels_last ? channel : outer, outer};
}

static __device__ inline int64_t place_of(const struct pixel &at, int row, int column,
                                          int64_t channels, int64_t height, int64_t width,
                                          bool is_channels_last)
{
    return is_channels_last ? ((at.image * height + row) * width + column) * channels + at.plane
                            : (at.plane * height + row) * width + column;
}

template <class T>
static __global__ void __launch_bounds__(THREADS)
    resize_kernel(T *output, const T *input, const struct resized_images images)
{
    const bool is_last = images.is_channels_last;
    const int height = (int)images.height, width = (int)images.width;
    EACH_INDEX (i, images.batch * images.channels * images.output_height * images.output_width) {
        const struct pixel at = pixel_of((uint32_t)i, (uint32_t)images.channels,
                                         (uint32_t)images.output_height,
                                         (uint32_t)images.output_width, is_last);
        const struct axis_taps down = taps_of(at.row, height, (int)images.output_height,
                                              images.is_bilinear);
        const struct axis_taps right = taps_of(at.column, width, (int)images.output_width,
                                               images.is_bilinear);
        float sum = 0;
        for (int j = 0; j < (down.share > 0 ? 2 : 1); j++)
            for (int k = 0; k < (right.share > 0 ? 2 : 1); k++)
                sum += (j ? down.share : 1 - down.share) * (k ? right.share : 1 - right.share) *
                       load(&input[place_of(at, down.first + j, right.first + k, images.channels,
                                            height, width, is_last)]);
        store(&output[i], sum);
    }
}

/* Outputs first .. end - 1 may have a share of an input pixel. */
struct axis_reach {
    int first, end;
};
static __device__ inline struct axis_reach reach_of(int pixel, int from, int to, bool is_bilinear)
{
    const int before = is_bilinear ? pixel - 1 : pixel, behind = pixel + 1 + is_bilinear;
    const int first = before * to / from - 1, end = (behind * to + from - 1) / from + 1;
    return {first < 0 ? 0 : first, end < to ? end : to};
}

static __device__ inline float share_of(const struct axis_taps &taps, int pixel)
{
    return pixel == taps.first ? 1 - taps.share : pixel == taps.first + 1 ? taps.share : 0;
}

template <class T>
static __global__ void __launch_bounds__(THREADS)
    resize_backward_kernel(T *input_gradient, const T *output_gradient,
                           const struct resized_images images)
{
    const bool is_last = images.is_channels_last, is_bilinear = images.is_bilinear;
    const int height = (int)images.height, width = (int)images.width;
    const int output_height = (int)images.output_height, output_width = (int)images.output_width;
    EACH_INDEX (i, images.batch * images.channels * images.height * images.width) {
        const struct pixel at = pixel_of((uint32_t)i, (uint32_t)images.channels, (uint32_t)height,
                                         (uint32_t)width, is_last);
        const struct axis_reach down = reach_of(at.row, height, output_height, is_bilinear);
        const struct axis_reach right = reach_of(at.column, width, output_width, is_bilinear);
        float sum = 0;
        for (int row = down.first; row < down.end; row++) {
            const float share = share_of(taps_of(row, height, output_height, is_bilinear), at.row);
            for (int column = right.first; column < right.end && share > 0; column++) {
                const float own = share_of(taps_of(column, width, output_width, is_bilinear),
                                           at.column);
                if (own > 0)
                    sum += share * own *
                           load(&output_gradient[place_of(at, row, column, images.channels,
                                                          output_height, output_width, is_last)]);
            }
        }
        store(&input_gradient[i], sum);
    }
}

extern "C" cudaError_t launch_resize(void *output, const void *input,
                                     const struct resized_images *images, cudaStream_t stream)
{
    return by_precision(images->precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        const cudaLaunchConfig_t config = grid_of(images->batch * images->channels *
                                                      images->output_height * images->output_width,
                                                  stream);
        return cudaLaunchKernelEx(&config, resize_kernel<T>, (T *)output, (const T *)input,
                                  *images);
    });
}

extern "C" cudaError_t launch_resize_backward(void *input_gradient, const void *output_gradient,
                                              const struct resized_images *images,
                                              cudaStream_t stream)
{
    return by_precision(images->precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        const cudaLaunchConfig_t config = grid_of(
            images->batch * images->channels * images->height * images->width, stream);
        return cudaLaunchKernelEx(&config, resize_backward_kernel<T>, (T *)input_gradient,
                                  (const T *)output_gradient, *images);
    });
}
