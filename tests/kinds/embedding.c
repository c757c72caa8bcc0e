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
            "log_uniform "
            "embedding:batch_size=17,pass=train,optimizer=rmsprop,precision=fp32,positions=41,"
            "vocabulary=43037,width=7,gradient=sparse",
            "log_uniform "
            "embedding:batch_size=4,pass=forward,optimizer=none,precision=fp32,positions=184,"
            "vocabulary=1249,width=3111,gradient=dense",
            "log_uniform "
            "embedding:batch_size=1,pass=train,optimizer=adadelta,precision=fp32,positions=2836,"
            "vocabulary=36,width=53,gradient=dense",
            "uniform "
            "embedding:batch_size=59,pass=forward,optimizer=none,precision=fp32,positions=78,"
            "vocabulary=49818,width=622,gradient=sparse",
            "log_uniform "
            "embedding:batch_size=37,pass=train,optimizer=adagrad,precision=fp32,positions=1,"
            "vocabulary=5252,width=97,gradient=dense",
            "log_uniform "
            "embedding:batch_size=2,pass=forward,optimizer=none,precision=fp32,positions=568,"
            "vocabulary=218,width=581,gradient=sparse",
        },
};
