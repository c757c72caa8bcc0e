/* A device that training has not seen: trains on the rows of the others, forecasts its own rows,
 * and evaluates how much a few of its rows improve the forecasts. */
#ifndef EPOCHCAST_EVALUATE_HOLD_OUT_H
#define EPOCHCAST_EVALUATE_HOLD_OUT_H

#include "evaluate/evaluate.h"
#include "evaluate/row_forecasts.h"
#include "predictors/mlp_options.h"

enum { CALIBRATION_LIMIT = 32 };

struct hold_out {
    int32_t device; /* row of dataset_rows.devices */
    int split;      /* split of its rows to evaluate on: enum split, or -1 for all */
    const struct mlp_options *options;
    /* An `mlp` predictor that hold_outs_fit has fitted, or NULL: hold_out_evaluate fits its own. */
    const struct predictor *fitted;
    /* One point of the curve per count: that many rows per kind, drawn from its train split by the
     * options' seed, correct the forecasts (row_correction.h); 0: none. The rows of the largest
     * count are excluded from every evaluation. */
    int32_t calibration_rows[CALIBRATION_LIMIT];
    int calibration_count;
    /* Called with the forecasts of every point for the device's rows; may be NULL. */
    enum status (*each)(void *payload, const struct row_forecasts *forecasts,
                        int32_t calibration_rows, struct error *error);
    void *payload;
};

/* The folds of a cross-validation side by side: predictors[i] is of the `mlp` type, trained without
 * the rows of hold_outs[i].device; the caller frees them. If one training fails, all do, with its
 * error. Memory: the rows of `count` trainings. */
enum status hold_outs_fit(struct predictor **predictors, const struct hold_out *hold_outs,
                          int count, const struct dataset_rows *rows, struct error *error);

/* The evaluation has no rows if the predictor does not cover the device. STATUS_USAGE: a kind has
 * fewer rows than the curve needs. STATUS_FAILED: there is no other device. */
enum status hold_out_evaluate(struct evaluation *evaluation, const struct hold_out *hold_out,
                              const struct predictor_type *type, const struct dataset_rows *rows,
                              struct error *error);

#endif
