/* The rounds of a sweep -> one row per config. Each round measures the configs in its own order, so
 * that a temporary disturbance of the machine hits different configs each time. The label is the
 * median of the fastest round: other tenants only ever slow a machine down. On a busy machine the
 * interval of the median is 1-2 % wide within a round, but rounds differ by 2-40 %. Labels of two
 * sweeps agree better this way than with the median of the rounds (datasets/results.md,
 * `sweep-noise`). */
#ifndef EPOCHCAST_BENCH_ROUNDS_H
#define EPOCHCAST_BENCH_ROUNDS_H

#include "bench/measure.h"

/* The row of `count` rounds of one config: the fastest of the timed ones (which are moved to the
 * front), with sums of the counts and of the work done, extremes of the extremes, the best outcome;
 * without a timed round: the last one. A round that was incorrect voids the others. Some may be
 * joined already: the spread is at least theirs. */
struct measurement rounds_join(struct measurement *rows, size_t count);

/* Joins rows of the same kind, device, draw, config and cache, in place; *count shrinks. Rows come
 * out sorted by these. */
void rounds_combine(struct measurement *rows, size_t *count);

/* (slowest - fastest) / median of the medians of `count` timed rounds; NaN for one. */
double rounds_spread_percent(const struct measurement *rows, size_t count);

#endif
