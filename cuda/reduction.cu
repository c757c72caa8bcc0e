#include "elementwise_map.cuh"
#include "reduction.h"

#include <math.h>

static const int WARP = 32;
static const int64_t WARP_LENGTH_LIMIT = 1024; /* a longer axis takes a block */
static const int64_t SLICE_LENGTH = 4096, SLICE_ROWS = 64, SLICE_LIMIT = 64, UNITS_WANTED = 2048;

/* ---- what is reduced ---- */

struct best {
    float value;
    int32_t place; /* of the largest or smallest */
};

template <int FOLD> static __device__ inline bool is_best()
{
    return FOLD == FOLD_MAX || FOLD == FOLD_MIN;
}

template <int FOLD> static __device__ inline best nothing()
{
    return {is_best<FOLD>() ? (FOLD == FOLD_MAX ? -INFINITY : INFINITY) : 0, INT32_MAX};
}

/* Of equal ones, the first. */
template <int FOLD> static __device__ inline best merge(best a, best b)
{
    if (!is_best<FOLD>())
        return {a.value + b.value, 0};
    const bool is_better = FOLD == FOLD_MAX ? b.value > a.value : b.value < a.value;
    return is_better || (b.value == a.value && b.place < a.place) ? b : a;
}

template <int FOLD> static __device__ inline float term(float x, float by)
{
    return FOLD == FOLD_PRODUCTS ? x * by : FOLD == FOLD_SQUARES ? x * x : x;
}

/* ---- where it goes ---- */

struct reduction_cut {
    int64_t slices, slice_length;
    float *partial;          /* (slices, outer, inner), or NULL: one slice */
    int32_t *partial_places; /* likewise */
};

template <class T> struct reduction_result {
    T *y;
    int32_t *winners;
};

template <class T>
static __device__ inline void store_result(const reduction_result<T> &to,
                                           const reduction_shape &shape, int64_t i, best found)
{
    store(&to.y[i], shape.factor * (shape.is_root ? sqrtf(found.value) : found.value));
    if (to.winners)
        to.winners[i] = found.place;
}

template <class T>
static __device__ inline void store_slice(const reduction_result<T> &to,
                                          const reduction_shape &shape, const reduction_cut &cut,
                                          int64_t slice, int64_t i, best found)
{
    if (cut.slices == 1) {
        store_result(to, shape, i, found);
        return;
    }
    cut.partial[slice * shape.outer * shape.inner + i] = found.value;
    cut.partial_places[slice * shape.outer * shape.inner + i] = found.place;
}

template <class T, int FOLD>
static __global__ void __launch_bounds__(THREADS)
    join_slices_kernel(const reduction_result<T> to, const reduction_shape shape,
                       const reduction_cut cut)
{
    EACH_INDEX (i, shape.outer * shape.inner) {
        best found = nothing<FOLD>();
        for (int64_t slice = 0; slice < cut.slices; slice++) {
            const int64_t at = slice * shape.outer * shape.inner + i;
            found = merge<FOLD>(found, {cut.partial[at], cut.partial_places[at]});
        }
        store_result(to, shape, i, found);
    }
}

/* ---- the axis lies together: LANES threads side by side, a warp or a block, take a slice ---- */

template <int FOLD, int LANES> static __device__ inline best join_lanes(best mine)
{
    for (int mask = WARP / 2; mask > 0; mask /= 2)
        mine = merge<FOLD>(mine, {__shfl_xor_sync(0xFFFFFFFFu, mine.value, mask),
                                  __shfl_xor_sync(0xFFFFFFFFu, mine.place, mask)});
    if (LANES == WARP)
        return mine;
    __shared__ best partial[THREADS / WARP];
    if (threadIdx.x % WARP == 0)
        partial[threadIdx.x / WARP] = mine;
    __syncthreads();
    mine = partial[0];
    for (int i = 1; i < THREADS / WARP; i++)
        mine = merge<FOLD>(mine, partial[i]);
    __syncthreads();
    return mine;
}

/* Where element `l` of the axis is, from its first one on. */
static __device__ inline int64_t run_place(const reduction_shape &shape, int64_t l)
{
    if (shape.run == shape.length)
        return l;
    const uint32_t place = (uint32_t)l, run = (uint32_t)shape.run;
    return (int64_t)(place / run) * shape.run_step + place % run;
}

template <class T, int FOLD, int LANES>
static __global__ void __launch_bounds__(THREADS)
    reduce_rows_kernel(const reduction_result<T> to, const T *x, const T *by,
                       const reduction_shape shape, const reduction_cut cut)
{
    const int64_t units = shape.outer * cut.slices, step = (int64_t)gridDim.x * (THREADS / LANES);
    for (int64_t unit = (int64_t)blockIdx.x * (THREADS / LANES) + threadIdx.x / LANES; unit < units;
         unit += step) {
        const int64_t row = unit / cut.slices, slice = unit % cut.slices;
        const int64_t first = slice * cut.slice_length, rest = shape.length - first;
        const int64_t end = first + (rest < cut.slice_length ? rest : cut.slice_length);
        best mine = nothing<FOLD>();
        for (int64_t l = first + threadIdx.x % LANES; l < end; l += LANES) {
            const int64_t at = row * shape.run + run_place(shape, l);
            const float other = FOLD == FOLD_PRODUCTS ? load(&by[at]) : 0;
            mine = merge<FOLD>(mine, {term<FOLD>(load(&x[at]), other), (int32_t)l});
        }
        mine = join_lanes<FOLD, LANES>(mine);
        if (threadIdx.x % LANES == 0)
            store_slice(to, shape, cut, slice, row, mine);
    }
}

/* ---- columns: a block takes WIDTH of them, each with THREADS / WIDTH threads ---- */

template <class T, int FOLD, int WIDTH>
static __global__ void __launch_bounds__(THREADS)
    reduce_columns_kernel(const reduction_result<T> to, const T *x, const T *by,
                          const reduction_shape shape, const reduction_cut cut)
{
    const int HEIGHT = THREADS / WIDTH;
    const int column_of = threadIdx.x % WIDTH, line = threadIdx.x / WIDTH;
    const int64_t blocks = (shape.inner + WIDTH - 1) / WIDTH;
    __shared__ best partial[THREADS];
    for (int64_t unit = blockIdx.x; unit < shape.outer * blocks * cut.slices; unit += gridDim.x) {
        const int64_t slice = unit % cut.slices, block = unit / cut.slices % blocks;
        const int64_t outer = unit / cut.slices / blocks, column = block * WIDTH + column_of;
        const int64_t first = slice * cut.slice_length, rest = shape.length - first;
        const int64_t end = first + (rest < cut.slice_length ? rest : cut.slice_length);
        best mine = nothing<FOLD>();
        for (int64_t l = first + line; l < end && column < shape.inner; l += HEIGHT) {
            const int64_t at = (outer * shape.length + l) * shape.inner + column;
            const float other = FOLD == FOLD_PRODUCTS ? load(&by[at]) : 0;
            mine = merge<FOLD>(mine, {term<FOLD>(load(&x[at]), other), (int32_t)l});
        }
        partial[threadIdx.x] = mine;
        __syncthreads();
        for (int i = 1; i < HEIGHT && line == 0; i++)
            mine = merge<FOLD>(mine, partial[i * WIDTH + column_of]);
        if (line == 0 && column < shape.inner)
            store_slice(to, shape, cut, slice, outer * shape.inner + column, mine);
        __syncthreads();
    }
}

/* ---- launches ---- */

static const int WIDE = 32, NARROW = 4; /* columns of a block */

static int width_of(const struct reduction_shape *shape)
{
    return shape->inner >= WIDE / 2 ? WIDE : NARROW;
}

static reduction_cut cut_of(const struct reduction_shape *shape, float *scratch)
{
    const int64_t width = width_of(shape);
    const int64_t units = shape->inner == 1 ? shape->outer
                                            : shape->outer * ((shape->inner + width - 1) / width);
    const int64_t shortest = shape->inner == 1 ? SLICE_LENGTH : SLICE_ROWS;
    int64_t slices = UNITS_WANTED / units;
    slices = slices < SLICE_LIMIT ? slices : SLICE_LIMIT;
    slices = slices < shape->length / shortest ? slices : shape->length / shortest;
    slices = slices > 1 ? slices : 1;
    const int64_t length = (shape->length + slices - 1) / slices;
    reduction_cut cut = {(shape->length + length - 1) / length, length, scratch, NULL};
    if (scratch)
        cut.partial_places = (int32_t *)scratch + cut.slices * shape->outer * shape->inner;
    return cut;
}

extern "C" int64_t reduction_scratch(const struct reduction_shape *shape)
{
    const int64_t slices = cut_of(shape, NULL).slices;
    return slices > 1 ? 2 * slices * shape->outer * shape->inner : 1;
}

/* Blocks of THREADS for `units`, `per_block` of them each. */
static cudaLaunchConfig_t blocks_of(int64_t units, int64_t per_block, cudaStream_t stream)
{
    return grid_of((units + per_block - 1) / per_block * THREADS, stream);
}

template <class T, int FOLD>
static cudaError_t launch_main(const reduction_result<T> &to, const T *x, const T *by,
                               const reduction_shape &shape, const reduction_cut &cut,
                               cudaStream_t stream)
{
    const int width = width_of(&shape);
    const int64_t blocks = (shape.inner + width - 1) / width;
    cudaLaunchConfig_t columns = blocks_of(shape.outer * blocks * cut.slices, 1, stream);
    cudaLaunchConfig_t warps = blocks_of(shape.outer * cut.slices, THREADS / WARP, stream);
    cudaLaunchConfig_t rows = blocks_of(shape.outer * cut.slices, 1, stream);
    if (shape.inner > 1 && width == WIDE)
        return cudaLaunchKernelEx(&columns, reduce_columns_kernel<T, FOLD, WIDE>, to, x, by, shape,
                                  cut);
    if (shape.inner > 1)
        return cudaLaunchKernelEx(&columns, reduce_columns_kernel<T, FOLD, NARROW>, to, x, by,
                                  shape, cut);
    if (cut.slice_length <= WARP_LENGTH_LIMIT)
        return cudaLaunchKernelEx(&warps, reduce_rows_kernel<T, FOLD, WARP>, to, x, by, shape, cut);
    return cudaLaunchKernelEx(&rows, reduce_rows_kernel<T, FOLD, THREADS>, to, x, by, shape, cut);
}

template <class T, int FOLD>
static cudaError_t launch_both(const reduction_result<T> &to, const T *x, const T *by,
                               const reduction_shape &shape, const reduction_cut &cut,
                               cudaStream_t stream)
{
    cudaLaunchConfig_t join = grid_of(shape.outer * shape.inner, stream);
    const cudaError_t code = launch_main<T, FOLD>(to, x, by, shape, cut, stream);
    if (code != cudaSuccess || cut.slices == 1)
        return code;
    return cudaLaunchKernelEx(&join, join_slices_kernel<T, FOLD>, to, shape, cut);
}

extern "C" cudaError_t launch_reduction(void *y, int32_t *winners, float *scratch, const void *x,
                                        const void *by, const struct reduction_shape *given,
                                        cudaStream_t stream)
{
    return by_precision(given->precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        reduction_shape shape = *given;
        if (shape.run == 0)
            shape.run = shape.length;
        const reduction_result<T> to = {(T *)y, winners};
        const reduction_cut cut = cut_of(&shape, scratch);
        const T *from = (const T *)x, *other = (const T *)by;
        switch (shape.fold) {
        case FOLD_PRODUCTS:
            return launch_both<T, FOLD_PRODUCTS>(to, from, other, shape, cut, stream);
        case FOLD_SQUARES:
            return launch_both<T, FOLD_SQUARES>(to, from, other, shape, cut, stream);
        case FOLD_MAX:
            return launch_both<T, FOLD_MAX>(to, from, other, shape, cut, stream);
        case FOLD_MIN:
            return launch_both<T, FOLD_MIN>(to, from, other, shape, cut, stream);
        default:
            return launch_both<T, FOLD_SUM>(to, from, other, shape, cut, stream);
        }
    });
}

/* ---- gradients ---- */

/* The element of (outer, inner) above element i of (outer, length, inner), and its place. */
struct above {
    uint32_t index, place;
};
static __device__ inline above above_of(const reduction_shape &shape, int64_t i)
{
    const uint32_t inner = (uint32_t)shape.inner, length = (uint32_t)shape.length;
    const uint32_t row = (uint32_t)i / inner, column = (uint32_t)i % inner;
    return {row / length * inner + column, row % length};
}

template <class T>
static __global__ void __launch_bounds__(THREADS)
    spread_kernel(T *y, const T *s, const reduction_shape shape)
{
    EACH_INDEX (i, shape.outer * shape.length * shape.inner)
        store(&y[i], shape.factor * load(&s[above_of(shape, i).index]));
}

template <class T>
static __global__ void __launch_bounds__(THREADS)
    scatter_winners_kernel(T *y, const T *s, const int32_t *winners, const reduction_shape shape)
{
    EACH_INDEX (i, shape.outer * shape.length * shape.inner) {
        const above at = above_of(shape, i);
        store(&y[i], winners[at.index] == (int32_t)at.place ? load(&s[at.index]) : 0);
    }
}

template <class T>
static __global__ void __launch_bounds__(THREADS)
    norm_gradient_kernel(T *y, const T *x, const T *s, const T *norm, const reduction_shape shape)
{
    EACH_INDEX (i, shape.outer * shape.length * shape.inner) {
        const uint32_t at = above_of(shape, i).index;
        store(&y[i], load(&x[i]) * (load(&s[at]) / load(&norm[at])));
    }
}

static cudaLaunchConfig_t grid_over(const struct reduction_shape *shape, cudaStream_t stream)
{
    return grid_of(shape->outer * shape->length * shape->inner, stream);
}

extern "C" cudaError_t launch_spread(void *y, const void *s, const struct reduction_shape *shape,
                                     cudaStream_t stream)
{
    return by_precision(shape->precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        cudaLaunchConfig_t config = grid_over(shape, stream);
        return cudaLaunchKernelEx(&config, spread_kernel<T>, (T *)y, (const T *)s, *shape);
    });
}

extern "C" cudaError_t launch_scatter_winners(void *y, const void *s, const int32_t *winners,
                                              const struct reduction_shape *shape,
                                              cudaStream_t stream)
{
    return by_precision(shape->precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        cudaLaunchConfig_t config = grid_over(shape, stream);
        return cudaLaunchKernelEx(&config, scatter_winners_kernel<T>, (T *)y, (const T *)s, winners,
                                  *shape);
    });
}

extern "C" cudaError_t launch_norm_gradient(void *y, const void *x, const void *s, const void *norm,
                                            const struct reduction_shape *shape,
                                            cudaStream_t stream)
{
    return by_precision(shape->precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        cudaLaunchConfig_t config = grid_over(shape, stream);
        return cudaLaunchKernelEx(&config, norm_gradient_kernel<T>, (T *)y, (const T *)x,
                                  (const T *)s, (const T *)norm, *shape);
    });
}
