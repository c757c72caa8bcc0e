/* An operation with a repeated operand; the gradient of a divisor; fp32 for the loops. */
#include "onednn/stream_loops.h"

#include <assert.h>

enum { BLOCK = 16384 }; /* elements of one thread at a time: three operands fit in a cache */

/* ---- maps ---- */

typedef void map_each(float *restrict y, const float *restrict x, const float *restrict s,
                      float factor, int64_t count);
typedef void map_one(float *restrict y, const float *restrict x, float s, float factor,
                     int64_t count);

/* expression of a and b: elements of x and s. */
#define MAPS(name, expression)                                                                     \
    static void name##_each(float *restrict y, const float *restrict x, const float *restrict s,   \
                            float factor, int64_t count)                                           \
    {                                                                                              \
        (void)x, (void)factor;                                                                     \
        for (int64_t i = 0; i < count; i++) {                                                      \
            const float b = s[i];                                                                  \
            y[i] = expression;                                                                     \
        }                                                                                          \
    }                                                                                              \
    static void name##_one(float *restrict y, const float *restrict x, float b, float factor,      \
                           int64_t count)                                                          \
    {                                                                                              \
        (void)x, (void)factor;                                                                     \
        for (int64_t i = 0; i < count; i++)                                                        \
            y[i] = expression;                                                                     \
    }
MAPS(add, x[i] + b)
MAPS(multiply, x[i] * b)
MAPS(subtract, x[i] - b)
MAPS(divide, x[i] / b)
MAPS(spread, factor *b)

static const struct map {
    map_each *each;
    map_one *one;
} maps[CPU_MAP_COUNT] = {
    [CPU_MAP_ADD] = {add_each, add_one},
    [CPU_MAP_MULTIPLY] = {multiply_each, multiply_one},
    [CPU_MAP_SUBTRACT] = {subtract_each, subtract_one},
    [CPU_MAP_DIVIDE] = {divide_each, divide_one},
    [CPU_MAP_SPREAD] = {spread_each, spread_one},
};

/* ---- a repeated operand ---- */

enum {
    SIZE_MAP,
    SIZE_OUTER,
    SIZE_MIDDLE,
    SIZE_INNER,
    SIZE_OUTER_STEP,
    SIZE_MIDDLE_STEP,
    SIZE_INNER_STEP,
    SIZE_FACTOR
};
enum { DATA_Y, DATA_X, DATA_S };

/* Elements [at, end), row by row. */
static void run_block(const struct cpu_loop *loop, int64_t at, int64_t end)
{
    const struct map map = maps[loop->size[SIZE_MAP]];
    const int64_t middle_count = loop->size[SIZE_MIDDLE], inner = loop->size[SIZE_INNER];
    const float factor = cpu_unpack_float(loop->size[SIZE_FACTOR]);
    float *y = loop->data[DATA_Y];
    const float *x = loop->data[DATA_X], *s = loop->data[DATA_S];
    int64_t column = at % inner, middle = at / inner % middle_count;
    int64_t outer = at / inner / middle_count;
    while (at < end) {
        const int64_t here = inner - column < end - at ? inner - column : end - at;
        const float *from = s + outer * loop->size[SIZE_OUTER_STEP] +
                            middle * loop->size[SIZE_MIDDLE_STEP];
        if (loop->size[SIZE_INNER_STEP] == 0)
            map.one(y + at, x ? x + at : NULL, *from, factor, here);
        else
            map.each(y + at, x ? x + at : NULL, from + column, factor, here);
        at += here;
        column = 0;
        if (++middle == middle_count) {
            middle = 0;
            outer++;
        }
    }
}

static void run_broadcast(const struct cpu_loop *loop)
{
    const int64_t count = loop->size[SIZE_OUTER] * loop->size[SIZE_MIDDLE] * loop->size[SIZE_INNER];
    const int64_t blocks = (count + BLOCK - 1) / BLOCK;
#pragma omp parallel for if (blocks > 1)
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t at = block * BLOCK;
        run_block(loop, at, count - at < BLOCK ? count : at + BLOCK);
    }
}

enum status cpu_broadcast_add(struct cpu_plan *plan, int phase,
                              const struct cpu_broadcast *broadcast, struct error *error)
{
    const struct cpu_repeated *shape = &broadcast->shape;
    const struct cpu_loop loop = {
        .run = run_broadcast,
        .data = {[DATA_Y] = broadcast->y,
                 [DATA_X] = (void *)broadcast->x,
                 [DATA_S] = (void *)broadcast->s},
        .size = {[SIZE_MAP] = broadcast->map,
                 [SIZE_OUTER] = shape->outer,
                 [SIZE_MIDDLE] = shape->middle,
                 [SIZE_INNER] = shape->inner,
                 [SIZE_OUTER_STEP] = shape->outer_step,
                 [SIZE_MIDDLE_STEP] = shape->middle_step,
                 [SIZE_INNER_STEP] = shape->inner_step,
                 [SIZE_FACTOR] = cpu_pack_float(broadcast->factor)},
    };
    assert(shape->inner_step == 0 || shape->inner_step == 1);
    return cpu_loop_add(plan, phase, &loop, error);
}

/* ---- the gradient of a divisor ---- */

static void run_quotient_gradient(const struct cpu_loop *loop)
{
    float *y = loop->data[0];
    const float *x = loop->data[1], *a = loop->data[2], *b = loop->data[3];
    const int64_t count = loop->size[0];
#pragma omp parallel for simd if (count > BLOCK)
    for (int64_t i = 0; i < count; i++)
        y[i] = -x[i] * (a ? a[i] : 1) / (b[i] * b[i]);
}

enum status cpu_quotient_gradient_add(struct cpu_plan *plan, int phase, float *y, const float *x,
                                      const float *a, const float *b, int64_t count,
                                      struct error *error)
{
    const struct cpu_loop loop = {.run = run_quotient_gradient,
                                  .data = {y, (void *)x, (void *)a, (void *)b},
                                  .size = {count}};
    return cpu_loop_add(plan, phase, &loop, error);
}

/* ---- fp32 ---- */

static enum status wide_layout(const struct cpu_layout **layout, struct cpu_plan *plan,
                               const struct cpu_tensor *like, struct error *error)
{
    return cpu_plain_layout(layout, plan, cpu_layout_rank(like->layout),
                            cpu_layout_dimensions(like->layout), dnnl_f32, error);
}

enum status cpu_widen(struct cpu_tensor *wide, struct cpu_plan *plan, int phase,
                      const struct cpu_tensor *from, struct error *error)
{
    const struct cpu_layout *layout;
    TRY(wide_layout(&layout, plan, from, error));
    return cpu_adapt(wide, plan, phase, from, layout, error);
}

enum status cpu_widen_result(struct cpu_tensor *wide, struct cpu_plan *plan,
                             const struct cpu_tensor *to, struct error *error)
{
    const struct cpu_layout *layout;
    *wide = *to;
    if (cpu_layout_type(to->layout) == dnnl_f32)
        return STATUS_OK;
    TRY(wide_layout(&layout, plan, to, error));
    return cpu_tensor_create(wide, plan, layout, 0, error);
}

enum status cpu_narrow_result(struct cpu_plan *plan, int phase, const struct cpu_tensor *wide,
                              const struct cpu_tensor *to, struct error *error)
{
    return wide->data == to->data ? STATUS_OK : cpu_reorder(plan, phase, wide, to, error);
}
