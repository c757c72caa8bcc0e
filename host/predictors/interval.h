/* Prediction intervals by split-conformal calibration (Papadopoulos et al. 2002; Lei et al.,
 * "Distribution-free predictive inference for regression", JASA 2018) with normalised residuals:
 *
 *   ln t' - h <= ln t <= ln t' + h,  h = q sqrt(s^2 + a^2)
 *
 * s: standard deviation of the ensemble's ln t' for this config; a: its root mean square over the
 * calibration rows (a = 1 for one net, where s = 0); q: quantile of |ln t - ln t'| / sqrt(s^2 +
 * a^2) over held-out rows, one for each bin: a pass and a decade of the forecast time. A bin's rows
 * count 1 each and all rows together count INTERVAL_POOLED_ROWS more: few rows shrink towards the
 * pooled quantile. With n rows in all, the weight up to the quantile is level (w + 1), as the
 * conformal rank ceil((n + 1) level).
 *
 * With n < INTERVAL_BIN_ROWS rows there are no bins, and q is the larger of two: the residual of
 * rank ceil((n + 1) level) (not with fewer than INTERVAL_ROWS_MINIMUM rows), and Student's, the
 * root mean square of |ln t - ln t'| / sqrt(s^2 + a^2) times the quantile of t with n degrees of
 * freedom. The root mean square is taken as if INTERVAL_PRIOR_ROWS more rows were off by
 * INTERVAL_PRIOR_ERROR, for two rows may be near by chance, and a quartile of its own error higher.
 * Few rows widen an interval; without any there is none: q is NaN.
 *
 * A sum over layers: errors of configs of one kind are correlated. With H the half-width of a
 * config (ms, each side its own) times how often the config occurs (its error is the same each
 * time), and r the kind's correlation,
 *
 *   half-width^2 = sum over kinds (r (sum of H)^2 + (1 - r) sum of H^2).
 *
 * r is calibrated: of 0, 0.02, 0.04, ..., 1 the smallest whose interval covers `level` of the sums
 * over INTERVAL_SUM_ROWS held-out rows each, rows of the same pass and optimizer and of near batch
 * sizes: what the layers of a network have in common. With fewer than INTERVAL_SUM_MINIMUM such
 * sums r is 1. It knows errors of layer forecasts alone, not what a whole network adds to its
 * layers.
 */
#ifndef EPOCHCAST_PREDICTORS_INTERVAL_H
#define EPOCHCAST_PREDICTORS_INTERVAL_H

#include "base/choice.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Decade d holds forecasts in [10^(d - 8), 10^(d - 7)) ms; the outer ones are open. */
enum { INTERVAL_DECADE_COUNT = 16, INTERVAL_FIRST_DECADE = -8, INTERVAL_POOLED_ROWS = 50 };
enum { INTERVAL_ROWS_MINIMUM = 20, INTERVAL_BIN_ROWS = 100, INTERVAL_PRIOR_ROWS = 2 };
#define INTERVAL_PRIOR_ERROR 0.5
enum { INTERVAL_SUM_ROWS = 16, INTERVAL_SUM_MINIMUM = 30 };

struct interval {
    double quantiles[PASS_COUNT][INTERVAL_DECADE_COUNT]; /* q; NaN: no interval */
    double spread;                                       /* a */
    double correlation;                                  /* r */
};

int interval_decade(double predicted_ms);

/* h, in ln of time. */
double interval_half_width(const struct interval *interval, int32_t pass, double predicted_ms,
                           double spread);

/* Forecasts of held-out rows. passes: enum pass; spreads: s of every row. */
struct interval_rows {
    const int32_t *passes;
    const double *measured_ms, *predicted_ms, *spreads;
    size_t count; /* all times above 0 */
};
/* Fills everything; the correlation becomes 1. No rows: no interval. */
enum status interval_calibrate(struct interval *interval, const struct interval_rows *rows,
                               double level, struct error *error);

/* Sets the correlation. The rows must be in an order in which INTERVAL_SUM_ROWS neighbours resemble
 * a network's layers. */
void interval_calibrate_sums(struct interval *interval, const struct interval_rows *rows,
                             double level);

/* Sums over the half-widths H of layers of one kind, on one side: of H and of H^2. */
struct interval_sum {
    double linear, square;
};
void interval_sum_add(struct interval_sum *sum, double half_width_ms);
/* half-width^2 */
double interval_sum_square(const struct interval_sum *sum, double correlation);

#endif
