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
            "realistic "
            "loss:batch_size=1,pass=train,optimizer=none,precision=fp32,positions=1,classes=1000",
            "log_uniform "
            "loss:batch_size=42,pass=forward,optimizer=none,precision=fp32,positions=920,classes="
            "48",
            "log_uniform "
            "loss:batch_size=21,pass=train,optimizer=none,precision=fp32,positions=77,classes=4",
            "log_uniform "
            "loss:batch_size=3,pass=forward,optimizer=none,precision=fp32,positions=15,classes="
            "27865",
            "log_uniform "
            "loss:batch_size=5,pass=train,optimizer=none,precision=fp32,positions=25,classes=2230",
            "log_uniform "
            "loss:batch_size=9,pass=forward,optimizer=none,precision=fp32,positions=320,classes="
            "242",
        },
};
