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
            "uniform "
            "transpose:batch_size=32,pass=forward,optimizer=none,precision=fp32,outer=4,matrix_"
            "rows=38,matrix_columns=248,inner=19",
            "log_uniform "
            "transpose:batch_size=1,pass=train,optimizer=none,precision=fp32,outer=8,matrix_rows="
            "987,matrix_columns=2,inner=272",
            "log_uniform "
            "transpose:batch_size=1,pass=forward,optimizer=none,precision=fp32,outer=3,matrix_rows="
            "5265,matrix_columns=551,inner=4",
            "log_uniform "
            "transpose:batch_size=1,pass=train,optimizer=none,precision=fp32,outer=31,matrix_rows="
            "127,matrix_columns=122,inner=2",
            "log_uniform "
            "transpose:batch_size=1,pass=forward,optimizer=none,precision=fp32,outer=39,matrix_"
            "rows=1,matrix_columns=226,inner=52",
            "realistic "
            "transpose:batch_size=64,pass=train,optimizer=none,precision=fp32,outer=1,matrix_rows="
            "1500,matrix_columns=12,inner=1",
        },
};
