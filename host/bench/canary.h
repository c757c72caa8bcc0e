/* The canary: a small fixed workload repeated throughout a sweep. Any drift is the machine's. */
#ifndef EPOCHCAST_BENCH_CANARY_H
#define EPOCHCAST_BENCH_CANARY_H

#include "bench/measure.h"

struct canary {
    double unix_time_s;
    int32_t device;          /* row of /devices/rows */
    double gemm_ms, copy_ms; /* medians; NaN: the device does not support the layer */
    double pressure_percent; /* as in struct measurement, of both together */
};

/* gemm: a dense layer of 512 inputs and outputs, batch 128. copy: pooling of 1 x 1 windows over 8 x
 * 32 x 64 x 64 numbers (4 MiB in, 4 MiB out). At most 10 ms of timed work each. */
enum status canary_measure(struct canary *canary, struct device *device, struct error *error);

#endif
