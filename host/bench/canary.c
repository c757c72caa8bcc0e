#include "bench/canary.h"

#include <math.h>

static const struct layer_config gemm = {
    .kind = LAYER_DENSE,
    .batch_size = 128,
    .as.dense = {.inputs = 512, .outputs = 512},
};
static const struct layer_config copy = {
    .kind = LAYER_POOL2D,
    .batch_size = 8,
    .as.pool2d = {.image_size = 64, .channels = 32, .kernel_size = 1, .stride = 1},
};

enum status canary_measure(struct canary *canary, struct device *device, struct error *error)
{
    struct measure_options options = measure_options_default;
    struct measurement first, second;
    options.cap_ms = 10;
    options.maximum_samples = 50;
    TRY(measure_config(&first, device, &gemm, &options, error));
    TRY(measure_config(&second, device, &copy, &options, error));
    *canary = (struct canary){
        .unix_time_s = first.unix_time_s,
        .gemm_ms = first.median_ms,
        .copy_ms = second.median_ms,
        .pressure_percent = (first.pressure_percent + second.pressure_percent) / 2,
    };
    return STATUS_OK;
}
