/* c = a b with tiles in shared memory, two deep, and a small block of sums in each thread's
 * registers. Element (k, i) of a tile stands in column i ^ ((k & 7) << 2): storing 8 x 4 patches
 * (operands that run along the depth) and reading groups of four columns are both free of bank
 * conflicts.
 */
#include "model/activation.h"
#include "model/trainer_math.h"
#include "trainer_kernels.h"

enum { THREADS = 128, TILE_DEPTH = 32, LANES = 32, PATCH_DEPTH = 8, PATCH_WIDTH = 4 };

/* One operand as the loader sees it: `limit` elements across, read at across * stride + k *
 * depth_stride. */
struct operand {
    const float *values;
    int32_t limit, stride, depth_stride, ones;
};

template <int WIDTH> static __device__ inline int swizzled(int k, int i)
{
    return i ^ (((k & 7) << 2) & (WIDTH - 1));
}

/* A thread's share of a tile: COUNT elements from (k, i) on, each `k_step` further in depth or
 * `i_step` across. Operands that run along the depth are read by patches of 8 x 4, others by rows.
 */
template <int WIDTH> struct tile_share {
    enum { COUNT = WIDTH * TILE_DEPTH / THREADS };
    int k, i, k_step, i_step;
};

template <int WIDTH>
static __device__ inline struct tile_share<WIDTH> share_of(bool runs_along_depth) {
    const int patches = TILE_DEPTH / PATCH_DEPTH, warps = THREADS / LANES;
    int thread = (int)threadIdx.x, warp = thread / LANES, lane = thread % LANES;
    struct tile_share<WIDTH> by_patch = {
        warp % patches *PATCH_DEPTH + lane % PATCH_DEPTH,
            warp / patches *PATCH_WIDTH + lane / PATCH_DEPTH, 0, warps / patches *PATCH_WIDTH
    };
    struct tile_share<WIDTH> by_row = {
        thread / WIDTH, thread % WIDTH, THREADS / WIDTH, 0
    };
    return runs_along_depth ? by_patch : by_row;
}

template <int WIDTH>
static __device__ inline void
fetch(float (&fetched)[tile_share<WIDTH>::COUNT], const struct tile_share<WIDTH> &share,
      const struct operand &operand, int first, int depth, int depth_end)
{
    int across = first + share.i, k = depth + share.k;
    const float *from = operand.values + (ptrdiff_t)across * operand.stride +
                        (ptrdiff_t)k * operand.depth_stride;
    ptrdiff_t step = (ptrdiff_t)share.i_step * operand.stride +
                     (ptrdiff_t)share.k_step * operand.depth_stride;
#pragma unroll
    for (int e = 0; e < tile_share<WIDTH>::COUNT; e++) {
        bool inside = across < operand.limit && k < depth_end;
        fetched[e] = inside && across == operand.ones ? 1 : 0;
        if (inside && across != operand.ones)
            fetched[e] = *from;
        from += step;
        across += share.i_step;
        k += share.k_step;
    }
}

template <int WIDTH>
static __device__ inline void put(float (*tile)[WIDTH],
                                  const float (&fetched)[tile_share<WIDTH>::COUNT],
                                  const struct tile_share<WIDTH> &share)
{
    int k = share.k, i = share.i;
#pragma unroll
    for (int e = 0; e < tile_share<WIDTH>::COUNT; e++) {
        tile[k][swizzled<WIDTH>(k, i)] = fetched[e];
        k += share.k_step;
        i += share.i_step;
    }
}

template <int COUNT, int WIDTH>
static __device__ inline void take(float (&values)[COUNT], const float (*tile)[WIDTH], int k,
                                   int first)
{
    const float *from = &tile[k][swizzled<WIDTH>(k, first)];
#pragma unroll
    for (int i = 0; i < COUNT; i++)
        values[i] = from[i];
}

/* Dropout of silu drops its derivative too. */
static __device__ inline float silu_with_slope(const struct product &product, float z, size_t k,
                                               float kept)
{
    struct silu silu = silu_of(z);
    if (product.slopes)
        product.slopes[k] = silu.slope * kept;
    return silu.value;
}

/* Sums (ROWS_EACH, COLUMNS_EACH) of one thread: one row of them at a time. */
template <int COLUMNS_EACH>
static __device__ inline void
store_row(const float (&sums)[COLUMNS_EACH], const struct product &product,
          const struct products &products, int slice, int row, int first_column)
{
    float *c = product.c + (size_t)slice * product.c_slice_stride +
               (size_t)row * (size_t)product.c_stride;
    struct philox_words words = {{0, 0, 0, 0}};
    uint32_t threshold = dropout_threshold(product.dropout);
    float scale = 1.0f / (1.0f - product.dropout);
    if (product.dropout > 0)
        words = dropout_words(products.state->epoch * products.epoch_steps + product.step,
                              (uint32_t)row, (uint32_t)first_column / 8, products.seed);
#pragma unroll
    for (int j = 0; j < COLUMNS_EACH; j++) {
        int column = first_column + j;
        size_t k = (size_t)row * (size_t)product.c_stride + (size_t)column;
        float sum = sums[j], kept = 1;
        if (column >= product.columns)
            continue;
        if (product.dropout > 0)
            kept = dropout_bits(words, (uint32_t)column % 8) < threshold ? scale : 0;
        if (product.epilogue == EPILOGUE_RELU) {
            sum += product.bias[column];
            sum = sum < 0 ? 0 : sum;
        } else if (product.epilogue == EPILOGUE_SILU)
            sum = silu_with_slope(product, sum + product.bias[column], k, kept);
        else if (product.epilogue == EPILOGUE_SLOPE)
            sum *= product.mask[k];
        else if (product.epilogue == EPILOGUE_MASK)
            sum = product.mask[k] > 0 ? sum : 0;
        c[column] = kept > 0 ? sum * kept : 0;
    }
}

/* Where a block works: its product, tile and slice. */
struct block_place {
    int product, slice, row, column;
};

template <int ROWS, int COLUMNS>
static __device__ inline struct block_place find_place(const struct products &products)
{
    int index = 0, block = (int)blockIdx.x;
    while (block >= products.first_block[index + 1])
        index++;
    const struct product &product = products.product[index];
    int across = (product.columns + COLUMNS - 1) / COLUMNS;
    int down = (product.rows + ROWS - 1) / ROWS, local = block - products.first_block[index];
    struct block_place place = {index, local / (across * down), local / across % down * ROWS,
                                local % across * COLUMNS};
    return place;
}

template <int ROWS, int COLUMNS, int ROWS_EACH, int COLUMNS_EACH>
static __global__ void __launch_bounds__(THREADS) product_kernel(const struct products products)
{
    static_assert(ROWS / ROWS_EACH * (COLUMNS / COLUMNS_EACH) == THREADS, "one block of sums each");
    static_assert(8 % COLUMNS_EACH == 0, "a thread's columns lie in one group of dropout bits");
    __shared__ float a_tiles[2][TILE_DEPTH][ROWS], b_tiles[2][TILE_DEPTH][COLUMNS];
    if (products.state && products.state->stopped)
        return;
    const struct block_place place = find_place<ROWS, COLUMNS>(products);
    const struct product &product = products.product[place.product];
    const struct operand a = {product.a, product.rows, product.a_row_stride, product.a_depth_stride,
                              product.ones_row};
    const struct operand b = {product.b, product.columns, product.b_column_stride,
                              product.b_depth_stride, -1};
    int depth = place.slice * product.slice_depth;
    int depth_end = depth + product.slice_depth < product.depth ? depth + product.slice_depth
                                                                : product.depth;
    int row = (int)threadIdx.x / (COLUMNS / COLUMNS_EACH) * ROWS_EACH;
    int column = (int)threadIdx.x % (COLUMNS / COLUMNS_EACH) * COLUMNS_EACH;
    float sums[ROWS_EACH][COLUMNS_EACH] = {};
    const struct tile_share<ROWS> a_share = share_of<ROWS>(a.depth_stride == 1);
    const struct tile_share<COLUMNS> b_share = share_of<COLUMNS>(b.depth_stride == 1);
    float a_fetched[tile_share<ROWS>::COUNT], b_fetched[tile_share<COLUMNS>::COUNT];
    fetch<ROWS>(a_fetched, a_share, a, place.row, depth, depth_end);
    fetch<COLUMNS>(b_fetched, b_share, b, place.column, depth, depth_end);
    for (int turn = 0; depth < depth_end; turn ^= 1) {
        put<ROWS>(a_tiles[turn], a_fetched, a_share);
        put<COLUMNS>(b_tiles[turn], b_fetched, b_share);
        __syncthreads();
        depth += TILE_DEPTH;
        if (depth < depth_end) {
            fetch<ROWS>(a_fetched, a_share, a, place.row, depth, depth_end);
            fetch<COLUMNS>(b_fetched, b_share, b, place.column, depth, depth_end);
        }
#pragma unroll 8
        for (int k = 0; k < TILE_DEPTH; k++) {
            float a_values[ROWS_EACH], b_values[COLUMNS_EACH];
            take<ROWS_EACH, ROWS>(a_values, a_tiles[turn], k, row);
            take<COLUMNS_EACH, COLUMNS>(b_values, b_tiles[turn], k, column);
#pragma unroll
            for (int i = 0; i < ROWS_EACH; i++)
#pragma unroll
                for (int j = 0; j < COLUMNS_EACH; j++)
                    sums[i][j] = fmaf(a_values[i], b_values[j], sums[i][j]);
        }
    }
#pragma unroll
    for (int i = 0; i < ROWS_EACH; i++)
        if (place.row + row + i < product.rows)
            store_row<COLUMNS_EACH>(sums[i], product, products, place.slice, place.row + row + i,
                                    place.column + column);
}

/* Fills first_block for tiles of that size and returns the number of blocks. */
static int count_blocks(struct products *products, int rows, int columns)
{
    products->first_block[0] = 0;
    for (int i = 0; i < products->count; i++) {
        const struct product *product = &products->product[i];
        int tiles = (product->rows + rows - 1) / rows *
                    ((product->columns + columns - 1) / columns);
        products->first_block[i + 1] = products->first_block[i] + tiles * product->slice_count;
    }
    return products->first_block[products->count];
}

/* Large tiles where they keep at least half of the multiprocessors busy. */
extern "C" cudaError_t launch_products(struct products *products, int multiprocessors,
                                       cudaStream_t stream)
{
    cudaLaunchConfig_t config = {};
    config.blockDim = dim3(THREADS);
    config.stream = stream;
    int blocks = count_blocks(products, 64, 32);
    config.gridDim = dim3((unsigned)blocks);
    if (2 * blocks >= multiprocessors)
        return cudaLaunchKernelEx(&config, product_kernel<64, 32, 4, 4>, *products);
    config.gridDim = dim3((unsigned)count_blocks(products, 32, 16));
    return cudaLaunchKernelEx(&config, product_kernel<32, 16, 2, 2>, *products);
}
