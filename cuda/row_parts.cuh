/* What the kernels of rows share: LANES threads side by side have one row, a warp or a block. */
#ifndef EPOCHCAST_CUDA_ROW_PARTS_CUH
#define EPOCHCAST_CUDA_ROW_PARTS_CUH

#include "elementwise_storage.cuh"

static const int WARP = 32;
static const int64_t WARP_WIDTH_LIMIT = 1024; /* wider rows take a block */

/* join(a, b) over the row's threads, in each of them; join(none, a) is a. */
template <int LANES, class Join>
static __device__ inline float row_reduce(float value, float none, Join join)
{
    for (int mask = WARP / 2; mask > 0; mask /= 2)
        value = join(value, __shfl_xor_sync(0xFFFFFFFFu, value, mask));
    if (LANES == WARP)
        return value;
    __shared__ float partial[THREADS / WARP];
    if (threadIdx.x % WARP == 0)
        partial[threadIdx.x / WARP] = value;
    __syncthreads();
    value = none;
    for (int i = 0; i < THREADS / WARP; i++)
        value = join(value, partial[i]);
    __syncthreads();
    return value;
}

struct row_plus {
    __device__ float operator()(float a, float b) const
    {
        return a + b;
    }
};

template <int LANES> static __device__ inline float row_sum(float value)
{
    return row_reduce<LANES>(value, 0, row_plus());
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

/* A grid of `lanes` threads per row. */
static cudaLaunchConfig_t row_grid(int64_t rows, int lanes, cudaStream_t stream)
{
    return grid_of(rows * lanes, stream);
}

#endif
