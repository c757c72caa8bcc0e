#include "kinds/reference.h"

/* Batch, positions, classes. */
#define CASE(...) TRAINED(LOSS, loss, __VA_ARGS__)

static const struct layer_config cases[] = {
    CASE(3, 4, 21), CASE(1, 1, 2), CASE(2, 1, 1000), CASE(5, 7, 10), CASE(2, 3, 4099),
};

static const struct layer_config narrow_cases[] = {
    CASE(3, 2, 48),
};

const struct kind_reference reference_loss = {
    CASES(cases),
    NARROW_CASES(narrow_cases),
    .draws =
        {
            "uniform "
            "loss:batch_size=13,pass=train,optimizer=none,precision=fp32,positions=326,classes="
            "8608",
            "log_uniform "
            "loss:batch_size=37,pass=forward,optimizer=none,precision=fp32,positions=39,classes=4",
            "realistic "
            "loss:batch_size=16,pass=train,optimizer=none,precision=fp32,positions=1,classes=21",
            "log_uniform "
            "loss:batch_size=5,pass=forward,optimizer=none,precision=fp32,positions=3021,classes="
            "688",
            "log_uniform "
            "loss:batch_size=8,pass=train,optimizer=none,precision=fp32,positions=262,classes=4",
            "realistic "
            "loss:batch_size=32,pass=forward,optimizer=none,precision=fp32,positions=1,classes=19",
        },
};
