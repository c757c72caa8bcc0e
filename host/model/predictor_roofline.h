/* The roofline (Williams, Waterman, Patterson, "Roofline: an insightful visual performance model",
 * CACM 2009): time = max(FLOPs / peak, bytes / bandwidth). No fitting. */
#ifndef EPOCHCAST_MODEL_PREDICTOR_ROOFLINE_H
#define EPOCHCAST_MODEL_PREDICTOR_ROOFLINE_H

#include "bench/backend.h"

/* What the device does at most; NaN where it knows neither a measured nor a nominal rate. Measured
 * rates come first: a nominal peak is one that no program reaches. */
struct device_rates {
    double gflops, gbps;
};
struct device_rates device_rates_of(const struct device_info *device);

/* Cores of one multiprocessor, by NVIDIA's white papers; others: 64, as the encoding has it. */
double device_cores_per_unit(const struct device_info *device);

/* Milliseconds; NaN when a rate is unknown. */
double roofline_ms(const struct layer_config *config, const struct device_info *device);
double roofline_cost_ms(const struct cost *cost, const struct device_info *device);

#endif
