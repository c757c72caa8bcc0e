/* Prediction intervals by split-conformal calibration (Papadopoulos et al. 2002; Lei et al.,
 * "Distribution-free predictive inference for regression", JASA 2018): the half-width is the
 * ceil((n + 1) level)-th smallest |ln t - ln t'| of rows that training has not learnt from.
 * Relative errors differ with size, so each decade of the forecast time with enough rows has its
 * own.
 */
#ifndef EPOCHCAST_MODEL_INTERVAL_H
#define EPOCHCAST_MODEL_INTERVAL_H

#include "base/error.h"

#include <stddef.h>

/* Bin b holds forecasts in [10^(b - 8), 10^(b - 7)) ms; the outer ones are open. */
enum { INTERVAL_BIN_COUNT = 16, INTERVAL_FIRST_DECADE = -8, INTERVAL_BIN_MINIMUM = 50 };

int interval_bin(double predicted_ms);

/* half_widths[INTERVAL_BIN_COUNT], in ln of time; bins with fewer than INTERVAL_BIN_MINIMUM rows
 * get that of all rows. count >= 1, all times > 0. */
enum status interval_calibrate(double *half_widths, const double *measured_ms,
                               const double *predicted_ms, size_t count, double level,
                               struct error *error);

#endif
