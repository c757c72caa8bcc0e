/* Loops over whole tensors that oneDNN has no fast primitive for: an operation with a repeated
 * operand, reductions along one axis, their gradients. All tensors are plain fp32; y and the
 * gradients overlap no other operand. As fast as memory: the inner loops are vectorised, blocks go
 * to the device's threads.
 */
#ifndef EPOCHCAST_ONEDNN_STREAM_LOOPS_H
#define EPOCHCAST_ONEDNN_STREAM_LOOPS_H

#include "onednn/cpu_plan.h"

#include <string.h>

/* Tensors of 16 bits are converted before and behind the loops: `from` in plain fp32; what a loop
 * writes in the place of `to`, and its way there. In fp32 and plain order they are the tensors
 * themselves. */
enum status cpu_widen(struct cpu_tensor *wide, struct cpu_plan *plan, int phase,
                      const struct cpu_tensor *from, struct error *error);
enum status cpu_widen_result(struct cpu_tensor *wide, struct cpu_plan *plan,
                             const struct cpu_tensor *to, struct error *error);
enum status cpu_narrow_result(struct cpu_plan *plan, int phase, const struct cpu_tensor *wide,
                              const struct cpu_tensor *to, struct error *error);

/* A float among a loop's sizes. */
static inline int64_t cpu_pack_float(float value)
{
    int64_t packed = 0;
    memcpy(&packed, &value, sizeof value);
    return packed;
}
static inline float cpu_unpack_float(int64_t packed)
{
    float value;
    memcpy(&value, &packed, sizeof value);
    return value;
}

/* A tensor as (outer, middle, inner), and where another one's elements for it are. */
struct cpu_repeated {
    int64_t outer, middle, inner;
    int64_t outer_step, middle_step, inner_step; /* inner_step: 0 or 1 */
};

enum cpu_map {
    CPU_MAP_ADD,
    CPU_MAP_MULTIPLY,
    CPU_MAP_SUBTRACT, /* x - s */
    CPU_MAP_DIVIDE,   /* x / s */
    CPU_MAP_SPREAD,   /* factor s; x is not read */
    CPU_MAP_COUNT
};
/* y = x, of as many elements, with s. */
struct cpu_broadcast {
    enum cpu_map map;
    struct cpu_repeated shape;
    float factor;
    float *y;
    const float *x, *s;
};
enum status cpu_broadcast_add(struct cpu_plan *plan, int phase,
                              const struct cpu_broadcast *broadcast, struct error *error);

enum cpu_reduce {
    CPU_REDUCE_SUM,
    CPU_REDUCE_PRODUCTS, /* of x and `by` */
    CPU_REDUCE_SQUARES,
    CPU_REDUCE_MAX,
    CPU_REDUCE_MIN,
    CPU_REDUCE_COUNT
};
/* y (outer, inner) of x (outer, length, inner); winners: where along the axis the first of the
 * largest or smallest was (int32, as y), or NULL. */
struct cpu_reduction {
    enum cpu_reduce reduce;
    int64_t outer, length, inner;
    float factor; /* of the sums */
    bool is_root; /* of the sum of squares, before the factor */
    float *y;
    int32_t *winners;
    const float *x, *by;
};
enum status cpu_reduction_add(struct cpu_plan *plan, int phase,
                              const struct cpu_reduction *reduction, struct error *error);

/* y (outer, length, inner) is s (outer, inner) at the winners, else 0. */
struct cpu_scatter {
    int64_t outer, length, inner;
    float *y;
    const float *s;
    const int32_t *winners;
};
enum status cpu_scatter_add(struct cpu_plan *plan, int phase, const struct cpu_scatter *scatter,
                            struct error *error);

/* y = -x a / (b b), a NULL: 1; the same memory for y and x is allowed. */
enum status cpu_quotient_gradient_add(struct cpu_plan *plan, int phase, float *y, const float *x,
                                      const float *a, const float *b, int64_t count,
                                      struct error *error);

#endif
