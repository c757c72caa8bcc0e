#include "bench/rounds.h"

#include "base/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUND_LIMIT = 64 }; /* further rounds are left out of a row */

static int compare_number(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_identity(const struct measurement *a, const struct measurement *b)
{
    int order = compare_number((int64_t)a->config.kind, (int64_t)b->config.kind);
    order = order ? order : compare_number(a->device, b->device);
    order = order ? order : compare_number(a->cache, b->cache);
    order = order ? order : compare_number(a->draw, b->draw);
    return order ? order : memcmp(&a->config, &b->config, sizeof a->config);
}

static int compare_rows(const void *a, const void *b)
{
    const struct measurement *first = a, *second = b;
    const int order = compare_identity(first, second);
    return order ? order : compare_number(first->round, second->round);
}

static double median_of_medians(const struct measurement *rows, size_t count)
{
    double values[ROUND_LIMIT];
    const size_t known = count < ROUND_LIMIT ? count : ROUND_LIMIT;
    for (size_t i = 0; i < known; i++)
        values[i] = rows[i].median_ms;
    stats_sort(values, known);
    return stats_quantile(values, known, 0.5);
}

double rounds_spread_percent(const struct measurement *rows, size_t count)
{
    double lowest_ms = INFINITY, highest_ms = -INFINITY;
    if (count < 2)
        return NAN;
    for (size_t i = 0; i < count; i++) {
        lowest_ms = fmin(lowest_ms, rows[i].median_ms);
        highest_ms = fmax(highest_ms, rows[i].median_ms);
    }
    return 100 * (highest_ms - lowest_ms) / median_of_medians(rows, count);
}

static const struct measurement *fastest_of(const struct measurement *rows, size_t count)
{
    const struct measurement *fastest = rows;
    for (size_t i = 1; i < count; i++)
        if (rows[i].median_ms < fastest->median_ms)
            fastest = &rows[i];
    return fastest;
}

static void add_round(struct measurement *sum, const struct measurement *row)
{
    sum->setup_ms += row->setup_ms;
    sum->warmup_ms += row->warmup_ms;
    sum->measuring_ms += row->measuring_ms;
    sum->dropped_count += row->dropped_count;
    sum->sample_count += row->sample_count;
    sum->round_count += row->round_count;
    sum->outcome = row->outcome < sum->outcome ? row->outcome : sum->outcome;
    sum->minimum_ms = fmin(sum->minimum_ms, row->minimum_ms);
    sum->maximum_ms = fmax(sum->maximum_ms, row->maximum_ms);
    sum->spread_percent = fmax(sum->spread_percent, row->spread_percent); /* joined before */
}

/* Timed rounds, in the order of rounds. */
static struct measurement combine_timed(const struct measurement *rows, size_t count)
{
    const struct measurement *fastest = fastest_of(rows, count);
    struct measurement all = *fastest;
    for (size_t i = 0; i < count; i++)
        if (&rows[i] != fastest)
            add_round(&all, &rows[i]);
    all.spread_percent = fmax(all.spread_percent, rounds_spread_percent(rows, count));
    all.round = rows[count - 1].round;
    return all;
}

struct measurement rounds_join(struct measurement *rows, size_t count)
{
    size_t timed = 0;
    for (size_t i = 0; i < count; i++)
        if (rows[i].outcome == OUTCOME_INCORRECT)
            return rows[i];
    for (size_t i = 0; i < count; i++)
        if (measurement_is_timed(&rows[i]) && timed < ROUND_LIMIT)
            rows[timed++] = rows[i];
    return timed > 0 ? combine_timed(rows, timed) : rows[count - 1];
}

void rounds_combine(struct measurement *rows, size_t *count)
{
    size_t kept = 0, next = 0;
    if (*count == 0)
        return;
    qsort(rows, *count, sizeof *rows, compare_rows);
    for (size_t first = 0; first < *count; first = next) {
        while (next < *count && compare_identity(&rows[first], &rows[next]) == 0)
            next++;
        rows[kept++] = rounds_join(rows + first, next - first);
    }
    *count = kept;
}
