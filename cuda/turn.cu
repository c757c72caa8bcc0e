#include "elementwise_storage.cuh"
#include "turn.h"

static const int TILE = 32, TILE_ROWS = THREADS / TILE;

/* A block per tile, in turn; a row of the tile per warp. */
template <class T>
static __global__ void __launch_bounds__(THREADS)
    turn_tiles_kernel(T *to, const T *from, const struct turned_matrices matrices)
{
    __shared__ T tile[TILE][TILE + 1]; /* columns in different banks */
    const int64_t rows = matrices.rows, columns = matrices.columns;
    const uint32_t across = (uint32_t)((columns + TILE - 1) / TILE);
    const uint32_t down = (uint32_t)((rows + TILE - 1) / TILE);
    const uint32_t tiles = (uint32_t)matrices.outer * down * across;
    const int x = (int)threadIdx.x % TILE, y = (int)threadIdx.x / TILE;
    for (uint32_t i = blockIdx.x; i < tiles; i += gridDim.x) {
        const int64_t first = (int64_t)(i / across / down) * rows * columns;
        const int64_t row = (int64_t)(i / across % down) * TILE;
        const int64_t column = (int64_t)(i % across) * TILE;
        for (int j = y; j < TILE; j += TILE_ROWS)
            if (row + j < rows && column + x < columns)
                tile[j][x] = from[first + (row + j) * columns + column + x];
        __syncthreads();
        for (int j = y; j < TILE; j += TILE_ROWS)
            if (column + j < columns && row + x < rows)
                to[first + (column + j) * rows + row + x] = tile[x][j];
        __syncthreads();
    }
}

/* A thread per unit of the output: `units` of them in a block. */
template <class T>
static __global__ void __launch_bounds__(THREADS)
    turn_blocks_kernel(T *to, const T *from, const struct turned_matrices matrices, uint32_t units)
{
    const uint32_t rows = (uint32_t)matrices.rows, columns = (uint32_t)matrices.columns;
    EACH_INDEX (i, matrices.outer * matrices.rows * matrices.columns * units) {
        const uint32_t block = (uint32_t)i / units, unit = (uint32_t)i % units;
        const uint32_t row = block % rows, column = block / rows % columns;
        const uint32_t matrix = block / rows / columns;
        to[i] = from[(((int64_t)matrix * rows + row) * columns + column) * units + unit];
    }
}

template <class T>
static cudaError_t turn_tiles(void *to, const void *from, const struct turned_matrices *matrices,
                              cudaStream_t stream)
{
    const int64_t tiles = matrices->outer * ((matrices->rows + TILE - 1) / TILE) *
                          ((matrices->columns + TILE - 1) / TILE);
    const cudaLaunchConfig_t config = grid_of(tiles * THREADS, stream);
    return cudaLaunchKernelEx(&config, turn_tiles_kernel<T>, (T *)to, (const T *)from, *matrices);
}

template <class T>
static cudaError_t turn_blocks(void *to, const void *from, const struct turned_matrices *matrices,
                               cudaStream_t stream)
{
    const int64_t units = matrices->block_bytes / (int64_t)sizeof(T);
    const cudaLaunchConfig_t config = grid_of(
        matrices->outer * matrices->rows * matrices->columns * units, stream);
    return cudaLaunchKernelEx(&config, turn_blocks_kernel<T>, (T *)to, (const T *)from, *matrices,
                              (uint32_t)units);
}

extern "C" cudaError_t launch_turn(void *to, const void *from,
                                   const struct turned_matrices *matrices, cudaStream_t stream)
{
    const int64_t bytes = matrices->block_bytes;
    if (bytes == 2)
        return turn_tiles<uint16_t>(to, from, matrices, stream);
    if (bytes == 4)
        return turn_tiles<uint32_t>(to, from, matrices, stream);
    if (bytes % 16 == 0)
        return turn_blocks<float4>(to, from, matrices, stream);
    if (bytes % 8 == 0)
        return turn_blocks<uint64_t>(to, from, matrices, stream);
    if (bytes % 4 == 0)
        return turn_blocks<uint32_t>(to, from, matrices, stream);
    return turn_blocks<uint16_t>(to, from, matrices, stream);
}
