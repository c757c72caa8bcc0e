/* Errors of predictors on measured rows, by layer kind, device and pass. */
#ifndef EPOCHCAST_MODEL_EVALUATE_H
#define EPOCHCAST_MODEL_EVALUATE_H

#include "base/stats.h"
#include "model/predictor.h"
#include "model/row_forecasts.h"

struct evaluation_row {
    int32_t layer;            /* enum layer_kind */
    char device[64];          /* a name or "all" */
    char pass[16];            /* "all", "forward", "train" */
    const char *predictor;    /* type name; borrowed */
    int32_t calibration_rows; /* of the device, per kind, that corrected the forecasts */
    struct stats_errors errors;
    double interval_coverage_percent; /* NaN without intervals */
};

struct evaluation {
    struct evaluation_row *rows;
    size_t count;
};

/* split: enum split, or -1 for all. Groups: each kind x {all passes, forward, train}, x each device
 * and "all" when there are several; groups without rows are left out. STATUS_FAILED when nothing is
 * left. */
enum status evaluate_predictor(struct evaluation *evaluation, const struct predictor *predictor,
                               const struct dataset_rows *rows, int split, struct error *error);
/* The same of forecasts that are there already. */
enum status evaluate_forecasts(struct evaluation *evaluation, const struct row_forecasts *forecasts,
                               const struct predictor_type *type, const struct dataset_rows *rows,
                               struct error *error);
/* Appends b's rows to a and frees b. */
enum status evaluation_join(struct evaluation *a, struct evaluation *b, struct error *error);
void evaluation_free(struct evaluation *evaluation);

#endif
