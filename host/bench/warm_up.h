/* The rule when a layer is warmed up, for measure and `bench sweep-warmup`. */
#ifndef EPOCHCAST_BENCH_WARM_UP_H
#define EPOCHCAST_BENCH_WARM_UP_H

#include "bench/measure.h"

enum { WARM_UP_CALL_LIMIT = 64 };

/* True when the first `count` calls (1..WARM_UP_CALL_LIMIT) are enough warm-up: their running
 * median no longer falls, their total time reached warmup_ms, or their number warmup_calls. */
bool warm_up_is_over(const double *calls_ms, int count, const struct measure_options *options);

/* True when the first call is so long that it ends the warm-up and becomes the only sample: it
 * fills the cap. A call of that length is within noise of later ones, and a second would cost as
 * much. */
bool warm_up_is_sample(double first_ms, const struct measure_options *options);

#endif
