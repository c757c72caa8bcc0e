#include "kinds/reference.h"

#define CASE(elements, function) TRAINED(ACTIVATION, activation, 3, (elements), (function))
/* A rest of the vectors, and sizes of several blocks. */
#define SIZES(value, text)  CASE(77, value), CASE(3601, value),
#define NARROW(value, text) CASE(500, value),

static const struct layer_config cases[] = {CASE(500, FUNCTION_GELU), CASE(1, FUNCTION_RELU),
                                            FUNCTION_LIST(SIZES)};

static const struct layer_config narrow_cases[] = {FUNCTION_LIST(NARROW)};

const struct kind_reference reference_activation = {
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "log_uniform activation:batch_size=2,pass=forward,optimizer=none,precision=fp32,"
            "elements=12,function=hard_swish",
            "log_uniform activation:batch_size=39,pass=forward,optimizer=none,precision=fp32,"
            "elements=2310,function=quick_gelu",
            "log_uniform activation:batch_size=8,pass=forward,optimizer=none,precision=fp32,"
            "elements=28387,function=relu6",
            "uniform activation:batch_size=28,pass=train,optimizer=none,precision=fp32,"
            "elements=494045,function=elu",
            "uniform activation:batch_size=23,pass=forward,optimizer=none,precision=fp32,"
            "elements=288640,function=sigmoid",
            "log_uniform activation:batch_size=19,pass=train,optimizer=none,precision=fp32,"
            "elements=10693,function=gelu_tanh",
        },
};
