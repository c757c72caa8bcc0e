/* Measurements and forecasts of verify: one row per step and batch size. */
#ifndef EPOCHCAST_CLI_VERIFY_RUN_H
#define EPOCHCAST_CLI_VERIFY_RUN_H

#include "forecast/baseline_set.h"
#include "forecast/forecast_grid.h"
#include "step/verify_rounds.h"

struct verify_row {
    struct verify_times measured;
    struct forecast forecast;
    double baselines_ms[BASELINE_LIMIT];
    double sum_ms; /* of measured.alone_ms; NaN without --sum */
};

struct verification {
    const struct network_selection *selection;
    const struct device_info *known; /* the model's entry for the device */
    struct baseline_set baselines;
    struct verify_row *rows;
    int count, too_large;
    int32_t precision;
    bool has_sum;
};

struct verification_options {
    int32_t precision;
    int32_t cache;               /* of layers alone: enum cache, or -1: as the model's rows */
    int32_t baselines;           /* bit i: choice_baseline's name i */
    const char *const *datasets; /* (dataset_count) for the baselines that need rows */
    int dataset_count;
    struct verify_rounds_options rounds; /* without progress */
    bool quiet;                          /* no progress on stderr */
};

/* Fits the baselines and measures on `device`. A step that does not fit the device becomes a row
 * without times. verification_free releases; the selection must outlive it. */
enum status verification_create(struct verification *all, const struct network_selection *selection,
                                struct device *device, const struct verification_options *options,
                                struct error *error);
void verification_free(struct verification *all);
/* Of its forecasts, of which there is at least one. */
enum status verification_caveats(struct caveats *caveats, const struct verification *all,
                                 struct error *error);

#endif
