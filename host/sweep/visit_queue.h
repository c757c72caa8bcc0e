/* The order in which a sweep measures configs. Round 0 takes the draws in order, with few samples;
 * the next rounds take the same configs in shuffled orders; remaining time goes to the configs
 * whose rounds differ most, then to new draws. A config without a time is not measured again, nor a
 * slow one, whose single call takes longer than all rounds of another. The order depends only on
 * the rows, so an interrupted sweep continues where it stopped. A visit is one round of one config.
 */
#ifndef EPOCHCAST_SWEEP_VISIT_QUEUE_H
#define EPOCHCAST_SWEEP_VISIT_QUEUE_H

#include "bench/measure.h"

enum { ROUND_MAXIMUM = 9 }; /* maximum of visits of a config */

struct visit_queue_options {
    int64_t samples;       /* maximum of configs; 0: no limit */
    double time_budget_s;  /* 0: none */
    int rounds;            /* 1..ROUND_MAXIMUM */
    double target_percent; /* configs with spread / sqrt(rounds) below it are not refined */
    uint64_t seed;         /* of the orders */
};

struct point; /* state of a config */
struct wide;

struct visit_queue {
    struct visit_queue_options options;
    struct point *points; /* (capacity), by position */
    int64_t count, capacity;
    int64_t limit;        /* positions to be visited; grows while time is left */
    struct wide *refined; /* (capacity): positions to be refined, widest first */
    int64_t refined_count, cursor;
    int64_t outcome_count[OUTCOME_COUNT]; /* configs, by the outcome of their rounds together */
    int round;
};

/* Position 0.. of a config in the sweep, and the number of the visit. */
struct visit {
    int64_t position;
    int32_t round;
};

void visit_queue_begin(struct visit_queue *queue, const struct visit_queue_options *options);
void visit_queue_free(struct visit_queue *queue);

/* The next visit after `spent_s` of the budget; false: the sweep is over. */
bool visit_queue_next(struct visit *visit, struct visit_queue *queue, double spent_s);

/* Records the result of a visit (of this run, or of the sweep that is resumed). */
enum status visit_queue_note(struct visit_queue *queue, int64_t position,
                             const struct measurement *row, struct error *error);

/* Share that is done, 0..1, for the progress bar. */
double visit_queue_done(const struct visit_queue *queue, double spent_s);

/* Configs visited so far. */
int64_t visit_queue_config_count(const struct visit_queue *queue);

#endif
