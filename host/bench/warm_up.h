/* When the first calls of a layer have warmed it up: one rule for measure and `bench sweep-warmup`.
 */
#ifndef EPOCHCAST_BENCH_WARM_UP_H
#define EPOCHCAST_BENCH_WARM_UP_H

#include "bench/measure.h"

enum { WARM_UP_CALL_LIMIT = 64 };

/* True when the first `count` calls (1..WARM_UP_CALL_LIMIT) are warm-up enough: their running
 * median falls no more, or they took warmup_ms in all, or they are warmup_calls. */
bool warm_up_is_over(const double *calls_ms, int count, const struct measure_options *options);

/* True when the first call is a sample, and the only one: it ends the warm-up and fills the cap.
 * A call of that length is within noise of those after it, and a second one costs as much. */
bool warm_up_is_sample(double first_ms, const struct measure_options *options);

#endif
