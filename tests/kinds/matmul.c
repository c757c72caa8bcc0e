#include "kinds/reference.h"

/* Batch, matrices, rows, depth, columns, whether the right operand is transposed. */
#define CASE(...) TRAINED(MATMUL, matmul, __VA_ARGS__)

static const struct layer_config cases[] = {
    CASE(2, 3, 5, 7, 9, SWITCH_NO),    CASE(2, 3, 5, 7, 9, SWITCH_YES),
    CASE(1, 1, 1, 1, 1, SWITCH_NO),    CASE(3, 1, 33, 1, 2, SWITCH_YES),
    CASE(1, 4, 1, 40, 17, SWITCH_NO),  CASE(1, 4, 16, 64, 1, SWITCH_YES),
    CASE(2, 2, 32, 64, 48, SWITCH_NO),
};

static const struct layer_config narrow_cases[] = {
    CASE(2, 2, 16, 32, 24, SWITCH_NO),
    CASE(2, 2, 16, 32, 24, SWITCH_YES),
};

const struct kind_reference reference_matmul = {
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "uniform "
            "matmul:batch_size=36,pass=forward,optimizer=none,precision=fp32,matrices=6,left_rows="
            "472,depth=10,right_columns=354,is_right_transposed=yes",
            "log_uniform "
            "matmul:batch_size=37,pass=forward,optimizer=none,precision=fp32,matrices=15,left_rows="
            "1,depth=1,right_columns=27,is_right_transposed=no",
            "realistic "
            "matmul:batch_size=16,pass=train,optimizer=none,precision=fp32,matrices=16,left_rows="
            "312,depth=72,right_columns=456,is_right_transposed=yes",
            "log_uniform "
            "matmul:batch_size=5,pass=forward,optimizer=none,precision=fp32,matrices=408,left_rows="
            "79,depth=15,right_columns=166,is_right_transposed=yes",
            "log_uniform "
            "matmul:batch_size=8,pass=train,optimizer=none,precision=fp32,matrices=65,left_rows=1,"
            "depth=167,right_columns=894,is_right_transposed=no",
            "realistic "
            "matmul:batch_size=64,pass=forward,optimizer=none,precision=fp32,matrices=40,left_rows="
            "1024,depth=64,right_columns=1,is_right_transposed=yes",
        },
};
