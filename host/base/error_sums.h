/* Sums from which the errors of predictions follow: any number of pairs in bounded memory. */
#ifndef EPOCHCAST_BASE_ERROR_SUMS_H
#define EPOCHCAST_BASE_ERROR_SUMS_H

#include "base/quantiles.h"
#include "base/stats.h"

/* Begins as {.ape_percent.budget = ...} (quantiles.h); error_sums_free frees. */
struct error_sums {
    size_t count;
    double squares, absolute, logs; /* of differences, ms; of differences of ln(1 + ms), squared */
    double relative_percent;        /* sum of |difference| / measured */
    double mean_ms, spread;         /* of the measured: mean, squared distances from it */
    struct quantiles ape_percent;
};

enum status error_sums_add(struct error_sums *sums, double measured_ms, double predicted_ms,
                           struct error *error);
enum status error_sums_merge(struct error_sums *sums, const struct error_sums *from,
                             struct error *error);
/* Of the pairs so far; median and p90 are exact while the budget lasts, else within 0.1 %. */
struct stats_errors error_sums_finish(struct error_sums *sums);
void error_sums_free(struct error_sums *sums);

#endif
