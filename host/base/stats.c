#include "base/stats.h"

#include <math.h>
#include <stdlib.h>

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void stats_sort(double *values, size_t count)
{
    if (count > 1) /* the pointer may be NULL without values */
        qsort(values, count, sizeof *values, compare_doubles);
}

double stats_quantile(const double *sorted, size_t count, double q)
{
    double position = q * (double)(count - 1);
    size_t below = (size_t)position;
    if (below + 1 >= count)
        return sorted[count - 1];
    double share = position - (double)below;
    return sorted[below] + share * (sorted[below + 1] - sorted[below]);
}

struct stats_interval stats_median_interval(const double *sorted, size_t count)
{
    if (count < 6)
        return (struct stats_interval){sorted[0], sorted[count - 1]};
    double half_width = 0.98 * sqrt((double)count);
    double low = floor((double)count / 2 - half_width);
    double high = ceil((double)count / 2 + half_width);
    size_t first = low < 1 ? 0 : (size_t)low - 1;
    size_t last = high >= (double)count ? count - 1 : (size_t)high;
    return (struct stats_interval){sorted[first], sorted[last]};
}

static double mean_of(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    return sum / (double)count;
}

/* Probability of |t| <= value: Abramowitz & Stegun 26.7.3, 26.7.4. */
static double student_probability(double value, int freedom)
{
    const double angle = atan(value / sqrt(freedom)), cosine = cos(angle);
    const int is_odd = freedom % 2;
    double term = is_odd ? cosine : 1, sum = freedom == 1 ? 0 : term;
    for (int i = is_odd ? 3 : 2; i <= freedom - 2; i += 2) {
        term *= cosine * cosine * (i - 1) / i;
        sum += term;
    }
    return is_odd ? 2 / acos(-1) * (angle + sin(angle) * sum) : sin(angle) * sum;
}

double stats_student(double level, int freedom)
{
    double low = 0, high = 1;
    while (student_probability(high, freedom) < level && high < 1e12)
        high *= 2;
    for (int halving = 0; halving < 100; halving++) {
        const double middle = (low + high) / 2;
        if (student_probability(middle, freedom) < level)
            low = middle;
        else
            high = middle;
    }
    return high;
}

struct stats_errors stats_errors(const double *measured_ms, const double *predicted_ms,
                                 size_t count, double *room)
{
    struct stats_errors errors = {.count = count,
                                  .rmse_ms = NAN,
                                  .mae_ms = NAN,
                                  .mape_percent = NAN,
                                  .median_ape_percent = NAN,
                                  .p90_ape_percent = NAN,
                                  .r2 = NAN,
                                  .rmsle = NAN};
    if (count == 0)
        return errors;
    double mean = mean_of(measured_ms, count), squares = 0, absolute = 0, logs = 0, spread = 0;
    for (size_t i = 0; i < count; i++) {
        double difference = predicted_ms[i] - measured_ms[i];
        double log_difference = log1p(predicted_ms[i]) - log1p(measured_ms[i]);
        squares += difference * difference;
        absolute += fabs(difference);
        logs += log_difference * log_difference;
        spread += (measured_ms[i] - mean) * (measured_ms[i] - mean);
        room[i] = 100 * fabs(difference) / measured_ms[i];
    }
    double n = (double)count;
    errors.rmse_ms = sqrt(squares / n);
    errors.mae_ms = absolute / n;
    errors.mape_percent = mean_of(room, count);
    errors.r2 = spread > 0 ? 1 - squares / spread : NAN;
    errors.rmsle = sqrt(logs / n);
    stats_sort(room, count);
    errors.median_ape_percent = stats_quantile(room, count, 0.5);
    errors.p90_ape_percent = stats_quantile(room, count, 0.9);
    return errors;
}
