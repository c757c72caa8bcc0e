#include "model/interval.h"

#include "base/stats.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

int interval_bin(double predicted_ms)
{
    const double bin = floor(log10(predicted_ms)) - INTERVAL_FIRST_DECADE;
    return (int)fmax(0, fmin(INTERVAL_BIN_COUNT - 1, bin));
}

static double conformal_quantile(double *residuals, size_t count, double level)
{
    stats_sort(residuals, count);
    const size_t rank = (size_t)ceil((double)(count + 1) * level);
    return residuals[(rank < 1 ? 1 : rank > count ? count : rank) - 1];
}

/* Residuals of one bin, or of all rows when bin is -1. */
static size_t residuals_of(double *residuals, int bin, const double *measured_ms,
                           const double *predicted_ms, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (bin < 0 || interval_bin(predicted_ms[i]) == bin)
            residuals[kept++] = fabs(log(measured_ms[i]) - log(predicted_ms[i]));
    return kept;
}

enum status interval_calibrate(double *half_widths, const double *measured_ms,
                               const double *predicted_ms, size_t count, double level,
                               struct error *error)
{
    void *memory;
    TRY(error_allocate(&memory, count, sizeof(double), "interval residuals", error));
    double *residuals = memory;
    residuals_of(residuals, -1, measured_ms, predicted_ms, count);
    const double overall = conformal_quantile(residuals, count, level);
    for (int bin = 0; bin < INTERVAL_BIN_COUNT; bin++) {
        const size_t kept = residuals_of(residuals, bin, measured_ms, predicted_ms, count);
        const bool enough = kept >= INTERVAL_BIN_MINIMUM;
        half_widths[bin] = enough ? conformal_quantile(residuals, kept, level) : overall;
    }
    free(residuals);
    return STATUS_OK;
}
