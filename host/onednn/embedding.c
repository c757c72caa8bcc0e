/* embedding: own loops, oneDNN has no gather. Each row is read and written once; backward, every
 * thread has a range of the table, whose rows it alone changes, so that sums have one order.
 *
 * Nobody feeds the indices: what other layers write are no indices.
 */
#include "onednn/cpu_plan.h"

#include "base/half.h"

#include <omp.h>
#include <stdio.h>
#include <string.h>

enum { PARALLEL_BYTES = 1 << 16 };

/* ---- forward ---- */

enum gather_data { GATHER_INDICES, GATHER_TABLE, GATHER_OUTPUT };
enum gather_size { GATHER_ROWS, GATHER_ROW_BYTES };

static void gather(const struct cpu_loop *loop)
{
    const int32_t *indices = loop->data[GATHER_INDICES];
    const char *table = loop->data[GATHER_TABLE];
    char *output = loop->data[GATHER_OUTPUT];
    const int64_t rows = loop->size[GATHER_ROWS], bytes = loop->size[GATHER_ROW_BYTES];
#pragma omp parallel for if (rows * bytes > PARALLEL_BYTES)
    for (int64_t row = 0; row < rows; row++)
        memcpy(output + row * bytes, table + indices[row] * bytes, (size_t)bytes);
}

/* ---- backward ---- */

enum scatter_data { SCATTER_INDICES, SCATTER_FROM, SCATTER_TO, SCATTER_FIRST, SCATTER_OWNERS };
enum scatter_size { SCATTER_ROWS, SCATTER_WIDTH, SCATTER_TYPE, SCATTER_VOCABULARY };

/* to += row `row` of `from`, a matrix of the type. */
static void add_row(float *to, const void *from, int64_t row, int64_t width, int64_t type)
{
    const float *wide = (const float *)from + row * width;
    const uint16_t *narrow = (const uint16_t *)from + row * width;
    if (type == dnnl_f32) {
#pragma omp simd
        for (int64_t i = 0; i < width; i++)
            to[i] += wide[i];
    } else if (type == dnnl_bf16) {
#pragma omp simd
        for (int64_t i = 0; i < width; i++)
            to[i] += float_of_bf16(narrow[i]);
    } else {
        for (int64_t i = 0; i < width; i++)
            to[i] += float_of_fp16(narrow[i]);
    }
}

static void clear_rows(float *rows, int64_t count, int64_t width)
{
    memset(rows, 0, (size_t)(count * width) * sizeof *rows);
}

/* Rows of the table that this thread has: *first up to *end. */
static void share_of(int64_t *first, int64_t *end, int64_t vocabulary)
{
    const int64_t threads = omp_get_num_threads(), thread = omp_get_thread_num();
    *first = vocabulary * thread / threads;
    *end = vocabulary * (thread + 1) / threads;
}

#define EACH_OWN_ROW(row, index)                                                                   \
    for (int64_t row = 0, index; row < loop->size[SCATTER_ROWS]; row++)                            \
        if ((index = indices[row]) >= first && index < end)

static void scatter_dense(const struct cpu_loop *loop)
{
    const int32_t *indices = loop->data[SCATTER_INDICES];
    const int64_t width = loop->size[SCATTER_WIDTH];
    const int64_t vocabulary = loop->size[SCATTER_VOCABULARY];
    float *to = loop->data[SCATTER_TO];
#pragma omp parallel if (vocabulary * width > PARALLEL_BYTES)
    {
        int64_t first, end;
        share_of(&first, &end, vocabulary);
        clear_rows(to + first * width, end - first, width);
        EACH_OWN_ROW(row, index)
        {
            add_row(to + index * width, loop->data[SCATTER_FROM], row, width,
                    loop->size[SCATTER_TYPE]);
        }
    }
}

/* To the row of the first of equal indices. FIRST has its number for each row of the table that
 * occurs; OWNERS, per index, the row of the table that its sum is of, -1: it is not the first. */
static void scatter_sparse(const struct cpu_loop *loop)
{
    const int32_t *indices = loop->data[SCATTER_INDICES];
    const int64_t width = loop->size[SCATTER_WIDTH];
    int32_t *firsts = loop->data[SCATTER_FIRST], *owners = loop->data[SCATTER_OWNERS];
#pragma omp parallel if (loop->size[SCATTER_ROWS] * width > PARALLEL_BYTES)
    {
        int64_t first, end;
        share_of(&first, &end, loop->size[SCATTER_VOCABULARY]);
        EACH_OWN_ROW(row, index)
        {
            firsts[index] = -1;
        }
        EACH_OWN_ROW(row, index)
        {
            const bool is_first = firsts[index] < 0;
            if (is_first)
                firsts[index] = (int32_t)row;
            owners[row] = is_first ? (int32_t)index : -1;
            float *to = (float *)loop->data[SCATTER_TO] + firsts[index] * width;
            if (is_first)
                clear_rows(to, 1, width);
            add_row(to, loop->data[SCATTER_FROM], row, width, loop->size[SCATTER_TYPE]);
        }
    }
}

/* ---- plan ---- */

struct shapes {
    int64_t rows, width, vocabulary;
    bool is_sparse;
    dnnl_data_type_t type;
};

static struct shapes shapes_of(const struct cpu_plan *plan)
{
    const struct embedding *of = &plan->config.as.embedding;
    return (struct shapes){.rows = (int64_t)plan->config.batch_size * of->positions,
                           .width = of->width,
                           .vocabulary = of->vocabulary,
                           .is_sparse = of->gradient == GRADIENT_SPARSE,
                           .type = cpu_storage(plan)};
}

static enum status layout_of(const struct cpu_layout **layout, struct cpu_plan *plan, int64_t rows,
                             int64_t width, dnnl_data_type_t type, struct error *error)
{
    return cpu_plain_layout(layout, plan, 2, (const dnnl_dim_t[]){rows, width}, type, error);
}

/* Per-index or per-row numbers. */
static enum status numbers_layout(const struct cpu_layout **layout, struct cpu_plan *plan,
                                  int64_t count, struct error *error)
{
    return cpu_plain_layout(layout, plan, 1, (const dnnl_dim_t[]){count}, dnnl_s32, error);
}

static enum status add_forward(struct cpu_plan *plan, const struct shapes *of, struct error *error)
{
    const struct cpu_layout *indices, *table, *output;
    struct cpu_tensor *tensor = plan->tensor;
    TRY(numbers_layout(&indices, plan, of->rows, error));
    TRY(layout_of(&table, plan, of->vocabulary, of->width, of->type, error));
    TRY(layout_of(&output, plan, of->rows, of->width, of->type, error));
    TRY(cpu_indices_create(&tensor[CPU_INPUT], plan, indices,
                           embedding_indices(&plan->config.as.embedding), error));
    TRY(plan->config.optimizer == OPTIMIZER_NONE
            ? cpu_operand_create(&tensor[CPU_WEIGHTS], plan, table, error)
            : cpu_tensor_create(&tensor[CPU_WEIGHTS], plan, table, 1, error));
    TRY(cpu_tensor_create(&tensor[CPU_OUTPUT], plan, output, 0, error));
    const int64_t element_bytes = precision_bytes(plan->config.precision);
    const struct cpu_loop loop = {
        .run = gather,
        .data = {[GATHER_INDICES] = tensor[CPU_INPUT].data,
                 [GATHER_TABLE] = tensor[CPU_WEIGHTS].data,
                 [GATHER_OUTPUT] = tensor[CPU_OUTPUT].data},
        .size = {[GATHER_ROWS] = of->rows, [GATHER_ROW_BYTES] = of->width * element_bytes}};
    return cpu_loop_add(plan, PHASE_FORWARD, &loop, error);
}

/* Memory of the sparse gradient beside its rows. */
static enum status add_numbers(struct cpu_tensor *firsts, struct cpu_tensor *owners,
                               struct cpu_plan *plan, const struct shapes *of, struct error *error)
{
    const struct cpu_layout *per_row, *per_index;
    TRY(numbers_layout(&per_row, plan, of->vocabulary, error));
    TRY(numbers_layout(&per_index, plan, of->rows, error));
    TRY(cpu_tensor_create(firsts, plan, per_row, 0, error));
    TRY(cpu_tensor_create(owners, plan, per_index, 0, error));
    plan->base.workspace_bytes += (of->vocabulary + of->rows) * (int64_t)sizeof(int32_t);
    return STATUS_OK;
}

static enum status add_backward(struct cpu_plan *plan, const struct shapes *of, struct error *error)
{
    const struct cpu_layout *layout;
    struct cpu_tensor gradient, firsts = {.data = NULL}, owners = {.data = NULL};
    struct cpu_tensor *to = &plan->tensor[CPU_WEIGHTS_GRADIENT];
    TRY(cpu_activation_backward(&gradient, plan, ACTIVATION_NONE, error));
    TRY(layout_of(&layout, plan, of->is_sparse ? of->rows : of->vocabulary, of->width, dnnl_f32,
                  error));
    TRY(cpu_tensor_create(to, plan, layout, 0, error));
    if (of->is_sparse)
        TRY(add_numbers(&firsts, &owners, plan, of, error));
    const struct cpu_loop loop = {.run = of->is_sparse ? scatter_sparse : scatter_dense,
                                  .data = {[SCATTER_INDICES] = plan->tensor[CPU_INPUT].data,
                                           [SCATTER_FROM] = gradient.data,
                                           [SCATTER_TO] = to->data,
                                           [SCATTER_FIRST] = firsts.data,
                                           [SCATTER_OWNERS] = owners.data},
                                  .size = {[SCATTER_ROWS] = of->rows,
                                           [SCATTER_WIDTH] = of->width,
                                           [SCATTER_TYPE] = of->type,
                                           [SCATTER_VOCABULARY] = of->vocabulary}};
    TRY(cpu_loop_add(plan, PHASE_BACKWARD, &loop, error));
    return of->is_sparse ? cpu_rows_update_add(plan, &owners, error) : cpu_updates_add(plan, error);
}

enum status cpu_fill_embedding(struct cpu_plan *plan, struct plan *const *inputs,
                               struct error *error)
{
    (void)inputs;
    const struct shapes shapes = shapes_of(plan);
    snprintf(plan->base.algorithm, sizeof plan->base.algorithm, "loop");
    TRY(add_forward(plan, &shapes, error));
    return plan->config.pass == PASS_TRAIN ? add_backward(plan, &shapes, error) : STATUS_OK;
}
