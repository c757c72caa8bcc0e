/* Order statistics and error measures of arrays of double. NaN never enters: callers filter. */
#ifndef EPOCHCAST_BASE_STATS_H
#define EPOCHCAST_BASE_STATS_H

#include <stddef.h>

/* Sorts ascending in place. */
void stats_sort(double *values, size_t count);

/* Quantile q in [0, 1] of a sorted array, linear interpolation (type 7, as numpy). count >= 1. */
double stats_quantile(const double *sorted, size_t count, double q);

/* Distribution-free 95 % confidence interval of the median: order statistics n/2 -+ 0.98 sqrt(n)
 * (reference: Hollander & Wolfe, sign test). With fewer than 6 values: the whole range. */
struct stats_interval {
    double low, high;
};
struct stats_interval stats_median_interval(const double *sorted, size_t count);

/* The value that Student's t of `freedom` >= 1 degrees does not exceed in absolute terms with
 * probability `level` in (0, 1): 12.706 for 1 degree and 0.95. */
double stats_student(double level, int freedom);

/* Errors of predictions against measurements (both ms, both > 0), in the names of `evaluate -o
 * json`. */
struct stats_errors {
    size_t count;
    double rmse_ms, mae_ms, mape_percent, median_ape_percent, p90_ape_percent, r2, rmsle;
};
/* rmsle is the root mean square of ln(1+t) - ln(1+t'), t in ms (the paper's loss). All are NaN
 * without predictions. room (count) is written. */
struct stats_errors stats_errors(const double *measured_ms, const double *predicted_ms,
                                 size_t count, double *room);

#endif
