#include "sweep/schedule.h"

#include "base/permutation.h"

#include <math.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 1024, NEW_DRAWS = 16 };

struct point {
    int32_t visits;
    bool is_over; /* without a time, or too slow to be called again: not visited again */
    float fastest_ms, slowest_ms;
};

void schedule_begin(struct sweep_schedule *schedule, const struct schedule_options *options)
{
    *schedule = (struct sweep_schedule){
        .options = *options, .limit = options->samples > 0 ? options->samples : INT64_MAX};
}

void schedule_free(struct sweep_schedule *schedule)
{
    free(schedule->points);
    free(schedule->refined);
    *schedule = (struct sweep_schedule){.count = 0};
}

static enum status reach(struct sweep_schedule *schedule, int64_t position, struct error *error)
{
    int64_t wanted = schedule->capacity ? schedule->capacity : FIRST_CAPACITY;
    while (wanted <= position)
        wanted *= 2;
    if (wanted != schedule->capacity) {
        struct point *grown = realloc(schedule->points, (size_t)wanted * sizeof *grown);
        if (!grown)
            return FAIL(error, STATUS_FAILED, "no memory for a sweep of %lld configs",
                        (long long)wanted);
        schedule->points = grown;
        schedule->capacity = wanted;
    }
    while (schedule->count <= position)
        schedule->points[schedule->count++] = (struct point){.fastest_ms = INFINITY};
    return STATUS_OK;
}

enum status schedule_note(struct sweep_schedule *schedule, int64_t position,
                          const struct measurement *row, struct error *error)
{
    TRY(reach(schedule, position, error));
    struct point *point = &schedule->points[position];
    point->visits += row->round_count;
    point->is_over |= !measurement_is_timed(row) || row->outcome == OUTCOME_SLOW;
    if (!measurement_is_timed(row))
        return STATUS_OK;
    point->fastest_ms = fminf(point->fastest_ms, (float)row->median_ms);
    point->slowest_ms = fmaxf(point->slowest_ms, (float)row->median_ms);
    return STATUS_OK;
}

/* ---- round 0: new draws ---- */

/* Without a number of configs, each round gets its share of the time. */
static bool takes_new_draws(const struct sweep_schedule *schedule, double spent_s)
{
    const struct schedule_options *options = &schedule->options;
    if (schedule->limit != INT64_MAX || !(options->time_budget_s > 0))
        return true;
    return spent_s < options->time_budget_s / options->rounds;
}

static bool next_draw(struct visit *visit, struct sweep_schedule *schedule, double spent_s)
{
    while (schedule->cursor < schedule->count && schedule->points[schedule->cursor].visits > 0)
        schedule->cursor++;
    if (schedule->cursor >= schedule->limit || !takes_new_draws(schedule, spent_s))
        return false;
    *visit = (struct visit){.position = schedule->cursor};
    return true;
}

/* ---- the other rounds: the same configs in another order ---- */

static bool next_shuffled(struct visit *visit, struct sweep_schedule *schedule)
{
    const uint32_t n = (uint32_t)schedule->count;
    const uint32_t key = permutation_key(schedule->options.seed, (uint32_t)schedule->round);
    const int half_bits = permutation_half_bits(n);
    for (; schedule->cursor < schedule->count; schedule->cursor++) {
        const uint32_t position = permutation((uint32_t)schedule->cursor, n, half_bits, key);
        const struct point *point = &schedule->points[position];
        if (point->is_over || point->visits > schedule->round)
            continue;
        *visit = (struct visit){.position = position, .round = point->visits};
        return true;
    }
    return false;
}

/* ---- time that is left: the widest first ---- */

static double width_percent(const struct point *point)
{
    return 100 * (1 - point->fastest_ms / point->slowest_ms) / sqrt(point->visits);
}

/* A position and its width, for sorting. */
struct wide {
    double width_percent;
    int64_t position;
};

static int compare_widest_first(const void *a, const void *b)
{
    const struct wide *first = a, *second = b;
    if (first->width_percent != second->width_percent)
        return first->width_percent < second->width_percent ? 1 : -1;
    return (first->position > second->position) - (first->position < second->position);
}

static bool list_widest(struct sweep_schedule *schedule)
{
    struct wide *list = calloc((size_t)schedule->count + 1, sizeof *list);
    int64_t *refined = realloc(schedule->refined, (size_t)(schedule->count + 1) * sizeof *refined);
    int64_t count = 0;
    schedule->refined = refined ? refined : schedule->refined;
    for (int64_t i = 0; i < schedule->count && list && refined; i++) {
        const struct point *point = &schedule->points[i];
        const double width = point->is_over || point->visits >= ROUND_MAXIMUM
                                 ? 0
                                 : width_percent(point);
        if (width > schedule->options.target_percent)
            list[count++] = (struct wide){.width_percent = width, .position = i};
    }
    if (count > 0)
        qsort(list, (size_t)count, sizeof *list, compare_widest_first);
    for (int64_t i = 0; i < count; i++)
        refined[i] = list[i].position;
    free(list);
    schedule->refined_count = count;
    schedule->cursor = 0;
    return count > 0;
}

static bool next_refined(struct visit *visit, struct sweep_schedule *schedule)
{
    if (schedule->cursor >= schedule->refined_count && !list_widest(schedule))
        return false;
    const int64_t position = schedule->refined[schedule->cursor++];
    *visit = (struct visit){.position = position, .round = schedule->points[position].visits};
    return true;
}

/* ---- one after the other ---- */

/* Nothing is left to refine: more configs, through all rounds. */
static bool begin_more_draws(struct sweep_schedule *schedule)
{
    if (schedule->options.samples > 0)
        return false;
    schedule->limit = schedule->count + schedule->count / 4 + NEW_DRAWS;
    schedule->round = 0;
    schedule->cursor = schedule->count;
    schedule->refined_count = 0;
    return true;
}

static bool next_of_round(struct visit *visit, struct sweep_schedule *schedule, double spent_s)
{
    if (schedule->round == 0)
        return next_draw(visit, schedule, spent_s);
    if (schedule->round < schedule->options.rounds)
        return next_shuffled(visit, schedule);
    return schedule->options.time_budget_s > 0 && next_refined(visit, schedule);
}

bool schedule_next(struct visit *visit, struct sweep_schedule *schedule, double spent_s)
{
    const double budget_s = schedule->options.time_budget_s;
    const bool refines = budget_s > 0 && schedule->options.rounds > 1;
    const int last_round = schedule->options.rounds - (refines ? 0 : 1);
    if (budget_s > 0 && spent_s >= budget_s)
        return false;
    while (!next_of_round(visit, schedule, spent_s)) {
        if (schedule->round < last_round) {
            schedule->round++;
            schedule->cursor = schedule->refined_count = 0;
        } else if (!(budget_s > 0) || !begin_more_draws(schedule)) {
            return false;
        }
    }
    return true;
}

double schedule_done(const struct sweep_schedule *schedule, double spent_s)
{
    const struct schedule_options *options = &schedule->options;
    const double by_time = options->time_budget_s > 0 ? spent_s / options->time_budget_s : 0;
    double before = schedule->round;
    if (schedule->round < options->rounds && options->samples > 0)
        before += (double)schedule->cursor / (double)options->samples;
    return fmin(1, fmax(by_time, options->samples > 0 ? before / options->rounds : 0));
}

int64_t schedule_config_count(const struct sweep_schedule *schedule)
{
    return schedule->count;
}
