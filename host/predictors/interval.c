#include "predictors/interval.h"

#include "base/stats.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

int interval_decade(double predicted_ms)
{
    const double decade = floor(log10(predicted_ms)) - INTERVAL_FIRST_DECADE;
    return (int)fmax(0, fmin(INTERVAL_DECADE_COUNT - 1, decade));
}

static double scale_of(const struct interval *interval, double spread)
{
    return sqrt(spread * spread + interval->spread * interval->spread);
}

double interval_half_width(const struct interval *interval, int32_t pass, double predicted_ms,
                           double spread)
{
    return interval->quantiles[pass][interval_decade(predicted_ms)] * scale_of(interval, spread);
}

/* ---- single layers ---- */

struct residual {
    double value; /* |ln t - ln t'| / scale */
    int32_t pass;
    int decade;
};

static int compare_residuals(const void *a, const void *b)
{
    const double x = ((const struct residual *)a)->value, y = ((const struct residual *)b)->value;
    return (x > y) - (x < y);
}

static double root_mean_square(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i] * values[i];
    return sqrt(sum / (double)count);
}

static bool is_in_bin(const struct residual *residual, int32_t pass, int decade)
{
    return residual->pass == pass && residual->decade == decade;
}

/* Of sorted residuals: those of the bin count 1, all together INTERVAL_POOLED_ROWS more. */
static double bin_quantile(const struct residual *residuals, size_t count, int32_t pass, int decade,
                           double level)
{
    const double pooled = INTERVAL_POOLED_ROWS / (double)count;
    double total = INTERVAL_POOLED_ROWS, passed = 0;
    for (size_t i = 0; i < count; i++)
        total += is_in_bin(&residuals[i], pass, decade);
    for (size_t i = 0; i < count; i++) {
        passed += pooled + is_in_bin(&residuals[i], pass, decade);
        if (passed >= level * (total + 1))
            return residuals[i].value;
    }
    return residuals[count - 1].value;
}

static void set_quantiles(struct interval *interval, double quantile)
{
    for (int pass = 0; pass < PASS_COUNT; pass++)
        for (int decade = 0; decade < INTERVAL_DECADE_COUNT; decade++)
            interval->quantiles[pass][decade] = quantile;
}

/* scale: of a usual row. */
static double student_quantile(const struct residual *residuals, size_t count, double level,
                               double scale)
{
    const double prior = INTERVAL_PRIOR_ERROR / scale;
    double sum = INTERVAL_PRIOR_ROWS * prior * prior;
    for (size_t i = 0; i < count; i++)
        sum += residuals[i].value * residuals[i].value;
    /* Upper quartile of its own error: the true root mean square may be this much larger. */
    const double margin = 1 + 0.6745 / sqrt(2 * (double)count);
    return sqrt(sum / (double)(count + INTERVAL_PRIOR_ROWS)) * margin *
           stats_student(level, (int)count);
}

/* Of sorted residuals: the one of rank ceil((count + 1) level). */
static double rank_quantile(const struct residual *residuals, size_t count, double level)
{
    const double rank = ceil(((double)count + 1) * level);
    return residuals[rank < (double)count ? (size_t)rank - 1 : count - 1].value;
}

static void calibrate(struct interval *interval, struct residual *residuals, size_t count,
                      double level, double scale)
{
    qsort(residuals, count, sizeof *residuals, compare_residuals);
    if (count < INTERVAL_BIN_ROWS) {
        const double student = student_quantile(residuals, count, level, scale);
        const double ranked = rank_quantile(residuals, count, level);
        set_quantiles(interval, count < INTERVAL_ROWS_MINIMUM ? student : fmax(student, ranked));
        return;
    }
    for (int pass = 0; pass < PASS_COUNT; pass++)
        for (int decade = 0; decade < INTERVAL_DECADE_COUNT; decade++)
            interval->quantiles[pass][decade] = bin_quantile(residuals, count, pass, decade, level);
}

enum status interval_calibrate(struct interval *interval, const struct interval_rows *rows,
                               double level, struct error *error)
{
    struct residual *residuals;
    *interval = (struct interval){.spread = 1, .correlation = 1};
    set_quantiles(interval, NAN);
    if (rows->count == 0)
        return STATUS_OK;
    TRY(ALLOCATE(&residuals, rows->count, "interval residuals", error));
    const double spread = root_mean_square(rows->spreads, rows->count);
    interval->spread = spread;
    if (!(interval->spread > 0))
        interval->spread = 1;
    for (size_t i = 0; i < rows->count; i++) {
        const double off = log(rows->measured_ms[i]) - log(rows->predicted_ms[i]);
        residuals[i] = (struct residual){
            .value = fabs(off) / scale_of(interval, rows->spreads[i]),
            .pass = rows->passes[i],
            .decade = interval_decade(rows->predicted_ms[i]),
        };
    }
    calibrate(interval, residuals, rows->count, level, scale_of(interval, spread));
    free(residuals);
    return STATUS_OK;
}

/* ---- sums ---- */

void interval_sum_add(struct interval_sum *sum, double half_width_ms)
{
    sum->linear += half_width_ms;
    sum->square += half_width_ms * half_width_ms;
}

double interval_sum_square(const struct interval_sum *sum, double correlation)
{
    return correlation * sum->linear * sum->linear + (1 - correlation) * sum->square;
}

/* The sum over the rows first .. first + INTERVAL_SUM_ROWS - 1 lies in its interval. */
static bool sum_is_inside(const struct interval *interval, const struct interval_rows *rows,
                          size_t first, double correlation)
{
    double off_ms = 0;
    struct interval_sum below = {0}, above = {0};
    for (size_t i = first; i < first + INTERVAL_SUM_ROWS; i++) {
        const double ms = rows->predicted_ms[i];
        const double factor = exp(
            interval_half_width(interval, rows->passes[i], ms, rows->spreads[i]));
        off_ms += rows->measured_ms[i] - ms;
        interval_sum_add(&below, ms - ms / factor);
        interval_sum_add(&above, ms * factor - ms);
    }
    return off_ms * off_ms <= interval_sum_square(off_ms < 0 ? &below : &above, correlation);
}

void interval_calibrate_sums(struct interval *interval, const struct interval_rows *rows,
                             double level)
{
    enum { STEPS = 50 };
    const size_t sums = rows->count / INTERVAL_SUM_ROWS;
    interval->correlation = 1;
    for (int step = 0; step < STEPS && sums >= INTERVAL_SUM_MINIMUM; step++) {
        const double correlation = (double)step / STEPS;
        size_t inside = 0;
        for (size_t sum = 0; sum < sums; sum++)
            inside += sum_is_inside(interval, rows, sum * INTERVAL_SUM_ROWS, correlation);
        if ((double)inside >= level * (double)(sums + 1)) {
            interval->correlation = correlation;
            return;
        }
    }
}
