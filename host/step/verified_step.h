/* A whole measured step, with its forecasts. */
#ifndef EPOCHCAST_STEP_VERIFIED_STEP_H
#define EPOCHCAST_STEP_VERIFIED_STEP_H

#include <stdint.h>

enum { VERIFIED_BASELINE_LIMIT = 16 };

struct verified_step {
    int32_t batch_size, optimizer;
    double measured_ms, measured_ci_ms; /* half-width; NaN: unknown */
    double predicted_ms, predicted_low_ms, predicted_high_ms;
    double baselines_ms[VERIFIED_BASELINE_LIMIT]; /* NaN: unknown */
};

#endif
