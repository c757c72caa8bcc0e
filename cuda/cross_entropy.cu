#include "cross_entropy.h"
#include "row_parts.cuh"

#include <math.h>

static const int WARPS = THREADS / WARP;
static const int64_t GRID_LIMIT = 4096; /* blocks, each of which leaves a partial sum */

static int lanes_of(const struct cross_entropy *entropy)
{
    return entropy->classes <= WARP_WIDTH_LIMIT ? WARP : THREADS;
}

static int64_t block_count(const struct cross_entropy *entropy)
{
    const int64_t rows_per_block = THREADS / lanes_of(entropy);
    const int64_t blocks = (entropy->rows + rows_per_block - 1) / rows_per_block;
    return blocks < GRID_LIMIT ? blocks : GRID_LIMIT;
}

struct larger_of {
    __device__ float operator()(float a, float b) const
    {
        return a > b ? a : b;
    }
};

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
        visit_row<LANES>(from, from, entropy.classes, [&](int64_t, float value, float) {
            largest = larger_of()(largest, value);
        });
        largest = row_reduce<LANES>(largest, -INFINITY, larger_of());
        visit_row<LANES>(from, from, entropy.classes,
                         [&](int64_t, float value, float) { sum += expf(value - largest); });
        const float logarithm = largest + logf(row_sum<LANES>(sum));
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
    sum = block_sum(row_sum<WARP>(sum));
    if (threadIdx.x == 0)
        *mean = sum / (float)rows;
}

/* ---- backward ---- */

template <class T, int LANES>
static __global__ void __launch_bounds__(THREADS)
    cross_entropy_backward_kernel(T *x_gradient, const float *loss_gradient, const T *x,
                                  const struct cross_entropy entropy)
{
    const int64_t classes = entropy.classes;
    const float scale = *loss_gradient / (float)entropy.rows;
    EACH_ROW(row, entropy.rows)
    {
        const T *from = x + row * classes;
        const float logarithm = entropy.logarithms[row];
        const int64_t label = entropy.labels[row];
        map_row<LANES>(x_gradient + row * classes, from, from, classes,
                       [&](int64_t column, float value, float) {
                           return scale *
                                  (expf(value - logarithm) - (column == label ? 1.0f : 0.0f));
                       });
    }
}

/* ---- launchers ---- */

extern "C" int64_t cross_entropy_partial(const struct cross_entropy *entropy)
{
    return block_count(entropy);
}

static cudaLaunchConfig_t block_grid(int64_t blocks, cudaStream_t stream)
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
        const cudaLaunchConfig_t config = block_grid(blocks, stream);
        return cudaLaunchKernelEx(&config,
                                  lanes_of(entropy) == WARP ? cross_entropy_kernel<T, WARP>
                                                            : cross_entropy_kernel<T, THREADS>,
                                  (const T *)x, *entropy);
    });
    if (error != cudaSuccess)
        return error;
    const cudaLaunchConfig_t config = block_grid(1, stream);
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
        const cudaLaunchConfig_t config = row_grid(entropy->rows, lanes_of(entropy), stream);
        return cudaLaunchKernelEx(&config,
                                  is_narrow ? cross_entropy_backward_kernel<T, WARP>
                                            : cross_entropy_backward_kernel<T, THREADS>,
                                  (T *)x_gradient, loss_gradient, (const T *)x, *entropy);
    });
}
