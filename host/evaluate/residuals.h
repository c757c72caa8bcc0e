/* The errors of a predictor's forecasts, by slices of the rows. */
#ifndef EPOCHCAST_EVALUATE_RESIDUALS_H
#define EPOCHCAST_EVALUATE_RESIDUALS_H

#include "base/stats.h"
#include "evaluate/row_forecasts.h"

enum { SLICE_SPAN_LIMIT = 32, SLICE_LABEL_SIZE = 96 };

struct slice {
    int32_t layer;                /* enum layer_kind */
    const char *key;              /* borrowed from the caller */
    char label[SLICE_LABEL_SIZE]; /* the rows' value of the key: "3", "[16, 32)", "adam" */
    double order;                 /* slices of a key are sorted by it, then by label */
    struct stats_errors errors;
    double bias_percent;    /* geometric mean of forecast / measured, less 1 */
    double squares_percent; /* share of the kind's squared error */
    double noise_rmse_ms;   /* standard error of the labels: ci_ms / 1.96; NaN unknown */
    double noise_percent;   /* its mean in percent of the label */
};

struct residuals {
    struct slice *slices;
    size_t count;
};

/* Keys: "decade" (of the measured time), "noise" (of the label), "algorithm", or a feature of a
 * kind; numeric features that span more than SLICE_SPAN_LIMIT values are cut at powers of two.
 * Kinds that do not have the feature have no such slices. STATUS_USAGE: unknown key. */
enum status residuals_create(struct residuals *residuals, const struct row_forecasts *forecasts,
                             const char *const *keys, int key_count, struct error *error);
void residuals_free(struct residuals *residuals);

#endif
