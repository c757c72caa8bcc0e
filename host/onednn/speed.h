/* Measured hardware features of the cpu backend: what the machine does, whatever it says it is. */
#ifndef EPOCHCAST_ONEDNN_SPEED_H
#define EPOCHCAST_ONEDNN_SPEED_H

#include "onednn/cpu_plan.h"

/* Copy bandwidth (read + written), sgemm speed, latency of a library call with next to no work in
 * it; the best of several, on the device's threads. Under 2 s. */
enum status cpu_measure_speed(struct device_info *info, struct cpu_device *cpu,
                              struct error *error);

#endif
