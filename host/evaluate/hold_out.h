/* A device that training has not seen: train on the others' rows, forecast its own, and see what a
 * few of its rows would help.
 */
#ifndef EPOCHCAST_EVALUATE_HOLD_OUT_H
#define EPOCHCAST_EVALUATE_HOLD_OUT_H

#include "evaluate/evaluate.h"
#include "evaluate/row_forecasts.h"
#include "predictors/mlp_options.h"

enum { CALIBRATION_LIMIT = 32 };

struct hold_out {
    int32_t device; /* row of dataset_rows.devices */
    int split;      /* of its rows to evaluate on: enum split, or -1 for all */
    const struct mlp_options *options;
    /* An `mlp` predictor that hold_outs_fit has fitted, or NULL: hold_out_evaluate fits its own. */
    const struct predictor *fitted;
    /* A point of the curve each: so many rows per kind, drawn from its train split by the options'
     * seed, correct the forecasts (row_correction.h); 0: none. The rows of the largest count are
     * evaluated in none. */
    int32_t calibration_rows[CALIBRATION_LIMIT];
    int calibration_count;
    /* Called with the forecasts of every point for the device's rows; may be NULL. */
    enum status (*each)(void *payload, const struct row_forecasts *forecasts,
                        int32_t calibration_rows, struct error *error);
    void *payload;
};

/* The folds of a cross-validation side by side: predictors[i] is of the `mlp` type, trained without
 * the rows of hold_outs[i].device, and the caller's to free. All or none: what is wrong with one is
 * the error. Holds the rows of `count` trainings meanwhile. */
enum status hold_outs_fit(struct predictor **predictors, const struct hold_out *hold_outs,
                          int count, const struct dataset_rows *rows, struct error *error);

/* No rows where the predictor does not cover the device. STATUS_USAGE: fewer rows of a kind than
 * the curve asks for. STATUS_FAILED: no other device. */
enum status hold_out_evaluate(struct evaluation *evaluation, const struct hold_out *hold_out,
                              const struct predictor_type *type, const struct dataset_rows *rows,
                              struct error *error);

#endif
