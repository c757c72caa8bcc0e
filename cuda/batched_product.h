/* Products of many matrices of activations, row-major, by cuBLAS. */
#ifndef EPOCHCAST_CUDA_BATCHED_PRODUCT_H
#define EPOCHCAST_CUDA_BATCHED_PRODUCT_H

#include "cuda_device.h"

/* output (matrices, rows, columns) = scale * left (matrices, rows, depth) right (matrices, depth,
 * columns). A turned side is stored with its last two dimensions the other way round. */
struct batched_product {
    int matrices, rows, depth, columns;
    bool is_left_turned, is_right_turned;
    float scale;
};

/* Enqueues it, in the plan's precision. */
enum status batched_product_run(struct cuda_plan *plan, const struct batched_product *product,
                                void *output, const void *left, const void *right,
                                struct error *error);

/* base.algorithm and base.numerical_notes of a plan of such products. */
void batched_product_name(struct cuda_plan *plan, const char *algorithm);

#endif
