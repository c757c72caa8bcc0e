/* Normalisations of rows that oneDNN 2.6 has no primitive for: by the mean square, and of groups of
 * channels. Own loops, bound by memory: a row is read from there once in the forward pass, unless
 * it is larger than the caches, and once in the backward pass.
 */
#ifndef EPOCHCAST_ONEDNN_NORM_LOOPS_H
#define EPOCHCAST_ONEDNN_NORM_LOOPS_H

#include "onednn/cpu_plan.h"

/* Rows of width * pixels elements, `pixels` neighbours with one scale; `turns` rows one behind the
 * other have scales of their own. */
struct norm_rows {
    int64_t rows, turns, width, pixels;
    bool has_mean; /* and shifts */
};

/* fp32: parameters, their gradient and statistics (2 rows: means, then 1 / deviation). */
struct norm_tensors {
    const struct cpu_tensor *x, *y, *parameters, *statistics;
    const struct cpu_tensor *y_gradient, *x_gradient, *parameters_gradient; /* forward: NULL */
};

enum status norm_loop_forward(struct cpu_plan *plan, const struct norm_rows *rows,
                              const struct norm_tensors *tensors, struct error *error);
/* The gradients of x and of the parameters; takes scratch memory. */
enum status norm_loop_backward(struct cpu_plan *plan, const struct norm_rows *rows,
                               const struct norm_tensors *tensors, struct error *error);

#endif
