#include "kinds/reference.h"

#define CASE(elements, function) TRAINED(ACTIVATION, activation, 3, (elements), (function))
/* A rest of the vectors, and sizes of several blocks. */
#define SIZES(value, text)  CASE(77, value), CASE(3601, value),
#define NARROW(value, text) CASE(500, value),

static const struct layer_config cases[] = {CASE(500, FUNCTION_GELU), CASE(1, FUNCTION_TANH),
                                            FUNCTION_LIST(SIZES)};

static const struct layer_config narrow_cases[] = {FUNCTION_LIST(NARROW)};

const struct kind_reference reference_activation = {
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "log_uniform "
            "activation:batch_size=17,pass=train,optimizer=none,precision=fp32,elements=941,"
            "function=exp",
            "log_uniform "
            "activation:batch_size=4,pass=forward,optimizer=none,precision=fp32,elements=14330,"
            "function=quick_gelu",
            "log_uniform "
            "activation:batch_size=1,pass=train,optimizer=none,precision=fp32,elements=2137570,"
            "function=relu6",
            "uniform "
            "activation:batch_size=59,pass=forward,optimizer=none,precision=fp32,elements=152167,"
            "function=mish",
            "log_uniform "
            "activation:batch_size=37,pass=train,optimizer=none,precision=fp32,elements=2,function="
            "tanh",
            "log_uniform "
            "activation:batch_size=2,pass=forward,optimizer=none,precision=fp32,elements=112135,"
            "function=gelu_tanh",
        },
};
