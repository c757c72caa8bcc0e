#include "data/quality.h"

#include "base/stats.h"
#include "data/split.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static int decade_of(double ms)
{
    const double decade = floor(log10(ms));
    return (int)fmin(fmax(decade, DECADE_MINIMUM), DECADE_MAXIMUM) - DECADE_MINIMUM;
}

static enum status add_known(struct quantiles *quantiles, double value, struct error *error)
{
    return isnan(value) ? STATUS_OK : quantiles_add(quantiles, value, error);
}

static enum status add_timed(struct quality *quality, struct quality_group *group,
                             const struct measurement *row, struct error *error)
{
    const double ci_percent = 100 * row->ci_ms / row->median_ms;
    struct quality_decade *decade = &quality->decades[decade_of(row->median_ms)];
    decade->rows++;
    TRY(quantiles_add(&group->times_ms, row->median_ms, error));
    TRY(add_known(&group->noise_percent, ci_percent, error));
    TRY(add_known(&decade->ci_percent, ci_percent, error));
    return add_known(&decade->rounds_percent, row->spread_percent, error);
}

static enum status add_row(struct quality *quality, const struct measurement *row, int32_t device,
                           struct error *error)
{
    struct quality_group *group =
        &quality->groups[(int)row->config.kind * quality->tables.device_count + device];
    quality->count++;
    group->rows++;
    group->outcomes[row->outcome]++;
    group->splits[split_of(&row->config)]++;
    TRY(add_known(&quality->pressure_percent, row->pressure_percent, error));
    return measurement_is_timed(row) ? add_timed(quality, group, row, error) : STATUS_OK;
}

static int compare_canaries(const void *a, const void *b)
{
    const double first = ((const struct canary *)a)->unix_time_s;
    const double second = ((const struct canary *)b)->unix_time_s;
    return (first > second) - (first < second);
}

/* A value is in one group, one decade, and for `all` once more. */
static enum status begin_figures(void *payload, const struct dataset_rows *tables, size_t row_limit,
                                 struct error *error)
{
    enum { VALUES_PER_ROW = 7 };
    struct quality *quality = payload;
    (void)row_limit;
    quality->group_count = (size_t)LAYER_KIND_COUNT * (size_t)tables->device_count;
    TRY(ALLOCATE(&quality->canary_room, tables->canary_count, "canaries", error));
    TRY(ALLOCATE(&quality->budget, 1, "quantiles", error));
    TRY(ALLOCATE(&quality->groups, quality->group_count, "groups of rows", error));
    quality->budget->left = (size_t)2 * VALUES_PER_ROW * QUALITY_EXACT_ROWS;
    const struct quantiles none = {.budget = quality->budget};
    for (size_t i = 0; i < quality->group_count; i++)
        quality->groups[i].times_ms = quality->groups[i].noise_percent = none;
    for (int i = 0; i < DECADE_COUNT; i++)
        quality->decades[i].ci_percent = quality->decades[i].rounds_percent = none;
    quality->all.ci_percent = quality->all.rounds_percent = quality->pressure_percent = none;
    return STATUS_OK;
}

static enum status add_block(void *payload, const struct dataset_rows *tables,
                             const struct dataset_block *block, struct error *error)
{
    (void)tables;
    for (size_t i = 0; i < block->count; i++) {
        const struct measurement *row = &block->rows[i];
        TRY(add_row(payload, row, block->device_map[row->device], error));
    }
    return STATUS_OK;
}

/* Joins the decades to `all`, and sorts. */
static enum status finish_figures(struct quality *quality, struct error *error)
{
    for (int i = 0; i < DECADE_COUNT; i++) {
        struct quality_decade *decade = &quality->decades[i];
        quality->all.rows += decade->rows;
        TRY(quantiles_merge(&quality->all.ci_percent, &decade->ci_percent, error));
        TRY(quantiles_merge(&quality->all.rounds_percent, &decade->rounds_percent, error));
        quantiles_sort(&decade->ci_percent);
        quantiles_sort(&decade->rounds_percent);
    }
    for (size_t i = 0; i < quality->group_count; i++) {
        quantiles_sort(&quality->groups[i].times_ms);
        quantiles_sort(&quality->groups[i].noise_percent);
    }
    quantiles_sort(&quality->all.ci_percent);
    quantiles_sort(&quality->all.rounds_percent);
    quantiles_sort(&quality->pressure_percent);
    return STATUS_OK;
}

enum status quality_read(struct quality *quality, const char *path, struct error *error)
{
    const struct dataset_visitor visitor = {
        .begin = begin_figures, .block = add_block, .payload = quality};
    *quality = (struct quality){.count = 0};
    enum status status = dataset_visit(&quality->tables, &path, 1, &visitor, error);
    if (status == STATUS_OK)
        status = finish_figures(quality, error);
    if (status == STATUS_OK && quality->tables.canary_count > 0)
        qsort(quality->tables.canaries, quality->tables.canary_count, sizeof(struct canary),
              compare_canaries);
    if (status != STATUS_OK)
        quality_free(quality);
    return status;
}

static void decade_free(struct quality_decade *decade)
{
    quantiles_free(&decade->ci_percent);
    quantiles_free(&decade->rounds_percent);
}

void quality_free(struct quality *quality)
{
    for (size_t i = 0; quality->groups && i < quality->group_count; i++) {
        quantiles_free(&quality->groups[i].times_ms);
        quantiles_free(&quality->groups[i].noise_percent);
    }
    for (int i = 0; i < DECADE_COUNT; i++)
        decade_free(&quality->decades[i]);
    decade_free(&quality->all);
    quantiles_free(&quality->pressure_percent);
    dataset_rows_free(&quality->tables);
    free(quality->groups);
    free(quality->budget);
    free(quality->canary_room);
    *quality = (struct quality){.count = 0};
}

/* ---- figures ---- */

const struct quality_group *quality_group(const struct quality *quality, int kind, int32_t device)
{
    return &quality->groups[kind * quality->tables.device_count + device];
}

static struct quality_spread spread_of(const struct quantiles *quantiles)
{
    return (struct quality_spread){.count = quantiles->count,
                                   .median = quantiles_at(quantiles, 0.5),
                                   .p90 = quantiles_at(quantiles, 0.9)};
}

struct quality_spread quality_pressure(const struct quality *quality)
{
    return spread_of(&quality->pressure_percent);
}

static struct quality_noise noise_of(const struct quality_decade *decade)
{
    return (struct quality_noise){.rows = decade->rows,
                                  .ci = spread_of(&decade->ci_percent),
                                  .rounds = spread_of(&decade->rounds_percent)};
}

struct quality_noise quality_noise(const struct quality *quality, int decade)
{
    return noise_of(&quality->decades[decade - DECADE_MINIMUM]);
}

struct quality_noise quality_noise_of_all(const struct quality *quality)
{
    return noise_of(&quality->all);
}

size_t quality_outcome_count(const struct quality *quality, enum outcome outcome)
{
    size_t count = 0;
    for (size_t i = 0; i < quality->group_count; i++)
        count += quality->groups[i].outcomes[outcome];
    return count;
}

/* ---- drift ---- */

static double median_of(const double *values, size_t count)
{
    double sorted[3];
    memcpy(sorted, values, count * sizeof *values);
    stats_sort(sorted, count);
    return stats_quantile(sorted, count, 0.5);
}

/* values: in the order of time; sorted afterwards. */
static struct quality_drift drift_of(double *values, size_t count)
{
    struct quality_drift drift = {.count = count,
                                  .first_ms = NAN,
                                  .last_ms = NAN,
                                  .drift_percent = NAN,
                                  .largest_percent = NAN};
    if (count == 0)
        return drift;
    const size_t ends = count < 3 ? count : 3;
    drift.first_ms = median_of(values, ends);
    drift.last_ms = median_of(values + count - ends, ends);
    drift.drift_percent = 100 * (drift.last_ms / drift.first_ms - 1);
    stats_sort(values, count);
    const double median = stats_quantile(values, count, 0.5);
    drift.largest_percent = 100 * fmax(values[count - 1] / median - 1, 1 - values[0] / median);
    return drift;
}

struct quality_drift quality_drift(const struct quality *quality, int32_t device,
                                   enum quality_canary which)
{
    size_t count = 0;
    const struct dataset_rows *tables = &quality->tables;
    double *values = quality->canary_room;
    for (size_t i = 0; i < tables->canary_count; i++) {
        const struct canary *canary = &tables->canaries[i];
        const double ms = which == CANARY_GEMM ? canary->gemm_ms : canary->copy_ms;
        if (canary->device == device && ms > 0)
            values[count++] = ms;
    }
    return drift_of(values, count);
}

/* ---- warnings ---- */

/* A figure and the bound above which it is worth a warning. */
struct rule {
    double (*value)(const struct quality *quality);
    double limit;
    const char *before; /* the value, with this many decimals */
    int decimals;
    const char *after;
    const char *advice;
};

static double percent_of(const struct quality *quality, enum outcome outcome)
{
    return quality->count
               ? 100 * (double)quality_outcome_count(quality, outcome) / (double)quality->count
               : 0;
}

static double median_pressure(const struct quality *quality)
{
    return quality_pressure(quality).median;
}
static double rounds_p90(const struct quality *quality)
{
    return quality_noise_of_all(quality).rounds.p90;
}
static double worst_drift(const struct quality *quality)
{
    double worst = NAN;
    for (int32_t device = 0; device < quality->tables.device_count; device++)
        for (int which = 0; which < CANARY_COUNT; which++)
            worst = fmax(worst, fabs(quality_drift(quality, device, (enum quality_canary)which)
                                         .drift_percent)); /* fmax ignores NaN */
    return worst;
}
static double capped(const struct quality *quality)
{
    return percent_of(quality, OUTCOME_CAPPED);
}
static double throttled(const struct quality *quality)
{
    return percent_of(quality, OUTCOME_THROTTLED);
}
static double died(const struct quality *quality)
{
    return percent_of(quality, OUTCOME_TIMEOUT) + percent_of(quality, OUTCOME_CRASHED);
}
static double incorrect(const struct quality *quality)
{
    return (double)quality_outcome_count(quality, OUTCOME_INCORRECT);
}
static double unfinished(const struct quality *quality)
{
    return quality->tables.is_growing ? (double)quality->count : NAN;
}

static const struct rule rules[] = {
    {unfinished, -1, "the sweep is unfinished: ", 0, " configs so far",
     "the command that began it goes on with it"},
    {median_pressure, 20, "other work waited for the processors ", 0, " % of the time (median)",
     "measure when the machine is idle, or with fewer --threads"},
    {rounds_p90, 10, "a tenth of the configs differ by over ", 0, " % between rounds",
     "a longer --time-budget gives every config more rounds"},
    {worst_drift, 5, "the machine changed its speed: the canary drifted by ", 0, " %",
     "let it warm up and fix its clocks, then measure again"},
    {capped, 30, "", 0, " % of the configs met the time cap before their interval was narrow",
     "raise --cap-ms, or --target-percent"},
    {throttled, 1, "", 1, " % of the configs were throttled", "cool the device, or fix its clocks"},
    {died, 1, "", 1, " % of the configs crashed or hung their worker",
     "see which ones: 'epochcast export', column outcome"},
    {incorrect, 0, "", 0, " configs gave wrong results, checked against their definition",
     "see which ones: 'epochcast export', column outcome"},
};

int quality_warnings(struct quality_warning warnings[QUALITY_WARNING_LIMIT],
                     const struct quality *quality)
{
    int count = 0;
    _Static_assert(sizeof rules / sizeof *rules <= QUALITY_WARNING_LIMIT, "too many rules");
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const double value = rules[i].value(quality);
        if (!(value > rules[i].limit))
            continue;
        struct quality_warning *warning = &warnings[count++];
        snprintf(warning->what, sizeof warning->what, "%s%.*f%s", rules[i].before,
                 rules[i].decimals, value, rules[i].after);
        warning->advice = rules[i].advice;
    }
    return count;
}
