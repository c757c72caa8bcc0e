#include "elementwise_storage.cuh"
#include "row_gather.h"

#include <cub/cub.cuh>

static const int WARP = 32;
static const int SLICE = 16; /* sorted indices that one warp sums up */

/* ---- forward ---- */

/* 16 bytes per access. */
template <class T>
static __global__ void gather_packs_kernel(T *y, const T *table, const struct row_gather gather)
{
    const int SIZE = 16 / (int)sizeof(T);
    const int64_t packs = gather.width / SIZE;
    EACH_INDEX (i, gather.rows * packs) {
        const int64_t from = gather.indices[i / packs] * packs + i % packs;
        store_pack(y + i * SIZE, load_pack(table + from * SIZE));
    }
}

template <class T, class W>
static __global__ void gather_elements_kernel(T *y, const W *table, const struct row_gather gather)
{
    EACH_INDEX (i, gather.rows * gather.width)
        store(&y[i],
              load(&table[gather.indices[i / gather.width] * gather.width + i % gather.width]));
}

/* by_precision with the type of the table, too: `launch` takes a pointer of each. */
template <class Launch> static cudaError_t by_types(int32_t precision, Launch launch)
{
    return by_precision(precision, [&](auto *type) {
        return precision == PRECISION_AMP ? launch(type, (float *)NULL) : launch(type, type);
    });
}

extern "C" cudaError_t launch_row_gather(void *y, const void *table,
                                         const struct row_gather *gather, cudaStream_t stream)
{
    return by_types(gather->precision, [&](auto *type, auto *wide) {
        typedef std::remove_pointer_t<decltype(type)> T;
        typedef std::remove_pointer_t<decltype(wide)> W;
        const int64_t size = 16 / (int64_t)sizeof(T);
        const bool has_packs = std::is_same_v<T, W> && gather->width % size == 0;
        const cudaLaunchConfig_t config = grid_of(
            gather->rows * gather->width / (has_packs ? size : 1), stream);
        return has_packs ? cudaLaunchKernelEx(&config, gather_packs_kernel<T>, (T *)y,
                                              (const T *)table, *gather)
                         : cudaLaunchKernelEx(&config, gather_elements_kernel<T, W>, (T *)y,
                                              (const W *)table, *gather);
    });
}

/* ---- sorted indices ---- */

static __global__ void count_up_kernel(int32_t *values, int64_t count)
{
    EACH_INDEX (i, count)
        values[i] = (int32_t)i;
}

extern "C" cudaError_t launch_count_up(int32_t *values, int64_t count, cudaStream_t stream)
{
    const cudaLaunchConfig_t config = grid_of(count, stream);
    return cudaLaunchKernelEx(&config, count_up_kernel, values, count);
}

/* With a workspace of NULL, its bytes. */
static cudaError_t sort(void *workspace, size_t *bytes, const struct row_gather *gather,
                        const struct row_groups *groups, cudaStream_t stream)
{
    int bits = 1;
    while ((gather->vocabulary - 1) >> bits)
        bits++;
    return cub::DeviceRadixSort::SortPairs(
        workspace, *bytes, (const uint32_t *)gather->indices, (uint32_t *)groups->sorted,
        (const int32_t *)groups->counted, groups->positions, (int)gather->rows, 0, bits, stream);
}

extern "C" cudaError_t row_gather_sort_bytes(int64_t *bytes, const struct row_gather *gather)
{
    const struct row_groups none = {};
    size_t needed = 0;
    const cudaError_t error = sort(NULL, &needed, gather, &none, NULL);
    *bytes = (int64_t)needed;
    return error;
}

static int64_t slice_count(const struct row_gather *gather)
{
    return (gather->rows + SLICE - 1) / SLICE;
}

extern "C" int64_t row_gather_partial(const struct row_gather *gather)
{
    return 2 * slice_count(gather) * gather->width;
}

/* ---- backward ---- */

/* Sorted indices; slot is a place among them. */
struct groups {
    const int32_t *sorted, *positions;
    int64_t rows, width;
    bool is_sparse;
};

/* Whether the slot before has the same index. */
static __device__ inline bool continues(const struct groups &groups, int64_t slot)
{
    return slot > 0 && slot < groups.rows && groups.sorted[slot - 1] == groups.sorted[slot];
}

/* Where the sum of the group goes whose first slot is `slot`. */
static __device__ inline int64_t target_of(const struct groups &groups, int64_t slot)
{
    return groups.width * (groups.is_sparse ? groups.positions[slot] : groups.sorted[slot]);
}

/* A warp sums 32 columns of a slice. partial (slices, 2, width): of the group that comes from the
 * slice before; of the one that begins here and goes on behind it. */
template <class T, class W>
static __global__ void __launch_bounds__(THREADS)
    slice_sums_kernel(W *gradient, float *partial, const T *y_gradient, const struct groups groups)
{
    /* 32 bits: a division of 64 is a call, around which registers spill */
    const uint32_t tiles = (uint32_t)(groups.width + WARP - 1) / WARP;
    const uint32_t item = blockIdx.x * (THREADS / WARP) + threadIdx.x / WARP;
    const int64_t slice = item / tiles, start = slice * SLICE;
    const int64_t column = item % tiles * WARP + threadIdx.x % WARP;
    if (start >= groups.rows || column >= groups.width)
        return;
    float values[SLICE], sum = 0;
#pragma unroll
    for (int j = 0; j < SLICE; j++)
        values[j] = start + j < groups.rows
                        ? load(&y_gradient[groups.positions[start + j] * groups.width + column])
                        : 0;
    int64_t first = start;
#pragma unroll
    for (int j = 0; j < SLICE; j++) {
        const int64_t next = start + j + 1;
        const bool goes_on = continues(groups, next);
        sum += values[j];
        if (next > groups.rows || (goes_on && j + 1 < SLICE))
            continue;
        const bool came = first == start && continues(groups, start);
        if (came || goes_on)
            partial[(2 * slice + !came) * groups.width + column] = sum;
        else
            store(&gradient[target_of(groups, first) + column], sum);
        sum = 0;
        first = next;
    }
}

/* The first slot behind the group of `slot`. */
static __device__ inline int64_t group_end(const struct groups &groups, int64_t slot)
{
    const int32_t index = groups.sorted[slot];
    int64_t low = slot + 1, high = groups.rows;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (groups.sorted[middle] == index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Groups that begin in a slice and go on behind it. */
template <class T>
static __global__ void __launch_bounds__(THREADS)
    partial_sums_kernel(T *gradient, const float *partial, const struct groups groups)
{
    const int64_t slices = (groups.rows + SLICE - 1) / SLICE, width = groups.width;
    EACH_INDEX (i, slices * width) {
        const int64_t slice = i / width, column = i % width, start = slice * SLICE;
        int64_t first = start + SLICE - 1; /* of the group */
        if (!continues(groups, first + 1))
            continue;
        while (first > start && continues(groups, first))
            first--;
        if (continues(groups, first)) /* it has begun before */
            continue;
        const int64_t last = (group_end(groups, start + SLICE) - 1) / SLICE;
        float sum = partial[(2 * slice + 1) * width + column];
#pragma unroll 8
        for (int64_t other = slice + 1; other <= last; other++)
            sum += partial[2 * other * width + column];
        store(&gradient[target_of(groups, first) + column], sum);
    }
}

static __global__ void owners_kernel(int32_t *owners, const struct groups groups)
{
    EACH_INDEX (slot, groups.rows)
        owners[groups.positions[slot]] = continues(groups, slot) ? -1 : groups.sorted[slot];
}

template <class T, class W>
static cudaError_t sum_groups(W *gradient, float *partial, const T *y_gradient,
                              const struct groups &groups, int64_t slices, cudaStream_t stream)
{
    const int64_t tiles = (groups.width + WARP - 1) / WARP, warps = THREADS / WARP;
    cudaLaunchConfig_t config = grid_of(1, stream);
    config.gridDim = dim3((unsigned)((slices * tiles + warps - 1) / warps));
    const cudaError_t error = cudaLaunchKernelEx(&config, slice_sums_kernel<T, W>, gradient,
                                                 partial, y_gradient, groups);
    if (error != cudaSuccess || slices == 1)
        return error;
    config = grid_of(slices * groups.width, stream);
    return cudaLaunchKernelEx(&config, partial_sums_kernel<W>, gradient, (const float *)partial,
                              groups);
}

/* What the sums do not write: zeros of the rows that do not occur; or the owners. */
static cudaError_t prepare_gradient(void *gradient, int32_t *owners, const struct groups &groups,
                                    const struct row_gather *gather, size_t element_bytes,
                                    cudaStream_t stream)
{
    if (!owners)
        return cudaMemsetAsync(
            gradient, 0, (size_t)(gather->vocabulary * gather->width) * element_bytes, stream);
    const cudaLaunchConfig_t config = grid_of(gather->rows, stream);
    return cudaLaunchKernelEx(&config, owners_kernel, owners, groups);
}

extern "C" cudaError_t launch_row_scatter(void *gradient, int32_t *owners, const void *y_gradient,
                                          const struct row_gather *gather,
                                          const struct row_groups *scratch, cudaStream_t stream)
{
    size_t bytes = (size_t)scratch->sort_bytes;
    const cudaError_t error = sort(scratch->sort_workspace, &bytes, gather, scratch, stream);
    if (error != cudaSuccess)
        return error;
    const struct groups groups = {scratch->sorted, scratch->positions, gather->rows, gather->width,
                                  owners != NULL};
    return by_types(gather->precision, [&](auto *type, auto *wide) {
        typedef std::remove_pointer_t<decltype(type)> T;
        typedef std::remove_pointer_t<decltype(wide)> W;
        const cudaError_t code = prepare_gradient(gradient, owners, groups, gather, sizeof(W),
                                                  stream);
        if (code != cudaSuccess)
            return code;
        return sum_groups((W *)gradient, scratch->partial, (const T *)y_gradient, groups,
                          slice_count(gather), stream);
    });
}
