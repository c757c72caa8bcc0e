#include "bench/warm_up.h"

#include "base/stats.h"

#include <string.h>

enum { WINDOW = 8 }; /* calls of a running median */
static const double settled_share = 0.99;

static double median_of(const double *calls_ms)
{
    double sorted[WINDOW];
    memcpy(sorted, calls_ms, sizeof sorted);
    stats_sort(sorted, WINDOW);
    return stats_quantile(sorted, WINDOW, 0.5);
}

static bool has_settled(const double *calls_ms, int count)
{
    if (count < 2 * WINDOW)
        return false;
    const double *last = calls_ms + count - WINDOW;
    return median_of(last) >= settled_share * median_of(last - WINDOW);
}

bool warm_up_is_over(const double *calls_ms, int count, const struct measure_options *options)
{
    double sum_ms = 0;
    for (int i = 0; i < count; i++)
        sum_ms += calls_ms[i];
    return sum_ms >= options->warmup_ms || count >= options->warmup_calls ||
           count >= WARM_UP_CALL_LIMIT || has_settled(calls_ms, count);
}

bool warm_up_is_sample(double first_ms, const struct measure_options *options)
{
    return first_ms >= options->warmup_ms && first_ms >= options->cap_ms;
}
