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

/* `errors`, or those of no rows where its count is 0, as in a report that nothing has filled. */
struct held_out_errors held_out_errors_known(const struct held_out_errors *errors);

/* "12.3 +- 1.1 %"; "12.3 %" without a standard error. Returns text. */
enum { HELD_OUT_TEXT_SIZE = 48 };
const char *held_out_text(char text[HELD_OUT_TEXT_SIZE], const struct held_out_errors *errors);

#endif
