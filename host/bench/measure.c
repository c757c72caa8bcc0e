#include "bench/measure.h"

#include "base/stats.h"
#include "base/term.h"
#include "layers/describe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SETTLE_SAMPLES = 6 }; /* below, the interval of the median is not a 95 % one */
enum { EAGER_SAMPLES = 5, RECORDED_REPEATS = 1000, THROTTLE_TRIES = 4 };

const struct measure_options measure_options_default = {
    .relative_ci = 0.02,
    .cap_ms = 100,
    .warmup_ms = 20,
    .warmup_runs = 20,
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
    double *disturbed;        /* kept in case that every sample was disturbed */
    int count, disturbed_count, sample_limit;
    double spent_ms; /* timed work so far */
    bool recorded;   /* a sample is a replay of all its repeats */
};

bool measurement_is_timed(const struct measurement *row)
{
    return row->outcome == OUTCOME_OK || row->outcome == OUTCOME_CAPPED ||
           row->outcome == OUTCOME_SLOW;
}

/* `repeats` calls between the device's timer marks. */
static enum status time_calls(double *elapsed_ms, struct run *run, int repeats, struct error *error)
{
    const struct backend *backend = run->device->backend;
    if (run->options->cold_cache)
        backend->flush_cache(run->device);
    TRY(backend->timer_start(run->device, error));
    if (run->recorded)
        TRY(backend->replay(run->device, error));
    for (int i = 0; i < repeats && !run->recorded; i++)
        TRY(run->call->call(run->call->payload, error));
    return backend->timer_stop(run->device, elapsed_ms, error);
}

/* Records the repeats of a sample where the backend can and the work allows it. */
static enum status record(struct run *run, struct error *error)
{
    const struct backend *backend = run->device->backend;
    enum status status = STATUS_OK;
    run->row->timing = backend->timing;
    if (!backend->record_start)
        return STATUS_OK;
    TRY(backend->record_start(run->device, error));
    for (int i = 0; i < run->row->repeats_per_sample && status == STATUS_OK; i++)
        status = run->call->call(run->call->payload, error);
    enum status stopped = backend->record_stop(run->device, error);
    run->recorded = status == STATUS_OK && stopped == STATUS_OK;
    if (!run->recorded)
        return STATUS_OK; /* samples enqueue call by call, and the row says so */
    double elapsed_ms;
    run->row->timing = TIMING_GRAPH;
    return time_calls(&elapsed_ms, run, 0, error); /* the recording's own first use */
}

/* By the host's clock: what a program sees that enqueues call by call. */
static enum status time_eagerly(struct run *run, struct error *error)
{
    double samples_ms[EAGER_SAMPLES], ignored_ms;
    int repeats = run->row->repeats_per_sample;
    if (!run->recorded)
        return STATUS_OK;
    run->recorded = false;
    for (int i = 0; i < EAGER_SAMPLES; i++) {
        double started_s = monotonic_s();
        TRY(time_calls(&ignored_ms, run, repeats, error));
        double elapsed_ms = 1e3 * (monotonic_s() - started_s);
        samples_ms[i] = elapsed_ms / repeats;
        run->row->measuring_ms += elapsed_ms;
    }
    stats_sort(samples_ms, EAGER_SAMPLES);
    run->row->eager_ms = stats_quantile(samples_ms, EAGER_SAMPLES, 0.5);
    return STATUS_OK;
}

/* First call, then more until warmup_ms or warmup_runs. *call_ms: the fastest. */
static enum status warm_up(double *first_ms, double *call_ms, struct run *run, struct error *error)
{
    TRY(time_calls(first_ms, run, 1, error));
    double sum_ms = *first_ms;
    *call_ms = *first_ms;
    for (int i = 1; i < run->options->warmup_runs && sum_ms < run->options->warmup_ms; i++) {
        double elapsed_ms;
        TRY(time_calls(&elapsed_ms, run, 1, error));
        sum_ms += elapsed_ms;
        *call_ms = fmin(*call_ms, elapsed_ms);
    }
    run->row->warmup_ms = sum_ms;
    return STATUS_OK;
}

static int repeats_for(double call_ms, const struct run *run)
{
    const struct backend *backend = run->device->backend;
    double floor_ms = fmax(run->options->sample_floor_ms, backend->sample_floor_ms);
    double limit = backend->record_start ? RECORDED_REPEATS : 10000;
    if (run->options->cold_cache || call_ms >= floor_ms)
        return 1;
    return (int)fmin(ceil(floor_ms / fmax(call_ms, 1e-6)), limit);
}

static bool is_disturbed(const struct run *run)
{
    const struct backend *backend = run->device->backend;
    return backend->disturbed && backend->disturbed(run->device);
}

static enum status take_sample(struct run *run, struct error *error)
{
    double elapsed_ms;
    TRY(time_calls(&elapsed_ms, run, run->row->repeats_per_sample, error));
    run->spent_ms += elapsed_ms;
    double call_ms = elapsed_ms / run->row->repeats_per_sample;
    if (is_disturbed(run))
        run->disturbed[run->disturbed_count++] = call_ms;
    else
        run->samples[run->count++] = call_ms;
    return STATUS_OK;
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

/* Samples until the interval is narrow, or a limit is reached. The cap binds before the minimum of
 * samples does: layers above cap / 6 would otherwise take most of a sweep's time. The interval is
 * looked at after geometrically spaced counts, so that sorting costs little beside the samples. */
static enum status sample_until_settled(struct run *run, struct error *error)
{
    const struct measure_options *options = run->options;
    int next_check = options->minimum_samples > SETTLE_SAMPLES ? options->minimum_samples
                                                               : SETTLE_SAMPLES;
    run->row->outcome = OUTCOME_CAPPED;
    while (run->count + run->disturbed_count < run->sample_limit) {
        TRY(take_sample(run, error));
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

static enum status run_protocol(struct run *run, struct error *error)
{
    double first_ms, call_ms;
    TRY(time_calls(&first_ms, run, 0, error)); // the timer's own first use
    TRY(warm_up(&first_ms, &call_ms, run, error));
    run->row->repeats_per_sample = 1;
    if (first_ms > 4 * run->options->cap_ms) {
        run->samples[run->count++] = first_ms;
        run->row->outcome = OUTCOME_SLOW;
    } else {
        run->row->repeats_per_sample = repeats_for(call_ms, run);
        TRY(record(run, error));
        TRY(sample_until_settled(run, error));
        run->row->measuring_ms = run->spent_ms;
        TRY(time_eagerly(run, error));
    }
    summarise(run);
    return STATUS_OK;
}

static void clear_times(struct measurement *row)
{
    row->median_ms = row->minimum_ms = row->maximum_ms = NAN;
    row->q25_ms = row->q75_ms = row->ci_ms = row->eager_ms = NAN;
    row->sample_count = row->repeats_per_sample = row->dropped_count = 0;
    row->warmup_ms = row->measuring_ms = 0;
}

enum status measure_call(struct measurement *row, struct device *device,
                         const struct measured_call *call, const struct measure_options *options,
                         struct error *error)
{
    clear_times(row);
    int limit = options->maximum_samples > 1 ? options->maximum_samples : 1;
    double *buffer;
    TRY(error_allocate((void **)&buffer, 3 * (size_t)limit, sizeof *buffer, "samples", error));
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

struct planned_call {
    struct plan *plan;
    int phases;
};

static enum status enqueue_plan(void *payload, struct error *error)
{
    const struct planned_call *call = payload;
    return call->plan->bench->enqueue(call->plan, call->phases, error);
}

static double unix_time_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Out of memory and unsupported are what the row says; everything else ends the measuring. */
static enum status settle_failure(struct measurement *row, enum status status, enum outcome outcome)
{
    clear_times(row);
    if (status == STATUS_OUT_OF_MEMORY)
        row->outcome = OUTCOME_OUT_OF_MEMORY;
    else if (outcome == OUTCOME_UNSUPPORTED)
        row->outcome = OUTCOME_UNSUPPORTED;
    else
        return status;
    return STATUS_OK;
}

static struct conditions conditions_now(struct device *device)
{
    struct conditions conditions = {.sm_clock_mhz = NAN, .temperature_c = NAN, .stall_ms = NAN};
    if (device->backend->conditions)
        device->backend->conditions(device, &conditions);
    return conditions;
}

static void note_conditions(struct measurement *row, const struct conditions *before,
                            const struct conditions *after, double elapsed_ms)
{
    row->sm_clock_mhz = after->sm_clock_mhz;
    row->temperature_c = after->temperature_c;
    row->clock_events = after->clock_events;
    const double percent = 100 * (after->stall_ms - before->stall_ms) / elapsed_ms;
    row->pressure_percent = percent > 100 ? 100 : percent; /* the kernel's clock is coarser */
}

/* Times the plan; a device that throttles gets pauses and three more tries. */
static enum status measure_plan(struct measurement *row, struct device *device, struct plan *plan,
                                const struct measure_options *options, struct error *error)
{
    struct planned_call planned = {.plan = plan, .phases = phases_of(&row->config)};
    const struct measured_call call = {.call = enqueue_plan, .payload = &planned};
    for (int i = 0; i < THROTTLE_TRIES; i++) {
        const double started_s = monotonic_s();
        const struct conditions before = conditions_now(device);
        TRY(measure_call(row, device, &call, options, error));
        const struct conditions after = conditions_now(device);
        note_conditions(row, &before, &after, 1e3 * (monotonic_s() - started_s));
        if (!after.throttled)
            return STATUS_OK;
        const struct timespec pause = {.tv_nsec = 50000000L << i};
        nanosleep(&pause, NULL);
    }
    clear_times(row);
    row->outcome = OUTCOME_THROTTLED;
    return STATUS_OK;
}

/* An error that ends the measuring says at which config. */
static enum status name_config(enum status status, const struct layer_config *config,
                               struct error *error)
{
    char text[256];
    if (status == STATUS_OK || !error)
        return status;
    size_t length = strlen(error->message);
    describe_config(text, sizeof text, config);
    snprintf(error->message + length, sizeof error->message - length, "; measured %s", text);
    return status;
}

void measurement_fail(struct measurement *row, const struct layer_config *config,
                      enum outcome outcome, const struct measure_options *options)
{
    *row = (struct measurement){.config = *config,
                                .outcome = outcome,
                                .unix_time_s = unix_time_s(),
                                .cache = options->cold_cache ? CACHE_COLD : CACHE_HOT,
                                .round_count = 1,
                                .spread_percent = NAN,
                                .pressure_percent = NAN,
                                .engine = -1,
                                .sm_clock_mhz = NAN,
                                .temperature_c = NAN};
    clear_times(row);
}

enum status measure_config(struct measurement *row, struct device *device,
                           const struct layer_config *config, const struct measure_options *options,
                           struct error *error)
{
    const struct bench *bench = device->backend->bench[config->kind];
    measurement_fail(row, config, OUTCOME_OK, options);
    row->timing = device->backend->timing;
    if (!bench)
        return settle_failure(row, STATUS_FAILED, OUTCOME_UNSUPPORTED);
    struct plan *plan = NULL;
    enum outcome outcome = OUTCOME_OK;
    device->backend->reset(device);
    double started_s = monotonic_s();
    enum status status = bench->prepare(&plan, device, config, NULL, &outcome, error);
    row->setup_ms = 1e3 * (monotonic_s() - started_s);
    if (status != STATUS_OK)
        return name_config(settle_failure(row, status, outcome), config, error);
    row->workspace_bytes = plan->workspace_bytes;
    row->engine = plan->engine;
    snprintf(row->algorithm, sizeof row->algorithm, "%s", plan->algorithm);
    snprintf(row->numerical_notes, sizeof row->numerical_notes, "%s", plan->numerical_notes);
    status = measure_plan(row, device, plan, options, error);
    bench->release(plan);
    return name_config(status, config, error);
}
