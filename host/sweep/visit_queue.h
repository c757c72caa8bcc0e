/* Which config a sweep measures next. Round 0 visits the draws in their order, with few samples;
 * the next rounds visit the same configs in shuffled orders; what time is left goes to the configs
 * whose rounds differ most, then to new draws. A config without a time is not visited again, nor a
 * slow one, whose single call takes longer than all rounds of another. It depends on the rows
 * alone, so a sweep that was cut off goes on where it was.
 */
#ifndef EPOCHCAST_SWEEP_VISIT_QUEUE_H
#define EPOCHCAST_SWEEP_VISIT_QUEUE_H

#include "bench/measure.h"

enum { ROUND_MAXIMUM = 9 }; /* visits of a config at most */

struct visit_queue_options {
    int64_t samples;       /* configs at most; 0: no limit */
    double time_budget_s;  /* 0: none */
    int rounds;            /* 1..ROUND_MAXIMUM */
    double target_percent; /* configs whose spread / sqrt(rounds) is below are not refined */
    uint64_t seed;         /* of the orders */
};

struct point; /* what is known of a config */

struct visit_queue {
    struct visit_queue_options options;
    struct point *points; /* (capacity), by position */
    int64_t count, capacity;
    int64_t limit;    /* positions to be visited; grows while time is left */
    int64_t *refined; /* positions to be refined, widest first */
    int64_t refined_count, cursor;
    int round;
};

/* Position 0.. of a config in the sweep, and which visit of it this is. */
struct visit {
    int64_t position;
    int32_t round;
};

void visit_queue_begin(struct visit_queue *queue, const struct visit_queue_options *options);
void visit_queue_free(struct visit_queue *queue);

/* The next visit, when `spent_s` of the budget are used; false: the sweep is over. */
bool visit_queue_next(struct visit *visit, struct visit_queue *queue, double spent_s);

/* Tells what a visit (of now, or of a sweep that is resumed) found. */
enum status visit_queue_note(struct visit_queue *queue, int64_t position,
                             const struct measurement *row, struct error *error);

/* Share that is done, 0..1, for the progress bar. */
double visit_queue_done(const struct visit_queue *queue, double spent_s);

/* Configs visited so far. */
int64_t visit_queue_config_count(const struct visit_queue *queue);

#endif
