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
            "log_uniform "
            "transpose:batch_size=2,pass=train,optimizer=none,precision=fp32,outer=1,matrix_rows=5,"
            "matrix_columns=49,inner=715",
            "realistic "
            "transpose:batch_size=32,pass=train,optimizer=none,precision=fp32,outer=1,matrix_rows="
            "256,matrix_columns=768,inner=1",
            "log_uniform "
            "transpose:batch_size=49,pass=forward,optimizer=none,precision=fp32,outer=12,matrix_"
            "rows=4,matrix_columns=97,inner=2",
            "log_uniform "
            "transpose:batch_size=5,pass=train,optimizer=none,precision=fp32,outer=1,matrix_rows=1,"
            "matrix_columns=183,inner=63",
            "log_uniform "
            "transpose:batch_size=2,pass=forward,optimizer=none,precision=fp32,outer=26,matrix_"
            "rows=279,matrix_columns=13,inner=5",
            "realistic "
            "transpose:batch_size=8,pass=train,optimizer=none,precision=fp32,outer=1,matrix_rows="
            "2048,matrix_columns=3,inner=1",
        },
};
