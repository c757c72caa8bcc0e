#include "kinds/reference.h"

/* Batch, heads, heads of keys and values, queries, keys, head size, causal. */
#define CASE(...) TRAINED(ATTENTION, attention, __VA_ARGS__)

static const struct layer_config cases[] = {
    CASE(2, 3, 3, 5, 7, 9, SWITCH_NO),   CASE(2, 2, 2, 6, 6, 8, SWITCH_YES),
    CASE(1, 4, 2, 3, 5, 16, SWITCH_YES), CASE(2, 6, 2, 4, 9, 5, SWITCH_NO),
    CASE(1, 4, 1, 1, 20, 8, SWITCH_YES), CASE(1, 1, 1, 1, 2, 1, SWITCH_NO),
    CASE(1, 2, 2, 9, 4, 12, SWITCH_NO),  CASE(1, 1, 1, 17, 33, 24, SWITCH_YES),
};

static const struct layer_config narrow_cases[] = {
    CASE(2, 2, 2, 8, 12, 16, SWITCH_NO),
    CASE(1, 4, 2, 8, 8, 16, SWITCH_YES),
};

const struct kind_reference reference_attention = {
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "log_uniform "
            "attention:batch_size=4,pass=forward,optimizer=none,precision=fp32,heads=54,key_value_"
            "heads=18,query_length=7,key_length=1769,head_size=74,causal=no",
            "realistic "
            "attention:batch_size=2,pass=forward,optimizer=none,precision=fp32,heads=3,key_value_"
            "heads=3,query_length=128,key_length=128,head_size=64,causal=yes",
            "log_uniform "
            "attention:batch_size=49,pass=forward,optimizer=none,precision=fp32,heads=6,key_value_"
            "heads=1,query_length=50,key_length=50,head_size=12,causal=yes",
            "log_uniform "
            "attention:batch_size=1,pass=train,optimizer=none,precision=fp32,heads=13,key_value_"
            "heads=13,query_length=357,key_length=337,head_size=128,causal=no",
            "log_uniform "
            "attention:batch_size=2,pass=forward,optimizer=none,precision=fp32,heads=11,key_value_"
            "heads=11,query_length=9,key_length=9,head_size=9,causal=yes",
            "realistic "
            "attention:batch_size=64,pass=train,optimizer=none,precision=fp32,heads=3,key_value_"
            "heads=3,query_length=264,key_length=264,head_size=80,causal=no",
        },
};
