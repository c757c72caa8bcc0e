/* transpose with own loops, for most shapes faster than oneDNN 2.6's reorder of such layouts. Tiles
 * of single elements are turned in a buffer, so that memory is read and written in whole cache
 * lines; blocks of some size are copied as they are.
 */
#include "onednn/cpu_plan.h"
#include "onednn/loop_storage.h"

#include <stdio.h>

enum { DATA_FROM, DATA_TO };
enum { SIZE_OUTER, SIZE_ROWS, SIZE_COLUMNS, SIZE_BLOCK, SIZE_THREADS };
enum { TILE = 16 }; /* a side, in blocks: a cache line of fp32 */

/* Of one matrix; blocks are of `bytes`. */
struct matrix {
    const unsigned char *from;
    unsigned char *to;
    int64_t rows, columns, bytes;
};
struct tile {
    int64_t row, column;
    int rows, columns; /* fewer than TILE at the edges */
};

/* ---- tiles ---- */

typedef float vector4 __attribute__((vector_size(16)));

static vector4 load4(const float *from)
{
    vector4 value;
    memcpy(&value, from, sizeof value);
    return value;
}

/* 4 x 4 of rows that are `step` floats apart, into rows of a tile. */
static void turn_4x4(float *to, const float *from, int64_t step)
{
    const vector4 a = load4(from), b = load4(from + step);
    const vector4 c = load4(from + 2 * step), d = load4(from + 3 * step);
    const vector4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const vector4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const vector4 ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const vector4 cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    const vector4 turned[] = {__builtin_shufflevector(ab, cd, 0, 1, 4, 5),
                              __builtin_shufflevector(ab, cd, 2, 3, 6, 7),
                              __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
                              __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
    for (int i = 0; i < 4; i++)
        memcpy(to + i * TILE, &turned[i], sizeof turned[i]);
}

static void turn_full_tile(float *buffer, const float *from, int64_t columns)
{
    for (int row = 0; row < TILE; row += 4)
        for (int column = 0; column < TILE; column += 4)
            turn_4x4(buffer + column * TILE + row, from + row * columns + column, columns);
}

/* buffer (columns, TILE) */
#define TURN_TILE(name, type)                                                                      \
    static void name(type *buffer, const struct matrix *matrix, const struct tile *tile)           \
    {                                                                                              \
        const type *from = (const type *)matrix->from + tile->row * matrix->columns +              \
                           tile->column;                                                           \
        for (int row = 0; row < tile->rows; row++)                                                 \
            for (int column = 0; column < tile->columns; column++)                                 \
                buffer[column * TILE + row] = from[row * matrix->columns + column];                \
    }
TURN_TILE(turn_tile_2, uint16_t)
TURN_TILE(turn_tile_4, float)
TURN_TILE(turn_tile_8, uint64_t)

static void turn_tile(unsigned char *buffer, const struct matrix *matrix, const struct tile *tile)
{
    if (matrix->bytes == 2)
        turn_tile_2((uint16_t *)buffer, matrix, tile);
    else if (matrix->bytes == 8)
        turn_tile_8((uint64_t *)buffer, matrix, tile);
    else if (tile->rows == TILE && tile->columns == TILE)
        turn_full_tile((float *)buffer,
                       (const float *)matrix->from + tile->row * matrix->columns + tile->column,
                       matrix->columns);
    else
        turn_tile_4((float *)buffer, matrix, tile);
}

static void run_tile(const struct matrix *matrix, const struct tile *tile)
{
    _Alignas(64) unsigned char buffer[TILE * TILE * 8];
    const int64_t bytes = matrix->bytes;
    turn_tile(buffer, matrix, tile);
    for (int column = 0; column < tile->columns; column++)
        memcpy(matrix->to + ((tile->column + column) * matrix->rows + tile->row) * bytes,
               buffer + column * TILE * bytes, (size_t)(tile->rows * bytes));
}

/* ---- blocks ---- */

static void copy_block(unsigned char *to, const unsigned char *from, int64_t bytes)
{
    if (bytes % 16) {
        memcpy(to, from, (size_t)bytes);
        return;
    }
    for (int64_t i = 0; i < bytes; i += 16)
        memcpy(to + i, from + i, 16);
}

static void run_blocks(const struct matrix *matrix, const struct tile *tile)
{
    const int64_t bytes = matrix->bytes;
    for (int column = 0; column < tile->columns; column++)
        for (int row = 0; row < tile->rows; row++)
            copy_block(matrix->to +
                           ((tile->column + column) * matrix->rows + tile->row + row) * bytes,
                       matrix->from +
                           ((tile->row + row) * matrix->columns + tile->column + column) * bytes,
                       bytes);
}

/* ---- the loop ---- */

static int smaller(int64_t a, int b)
{
    return a < b ? (int)a : b;
}

static void run(const struct cpu_loop *loop)
{
    const int64_t outer = loop->size[SIZE_OUTER], rows = loop->size[SIZE_ROWS];
    const int64_t columns = loop->size[SIZE_COLUMNS], bytes = loop->size[SIZE_BLOCK];
    const bool is_turned = bytes == 2 || bytes == 4 || bytes == 8;
    const int threads = (int)loop->size[SIZE_THREADS];
#pragma omp parallel for collapse(3) num_threads(threads)
    for (int64_t i = 0; i < outer; i++)
        for (int64_t column = 0; column < columns; column += TILE)
            for (int64_t row = 0; row < rows; row += TILE) {
                const int64_t first = i * rows * columns * bytes;
                const struct matrix matrix = {.from = (const unsigned char *)loop->data[DATA_FROM] +
                                                      first,
                                              .to = (unsigned char *)loop->data[DATA_TO] + first,
                                              .rows = rows,
                                              .columns = columns,
                                              .bytes = bytes};
                const struct tile tile = {row, column, smaller(rows - row, TILE),
                                          smaller(columns - column, TILE)};
                (is_turned ? run_tile : run_blocks)(&matrix, &tile);
            }
}

/* ---- steps ---- */

static enum status add_loop(struct cpu_plan *plan, int phase, const struct cpu_tensor *from,
                            const struct cpu_tensor *to, int32_t rows, int32_t columns,
                            struct error *error)
{
    const struct transpose *of = &plan->config.as.transpose;
    const struct cpu_loop loop = {
        .run = run,
        .data = {[DATA_FROM] = from->data, [DATA_TO] = to->data},
        .size = {[SIZE_OUTER] = (int64_t)plan->config.batch_size * of->outer,
                 [SIZE_ROWS] = rows,
                 [SIZE_COLUMNS] = columns,
                 [SIZE_BLOCK] = of->inner * loop_element_bytes(cpu_storage(plan)),
                 [SIZE_THREADS] = plan->device->thread_count}};
    return cpu_loop_add(plan, phase, &loop, error);
}

static enum status add_backward(struct cpu_plan *plan, struct plan *const *inputs,
                                struct error *error)
{
    const struct transpose *of = &plan->config.as.transpose;
    struct cpu_tensor gradient, *tensor = plan->tensor;
    TRY(cpu_activation_backward(&gradient, plan, ACTIVATION_NONE, error));
    TRY(cpu_input_gradient(plan, inputs, 0, tensor[CPU_INPUT].layout, error));
    TRY(add_loop(plan, PHASE_BACKWARD, &gradient, &tensor[CPU_INPUT_GRADIENT], of->matrix_columns,
                 of->matrix_rows, error));
    return cpu_input_gradient_deliver(plan, inputs, 0, error);
}

enum status cpu_fill_transpose(struct cpu_plan *plan, struct plan *const *inputs,
                               struct error *error)
{
    const struct transpose *of = &plan->config.as.transpose;
    const dnnl_dim_t sizes[] = {plan->config.batch_size,
                                layer_output_elements(&plan->config) / plan->config.batch_size};
    const struct cpu_layout *layout;
    struct cpu_tensor *tensor = plan->tensor;
    snprintf(plan->base.algorithm, sizeof plan->base.algorithm, "loop:tiles");
    TRY(cpu_plain_layout(&layout, plan, 2, sizes, cpu_storage(plan), error));
    TRY(cpu_input(plan, inputs, 0, layout, error));
    TRY(cpu_tensor_create(&tensor[CPU_OUTPUT], plan, layout, 0, error));
    TRY(add_loop(plan, PHASE_FORWARD, &tensor[CPU_INPUT], &tensor[CPU_OUTPUT], of->matrix_rows,
                 of->matrix_columns, error));
    return plan->config.pass == PASS_TRAIN ? add_backward(plan, inputs, error) : STATUS_OK;
}
