/* The only place that times. Warm-up, batches of calls when one is too short for the clock, then
 * samples until the distribution-free 95 % confidence interval of the median is narrow enough.
 *
 * A label is the median time of one call of the layer's whole pass, with nothing else on the
 * device, and without launch gaps if the device can replay a recording. Operands are in the cache
 * as within a network's step (CACHE_STEP: operand_sets.h), as the previous call of the same layer
 * left them (CACHE_HOT), or not at all (CACHE_COLD: flushed before each sample).
 */
#ifndef EPOCHCAST_BENCH_MEASURE_H
#define EPOCHCAST_BENCH_MEASURE_H

#include "bench/check.h"

struct measure_options {
    double relative_ci;     /* stop when half-width <= this share of the median; 0.02 */
    double cap_ms;          /* timed work per config (one sample is taken in any case); 100 */
    double warmup_ms;       /* limit of the time of warm-up calls, plus one more call; 5 */
    int warmup_calls;       /* at most; 40 */
    double sample_floor_ms; /* repeat calls within a sample until it lasts this long; 0.01 */
    int minimum_samples;    /* needed before the interval may settle; the cap may end earlier; 6 */
    int maximum_samples;    /* 2000 */
    int32_t cache;          /* enum cache: how a call finds its operands; CACHE_HOT */
};
extern const struct measure_options measure_options_default;

struct measurement {
    struct layer_config config;
    int32_t outcome;     /* enum outcome; times are NaN unless ok, capped or slow */
    int32_t stratum;     /* enum stratum */
    int32_t device;      /* row of /devices/rows */
    int64_t draw;        /* index of the draw, or line of an import */
    int32_t cache;       /* enum cache */
    int32_t round;       /* of the sweep, from 0: rounds visit the configs in different orders */
    int32_t round_count; /* rounds combined in this row; 1 as measured */
    int32_t sample_count, repeats_per_sample, dropped_count;
    double median_ms; /* per call of the whole pass */
    double minimum_ms, maximum_ms, q25_ms, q75_ms;
    double ci_ms;          /* half-width of the 95 % interval of the median; NaN: one sample only */
    double spread_percent; /* (slowest - fastest) / median of the rounds' medians; NaN: one round */
    double eager_ms;     /* per call when the host enqueues call by call, launch gaps included; NaN:
                            the samples were taken so themselves, the cache is cold, or a call
                            takes over 1 ms */
    double setup_ms;     /* prepare */
    double warmup_ms;    /* calls that are not samples; timed by the device, as all calls */
    double measuring_ms; /* sum of all samples, dropped and eager ones included */
    int64_t workspace_bytes;
    double unix_time_s;                 /* when it was measured */
    int32_t timing;                     /* enum timing */
    int32_t engine;                     /* of the algorithm; -1: it has no number */
    double sm_clock_mhz, temperature_c; /* at the end of the measuring; NaN: unknown */
    int64_t clock_events;               /* struct conditions */
    double pressure_percent; /* share of the time in which some task waited for a processor; NaN */
    char algorithm[64], numerical_notes[64];
};

/* Times config on device and fills *row (config, outcome, times). Outcomes, not errors: out of
 * memory; unsupported (prepare reports it, or a call fails on a device that still works); slow
 * (first call above 4 x cap) and capped by the first call (above cap), both with that call as the
 * only sample; throttled (after three more tries with pauses between). An error means that the
 * device is unusable. Resets the device first: no plan may be live. If the backend can record,
 * samples are replays of a recording. On a device that is not the host, the very first call loads
 * code and does not count as the first call. */
enum status measure_config(struct measurement *row, struct device *device,
                           const struct layer_config *config, const struct measure_options *options,
                           struct error *error);

/* The same; then *check compares the results with their definition. Outcome incorrect where they
 * differ: the row has no times, *error says what differs, the status is that of success. A plan
 * whose elements cannot be read is not checked. */
enum status measure_and_check(struct measurement *row, struct check *check, struct device *device,
                              const struct layer_config *config,
                              const struct measure_options *options, struct error *error);

/* Fills the row of a config that could not be measured: no times; its time stamp is now. */
void measurement_fail(struct measurement *row, const struct layer_config *config,
                      enum outcome outcome, const struct measure_options *options);

/* Clears times and counts, as before the first call. */
void measurement_clear_times(struct measurement *row);

/* True when the row has a time to learn from: ok, capped, slow. */
bool measurement_is_timed(const struct measurement *row);

/* Times a function under the same protocol (verify's whole network step). call returns a status. */
struct measured_call {
    enum status (*call)(void *payload, struct error *error);
    void *payload;
    int cycle; /* calls until it works on the same memory again; 0: always the same */
};
enum status measure_call(struct measurement *row, struct device *device,
                         const struct measured_call *call, const struct measure_options *options,
                         struct error *error);

/* Times one call, as a replay if the device can record it: without its launch. */
enum status measure_one_call(double *elapsed_ms, struct device *device,
                             const struct measured_call *call, struct error *error);

#endif
