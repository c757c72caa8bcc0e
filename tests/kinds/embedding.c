#include "kinds/reference.h"

/* Batch, positions, vocabulary, width, gradient. */
#define CASE(...) TRAINED(EMBEDDING, embedding, __VA_ARGS__)

static const struct layer_config cases[] = {
    CASE(3, 4, 21, 10, GRADIENT_DENSE),    CASE(1, 1, 7, 5, GRADIENT_DENSE),
    CASE(2, 30, 2, 33, GRADIENT_DENSE),    CASE(4, 9, 50, 64, GRADIENT_DENSE),
    CASE(3, 4, 21, 10, GRADIENT_SPARSE),   CASE(2, 30, 2, 33, GRADIENT_SPARSE),
    CASE(2, 25, 1000, 3, GRADIENT_SPARSE), CASE(40, 40, 100, 72, GRADIENT_SPARSE),
    CASE(40, 40, 100, 72, GRADIENT_DENSE),
};

static const struct layer_config narrow_cases[] = {
    CASE(3, 8, 20, 48, GRADIENT_DENSE),
    CASE(3, 8, 20, 48, GRADIENT_SPARSE),
};

const struct kind_reference reference_embedding = {
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "realistic "
            "embedding:batch_size=4,pass=train,optimizer=adadelta,precision=fp32,positions=512,"
            "vocabulary=128256,width=64,gradient=dense",
            "log_uniform "
            "embedding:batch_size=16,pass=forward,optimizer=none,precision=fp32,positions=2,"
            "vocabulary=1892,width=3163,gradient=sparse",
            "log_uniform "
            "embedding:batch_size=54,pass=train,optimizer=rmsprop,precision=fp32,positions=13,"
            "vocabulary=27,width=92,gradient=sparse",
            "log_uniform "
            "embedding:batch_size=3,pass=train,optimizer=adagrad,precision=fp32,positions=8,"
            "vocabulary=4821,width=717,gradient=sparse",
            "log_uniform "
            "embedding:batch_size=2,pass=train,optimizer=none,precision=fp32,positions=258,"
            "vocabulary=21135,width=49,gradient=sparse",
            "log_uniform "
            "embedding:batch_size=24,pass=forward,optimizer=none,precision=fp32,positions=50,"
            "vocabulary=367,width=372,gradient=dense",
        },
};
