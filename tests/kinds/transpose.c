#include "kinds/reference.h"

/* Batch; outer, rows, columns, inner. */
#define CASE(...) TRAINED(TRANSPOSE, transpose, __VA_ARGS__)

/* Tiles of 32 and their edges; blocks of 8, 12, 16 and 256 bytes. */
static const struct layer_config cases[] = {
    CASE(2, 3, 4, 5, 7),   CASE(1, 1, 64, 96, 1), CASE(3, 2, 33, 70, 1), CASE(2, 1, 1, 50, 1),
    CASE(2, 1, 9, 3, 1),   CASE(1, 2, 34, 31, 2), CASE(2, 1, 40, 3, 3),  CASE(2, 1, 37, 12, 4),
    CASE(2, 1, 5, 12, 64), CASE(1, 1, 32, 32, 1),
};

static const struct layer_config narrow_cases[] = {
    CASE(2, 2, 33, 40, 1),
    CASE(2, 1, 5, 12, 8),
    CASE(2, 3, 4, 5, 3),
};

const struct kind_reference reference_transpose = {
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "realistic transpose:batch_size=1,pass=train,optimizer=none,precision=fp32,outer=1,"
            "matrix_rows=128,matrix_columns=384,inner=1",
            "log_uniform transpose:batch_size=29,pass=train,optimizer=none,precision=fp32,"
            "outer=3,matrix_rows=1,matrix_columns=6,inner=3",
            "uniform transpose:batch_size=38,pass=forward,optimizer=none,precision=fp32,outer=2,"
            "matrix_rows=91,matrix_columns=186,inner=32",
            "realistic transpose:batch_size=1,pass=forward,optimizer=none,precision=fp32,outer=1,"
            "matrix_rows=512,matrix_columns=12,inner=64",
            "log_uniform transpose:batch_size=37,pass=forward,optimizer=none,precision=fp32,"
            "outer=46,matrix_rows=7,matrix_columns=18,inner=8",
            "realistic transpose:batch_size=16,pass=train,optimizer=none,precision=fp32,outer=1,"
            "matrix_rows=64,matrix_columns=16,inner=256",
        },
};
