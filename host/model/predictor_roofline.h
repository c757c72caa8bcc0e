/* The roofline (Williams, Waterman, Patterson, "Roofline: an insightful visual performance model",
 * CACM 2009): time = max(FLOPs / peak, bytes / bandwidth). No fitting. */
#ifndef EPOCHCAST_MODEL_PREDICTOR_ROOFLINE_H
#define EPOCHCAST_MODEL_PREDICTOR_ROOFLINE_H

#include "bench/backend.h"

/* Milliseconds; NaN when the device knows neither measured nor nominal rates. Measured rates come
 * first: a nominal peak is one that no program reaches. */
double roofline_ms(const struct layer_config *config, const struct device_info *device);
double roofline_cost_ms(const struct cost *cost, const struct device_info *device);

#endif
