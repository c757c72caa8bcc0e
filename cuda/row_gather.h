/* Rows of a table (vocabulary, width) by index, and the gradient of the table.
 *
 * The gradient sums, for each row that occurs, the rows of y's gradient that have its index.
 * Indices are sorted with their positions (CUB's radix sort, as PyTorch does for many indices),
 * then each group of equal ones is summed in fp32 in the order of the positions: the same bits from
 * run to run, and 16-bit gradients need no wide copy, as atomic additions would. Groups are cut
 * into slices of 16, whose sums are added up in a second launch: a row that occurs often takes no
 * longer.
 *
 * table, y and their gradients are in the storage type of `precision` and 16-byte aligned; in amp
 * the table and its gradient are fp32. rows, width, vocabulary >= 1, rows * width and vocabulary *
 * width below 2^31. Each launcher enqueues on `stream` and returns the launch's error.
 */
#ifndef EPOCHCAST_CUDA_ROW_GATHER_H
#define EPOCHCAST_CUDA_ROW_GATHER_H

#include "base/choice.h"

#include <cuda_runtime.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct row_gather {
    int64_t rows, width, vocabulary;
    const int32_t *indices; /* rows; each in [0, vocabulary) */
    int32_t precision;
};

/* y (rows, width) */
cudaError_t launch_row_gather(void *y, const void *table, const struct row_gather *gather,
                              cudaStream_t stream);

/* Scratch memory of the gradient. */
struct row_groups {
    int32_t *counted; /* rows: 0, 1, 2, ...; the caller has launch_count_up fill it, once */
    int32_t *sorted, *positions; /* rows of each: indices in ascending order, where each was */
    float *partial;              /* row_gather_partial() of them */
    void *sort_workspace;
    int64_t sort_bytes; /* row_gather_sort_bytes() */
};
int64_t row_gather_partial(const struct row_gather *gather);
cudaError_t row_gather_sort_bytes(int64_t *bytes, const struct row_gather *gather);
cudaError_t launch_count_up(int32_t *values, int64_t count, cudaStream_t stream);

/* The gradient of the table. owners NULL: of all of it (vocabulary, width), zeros where a row does
 * not occur. Else sparse (rows, width): the sum of equal indices is at the first of them, whose
 * owner is the row of the table; of the others the owner is -1 and the row is left as it is. */
cudaError_t launch_row_scatter(void *gradient, int32_t *owners, const void *y_gradient,
                               const struct row_gather *gather, const struct row_groups *groups,
                               cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
