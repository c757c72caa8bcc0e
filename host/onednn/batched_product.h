/* Products of many matrices of activations by oneDNN's matmul: a step of a plan. */
#ifndef EPOCHCAST_ONEDNN_BATCHED_PRODUCT_H
#define EPOCHCAST_ONEDNN_BATCHED_PRODUCT_H

#include "onednn/cpu_plan.h"

/* output (matrices, rows, columns) = scale * left (matrices, rows, depth) right (matrices, depth,
 * columns). A turned side is stored with its last two dimensions the other way round. */
struct cpu_batched_product {
    dnnl_dim_t matrices, rows, depth, columns;
    bool is_left_turned, is_right_turned;
    float scale;
};

/* Appends it. The tensors may have any dimensions of as many elements, in plain order. names_plan:
 * the plan's algorithm is this product's. */
enum status cpu_batched_product_add(struct cpu_plan *plan, int phase,
                                    const struct cpu_batched_product *product,
                                    const struct cpu_tensor *left, const struct cpu_tensor *right,
                                    const struct cpu_tensor *output, bool names_plan,
                                    struct error *error);

#endif
