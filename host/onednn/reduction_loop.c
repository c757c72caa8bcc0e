/* Reductions along the middle axis of (outer, length, inner), and where the largest element's
 * gradient goes. Columns of up to COLUMNS are summed together, so that their sums stay in the first
 * cache; where there are fewer such tasks than threads, the axis is cut into slices.
 */
#include "onednn/stream_loops.h"

#include <math.h>
#include <string.h>

enum { COLUMNS = 2048, LANES = 16, SLICE_ELEMENTS = 16384, TASKS_PER_THREAD = 4 };
enum { SIZE_REDUCE, SIZE_OUTER, SIZE_LENGTH, SIZE_INNER, SIZE_SLICES, SIZE_FACTOR, SIZE_IS_ROOT };
enum { DATA_Y, DATA_WINNERS, DATA_X, DATA_BY, DATA_PARTIAL, DATA_PARTIAL_WINNERS };

/* ---- one row ---- */

/* Sixteen sums: no addition waits for another. */
static float add_lanes(const float *lanes)
{
    float sum = 0;
    for (int i = 0; i < LANES; i++)
        sum += lanes[i];
    return sum;
}

#define ROW_SUM(name, expression)                                                                  \
    static float name(const float *restrict x, const float *restrict by, int64_t count)            \
    {                                                                                              \
        float lanes[LANES] = {0}, rest = 0;                                                        \
        const int64_t whole = count / LANES * LANES;                                               \
        (void)by;                                                                                  \
        for (int64_t first = 0; first < whole; first += LANES)                                     \
            for (int64_t i = first; i < first + LANES; i++)                                        \
                lanes[i - first] += expression;                                                    \
        for (int64_t i = whole; i < count; i++)                                                    \
            rest += expression;                                                                    \
        return add_lanes(lanes) + rest;                                                            \
    }
ROW_SUM(row_sum, x[i])
ROW_SUM(row_products, x[i] * by[i])
ROW_SUM(row_squares, x[i] * x[i])

/* The first of the largest elements, of x times sign. Whole groups are compared before the place is
 * looked for. */
static float row_best(int32_t *place, const float *x, float sign, int64_t count)
{
    enum { GROUP = 256 };
    float best = sign * x[0];
    int64_t group = 0;
    for (int64_t first = 0; first < count; first += GROUP) {
        const int64_t end = count - first < GROUP ? count : first + GROUP;
        float here = best;
        for (int64_t i = first; i < end; i++)
            here = sign * x[i] > here ? sign * x[i] : here;
        group = here > best ? first : group;
        best = here;
    }
    while (sign * x[group] < best)
        group++;
    *place = (int32_t)group;
    return sign * best;
}

static float reduce_row(int32_t *place, const float *x, const float *by, int64_t reduce,
                        int64_t count)
{
    switch (reduce) {
    case CPU_REDUCE_PRODUCTS:
        return row_products(x, by, count);
    case CPU_REDUCE_SQUARES:
        return row_squares(x, by, count);
    case CPU_REDUCE_MAX:
        return row_best(place, x, 1, count);
    case CPU_REDUCE_MIN:
        return row_best(place, x, -1, count);
    default:
        return row_sum(x, by, count);
    }
}

/* ---- columns ---- */

#define COLUMN_SUMS(name, expression)                                                              \
    static void name(float *restrict y, const float *restrict x, const float *restrict by,         \
                     int64_t count)                                                                \
    {                                                                                              \
        (void)by;                                                                                  \
        for (int64_t i = 0; i < count; i++)                                                        \
            y[i] += expression;                                                                    \
    }
COLUMN_SUMS(add_row, x[i])
COLUMN_SUMS(add_products, x[i] * by[i])
COLUMN_SUMS(add_squares, x[i] * x[i])

static void better_row(float *restrict y, const float *restrict x, float sign, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        y[i] = sign * x[i] > sign * y[i] ? x[i] : y[i];
}

static void better_places(float *restrict y, int32_t *restrict places, const float *restrict x,
                          float sign, int32_t place, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const int is_better = sign * x[i] > sign * y[i];
        y[i] = is_better ? x[i] : y[i];
        places[i] = is_better ? place : places[i];
    }
}

static void reduce_best(float *y, int32_t *places, const float *x, float sign, int64_t step,
                        int64_t first, int64_t end, int64_t count)
{
    memcpy(y, x + first * step, (size_t)count * sizeof *y);
    for (int64_t i = 0; i < count && places; i++)
        places[i] = (int32_t)first;
    for (int64_t row = first + 1; row < end; row++)
        if (places)
            better_places(y, places, x + row * step, sign, (int32_t)row, count);
        else
            better_row(y, x + row * step, sign, count);
}

typedef void add_columns(float *restrict y, const float *restrict x, const float *restrict by,
                         int64_t count);

/* Rows [first, end) of `count` columns, `step` apart. */
static void reduce_columns(float *y, int32_t *places, const float *x, const float *by,
                           int64_t reduce, int64_t step, int64_t first, int64_t end, int64_t count)
{
    static add_columns *const adds[CPU_REDUCE_COUNT] = {[CPU_REDUCE_SUM] = add_row,
                                                        [CPU_REDUCE_PRODUCTS] = add_products,
                                                        [CPU_REDUCE_SQUARES] = add_squares};
    if (!adds[reduce]) {
        reduce_best(y, places, x, reduce == CPU_REDUCE_MAX ? 1 : -1, step, first, end, count);
        return;
    }
    memset(y, 0, (size_t)count * sizeof *y);
    for (int64_t row = first; row < end; row++)
        adds[reduce](y, x + row * step, by ? by + row * step : NULL, count);
}

/* ---- all ---- */

/* A slice of the axis for up to COLUMNS columns. */
static void run_task(const struct cpu_loop *loop, int64_t outer, int64_t column, int64_t slice)
{
    const int64_t *size = loop->size;
    const int64_t length = size[SIZE_LENGTH], inner = size[SIZE_INNER], slices = size[SIZE_SLICES];
    const int64_t first = length * slice / slices, end = length * (slice + 1) / slices;
    const int64_t at = outer * length * inner + column;
    const int64_t place = slice * size[SIZE_OUTER] * inner + outer * inner + column;
    const float *x = (const float *)loop->data[DATA_X] + at;
    const float *by = loop->data[DATA_BY] ? (const float *)loop->data[DATA_BY] + at : NULL;
    float *y = (float *)loop->data[slices > 1 ? DATA_PARTIAL : DATA_Y] + place;
    int32_t *winners = loop->data[slices > 1 ? DATA_PARTIAL_WINNERS : DATA_WINNERS];
    int32_t ignored, *places = winners ? winners + place : inner == 1 ? &ignored : NULL;
    if (inner > 1) {
        reduce_columns(y, places, x, by, size[SIZE_REDUCE], inner, first, end,
                       inner - column < COLUMNS ? inner - column : COLUMNS);
        return;
    }
    *places = 0;
    *y = reduce_row(places, x + first, by ? by + first : NULL, size[SIZE_REDUCE], end - first);
    *places += (int32_t)first;
}

static void combine(const struct cpu_loop *loop, int64_t i, int64_t count)
{
    const int64_t slices = loop->size[SIZE_SLICES], reduce = loop->size[SIZE_REDUCE];
    const bool is_best = reduce == CPU_REDUCE_MAX || reduce == CPU_REDUCE_MIN;
    const float *partial = loop->data[DATA_PARTIAL], sign = reduce == CPU_REDUCE_MAX ? 1 : -1;
    const int32_t *partial_winners = loop->data[DATA_PARTIAL_WINNERS];
    int32_t *winners = loop->data[DATA_WINNERS];
    float sum = 0;
    int64_t best = i;
    for (int64_t slice = 0; slice < slices; slice++) {
        const int64_t at = slice * count + i;
        sum += partial[at];
        best = sign * partial[at] > sign * partial[best] ? at : best;
    }
    ((float *)loop->data[DATA_Y])[i] = is_best ? partial[best] : sum;
    if (winners)
        winners[i] = partial_winners[best];
}

static void finish(const struct cpu_loop *loop, int64_t count)
{
    float *y = loop->data[DATA_Y];
    const float factor = cpu_unpack_float(loop->size[SIZE_FACTOR]);
    const bool is_root = loop->size[SIZE_IS_ROOT];
    if (!is_root && factor == 1)
        return;
#pragma omp parallel for if (count > SLICE_ELEMENTS)
    for (int64_t i = 0; i < count; i++)
        y[i] = factor * (is_root ? sqrtf(y[i]) : y[i]);
}

static void run_reduction(const struct cpu_loop *loop)
{
    const int64_t outer = loop->size[SIZE_OUTER], inner = loop->size[SIZE_INNER];
    const int64_t slices = loop->size[SIZE_SLICES], blocks = (inner + COLUMNS - 1) / COLUMNS;
    const int64_t tasks = outer * blocks * slices, count = outer * inner;
#pragma omp parallel for if (tasks > 1 && count * loop->size[SIZE_LENGTH] > SLICE_ELEMENTS)
    for (int64_t task = 0; task < tasks; task++)
        run_task(loop, task / slices / blocks, task / slices % blocks * COLUMNS, task % slices);
    const int64_t joined = slices > 1 ? count : 0;
#pragma omp parallel for if (joined > SLICE_ELEMENTS)
    for (int64_t i = 0; i < joined; i++)
        combine(loop, i, count);
    finish(loop, count);
}

static int64_t slices_of(const struct cpu_plan *plan, const struct cpu_reduction *reduction)
{
    const int64_t threads = plan->device->thread_count;
    const int64_t blocks = (reduction->inner + COLUMNS - 1) / COLUMNS;
    const int64_t wanted = TASKS_PER_THREAD * threads / (reduction->outer * blocks);
    const int64_t columns = reduction->inner < COLUMNS ? reduction->inner : COLUMNS;
    const int64_t most = reduction->length * columns / SLICE_ELEMENTS;
    const int64_t slices = wanted < most ? wanted : most;
    return threads == 1 || slices < 1 ? 1 : slices < reduction->length ? slices : reduction->length;
}

/* Floats, or indices, of all slices. */
static enum status take_partial(void **data, struct cpu_plan *plan, int64_t count,
                                struct error *error)
{
    const struct cpu_layout *layout;
    struct cpu_tensor tensor;
    TRY(cpu_plain_layout(&layout, plan, 1, &count, dnnl_f32, error));
    TRY(cpu_tensor_create(&tensor, plan, layout, 0, error));
    plan->base.workspace_bytes += (int64_t)cpu_layout_bytes(layout);
    *data = tensor.data;
    return STATUS_OK;
}

enum status cpu_reduction_add(struct cpu_plan *plan, int phase,
                              const struct cpu_reduction *reduction, struct error *error)
{
    const int64_t slices = slices_of(plan, reduction);
    const int64_t count = slices * reduction->outer * reduction->inner;
    struct cpu_loop loop = {
        .run = run_reduction,
        .data = {[DATA_Y] = reduction->y,
                 [DATA_WINNERS] = reduction->winners,
                 [DATA_X] = (void *)reduction->x,
                 [DATA_BY] = (void *)reduction->by},
        .size = {[SIZE_REDUCE] = reduction->reduce,
                 [SIZE_OUTER] = reduction->outer,
                 [SIZE_LENGTH] = reduction->length,
                 [SIZE_INNER] = reduction->inner,
                 [SIZE_SLICES] = slices,
                 [SIZE_FACTOR] = cpu_pack_float(reduction->factor),
                 [SIZE_IS_ROOT] = reduction->is_root},
    };
    if (slices > 1)
        TRY(take_partial(&loop.data[DATA_PARTIAL], plan, count, error));
    if (slices > 1 && reduction->winners)
        TRY(take_partial(&loop.data[DATA_PARTIAL_WINNERS], plan, count, error));
    return cpu_loop_add(plan, phase, &loop, error);
}

/* ---- to the winners ---- */

static void run_scatter(const struct cpu_loop *loop)
{
    const int64_t length = loop->size[1], inner = loop->size[2], rows = loop->size[0] * length;
    float *y = loop->data[0];
    const float *s = loop->data[1];
    const int32_t *winners = loop->data[2];
#pragma omp parallel for if (rows * inner > SLICE_ELEMENTS)
    for (int64_t row = 0; row < rows; row++) {
        const int64_t at = row / length * inner;
        const int32_t place = (int32_t)(row % length);
        for (int64_t i = 0; i < inner; i++)
            y[row * inner + i] = winners[at + i] == place ? s[at + i] : 0;
    }
}

/* Rows of one column each. */
static void run_row_scatter(const struct cpu_loop *loop)
{
    const int64_t outer = loop->size[0], length = loop->size[1];
    float *y = loop->data[0];
    const float *s = loop->data[1];
    const int32_t *winners = loop->data[2];
#pragma omp parallel for if (outer * length > SLICE_ELEMENTS)
    for (int64_t row = 0; row < outer; row++) {
        memset(y + row * length, 0, (size_t)length * sizeof *y);
        y[row * length + winners[row]] = s[row];
    }
}

enum status cpu_scatter_add(struct cpu_plan *plan, int phase, const struct cpu_scatter *scatter,
                            struct error *error)
{
    const struct cpu_loop loop = {
        .run = scatter->inner == 1 ? run_row_scatter : run_scatter,
        .data = {scatter->y, (void *)scatter->s, (void *)scatter->winners},
        .size = {scatter->outer, scatter->length, scatter->inner}};
    return cpu_loop_add(plan, phase, &loop, error);
}
