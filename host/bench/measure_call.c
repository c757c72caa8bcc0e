#include "base/clock.h"
#include "bench/measure.h"
#include "bench/warm_up.h"

#include "base/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SETTLE_SAMPLES = 6 }; /* with fewer, the interval of the median has less than 95 % */
enum { EAGER_SAMPLES = 5, CALL_REPEATS = 10000, RECORDED_REPEATS = 1000, RECORDINGS = 2 };
static const double eager_limit_ms = 1; /* longer calls hide launch gaps */

const struct measure_options measure_options_default = {
    .relative_ci = 0.02,
    .cap_ms = 100,
    .warmup_ms = 5,
    .warmup_calls = 40,
    .sample_floor_ms = 0.01,
    .minimum_samples = 6,
    .maximum_samples = 2000,
};

/* One measurement under way. */
struct run {
    struct device *device;
    const struct measured_call *call;
    const struct measure_options *options;
    struct measurement *row;
    double *samples, *sorted; /* (sample_limit), ms per call */
    double *disturbed;        /* kept in case every sample was disturbed */
    int count, disturbed_count, sample_limit;
    double spent_ms; /* timed work so far */
    bool recorded;   /* a sample is a replay of all its repeats */
};

/* ---- calls ---- */

/* `repeats` calls between the device's timer marks; of a recording: one replay of it. */
static enum status time_calls(double *elapsed_ms, struct run *run, int repeats, struct error *error)
{
    const struct backend *backend = run->device->backend;
    if (run->options->cache == CACHE_COLD)
        backend->flush_cache(run->device);
    TRY(backend->timer_start(run->device, error));
    if (run->recorded)
        TRY(backend->replay(run->device, error));
    for (int i = 0; i < repeats && !run->recorded; i++)
        TRY(run->call->call(run->call->payload, error));
    return backend->timer_stop(run->device, elapsed_ms, error);
}

static enum status record_calls(bool *recorded, struct device *device,
                                const struct measured_call *call, int repeats, struct error *error)
{
    const struct backend *backend = device->backend;
    enum status status = STATUS_OK;
    *recorded = false;
    if (!backend->record_start)
        return STATUS_OK;
    TRY(backend->record_start(device, error));
    for (int i = 0; i < repeats && status == STATUS_OK; i++)
        status = call->call(call->payload, error);
    const enum status stopped = backend->record_stop(device, error);
    *recorded = status == STATUS_OK && stopped == STATUS_OK;
    return STATUS_OK;
}

enum status measure_one_call(double *elapsed_ms, struct device *device,
                             const struct measured_call *call, struct error *error)
{
    const struct backend *backend = device->backend;
    bool recorded;
    TRY(record_calls(&recorded, device, call, 1, error));
    TRY(backend->timer_start(device, error));
    TRY(recorded ? backend->replay(device, error) : call->call(call->payload, error));
    return backend->timer_stop(device, elapsed_ms, error);
}

/* ---- before the samples ---- */

/* Calls until the warm-up rule is satisfied. On a device other than the host, the first call loads
 * code, on the host and between the timer's marks: it says nothing about later calls. */
static enum status warm_up(double *calls_ms, int *count, struct run *run, struct error *error)
{
    if (!device_is_host(run->device))
        TRY(time_calls(&run->row->warmup_ms, run, 1, error));
    *count = 0;
    do
        TRY(time_calls(&calls_ms[(*count)++], run, 1, error));
    while (!warm_up_is_over(calls_ms, *count, run->options));
    return STATUS_OK;
}

/* A recording repeats whole cycles of the call: replayed again and again, a few of its operands
 * would stay in the cache. Unless that takes long: such a call has more to do than to fetch them.
 */
static double whole_cycles(double repeats, double call_ms, const struct run *run)
{
    const int cycle = run->call->cycle;
    if (!run->device->backend->record_start || cycle <= 1)
        return repeats;
    const double wanted = cycle * ceil(repeats / cycle);
    return fmax(repeats, fmin(wanted, floor(run->options->warmup_ms / call_ms)));
}

static int repeats_for(double call_ms, const struct run *run)
{
    const struct backend *backend = run->device->backend;
    const double floor_ms = fmax(run->options->sample_floor_ms, backend->sample_floor_ms);
    const double limit = backend->record_start ? RECORDED_REPEATS : CALL_REPEATS;
    if (run->options->cache == CACHE_COLD)
        return 1;
    const double repeats = call_ms >= floor_ms ? 1 : ceil(floor_ms / fmax(call_ms, 1e-6));
    return (int)fmin(whole_cycles(repeats, call_ms, run), limit);
}

/* ---- samples ---- */

static bool is_disturbed(const struct run *run)
{
    const struct backend *backend = run->device->backend;
    return backend->disturbed && backend->disturbed(run->device);
}

static void note_sample(struct run *run, double elapsed_ms)
{
    const double call_ms = elapsed_ms / run->row->repeats_per_sample;
    run->spent_ms += elapsed_ms;
    if (is_disturbed(run))
        run->disturbed[run->disturbed_count++] = call_ms;
    else
        run->samples[run->count++] = call_ms;
}

/* Records the repeats of a sample if the backend and the work allow it. A replayed call has no
 * launch gap: the first replay shows how many repeats fill a sample. It is also the first use of
 * the recording, so it is only a sample if it is long enough to hide that. */
static enum status record(struct run *run, struct error *error)
{
    struct measurement *row = run->row;
    for (int recordings = 1;; recordings++) {
        double replay_ms;
        TRY(record_calls(&run->recorded, run->device, run->call, row->repeats_per_sample, error));
        row->timing = run->recorded ? TIMING_GRAPH : run->device->backend->timing;
        if (!run->recorded)
            return STATUS_OK; /* samples enqueue call by call */
        TRY(time_calls(&replay_ms, run, 0, error));
        if (replay_ms >= run->options->warmup_ms)
            return note_sample(run, replay_ms), STATUS_OK;
        row->warmup_ms += replay_ms;
        const int wanted = repeats_for(replay_ms / row->repeats_per_sample, run);
        if (recordings == RECORDINGS || wanted <= row->repeats_per_sample * 5 / 4)
            return STATUS_OK;
        row->repeats_per_sample = wanted;
    }
}

static double half_width(const double *sorted, int count)
{
    struct stats_interval interval = stats_median_interval(sorted, (size_t)count);
    return (interval.high - interval.low) / 2;
}

static bool is_settled(struct run *run)
{
    memcpy(run->sorted, run->samples, (size_t)run->count * sizeof *run->sorted);
    stats_sort(run->sorted, (size_t)run->count);
    double median = stats_quantile(run->sorted, (size_t)run->count, 0.5);
    return half_width(run->sorted, run->count) <= run->options->relative_ci * median;
}

/* Samples until the interval is narrow or a limit is reached. The cap takes precedence over the
 * minimum number of samples: layers above cap / 6 would otherwise take most of a sweep's time. The
 * interval is checked after geometrically spaced counts, so that sorting costs little compared with
 * the samples. */
static enum status sample_until_settled(struct run *run, struct error *error)
{
    const struct measure_options *options = run->options;
    int next_check = options->minimum_samples > SETTLE_SAMPLES ? options->minimum_samples
                                                               : SETTLE_SAMPLES;
    run->row->outcome = OUTCOME_CAPPED;
    while (run->count + run->disturbed_count < run->sample_limit) {
        double elapsed_ms;
        TRY(time_calls(&elapsed_ms, run, run->row->repeats_per_sample, error));
        note_sample(run, elapsed_ms);
        if (run->count >= next_check) {
            if (is_settled(run)) {
                run->row->outcome = OUTCOME_OK;
                return STATUS_OK;
            }
            next_check += next_check / 4 + 1;
        }
        if (run->spent_ms >= options->cap_ms)
            return STATUS_OK;
    }
    return STATUS_OK;
}

/* Disturbed samples are dropped and counted, but never all of them. */
static void summarise(struct run *run)
{
    struct measurement *row = run->row;
    bool only_disturbed = run->count == 0;
    double *samples = only_disturbed ? run->disturbed : run->samples;
    int count = only_disturbed ? run->disturbed_count : run->count;
    stats_sort(samples, (size_t)count);
    row->sample_count = count;
    row->dropped_count = only_disturbed ? 0 : run->disturbed_count;
    row->median_ms = stats_quantile(samples, (size_t)count, 0.5);
    row->minimum_ms = samples[0];
    row->maximum_ms = samples[count - 1];
    row->q25_ms = stats_quantile(samples, (size_t)count, 0.25);
    row->q75_ms = stats_quantile(samples, (size_t)count, 0.75);
    row->ci_ms = count > 1 ? half_width(samples, count) : NAN;
}

/* By the host's clock, as a program that enqueues call by call sees it. With a cold cache the clock
 * would include the flush. */
static enum status time_eagerly(struct run *run, struct error *error)
{
    double samples_ms[EAGER_SAMPLES], ignored_ms;
    const int repeats = run->row->repeats_per_sample;
    if (!run->recorded || run->options->cache == CACHE_COLD || run->row->median_ms > eager_limit_ms)
        return STATUS_OK;
    run->recorded = false;
    for (int i = 0; i < EAGER_SAMPLES; i++) {
        const double started_s = monotonic_s();
        TRY(time_calls(&ignored_ms, run, repeats, error));
        const double elapsed_ms = 1e3 * (monotonic_s() - started_s);
        samples_ms[i] = elapsed_ms / repeats;
        run->row->measuring_ms += elapsed_ms;
    }
    stats_sort(samples_ms, EAGER_SAMPLES);
    run->row->eager_ms = stats_quantile(samples_ms, EAGER_SAMPLES, 0.5);
    return STATUS_OK;
}

/* ---- the protocol ---- */

static enum status take_samples(struct run *run, const double *calls_ms, int count,
                                struct error *error)
{
    double fastest_ms = INFINITY;
    for (int i = 0; i < count; i++) {
        run->row->warmup_ms += calls_ms[i];
        fastest_ms = fmin(fastest_ms, calls_ms[i]);
    }
    run->row->repeats_per_sample = repeats_for(fastest_ms, run);
    TRY(record(run, error));
    return sample_until_settled(run, error);
}

/* The first call is the only sample. */
static void keep_first_call(struct run *run, double first_ms)
{
    run->row->outcome = first_ms > 4 * run->options->cap_ms ? OUTCOME_SLOW : OUTCOME_CAPPED;
    note_sample(run, first_ms);
}

static enum status run_protocol(struct run *run, struct error *error)
{
    double calls_ms[WARM_UP_CALL_LIMIT], ignored_ms;
    int count;
    run->row->timing = run->device->backend->timing;
    run->row->repeats_per_sample = 1;
    TRY(time_calls(&ignored_ms, run, 0, error)); // the timer's own first use
    TRY(warm_up(calls_ms, &count, run, error));
    if (warm_up_is_sample(calls_ms[0], run->options))
        keep_first_call(run, calls_ms[0]);
    else
        TRY(take_samples(run, calls_ms, count, error));
    run->row->measuring_ms = run->spent_ms;
    summarise(run);
    return time_eagerly(run, error);
}

enum status measure_call(struct measurement *row, struct device *device,
                         const struct measured_call *call, const struct measure_options *options,
                         struct error *error)
{
    measurement_clear_times(row);
    int limit = options->maximum_samples > 1 ? options->maximum_samples : 1;
    double *buffer;
    TRY(ALLOCATE(&buffer, 3 * (size_t)limit, "samples", error));
    struct run run = {.device = device,
                      .call = call,
                      .options = options,
                      .row = row,
                      .samples = buffer,
                      .sorted = buffer + limit,
                      .disturbed = buffer + 2 * (size_t)limit,
                      .sample_limit = limit};
    enum status status = run_protocol(&run, error);
    free(buffer);
    return status;
}
