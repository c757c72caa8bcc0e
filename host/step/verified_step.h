/* A whole measured step, with its forecasts. */
#ifndef EPOCHCAST_STEP_VERIFIED_STEP_H
#define EPOCHCAST_STEP_VERIFIED_STEP_H

#include <stdint.h>

enum { VERIFIED_BASELINE_LIMIT = 16, VERIFIED_KIND_LIMIT = 32, VERIFIED_KIND_NAME_SIZE = 32 };

/* The layers of one kind within the step. */
struct verified_kind {
    char name[VERIFIED_KIND_NAME_SIZE];
    int32_t layer_count;
    double in_place_ms, predicted_ms; /* sums over the layers */
    double alone_ms;                  /* timed separately; NaN: unknown */
};

struct verified_step {
    int32_t batch_size, pass, optimizer;
    double measured_ms, measured_ci_ms; /* half-width; NaN: unknown */
    double predicted_ms, predicted_low_ms, predicted_high_ms;
    double baselines_ms[VERIFIED_BASELINE_LIMIT]; /* NaN: unknown */
    struct verified_kind kinds[VERIFIED_KIND_LIMIT];
    int kind_count; /* 0: the layers were not timed */
};

#endif
