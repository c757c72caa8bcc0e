#include "base/error_sums.h"

#include <math.h>

enum status error_sums_add(struct error_sums *sums, double measured_ms, double predicted_ms,
                           struct error *error)
{
    const double difference = predicted_ms - measured_ms, from_mean = measured_ms - sums->mean_ms;
    const double log_difference = log1p(predicted_ms) - log1p(measured_ms);
    const double ape_percent = 100 * fabs(difference) / measured_ms;
    TRY(quantiles_add(&sums->ape_percent, ape_percent, error));
    sums->count++;
    sums->squares += difference * difference;
    sums->absolute += fabs(difference);
    sums->logs += log_difference * log_difference;
    sums->relative_percent += ape_percent;
    sums->mean_ms += from_mean / (double)sums->count; /* Welford */
    sums->spread += from_mean * (measured_ms - sums->mean_ms);
    return STATUS_OK;
}

enum status error_sums_merge(struct error_sums *sums, const struct error_sums *from,
                             struct error *error)
{
    if (from->count == 0)
        return STATUS_OK;
    const double own = (double)sums->count, other = (double)from->count;
    const double distance = from->mean_ms - sums->mean_ms;
    TRY(quantiles_merge(&sums->ape_percent, &from->ape_percent, error));
    sums->count += from->count;
    sums->squares += from->squares;
    sums->absolute += from->absolute;
    sums->logs += from->logs;
    sums->relative_percent += from->relative_percent;
    sums->mean_ms += distance * other / (own + other);
    sums->spread += from->spread + distance * distance * own * other / (own + other);
    return STATUS_OK;
}

struct stats_errors error_sums_finish(struct error_sums *sums)
{
    const double n = sums->count > 0 ? (double)sums->count : NAN;
    quantiles_sort(&sums->ape_percent);
    return (struct stats_errors){.count = sums->count,
                                 .rmse_ms = sqrt(sums->squares / n),
                                 .mae_ms = sums->absolute / n,
                                 .mape_percent = sums->relative_percent / n,
                                 .median_ape_percent = quantiles_at(&sums->ape_percent, 0.5),
                                 .p90_ape_percent = quantiles_at(&sums->ape_percent, 0.9),
                                 .r2 = sums->spread > 0 ? 1 - sums->squares / sums->spread : NAN,
                                 .rmsle = sqrt(sums->logs / n)};
}

void error_sums_free(struct error_sums *sums)
{
    quantiles_free(&sums->ape_percent);
    *sums = (struct error_sums){.ape_percent.budget = sums->ape_percent.budget};
}
