/* The roofline (Williams, Waterman, Patterson, "Roofline: an insightful visual performance model",
 * CACM 2009): time = max(FLOPs / peak, bytes / bandwidth). No fitting. */
#ifndef EPOCHCAST_PREDICTORS_PREDICTOR_ROOFLINE_H
#define EPOCHCAST_PREDICTORS_PREDICTOR_ROOFLINE_H

#include "bench/backend.h"

/* The device's maximum rates; NaN if neither a measured nor a nominal rate is known. Measured rates
 * take precedence: no program reaches a nominal peak. */
struct device_rates {
    double gflops, gbps;
};
struct device_rates device_rates_of(const struct device_info *device);

/* One multiprocessor: its cores and the schedulers that feed them (NVIDIA's white papers), and the
 * clock cycles from an arithmetic instruction to one that needs its result (Jia et al., "Dissecting
 * the NVIDIA Volta GPU architecture via microbenchmarking", 2018). Others: those of Volta. */
struct device_unit {
    double cores, schedulers, latency_cycles;
};
struct device_unit device_unit_of(const struct device_info *device);

/* Milliseconds; NaN when a rate is unknown. */
double roofline_ms(const struct layer_config *config, const struct device_info *device);
double roofline_cost_ms(const struct cost *cost, const struct device_info *device);

#endif
