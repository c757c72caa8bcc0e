#include "row_norm.h"
#include "row_parts.cuh"

#include <math.h>

static const int64_t SLICE_ROWS = 128, SLICE_LIMIT = 64;

/* What the forward pass has left of a row. */
static __device__ inline float mean_of(const struct row_norm &norm, int64_t row)
{
    return norm.has_mean ? norm.statistics[row] : 0;
}
static __device__ inline float &inverse_of(const struct row_norm &norm, int64_t row)
{
    return norm.statistics[norm.has_mean ? norm.rows + row : row];
}

/* Where the scale of a row's element is: its shift is as many floats behind it as there are scales.
 */
static __device__ inline int64_t scale_place(const struct row_norm &norm, int64_t row, int64_t i)
{
    const int64_t turn = (uint32_t)row % (uint32_t)norm.turns; /* 32 bits: no call, no spills */
    const int64_t first = norm.turns == 1 ? 0 : turn * norm.width;
    return first + (norm.pixels == 1 ? i : (uint32_t)i / (uint32_t)norm.pixels);
}

/* ---- forward ---- */

/* Mean first, then the squares of the differences: the row is in a cache by then. */
template <class T, int LANES>
static __global__ void __launch_bounds__(THREADS)
    row_norm_kernel(T *y, const T *x, const struct row_norm norm)
{
    const int64_t length = norm.width * norm.pixels, scales = norm.turns * norm.width;
    EACH_ROW(row, norm.rows)
    {
        const T *from = x + row * length;
        float sum = 0, squares = 0;
        if (norm.has_mean)
            visit_row<LANES>(from, from, length,
                             [&](int64_t, float value, float) { sum += value; });
        const float mean = norm.has_mean ? row_sum<LANES>(sum) / (float)length : 0;
        visit_row<LANES>(from, from, length, [&](int64_t, float value, float) {
            squares += (value - mean) * (value - mean);
        });
        const float inverse = 1 / sqrtf(row_sum<LANES>(squares) / (float)length + norm.epsilon);
        map_row<LANES>(y + row * length, from, from, length, [&](int64_t i, float value, float) {
            const int64_t place = scale_place(norm, row, i);
            const float shift = norm.has_mean ? norm.parameters[scales + place] : 0;
            return (value - mean) * inverse * norm.parameters[place] + shift;
        });
        if (norm.statistics && threadIdx.x % LANES == 0) {
            if (norm.has_mean)
                norm.statistics[row] = mean;
            inverse_of(norm, row) = inverse;
        }
    }
}

/* ---- backward ---- */

/* With h the normalised x and g the gradient of y times the scale: (g - mean(g) - h mean(g h)) /
 * deviation; without the first mean where x has none taken off. */
template <class T, int LANES>
static __global__ void __launch_bounds__(THREADS)
    row_norm_backward_kernel(T *x_gradient, const T *y_gradient, const T *x,
                             const struct row_norm norm)
{
    const int64_t length = norm.width * norm.pixels;
    EACH_ROW(row, norm.rows)
    {
        const float mean = mean_of(norm, row), inverse = inverse_of(norm, row);
        const T *from = x + row * length, *gradient = y_gradient + row * length;
        float sum = 0, product = 0;
        visit_row<LANES>(gradient, from, length, [&](int64_t i, float g, float value) {
            g *= norm.parameters[scale_place(norm, row, i)];
            sum += g;
            product += g * ((value - mean) * inverse);
        });
        sum = norm.has_mean ? row_sum<LANES>(sum) / (float)length : 0;
        product = row_sum<LANES>(product) / (float)length;
        map_row<LANES>(x_gradient + row * length, gradient, from, length,
                       [&](int64_t i, float g, float value) {
                           const float h = (value - mean) * inverse;
                           g *= norm.parameters[scale_place(norm, row, i)];
                           return (g - sum - h * product) * inverse;
                       });
    }
}

/* ---- gradients of the parameters ---- */

/* Of `count` rows, or of elements in slices of SLICE_ROWS rows' worth. */
static int64_t slice_count(int64_t count)
{
    const int64_t slices = (count + SLICE_ROWS - 1) / SLICE_ROWS;
    return slices < SLICE_LIMIT ? slices : SLICE_LIMIT;
}

/* Where the sums of a slice are: of the scales, then of the shifts. */
static __device__ inline void put_sums(float *sums, const struct row_norm &norm, int64_t at,
                                       float scale, float shift)
{
    const int64_t scales = norm.turns * norm.width, all = norm.has_mean ? 2 * scales : scales;
    sums[blockIdx.y * all + at] = scale;
    if (norm.has_mean)
        sums[blockIdx.y * all + scales + at] = shift;
}

/* sums (slices, parameters): 32 columns per block side by side, their rows shared by the warps. A
 * sample's groups of single pixels are one row here, whose elements have statistics of their own.
 */
template <class T>
static __global__ void __launch_bounds__(THREADS)
    parameter_sums_kernel(float *sums, const T *y_gradient, const T *x, const struct row_norm norm)
{
    __shared__ float scales[THREADS / WARP][WARP], shifts[THREADS / WARP][WARP];
    const int lane = (int)threadIdx.x % WARP, warp = (int)threadIdx.x / WARP;
    const int64_t width = norm.turns * norm.width, column = (int64_t)blockIdx.x * WARP + lane;
    const int64_t rows = norm.rows / norm.turns, turn = column / norm.width;
    const int64_t slice_rows = (rows + gridDim.y - 1) / gridDim.y;
    const int64_t first = blockIdx.y * slice_rows;
    const int64_t end = first + slice_rows < rows ? first + slice_rows : rows;
    float scale = 0, shift = 0;
    for (int64_t row = first + warp; row < end && column < width; row += THREADS / WARP) {
        const int64_t group = row * norm.turns + turn;
        const float g = load(&y_gradient[row * width + column]);
        scale += g * ((load(&x[row * width + column]) - mean_of(norm, group)) *
                      inverse_of(norm, group));
        shift += g;
    }
    scales[warp][lane] = scale;
    shifts[warp][lane] = shift;
    __syncthreads();
    if (warp > 0 || column >= width)
        return;
    for (int i = 1; i < THREADS / WARP; i++) {
        scale += scales[i][lane];
        shift += shifts[i][lane];
    }
    put_sums(sums, norm, column, scale, shift);
}

/* The same of channels of several pixels: a block per channel, whose threads share the pixels of
 * the slice's samples. */
template <class T>
static __global__ void __launch_bounds__(THREADS)
    channel_sums_kernel(float *sums, const T *y_gradient, const T *x, const struct row_norm norm)
{
    const int64_t channels = norm.turns * norm.width, channel = blockIdx.x;
    const int64_t samples = norm.rows / norm.turns, turn = channel / norm.width;
    const int64_t slice = (samples + gridDim.y - 1) / gridDim.y, first = blockIdx.y * slice;
    const int64_t end = first + slice < samples ? first + slice : samples;
    float scale = 0, shift = 0;
    for (int64_t i = threadIdx.x; first < end && i < (end - first) * norm.pixels; i += THREADS) {
        const int64_t sample = first + (uint32_t)i / (uint32_t)norm.pixels;
        const int64_t group = sample * norm.turns + turn;
        const int64_t at = (sample * channels + channel) * norm.pixels +
                           (uint32_t)i % (uint32_t)norm.pixels;
        const float g = load(&y_gradient[at]);
        scale += g * ((load(&x[at]) - mean_of(norm, group)) * inverse_of(norm, group));
        shift += g;
    }
    scale = row_sum<THREADS>(scale);
    shift = row_sum<THREADS>(shift);
    if (threadIdx.x == 0)
        put_sums(sums, norm, channel, scale, shift);
}

static __global__ void slice_sums_kernel(float *gradients, const float *sums, int64_t columns,
                                         int64_t slices)
{
    EACH_INDEX (column, columns) {
        float sum = 0;
        for (int64_t slice = 0; slice < slices; slice++)
            sum += sums[slice * columns + column];
        gradients[column] = sum;
    }
}

/* ---- launchers ---- */

extern "C" cudaError_t launch_row_norm(void *y, const void *x, const struct row_norm *norm,
                                       cudaStream_t stream)
{
    return by_precision(norm->precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        const bool is_narrow = norm->width * norm->pixels <= WARP_WIDTH_LIMIT;
        const cudaLaunchConfig_t config = row_grid(norm->rows, is_narrow ? WARP : THREADS, stream);
        return cudaLaunchKernelEx(
            &config, is_narrow ? row_norm_kernel<T, WARP> : row_norm_kernel<T, THREADS>, (T *)y,
            (const T *)x, *norm);
    });
}

extern "C" cudaError_t launch_row_norm_backward(void *x_gradient, const void *y_gradient,
                                                const void *x, const struct row_norm *norm,
                                                cudaStream_t stream)
{
    return by_precision(norm->precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        const bool is_narrow = norm->width * norm->pixels <= WARP_WIDTH_LIMIT;
        const cudaLaunchConfig_t config = row_grid(norm->rows, is_narrow ? WARP : THREADS, stream);
        return cudaLaunchKernelEx(&config,
                                  is_narrow ? row_norm_backward_kernel<T, WARP>
                                            : row_norm_backward_kernel<T, THREADS>,
                                  (T *)x_gradient, (const T *)y_gradient, (const T *)x, *norm);
    });
}

static int64_t parameter_count(const struct row_norm *norm)
{
    return norm->turns * norm->width * (norm->has_mean ? 2 : 1);
}

/* Rows, or pixels in blocks, that a column's or channel's sum goes over: its slices; samples at the
 * most. */
static int64_t slices_of(const struct row_norm *norm)
{
    const int64_t samples = norm->rows / norm->turns, pixels = norm->pixels;
    const int64_t slices = slice_count(pixels == 1 ? samples : samples * pixels / THREADS);
    return slices < 1 ? 1 : slices < samples ? slices : samples;
}

extern "C" int64_t row_norm_scratch(const struct row_norm *norm)
{
    return slices_of(norm) * parameter_count(norm);
}

extern "C" cudaError_t launch_row_norm_parameters(float *gradients, float *scratch,
                                                  const void *y_gradient, const void *x,
                                                  const struct row_norm *norm, cudaStream_t stream)
{
    const int64_t slices = slices_of(norm), columns = norm->turns * norm->width;
    const bool is_planar = norm->pixels > 1;
    const cudaError_t error = by_precision(norm->precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        cudaLaunchConfig_t config = row_grid(1, THREADS, stream);
        config.gridDim = dim3((unsigned)(is_planar ? columns : (columns + WARP - 1) / WARP),
                              (unsigned)slices);
        return cudaLaunchKernelEx(&config,
                                  is_planar ? channel_sums_kernel<T> : parameter_sums_kernel<T>,
                                  scratch, (const T *)y_gradient, (const T *)x, *norm);
    });
    if (error != cudaSuccess)
        return error;
    const int64_t parameters = parameter_count(norm);
    const cudaLaunchConfig_t config = grid_of(parameters, stream);
    return cudaLaunchKernelEx(&config, slice_sums_kernel, gradients, (const float *)scratch,
                              parameters, slices);
}
