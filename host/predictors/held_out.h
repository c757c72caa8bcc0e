/* Errors of forecasts of rows that were not learnt from. */
#ifndef EPOCHCAST_PREDICTORS_HELD_OUT_H
#define EPOCHCAST_PREDICTORS_HELD_OUT_H

#include "predictors/interval.h"

struct held_out_errors {
    size_t count;                  /* rows; 0: nothing is known, and the errors are NaN */
    double mape_percent;           /* mean of |t' - t| / t */
    double standard_error_percent; /* of that mean; NaN for one row */
    double rmsle;                  /* root mean square of ln t' - ln t */
};

/* Predictors that `train` compares its own with: fitted, nearest. */
enum { RIVAL_COUNT = 2 };

/* NULL: of no rows. */
struct held_out_errors held_out_errors_of(const struct interval_rows *rows);

#endif
