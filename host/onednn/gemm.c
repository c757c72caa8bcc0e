#include "onednn/gemm.h"

#include <dnnl.h>

int sgemm_row_major(bool transpose_a, bool transpose_b, int rows, int columns, int inner,
                    float alpha, const float *a, int lda, const float *b, int ldb, float beta,
                    float *c, int ldc)
{
    return dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', rows, columns, inner, alpha,
                      a, lda, b, ldb, beta, c, ldc) == dnnl_success
               ? 0
               : -1;
}
