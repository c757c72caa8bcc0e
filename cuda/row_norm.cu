#include "elementwise_storage.cuh"
#include "row_norm.h"

#include <math.h>

static const int WARP = 32;
static const int64_t WARP_WIDTH_LIMIT = 1024; /* wider rows take a block */
static const int64_t SLICE_ROWS = 128, SLICE_LIMIT = 64;

/* ---- rows: LANES threads side by side have one, a warp or a block ---- */

/* The sum over the row's threads, in each of them. */
template <int LANES> static __device__ inline float row_sum(float value)
{
    for (int mask = WARP / 2; mask > 0; mask /= 2)
        value += __shfl_xor_sync(0xFFFFFFFFu, value, mask);
    if (LANES == WARP)
        return value;
    __shared__ float partial[THREADS / WARP];
    if (threadIdx.x % WARP == 0)
        partial[threadIdx.x / WARP] = value;
    __syncthreads();
    value = 0;
    for (int i = 0; i < THREADS / WARP; i++)
        value += partial[i];
    __syncthreads();
    return value;
}

/* This thread's share of the row: 16 bytes per access where rows are a multiple of that. */
template <class T> static __device__ inline int64_t packs_of(int64_t width)
{
    const int64_t size = 16 / sizeof(T);
    return width % size == 0 ? width / size : 0;
}

/* function(column, a, b) for each element of two rows. */
template <int LANES, class T, class F>
static __device__ inline void visit_row(const T *a, const T *b, int64_t width, F function)
{
    const int SIZE = 16 / (int)sizeof(T);
    const int64_t lane = threadIdx.x % LANES, packs = packs_of<T>(width);
    for (int64_t p = lane; p < packs; p += LANES) {
        const pack<T> as = load_pack(a + p * SIZE), bs = load_pack(b + p * SIZE);
#pragma unroll
        for (int j = 0; j < SIZE; j++)
            function(p * SIZE + j, load(&as.values[j]), load(&bs.values[j]));
    }
    for (int64_t i = packs * SIZE + lane; i < width; i += LANES)
        function(i, load(&a[i]), load(&b[i]));
}

/* to = function(column, a, b). */
template <int LANES, class T, class F>
static __device__ inline void map_row(T *to, const T *a, const T *b, int64_t width, F function)
{
    const int SIZE = 16 / (int)sizeof(T);
    const int64_t lane = threadIdx.x % LANES, packs = packs_of<T>(width);
    for (int64_t p = lane; p < packs; p += LANES) {
        pack<T> as = load_pack(a + p * SIZE);
        const pack<T> bs = load_pack(b + p * SIZE);
#pragma unroll
        for (int j = 0; j < SIZE; j++)
            store(&as.values[j], function(p * SIZE + j, load(&as.values[j]), load(&bs.values[j])));
        store_pack(to + p * SIZE, as);
    }
    for (int64_t i = packs * SIZE + lane; i < width; i += LANES)
        store(&to[i], function(i, load(&a[i]), load(&b[i])));
}

/* Rows of this block, in turn. */
#define EACH_ROW(row, rows)                                                                        \
    for (int64_t row = (int64_t)blockIdx.x * (THREADS / LANES) + threadIdx.x / LANES;              \
         row < (rows); row += (int64_t)gridDim.x * (THREADS / LANES))

/* ---- forward ---- */

/* Mean first, then the squares of the differences: the row is in a cache by then. */
template <class T, int LANES>
static __global__ void __launch_bounds__(THREADS)
    row_norm_kernel(T *y, const T *x, const struct row_norm norm)
{
    const int64_t width = norm.width;
    EACH_ROW(row, norm.rows)
    {
        const T *from = x + row * width;
        float sum = 0, squares = 0;
        visit_row<LANES>(from, from, width, [&](int64_t, float value, float) { sum += value; });
        const float mean = row_sum<LANES>(sum) / (float)width;
        visit_row<LANES>(from, from, width, [&](int64_t, float value, float) {
            squares += (value - mean) * (value - mean);
        });
        const float inverse = 1 / sqrtf(row_sum<LANES>(squares) / (float)width + norm.epsilon);
        map_row<LANES>(y + row * width, from, from, width, [&](int64_t i, float value, float) {
            return (value - mean) * inverse * norm.parameters[i] + norm.parameters[width + i];
        });
        if (norm.statistics && threadIdx.x % LANES == 0) {
            norm.statistics[row] = mean;
            norm.statistics[norm.rows + row] = inverse;
        }
    }
}

/* ---- backward ---- */

/* With h the normalised x and g the gradient of y times the scale: (g - mean(g) - h mean(g h)) /
 * deviation. */
template <class T, int LANES>
static __global__ void __launch_bounds__(THREADS)
    row_norm_backward_kernel(T *x_gradient, const T *y_gradient, const T *x,
                             const struct row_norm norm)
{
    const int64_t width = norm.width;
    EACH_ROW(row, norm.rows)
    {
        const float mean = norm.statistics[row], inverse = norm.statistics[norm.rows + row];
        const T *from = x + row * width, *gradient = y_gradient + row * width;
        float sum = 0, product = 0;
        visit_row<LANES>(gradient, from, width, [&](int64_t i, float g, float value) {
            g *= norm.parameters[i];
            sum += g;
            product += g * ((value - mean) * inverse);
        });
        sum = row_sum<LANES>(sum) / (float)width;
        product = row_sum<LANES>(product) / (float)width;
        map_row<LANES>(x_gradient + row * width, gradient, from, width,
                       [&](int64_t i, float g, float value) {
                           const float h = (value - mean) * inverse;
                           return (g * norm.parameters[i] - sum - h * product) * inverse;
                       });
    }
}

/* ---- gradients of the parameters ---- */

static int64_t slice_count(int64_t rows)
{
    const int64_t slices = (rows + SLICE_ROWS - 1) / SLICE_ROWS;
    return slices < SLICE_LIMIT ? slices : SLICE_LIMIT;
}

/* sums (slices, 2 width): 32 columns per block side by side, their rows shared by the warps. */
template <class T>
static __global__ void __launch_bounds__(THREADS)
    parameter_sums_kernel(float *sums, const T *y_gradient, const T *x, const struct row_norm norm)
{
    __shared__ float scales[THREADS / WARP][WARP], shifts[THREADS / WARP][WARP];
    const int lane = (int)threadIdx.x % WARP, warp = (int)threadIdx.x / WARP;
    const int64_t width = norm.width, column = (int64_t)blockIdx.x * WARP + lane;
    const int64_t slice_rows = (norm.rows + gridDim.y - 1) / gridDim.y;
    const int64_t first = blockIdx.y * slice_rows;
    const int64_t end = first + slice_rows < norm.rows ? first + slice_rows : norm.rows;
    float scale = 0, shift = 0;
    for (int64_t row = first + warp; row < end && column < width; row += THREADS / WARP) {
        const float g = load(&y_gradient[row * width + column]);
        scale += g * ((load(&x[row * width + column]) - norm.statistics[row]) *
                      norm.statistics[norm.rows + row]);
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
    sums[blockIdx.y * 2 * width + column] = scale;
    sums[blockIdx.y * 2 * width + width + column] = shift;
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

/* A grid of `lanes` threads per row. */
static cudaLaunchConfig_t row_grid(int64_t rows, int lanes, cudaStream_t stream)
{
    return grid_of(rows * lanes, stream);
}

extern "C" cudaError_t launch_row_norm(void *y, const void *x, const struct row_norm *norm,
                                       cudaStream_t stream)
{
    return by_precision(norm->precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        const bool is_narrow = norm->width <= WARP_WIDTH_LIMIT;
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
        const bool is_narrow = norm->width <= WARP_WIDTH_LIMIT;
        const cudaLaunchConfig_t config = row_grid(norm->rows, is_narrow ? WARP : THREADS, stream);
        return cudaLaunchKernelEx(&config,
                                  is_narrow ? row_norm_backward_kernel<T, WARP>
                                            : row_norm_backward_kernel<T, THREADS>,
                                  (T *)x_gradient, (const T *)y_gradient, (const T *)x, *norm);
    });
}

extern "C" int64_t row_norm_scratch(const struct row_norm *norm)
{
    return slice_count(norm->rows) * 2 * norm->width;
}

extern "C" cudaError_t launch_row_norm_parameters(float *gradients, float *scratch,
                                                  const void *y_gradient, const void *x,
                                                  const struct row_norm *norm, cudaStream_t stream)
{
    const int64_t slices = slice_count(norm->rows), columns = 2 * norm->width;
    const cudaError_t error = by_precision(norm->precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        cudaLaunchConfig_t config = row_grid(1, THREADS, stream);
        config.gridDim = dim3((unsigned)((norm->width + WARP - 1) / WARP), (unsigned)slices);
        return cudaLaunchKernelEx(&config, parameter_sums_kernel<T>, scratch, (const T *)y_gradient,
                                  (const T *)x, *norm);
    });
    if (error != cudaSuccess)
        return error;
    const cudaLaunchConfig_t config = grid_of(columns, stream);
    return cudaLaunchKernelEx(&config, slice_sums_kernel, gradients, (const float *)scratch,
                              columns, slices);
}
