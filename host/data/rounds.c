#include "data/rounds.h"

#include "base/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUND_LIMIT = 64 }; /* more are left out of a row */

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

static double median_at(const struct measurement *rows, size_t count, size_t offset)
{
    double values[ROUND_LIMIT];
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        const double value = *(const double *)((const char *)&rows[i] + offset);
        if (!isnan(value))
            values[known++] = value;
    }
    stats_sort(values, known);
    return known ? stats_quantile(values, known, 0.5) : NAN;
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
    return 100 * (highest_ms - lowest_ms) /
           median_at(rows, count, offsetof(struct measurement, median_ms));
}

static void add_work(struct measurement *sum, const struct measurement *row)
{
    sum->setup_ms += row->setup_ms;
    sum->warmup_ms += row->warmup_ms;
    sum->measuring_ms += row->measuring_ms;
    sum->dropped_count += row->dropped_count;
}

/* Timed rounds, in the order of rounds. */
static struct measurement combine_timed(const struct measurement *rows, size_t count)
{
    static const size_t medians[] = {
        offsetof(struct measurement, median_ms), offsetof(struct measurement, q25_ms),
        offsetof(struct measurement, q75_ms),    offsetof(struct measurement, ci_ms),
        offsetof(struct measurement, eager_ms),  offsetof(struct measurement, pressure_percent)};
    struct measurement all = rows[count - 1];
    for (size_t i = 0; i < sizeof medians / sizeof *medians; i++)
        *(double *)((char *)&all + medians[i]) = median_at(rows, count, medians[i]);
    all.spread_percent = fmax(all.spread_percent, rounds_spread_percent(rows, count));
    for (size_t i = 0; i + 1 < count; i++) {
        all.spread_percent = fmax(all.spread_percent, rows[i].spread_percent); /* joined before */
        add_work(&all, &rows[i]);
        all.sample_count += rows[i].sample_count;
        all.round_count += rows[i].round_count;
        all.outcome = rows[i].outcome < all.outcome ? rows[i].outcome : all.outcome;
        all.minimum_ms = fmin(all.minimum_ms, rows[i].minimum_ms);
        all.maximum_ms = fmax(all.maximum_ms, rows[i].maximum_ms);
    }
    return all;
}

struct measurement rounds_join(struct measurement *rows, size_t count)
{
    const struct measurement last = rows[count - 1];
    size_t timed = 0;
    for (size_t i = 0; i < count; i++)
        if (measurement_is_timed(&rows[i]) && timed < ROUND_LIMIT)
            rows[timed++] = rows[i];
    if (timed > 0)
        return combine_timed(rows, timed);
    return last;
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
