#include "kinds/reference.h"

/* Batch; parts, outer, first, second, third, rest. */
#define CASE(...) TRAINED(CONCAT, concat, __VA_ARGS__)

/* Of more parts than a reference reads: test_concat.c. */
static const struct layer_config cases[] = {
    CASE(3, 2, 4, 5, 7),      CASE(2, 4, 1, 64, 96, 32, 16), CASE(1, 3, 1, 1, 300, 2),
    CASE(4, 2, 1, 1000, 600), CASE(2, 4, 3, 5, 1, 9, 4),
};

static const struct layer_config narrow_cases[] = {
    CASE(3, 2, 4, 5, 7),
    CASE(2, 4, 1, 64, 96, 32, 16),
};

const struct kind_reference reference_concat = {
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "uniform concat:batch_size=32,pass=forward,optimizer=none,precision=fp32,parts=7,"
            "outer=1,first=96594,second=28288,third=34744,rest=73159",
            "log_uniform concat:batch_size=3,pass=train,optimizer=none,precision=fp32,parts=6,"
            "outer=6,first=36,second=209407,third=2,rest=199",
            "log_uniform concat:batch_size=1,pass=forward,optimizer=none,precision=fp32,parts=3,"
            "outer=1548,first=8252,second=17,third=1995,rest=0",
            "log_uniform concat:batch_size=1,pass=train,optimizer=none,precision=fp32,parts=3,"
            "outer=11,first=3209,second=321,third=100070,rest=0",
            "log_uniform concat:batch_size=1,pass=forward,optimizer=none,precision=fp32,parts=12,"
            "outer=1,first=2312,second=2723,third=524964,rest=138",
            "realistic concat:batch_size=8,pass=forward,optimizer=none,precision=fp32,parts=2,"
            "outer=1,first=50176,second=401408,third=0,rest=0",
        },
};
