#include "sweep/visit_queue.h"

#include "base/permutation.h"

#include <math.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 1024, NEW_DRAWS = 16 };

struct point {
    int32_t visits, outcome; /* outcome: of the rounds so far together, as rounds_join says */
    bool is_over;            /* not measured again: without a time, or too slow */
    float fastest_ms, slowest_ms;
};

struct wide {
    double width_percent;
    int64_t position;
};

void visit_queue_begin(struct visit_queue *queue, const struct visit_queue_options *options)
{
    *queue = (struct visit_queue){.options = *options,
                                  .limit = options->samples > 0 ? options->samples : INT64_MAX};
}

void visit_queue_free(struct visit_queue *queue)
{
    free(queue->points);
    free(queue->refined);
    *queue = (struct visit_queue){.count = 0};
}

static enum status reach(struct visit_queue *queue, int64_t position, struct error *error)
{
    int64_t wanted = queue->capacity ? queue->capacity : FIRST_CAPACITY;
    while (wanted <= position)
        wanted *= 2;
    if (wanted != queue->capacity) {
        struct point *points = realloc(queue->points, (size_t)wanted * sizeof *points);
        queue->points = points ? points : queue->points;
        struct wide *refined = realloc(queue->refined, (size_t)wanted * sizeof *refined);
        queue->refined = refined ? refined : queue->refined;
        if (!points || !refined)
            return FAIL(error, STATUS_FAILED, "no memory for a sweep of %lld configs",
                        (long long)wanted);
        queue->capacity = wanted;
    }
    while (queue->count <= position)
        queue->points[queue->count++] = (struct point){.fastest_ms = INFINITY};
    return STATUS_OK;
}

static void note_outcome(struct visit_queue *queue, struct point *point,
                         const struct measurement *row)
{
    const bool was_visited = point->visits > 0, was_timed = isfinite(point->fastest_ms);
    if (was_visited && point->outcome == OUTCOME_INCORRECT)
        return;
    if (was_visited)
        queue->outcome_count[point->outcome]--;
    if (!was_timed || row->outcome == OUTCOME_INCORRECT)
        point->outcome = row->outcome;
    else if (measurement_is_timed(row) && row->outcome < point->outcome)
        point->outcome = row->outcome;
    queue->outcome_count[point->outcome]++;
}

enum status visit_queue_note(struct visit_queue *queue, int64_t position,
                             const struct measurement *row, struct error *error)
{
    TRY(reach(queue, position, error));
    struct point *point = &queue->points[position];
    note_outcome(queue, point, row);
    point->visits += row->round_count;
    point->is_over |= !measurement_is_timed(row) || row->outcome == OUTCOME_SLOW;
    if (!measurement_is_timed(row))
        return STATUS_OK;
    point->fastest_ms = fminf(point->fastest_ms, (float)row->median_ms);
    point->slowest_ms = fmaxf(point->slowest_ms, (float)row->median_ms);
    return STATUS_OK;
}

/* ---- round 0: new draws ---- */

/* Without a limit of configs, each round gets its share of the time. */
static bool takes_new_draws(const struct visit_queue *queue, double spent_s)
{
    const struct visit_queue_options *options = &queue->options;
    if (queue->limit != INT64_MAX || !(options->time_budget_s > 0))
        return true;
    return spent_s < options->time_budget_s / options->rounds;
}

static bool next_draw(struct visit *visit, struct visit_queue *queue, double spent_s)
{
    while (queue->cursor < queue->count && queue->points[queue->cursor].visits > 0)
        queue->cursor++;
    if (queue->cursor >= queue->limit || !takes_new_draws(queue, spent_s))
        return false;
    *visit = (struct visit){.position = queue->cursor};
    return true;
}

/* ---- the other rounds: the same configs in another order ---- */

static bool next_shuffled(struct visit *visit, struct visit_queue *queue)
{
    const uint32_t n = (uint32_t)queue->count;
    const uint32_t key = permutation_key(queue->options.seed, (uint32_t)queue->round);
    const int half_bits = permutation_half_bits(n);
    for (; queue->cursor < queue->count; queue->cursor++) {
        const uint32_t position = permutation((uint32_t)queue->cursor, n, half_bits, key);
        const struct point *point = &queue->points[position];
        if (point->is_over || point->visits > queue->round)
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
static int compare_widest_first(const void *a, const void *b)
{
    const struct wide *first = a, *second = b;
    if (first->width_percent != second->width_percent)
        return first->width_percent < second->width_percent ? 1 : -1;
    return (first->position > second->position) - (first->position < second->position);
}

static bool list_widest(struct visit_queue *queue)
{
    int64_t count = 0;
    for (int64_t i = 0; i < queue->count; i++) {
        const struct point *point = &queue->points[i];
        const double width = point->is_over || point->visits >= ROUND_MAXIMUM
                                 ? 0
                                 : width_percent(point);
        if (width > queue->options.target_percent)
            queue->refined[count++] = (struct wide){.width_percent = width, .position = i};
    }
    if (count > 0)
        qsort(queue->refined, (size_t)count, sizeof *queue->refined, compare_widest_first);
    queue->refined_count = count;
    queue->cursor = 0;
    return count > 0;
}

static bool next_refined(struct visit *visit, struct visit_queue *queue)
{
    if (queue->cursor >= queue->refined_count && !list_widest(queue))
        return false;
    const int64_t position = queue->refined[queue->cursor++].position;
    *visit = (struct visit){.position = position, .round = queue->points[position].visits};
    return true;
}

/* ---- one after the other ---- */

/* Nothing is left to refine: takes more configs, through all rounds. */
static bool begin_more_draws(struct visit_queue *queue)
{
    if (queue->options.samples > 0)
        return false;
    queue->limit = queue->count + queue->count / 4 + NEW_DRAWS;
    queue->round = 0;
    queue->cursor = queue->count;
    queue->refined_count = 0;
    return true;
}

static bool next_of_round(struct visit *visit, struct visit_queue *queue, double spent_s)
{
    if (queue->round == 0)
        return next_draw(visit, queue, spent_s);
    if (queue->round < queue->options.rounds)
        return next_shuffled(visit, queue);
    return queue->options.time_budget_s > 0 && next_refined(visit, queue);
}

bool visit_queue_next(struct visit *visit, struct visit_queue *queue, double spent_s)
{
    const double budget_s = queue->options.time_budget_s;
    const bool refines = budget_s > 0 && queue->options.rounds > 1;
    const int last_round = queue->options.rounds - (refines ? 0 : 1);
    if (budget_s > 0 && spent_s >= budget_s)
        return false;
    while (!next_of_round(visit, queue, spent_s)) {
        if (queue->round < last_round) {
            queue->round++;
            queue->cursor = queue->refined_count = 0;
        } else if (!(budget_s > 0) || !begin_more_draws(queue)) {
            return false;
        }
    }
    return true;
}

double visit_queue_done(const struct visit_queue *queue, double spent_s)
{
    const struct visit_queue_options *options = &queue->options;
    const double by_time = options->time_budget_s > 0 ? spent_s / options->time_budget_s : 0;
    double before = queue->round;
    if (queue->round < options->rounds && options->samples > 0)
        before += (double)queue->cursor / (double)options->samples;
    return fmin(1, fmax(by_time, options->samples > 0 ? before / options->rounds : 0));
}

int64_t visit_queue_config_count(const struct visit_queue *queue)
{
    return queue->count;
}
