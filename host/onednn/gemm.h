/* Single-precision matrix product for the host trainer (row-major), so that only this folder sees
 * dnnl.h. C (rows, columns) = alpha * op(A) op(B) + beta * C; leading dimensions as in CBLAS. 0 on
 * success.
 */
#ifndef EPOCHCAST_ONEDNN_GEMM_H
#define EPOCHCAST_ONEDNN_GEMM_H

#include <stdbool.h>

int sgemm_row_major(bool transpose_a, bool transpose_b, int rows, int columns, int inner,
                    float alpha, const float *a, int lda, const float *b, int ldb, float beta,
                    float *c, int ldc);

#endif
