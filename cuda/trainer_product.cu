/* c = a b with tiles in shared memory and a small block of sums in each thread's registers. Tiles
 * are copied asynchronously: the whole depth at once, up to DEPTH, then stage after stage. Element
 * (k, i) of a tile stands in column i ^ ((k & 7) << 2): storing 8 x 4 patches (operands that run
 * along the depth) and reading groups of four columns are both free of bank conflicts.
 */
#include "trainer/activation.h"
#include "trainer/trainer_math.h"
#include "trainer_arch.h"

enum { THREADS = 128, WARPS = THREADS / LANES, PATCH_DEPTH = 8, PATCH_WIDTH = 4 };

/* ---- tiles ---- */

/* One operand as the loader sees it: `limit` elements across, read at across * stride + k *
 * depth_stride. */
struct operand {
    const float *values;
    int32_t limit, stride, depth_stride, ones;
};

/* A block's net, product, tile and slice. */
struct place {
    int product, slice, row, column;
    int rows, depth; /* of the net's product */
};

template <int WIDTH> static __device__ inline int swizzled(int k, int i)
{
    return i ^ (((k & 7) << 2) & (WIDTH - 1));
}

/* Depth of the tile that holds k < depth: up to the next patch; the rest of it is 0. */
static __device__ inline int padded(int depth)
{
    return (depth + PATCH_DEPTH - 1) & ~(PATCH_DEPTH - 1);
}

/* What a row of ones is copied from: one, or a group of four with no row behind it. */
alignas(16) static __device__ const float ones_row[4] = {1, 0, 0, 0};

/* Operands that run along the depth: a warp copies patches of 8 x 4. */
template <int WIDTH>
static __device__ inline void copy_patches(float (*tile)[WIDTH], const struct operand &of,
                                           int first, int from_depth, int depth)
{
    int lane = (int)threadIdx.x % LANES, warp = (int)threadIdx.x / LANES;
    int i_first = warp * PATCH_WIDTH + lane / PATCH_DEPTH, k_first = lane % PATCH_DEPTH;
    const float *from = of.values + (ptrdiff_t)(first + i_first) * of.stride + from_depth + k_first;
#pragma unroll 4
    for (int k = k_first; k < padded(depth); k += PATCH_DEPTH, from += PATCH_DEPTH)
#pragma unroll
        for (int i = 0; i < WIDTH; i += WARPS * PATCH_WIDTH) {
            int across = first + i_first + i;
            const float *element = across == of.ones ? ones_row : from + (ptrdiff_t)i * of.stride;
            copy_async(&tile[k][swizzled<WIDTH>(k, i_first + i)], element,
                       k < depth && across < of.limit);
        }
}

/* Operands that run across: a thread copies groups of four, at once where they are aligned. */
template <int WIDTH>
static __device__ inline void copy_groups(float (*tile)[WIDTH], const struct operand &of, int first,
                                          int from_depth, int depth)
{
    const int groups = WIDTH / 4;
    int i = (int)threadIdx.x % groups * 4, k_first = (int)threadIdx.x / groups, across = first + i;
    int filled = of.ones < 0 ? of.limit : of.ones;
    ptrdiff_t step = (ptrdiff_t)(THREADS / groups) * of.depth_stride;
    const float *from = of.values + across + (ptrdiff_t)(from_depth + k_first) * of.depth_stride;
    if ((of.depth_stride | filled) % 4 == 0 && (uintptr_t)of.values % 16 == 0) {
#pragma unroll 4
        for (int k = k_first; k < padded(depth); k += THREADS / groups, from += step)
            copy_four_async(&tile[k][swizzled<WIDTH>(k, i)], across == of.ones ? ones_row : from,
                            k < depth && across < of.limit);
        return;
    }
    for (int k = k_first; k < padded(depth); k += THREADS / groups, from += step)
#pragma unroll
        for (int j = 0; j < 4; j++)
            copy_async(&tile[k][swizzled<WIDTH>(k, i + j)],
                       across + j == of.ones ? ones_row : from + j,
                       k < depth && across + j < of.limit);
}

template <int WIDTH>
static __device__ inline void copy_tile(float (*tile)[WIDTH], const struct operand &of, int first,
                                        int from_depth, int depth)
{
    if (of.depth_stride == 1)
        copy_patches<WIDTH>(tile, of, first, from_depth, depth);
    else
        copy_groups<WIDTH>(tile, of, first, from_depth, depth);
}

/* Depth from_depth..from_depth + depth - 1 of both operands. */
template <int ROWS, int COLUMNS>
static __device__ inline void copy_pair(float (*a_tile)[ROWS], float (*b_tile)[COLUMNS],
                                        const struct operand &a, const struct operand &b,
                                        const struct place &place, int from_depth, int depth)
{
    copy_tile<ROWS>(a_tile, a, place.row, from_depth, depth);
    copy_tile<COLUMNS>(b_tile, b, place.column, from_depth, depth);
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

/* ---- what is stored ---- */

static __device__ inline struct place find_place(const struct products &products, int tile_rows,
                                                 int tile_columns)
{
    struct place place = {};
    int tile = (int)blockIdx.y;
    while (tile >= products.first_tile[place.product + 1])
        place.product++;
    tile -= products.first_tile[place.product];
    for (; tile >= products.tiles_down[place.product]; tile -= products.tiles_down[place.product])
        place.slice++;
    const struct product &product = products.product[place.product];
    int rows = own_rows(products.rows, own_job(products.nets));
    place.row = tile * tile_rows;
    place.column = (int)blockIdx.x * tile_columns;
    place.rows = product.sums_rows ? product.rows : rows;
    place.depth = product.sums_rows ? rows : product.depth;
    return place;
}

/* Dropout of silu drops its derivative too. */
static __device__ inline float silu_with_slope(float *slope, float z, float kept)
{
    struct silu silu = silu_of(z);
    if (slope)
        *slope = silu.slope * kept;
    return silu.value;
}

/* The net's arrays of a product. */
struct stored {
    float *c, *slopes;
    const float *bias, *mask;
    float dropout;
    uint32_t step; /* of the whole training */
};

static __device__ inline struct stored stored_of(const struct product &product,
                                                 const struct products &products)
{
    const struct net_job &job = own_job(products.nets);
    struct stored stored = {
        own(product.c, products.nets),           own(product.slopes, products.nets),
        own(product.bias, products.nets),        own(product.mask, products.nets),
        product.drops ? job.options.dropout : 0, 0};
    if (stored.dropout > 0)
        stored.step = products.nets.states[blockIdx.z].epoch * job.epoch_steps + products.step;
    return stored;
}

/* Sums (ROWS_EACH, COLUMNS_EACH) of one thread: one row of them at a time. */
template <int COLUMNS_EACH>
static __device__ inline void store_row(const float (&sums)[COLUMNS_EACH],
                                        const struct product &product, const struct stored &stored,
                                        uint64_t seed, int slice, int row, int first_column)
{
    float *c = stored.c + (size_t)slice * product.c_slice_stride +
               (size_t)row * (size_t)product.c_stride;
    struct philox_words words = {{0, 0, 0, 0}};
    uint32_t threshold = dropout_threshold(stored.dropout);
    float scale = 1.0f / (1.0f - stored.dropout);
    if (stored.dropout > 0)
        words = dropout_words(stored.step, (uint32_t)row, (uint32_t)first_column / 8, seed);
#pragma unroll
    for (int j = 0; j < COLUMNS_EACH; j++) {
        int column = first_column + j;
        size_t k = (size_t)row * (size_t)product.c_stride + (size_t)column;
        float sum = sums[j], kept = 1;
        if (column >= product.columns)
            continue;
        if (stored.dropout > 0)
            kept = dropout_bits(words, (uint32_t)column % 8) < threshold ? scale : 0;
        if (product.epilogue == EPILOGUE_RELU) {
            sum += stored.bias[column];
            sum = sum < 0 ? 0 : sum;
        } else if (product.epilogue == EPILOGUE_SILU)
            sum = silu_with_slope(stored.slopes ? stored.slopes + k : nullptr,
                                  sum + stored.bias[column], kept);
        else if (product.epilogue == EPILOGUE_SLOPE)
            sum *= stored.mask[k];
        else if (product.epilogue == EPILOGUE_MASK)
            sum = stored.mask[k] > 0 ? sum : 0;
        c[column] = kept > 0 ? sum * kept : 0;
    }
}

/* ---- squared norms ---- */

/* True in all threads of the block of a tile's last slice to arrive: it sees what the others have
 * stored. */
static __device__ inline bool is_last_slice(uint32_t *arrived, int slices)
{
    __shared__ bool last;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
        last = atomicAdd(arrived, 1u) == (uint32_t)slices - 1;
        if (last)
            *arrived = 0;
        __threadfence();
    }
    __syncthreads();
    return last;
}

/* The squared norm of NORM_ROWS x NORM_COLUMNS elements of the gradient, slices and L2 added up as
 * the update does. */
static __device__ inline double square_tile(const struct product &product, const float *c,
                                            const float *weights, float l2, int slices, int row,
                                            int column)
{
    double sum = 0;
    column += (int)threadIdx.x % NORM_COLUMNS;
    row += (int)threadIdx.x / NORM_COLUMNS;
    for (int i = 0; i < NORM_ROWS; i += THREADS / NORM_COLUMNS, row += THREADS / NORM_COLUMNS) {
        if (row >= product.rows || column >= product.columns)
            continue;
        size_t k = (size_t)row * (size_t)product.c_stride + (size_t)column;
        float gradient = c[k];
        for (int slice = 1; slice < slices; slice++)
            gradient += c[(size_t)slice * product.c_slice_stride + k];
        if (row != product.ones_row && l2 > 0)
            gradient += l2 * weights[k];
        sum += (double)gradient * (double)gradient;
    }
    return sum;
}

/* All threads of a block whose slice of the tile is stored. Which slice is last does not matter. */
template <int ROWS, int COLUMNS>
static __device__ inline void square_tiles(const struct product &product,
                                           const struct products &products,
                                           const struct place &place)
{
    __shared__ double scratch[2][WARPS];
    int across = (product.columns + NORM_COLUMNS - 1) / NORM_COLUMNS;
    int slices = (place.depth + product.slice_depth - 1) / product.slice_depth, turn = 0;
    int first = place.row / NORM_ROWS * across + place.column / NORM_COLUMNS;
    double *squares = own(product.norm.squares, products.nets);
    const float *c = own(product.c, products.nets);
    const float *weights = own(product.norm.weights, products.nets);
    if (!is_last_slice(own(product.norm.arrived, products.nets) + first, slices))
        return;
    for (int row = 0; row < ROWS && place.row + row < product.rows; row += NORM_ROWS)
        for (int column = 0; column < COLUMNS && place.column + column < product.columns;
             column += NORM_COLUMNS, turn ^= 1) {
            double sum = square_tile(product, c, weights, own_job(products.nets).options.l2, slices,
                                     place.row + row, place.column + column);
            sum = block_sum<THREADS>(sum, scratch[turn]);
            if (threadIdx.x == 0)
                squares[first + row / NORM_ROWS * across + column / NORM_COLUMNS] = sum;
        }
}

/* ---- the kernel ---- */

template <int ROWS, int COLUMNS, int ROWS_EACH, int COLUMNS_EACH>
static __device__ inline void multiply(float (&sums)[ROWS_EACH][COLUMNS_EACH],
                                       const float (*a_tile)[ROWS], const float (*b_tile)[COLUMNS],
                                       int row, int column, int depth)
{
#pragma unroll ROWS_EACH < 4 ? 4 : 1
    for (int patch = 0; patch < depth; patch += PATCH_DEPTH)
#pragma unroll
        for (int k = patch; k < patch + PATCH_DEPTH; k++) {
            float a_values[ROWS_EACH], b_values[COLUMNS_EACH];
            take<ROWS_EACH, ROWS>(a_values, a_tile, k, row);
            take<COLUMNS_EACH, COLUMNS>(b_values, b_tile, k, column);
#pragma unroll
            for (int i = 0; i < ROWS_EACH; i++)
#pragma unroll
                for (int j = 0; j < COLUMNS_EACH; j++)
                    sums[i][j] = fmaf(a_values[i], b_values[j], sums[i][j]);
        }
}

template <int ROWS, int COLUMNS, int ROWS_EACH, int COLUMNS_EACH, int DEPTH, int STAGES>
static __global__ void __launch_bounds__(THREADS, 3) product_kernel(const struct products products)
{
    static_assert(ROWS / ROWS_EACH * (COLUMNS / COLUMNS_EACH) == THREADS, "one block of sums each");
    static_assert(8 % COLUMNS_EACH == 0, "a thread's columns lie in one group of dropout bits");
    static_assert(ROWS % NORM_ROWS == 0 && COLUMNS % NORM_COLUMNS == 0, "whole tiles of norms");
    alignas(16) __shared__ float a_tiles[STAGES][DEPTH][ROWS], b_tiles[STAGES][DEPTH][COLUMNS];
    let_successor_begin();
    const struct place place = find_place(products, ROWS, COLUMNS);
    const struct product &product = products.product[place.product];
    const struct net_job &job = own_job(products.nets);
    const float *data = own_inputs(products.rows, job, product.a_row_stride);
    const struct operand a = {product.a ? own(product.a, products.nets) : data, place.rows,
                              product.a_row_stride, product.a_depth_stride, product.ones_row};
    const struct operand b = {own(product.b, products.nets), product.columns,
                              product.b_column_stride, product.b_depth_stride, -1};
    int depth = place.slice * product.slice_depth;
    int left = (depth + product.slice_depth < place.depth ? product.slice_depth
                                                          : place.depth - depth);
    await_predecessor();
    if (place.row >= place.rows || place.column >= product.columns || left <= 0)
        return;
    int row = (int)threadIdx.x / (COLUMNS / COLUMNS_EACH) * ROWS_EACH;
    int column = (int)threadIdx.x % (COLUMNS / COLUMNS_EACH) * COLUMNS_EACH;
    float sums[ROWS_EACH][COLUMNS_EACH] = {};
    const struct stored stored = stored_of(product, products);
    int here = left < DEPTH ? left : DEPTH;
    if (STAGES == 2)
        copy_pair(a_tiles[0], b_tiles[0], a, b, place, depth, here);
    for (int stage = 0; left > 0; stage = (stage + 1) % STAGES) {
        int next = left - here < DEPTH ? left - here : DEPTH;
        if (STAGES == 1)
            copy_pair(a_tiles[0], b_tiles[0], a, b, place, depth, here);
        await_copies();
        __syncthreads();
        if (STAGES == 2 && next > 0)
            copy_pair(a_tiles[stage ^ 1], b_tiles[stage ^ 1], a, b, place, depth + here, next);
        multiply<ROWS, COLUMNS>(sums, a_tiles[stage], b_tiles[stage], row, column, padded(here));
        if (STAGES == 1 && next > 0)
            __syncthreads();
        depth += here;
        left -= here;
        here = next;
    }
#pragma unroll
    for (int i = 0; i < ROWS_EACH; i++)
        if (place.row + row + i < place.rows)
            store_row<COLUMNS_EACH>(sums[i], product, stored, job.seed, place.slice,
                                    place.row + row + i, place.column + column);
    if (product.norm.squares && job.options.gradient_clip > 0)
        square_tiles<ROWS, COLUMNS>(product, products, place);
}

/* ---- launch ---- */

/* Stacks the tiles of all products; a row of blocks is as long as the widest product needs. */
static dim3 stack_tiles(struct products *products, int rows, int columns)
{
    int across = 1;
    products->first_tile[0] = 0;
    for (int i = 0; i < products->count; i++) {
        const struct product *product = &products->product[i];
        int own_across = (product->columns + columns - 1) / columns;
        across = own_across > across ? own_across : across;
        products->tiles_down[i] = (product->rows + rows - 1) / rows;
        products->first_tile[i + 1] = products->first_tile[i] +
                                      products->tiles_down[i] * product->slice_count;
    }
    return dim3((unsigned)across, (unsigned)products->first_tile[products->count]);
}

/* Blocks that have work. */
static int count_blocks(const struct products *products, int columns)
{
    int blocks = 0;
    for (int i = 0; i < products->count; i++)
        blocks += (products->first_tile[i + 1] - products->first_tile[i]) *
                  ((products->product[i].columns + columns - 1) / columns);
    return blocks * products->nets.count;
}

/* Large tiles where they keep at least half of the multiprocessors busy. */
extern "C" cudaError_t launch_products(struct products *products, const struct launch *launch)
{
    dim3 grid = stack_tiles(products, 64, 32);
    if (2 * count_blocks(products, 32) >= launch->multiprocessors)
        return launch_nets(launch, products->nets, grid, THREADS,
                           product_kernel<64, 32, 4, 4, 32, 2>, *products);
    grid = stack_tiles(products, 32, 16);
    return launch_nets(launch, products->nets, grid, THREADS, product_kernel<32, 16, 2, 2, 128, 1>,
                       *products);
}
