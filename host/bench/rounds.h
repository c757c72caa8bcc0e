/* The rounds of a sweep -> one row a config. A round visits the configs in an order of its own, so
 * that what disturbs the machine for a while meets different configs each time. The label is the
 * median of the fastest round: what shares a machine only ever slows it, and within a round the
 * interval of the median is 1-2 % wide where rounds differ by 2-40 % on a busy machine. Two sweeps
 * agree better so than by the median of the rounds (README, `sweep-noise`).
 */
#ifndef EPOCHCAST_BENCH_ROUNDS_H
#define EPOCHCAST_BENCH_ROUNDS_H

#include "bench/measure.h"

/* The row of `count` rounds of one config: the fastest of the timed ones (which are moved to the
 * front), with sums of the counts and of the work done, extremes of the extremes, the best outcome;
 * without a timed round: the last one. Rows joined before may be among them: the spread is at least
 * theirs. */
struct measurement rounds_join(struct measurement *rows, size_t count);

/* Joins rows of the same kind, device, draw, config and cache, in place; *count shrinks. Rows come
 * out sorted by these. */
void rounds_combine(struct measurement *rows, size_t *count);

/* (slowest - fastest) / median of the medians of `count` timed rounds; NaN for one. */
double rounds_spread_percent(const struct measurement *rows, size_t count);

#endif
