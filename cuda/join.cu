#include "elementwise_storage.cuh"
#include "join.h"

/* In units of one type. */
struct join_units {
    int64_t rows, width; /* of a row of the whole */
    int64_t start[JOIN_LIMIT], widths[JOIN_LIMIT];
    void *parts[JOIN_LIMIT];
};

/* A row of the grid per part; IS_JOIN: into the whole. */
template <class T, bool IS_JOIN>
static __global__ void __launch_bounds__(THREADS) join_kernel(T *whole, const struct join_units of)
{
    const int part = (int)blockIdx.y;
    const uint32_t width = (uint32_t)of.widths[part];
    T *own = (T *)of.parts[part];
    EACH_INDEX (i, of.rows * of.widths[part]) {
        const uint32_t row = (uint32_t)i / width, column = (uint32_t)i % width;
        T *there = &whole[row * of.width + of.start[part] + column];
        if (IS_JOIN)
            *there = own[i];
        else
            own[i] = *there;
    }
}

template <class T, bool IS_JOIN>
static cudaError_t launch(const struct joined_rows *joined, cudaStream_t stream)
{
    struct join_units of = {};
    int64_t widest = 0;
    of.rows = joined->rows;
    for (int i = 0; i < joined->count; i++) {
        of.parts[i] = joined->parts[i];
        of.start[i] = of.width;
        of.widths[i] = joined->bytes[i] / (int64_t)sizeof(T);
        of.width += of.widths[i];
        widest = of.widths[i] > widest ? of.widths[i] : widest;
    }
    cudaLaunchConfig_t config = grid_of(of.rows * widest, stream);
    config.gridDim.y = (unsigned)joined->count;
    return cudaLaunchKernelEx(&config, join_kernel<T, IS_JOIN>, (T *)joined->whole, of);
}

/* In the largest unit that divides every row. */
template <bool IS_JOIN>
static cudaError_t launch_any(const struct joined_rows *joined, cudaStream_t stream)
{
    int64_t all = 16;
    for (int i = 0; i < joined->count; i++)
        all |= joined->bytes[i];
    if (all % 16 == 0)
        return launch<float4, IS_JOIN>(joined, stream);
    if (all % 8 == 0)
        return launch<uint64_t, IS_JOIN>(joined, stream);
    if (all % 4 == 0)
        return launch<uint32_t, IS_JOIN>(joined, stream);
    return launch<uint16_t, IS_JOIN>(joined, stream);
}

extern "C" cudaError_t launch_join(const struct joined_rows *joined, cudaStream_t stream)
{
    return launch_any<true>(joined, stream);
}

extern "C" cudaError_t launch_part(const struct joined_rows *joined, cudaStream_t stream)
{
    return launch_any<false>(joined, stream);
}
