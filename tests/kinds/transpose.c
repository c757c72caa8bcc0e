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
            "transpose:batch_size=7,pass=forward,optimizer=none,precision=fp32,outer=4,matrix_rows="
            "1,matrix_columns=4083,inner=84",
            "log_uniform "
            "transpose:batch_size=35,pass=train,optimizer=none,precision=fp32,outer=216,matrix_"
            "rows=81,matrix_columns=5,inner=4",
            "log_uniform "
            "transpose:batch_size=8,pass=forward,optimizer=none,precision=fp32,outer=41,matrix_"
            "rows=5,matrix_columns=580,inner=18",
            "uniform "
            "transpose:batch_size=28,pass=train,optimizer=none,precision=fp32,outer=2,matrix_rows="
            "226,matrix_columns=108,inner=49",
            "uniform "
            "transpose:batch_size=23,pass=forward,optimizer=none,precision=fp32,outer=2,matrix_"
            "rows=157,matrix_columns=155,inner=20",
            "log_uniform "
            "transpose:batch_size=10,pass=train,optimizer=none,precision=fp32,outer=5,matrix_rows="
            "29,matrix_columns=9,inner=80",
        },
};
