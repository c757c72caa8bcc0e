/* What verify measures beside what was forecast: a row for every step and batch size. */
#ifndef EPOCHCAST_CLI_VERIFY_RUN_H
#define EPOCHCAST_CLI_VERIFY_RUN_H

#include "cli/network_selection.h"
#include "forecast/baseline_set.h"
#include "step/verify_rounds.h"

struct verify_row {
    struct verify_times measured;
    struct forecast forecast;
    double baselines_ms[BASELINE_LIMIT];
    double sum_ms; /* of measured.alone_ms; NaN without --sum */
};

struct verification {
    const struct network_selection *selection;
    const struct device_info *known; /* the device as the model knows it */
    struct baseline_set baselines;
    struct verify_row *rows;
    int count, too_large;
    bool has_sum;
};

/* Fits the baselines (--baselines, on the datasets behind the network's name) and measures on
 * `device`. A step that does not fit the device becomes a row without times. verification_free
 * releases; the selection must outlive it. */
enum status verification_create(struct verification *all, const struct network_selection *selection,
                                struct device *device, const struct settings *settings,
                                struct error *error);
void verification_free(struct verification *all);

#endif
