#include "cross_entropy.h"
#include "elementwise_storage.cuh"

#include <math.h>

static const int WARP = 32, WARPS = THREADS / WARP;
static const int64_t WARP_CLASS_LIMIT = 1024; /* wider rows take a block */
static const int64_t GRID_LIMIT = 4096;       /* blocks, each of which leaves a partial sum */

static int lanes_of(const struct cross_entropy *entropy)
{
    return entropy->classes <= WARP_CLASS_LIMIT ? WARP : THREADS;
}

static int64_t block_count(const struct cross_entropy *entropy)
{
    const int64_t rows_per_block = THREADS / lanes_of(entropy);
    const int64_t blocks = (entropy->rows + rows_per_block - 1) / rows_per_block;
    return blocks < GRID_LIMIT ? blocks : GRID_LIMIT;
}

/* ---- rows: LANES threads side by side have one, a warp or a block ---- */

struct sum_of {
    __device__ float operator()(float a, float b) const
    {
        return a + b;
    }
};
struct larger_of {
    __device__ float operator()(float a, float b) const
    {
        return a > b ? a : b;
    }
};

/* combine over the row's threads, in each of them. */
template <int LANES, class F> static __device__ inline float row_combine(float value, F combine)
{
    for (int mask = WARP / 2; mask > 0; mask /= 2)
        value = combine(value, __shfl_xor_sync(0xFFFFFFFFu, value, mask));
    if (LANES == WARP)
        return value;
    __shared__ float partial[WARPS];
    if (threadIdx.x % WARP == 0)
        partial[threadIdx.x / WARP] = value;
    __syncthreads();
    value = partial[0];
    for (int i = 1; i < WARPS; i++)
        value = combine(value, partial[i]);
    __syncthreads();
    return value;
}

/* function(column, x) for each element of this thread's share of the row: 16 bytes per access where
 * rows are a multiple of that. */
template <int LANES, class T, class F>
static __device__ inline void visit_row(const T *x, int64_t classes, F function)
{
    const int SIZE = 16 / (int)sizeof(T);
    const int64_t lane = threadIdx.x % LANES, packs = classes % SIZE ? 0 : classes / SIZE;
    for (int64_t p = lane; p < packs; p += LANES) {
        const pack<T> values = load_pack(x + p * SIZE);
#pragma unroll
        for (int j = 0; j < SIZE; j++)
            function(p * SIZE + j, load(&values.values[j]));
    }
    for (int64_t i = packs * SIZE + lane; i < classes; i += LANES)
        function(i, load(&x[i]));
}

/* Rows of this block, in turn. */
#define EACH_ROW(row, rows)                                                                        \
    for (int64_t row = (int64_t)blockIdx.x * (THREADS / LANES) + threadIdx.x / LANES;              \
         row < (rows); row += (int64_t)gridDim.x * (THREADS / LANES))

/* ---- forward ---- */

/* The sum over the warps' first threads, in the block's first one. */
static __device__ inline float block_sum(float value)
{
    __shared__ float partial[WARPS];
    if (threadIdx.x % WARP == 0)
        partial[threadIdx.x / WARP] = value;
    __syncthreads();
    for (int i = 1; i < WARPS && threadIdx.x == 0; i++)
        value += partial[i];
    return value;
}

/* partial (blocks): sums of the losses of each block's rows. */
template <class T, int LANES>
static __global__ void __launch_bounds__(THREADS)
    cross_entropy_kernel(const T *x, const struct cross_entropy entropy)
{
    float losses = 0;
    EACH_ROW(row, entropy.rows)
    {
        const T *from = x + row * entropy.classes;
        float largest = -INFINITY, sum = 0;
        visit_row<LANES>(from, entropy.classes,
                         [&](int64_t, float value) { largest = larger_of()(largest, value); });
        largest = row_combine<LANES>(largest, larger_of());
        visit_row<LANES>(from, entropy.classes,
                         [&](int64_t, float value) { sum += expf(value - largest); });
        const float logarithm = largest + logf(row_combine<LANES>(sum, sum_of()));
        if (threadIdx.x % LANES != 0)
            continue;
        losses += logarithm - load(&from[entropy.labels[row]]);
        if (entropy.logarithms)
            entropy.logarithms[row] = logarithm;
    }
    losses = block_sum(losses);
    if (threadIdx.x == 0)
        entropy.partial[blockIdx.x] = losses;
}

static __global__ void __launch_bounds__(THREADS)
    mean_kernel(float *mean, const float *partial, int64_t count, int64_t rows)
{
    float sum = 0;
    for (int64_t i = threadIdx.x; i < count; i += THREADS)
        sum += partial[i];
    sum = block_sum(row_combine<WARP>(sum, sum_of()));
    if (threadIdx.x == 0)
        *mean = sum / (float)rows;
}

/* ---- backward ---- */

template <class T, int LANES>
static __global__ void __launch_bounds__(THREADS)
    cross_entropy_backward_kernel(T *x_gradient, const float *loss_gradient, const T *x,
                                  const struct cross_entropy entropy)
{
    const int SIZE = 16 / (int)sizeof(T);
    const int64_t classes = entropy.classes, lane = threadIdx.x % LANES;
    const int64_t packs = classes % SIZE ? 0 : classes / SIZE;
    const float scale = *loss_gradient / (float)entropy.rows;
    EACH_ROW(row, entropy.rows)
    {
        const T *from = x + row * classes;
        T *to = x_gradient + row * classes;
        const float logarithm = entropy.logarithms[row];
        const int64_t label = entropy.labels[row];
        auto gradient = [&](int64_t column, float value) {
            return scale * (expf(value - logarithm) - (column == label ? 1.0f : 0.0f));
        };
        for (int64_t p = lane; p < packs; p += LANES) {
            pack<T> values = load_pack(from + p * SIZE);
#pragma unroll
            for (int j = 0; j < SIZE; j++)
                store(&values.values[j], gradient(p * SIZE + j, load(&values.values[j])));
            store_pack(to + p * SIZE, values);
        }
        for (int64_t i = packs * SIZE + lane; i < classes; i += LANES)
            store(&to[i], gradient(i, load(&from[i])));
    }
}

/* ---- launchers ---- */

extern "C" int64_t cross_entropy_partial(const struct cross_entropy *entropy)
{
    return block_count(entropy);
}

static cudaLaunchConfig_t row_grid(int64_t blocks, cudaStream_t stream)
{
    cudaLaunchConfig_t config = grid_of(1, stream);
    config.gridDim = dim3((unsigned)blocks);
    return config;
}

extern "C" cudaError_t launch_cross_entropy(float *loss, const void *x,
                                            const struct cross_entropy *entropy,
                                            cudaStream_t stream)
{
    const int64_t blocks = block_count(entropy);
    const cudaError_t error = by_precision(entropy->precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        const cudaLaunchConfig_t config = row_grid(blocks, stream);
        return cudaLaunchKernelEx(&config,
                                  lanes_of(entropy) == WARP ? cross_entropy_kernel<T, WARP>
                                                            : cross_entropy_kernel<T, THREADS>,
                                  (const T *)x, *entropy);
    });
    if (error != cudaSuccess)
        return error;
    const cudaLaunchConfig_t config = row_grid(1, stream);
    return cudaLaunchKernelEx(&config, mean_kernel, loss, (const float *)entropy->partial, blocks,
                              entropy->rows);
}

extern "C" cudaError_t launch_cross_entropy_backward(void *x_gradient, const float *loss_gradient,
                                                     const void *x,
                                                     const struct cross_entropy *entropy,
                                                     cudaStream_t stream)
{
    return by_precision(entropy->precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        const bool is_narrow = lanes_of(entropy) == WARP;
        const cudaLaunchConfig_t config = grid_of(entropy->rows * lanes_of(entropy), stream);
        return cudaLaunchKernelEx(&config,
                                  is_narrow ? cross_entropy_backward_kernel<T, WARP>
                                            : cross_entropy_backward_kernel<T, THREADS>,
                                  (T *)x_gradient, loss_gradient, (const T *)x, *entropy);
    });
}
