#include "row_parts.cuh"
#include "row_softmax.h"

#include <math.h>

/* Per multiprocessor, at least: asked for none, the compiler spills registers for more. */
static const int BLOCKS = 3;

struct larger {
    __device__ float operator()(float a, float b) const
    {
        return fmaxf(a, b);
    }
};

/* The first elements of a row that are not masked. */
static __device__ inline int64_t visible_of(const struct row_softmax &softmax, int64_t row)
{
    return softmax.period
               ? softmax.width - softmax.period + (uint32_t)row % (uint32_t)softmax.period + 1
               : softmax.width;
}

/* The maximum first, then the sum, then the quotients: the row is in a cache by then. */
template <class T, int LANES>
static __global__ void __launch_bounds__(THREADS, BLOCKS)
    row_softmax_kernel(T *y, const T *x, const struct row_softmax softmax)
{
    const int64_t width = softmax.width;
    EACH_ROW(row, softmax.rows)
    {
        const int64_t visible = visible_of(softmax, row);
        const T *from = x + row * width;
        float largest = -INFINITY, sum = 0;
        visit_row<LANES>(from, from, width, [&](int64_t i, float value, float) {
            largest = i < visible ? fmaxf(largest, value) : largest;
        });
        largest = row_reduce<LANES>(largest, -INFINITY, larger());
        visit_row<LANES>(from, from, width, [&](int64_t i, float value, float) {
            sum += i < visible ? expf(value - largest) : 0;
        });
        const float inverse = 1 / row_sum<LANES>(sum);
        map_row<LANES>(y + row * width, from, from, width, [&](int64_t i, float value, float) {
            return i < visible ? expf(value - largest) * inverse : 0;
        });
    }
}

/* y (g - sum(g y)); what is masked has y = 0. */
template <class T, int LANES>
static __global__ void __launch_bounds__(THREADS, BLOCKS)
    row_softmax_backward_kernel(T *x_gradient, const T *y_gradient, const T *y,
                                const struct row_softmax softmax)
{
    const int64_t width = softmax.width;
    EACH_ROW(row, softmax.rows)
    {
        const T *from = y + row * width, *gradient = y_gradient + row * width;
        float product = 0;
        visit_row<LANES>(gradient, from, width,
                         [&](int64_t, float g, float value) { product += g * value; });
        product = row_sum<LANES>(product);
        map_row<LANES>(x_gradient + row * width, gradient, from, width,
                       [&](int64_t, float g, float value) { return value * (g - product); });
    }
}

extern "C" cudaError_t launch_row_softmax(void *y, const void *x, const struct row_softmax *softmax,
                                          cudaStream_t stream)
{
    return by_precision(softmax->precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        const bool is_narrow = softmax->width <= WARP_WIDTH_LIMIT;
        const cudaLaunchConfig_t config = row_grid(softmax->rows, is_narrow ? WARP : THREADS,
                                                   stream);
        return cudaLaunchKernelEx(
            &config, is_narrow ? row_softmax_kernel<T, WARP> : row_softmax_kernel<T, THREADS>,
            (T *)y, (const T *)x, *softmax);
    });
}

extern "C" cudaError_t launch_row_softmax_backward(void *x_gradient, const void *y_gradient,
                                                   const void *y, const struct row_softmax *softmax,
                                                   cudaStream_t stream)
{
    return by_precision(softmax->precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        const bool is_narrow = softmax->width <= WARP_WIDTH_LIMIT;
        const cudaLaunchConfig_t config = row_grid(softmax->rows, is_narrow ? WARP : THREADS,
                                                   stream);
        return cudaLaunchKernelEx(&config,
                                  is_narrow ? row_softmax_backward_kernel<T, WARP>
                                            : row_softmax_backward_kernel<T, THREADS>,
                                  (T *)x_gradient, (const T *)y_gradient, (const T *)y, *softmax);
    });
}
