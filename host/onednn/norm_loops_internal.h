/* What the two files of norm_loops.h share. */
#ifndef EPOCHCAST_ONEDNN_NORM_LOOPS_INTERNAL_H
#define EPOCHCAST_ONEDNN_NORM_LOOPS_INTERNAL_H

#include "onednn/loop_storage.h"
#include "onednn/norm_loops.h"

/* Places of a loop's data and sizes. */
enum {
    DATA_X,
    DATA_Y,
    DATA_PARAMETERS,
    DATA_STATISTICS,
    DATA_Y_GRADIENT,
    DATA_X_GRADIENT,
    DATA_PARAMETERS_GRADIENT,
    DATA_SCRATCH
};
enum { NORM_ROWS, NORM_TURNS, NORM_WIDTH, NORM_PIXELS, NORM_HAS_MEAN, NORM_TYPE, NORM_THREADS };

/* A loop's data and sizes by name. */
struct norm {
    const void *x, *y_gradient;
    void *y, *x_gradient;
    const float *scales, *shifts; /* shifts NULL: none */
    float *means, *inverses, *gradients, *scratch;
    int64_t rows, turns, width, pixels, length, parameter_count;
    dnnl_data_type_t type;
    int threads;
    bool has_mean;
};

struct norm norm_of(const struct cpu_loop *loop);

/* A block of `length` elements from `at` on. */
#define EACH_BLOCK(at, count, length)                                                              \
    for (int64_t at = 0; at < (length); at += LOOP_BLOCK)                                          \
        for (int count = (int)((length)-at < LOOP_BLOCK ? (length)-at : LOOP_BLOCK), once = 1;     \
             once; once = 0)

/* First scale of a row. */
static inline int64_t first_scale(const struct norm *norm, int64_t row)
{
    return row % norm->turns * norm->width;
}

/* (norm_loops_backward.c) where each element has its scale, pixels 1; where a channel has */
void norm_run_backward_each(const struct cpu_loop *loop);
void norm_run_backward_channels(const struct cpu_loop *loop);

#endif
