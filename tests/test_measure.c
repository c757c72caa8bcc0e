/* The protocol of measuring, on a scripted device with a virtual clock. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/measure.h"

/* Time of call `index` (from 0), and whether the sample that holds it is disturbed. */
typedef double call_time(int index);
typedef bool call_disturbed(int index);

struct scripted {
    struct device base;
    call_time *time;
    call_disturbed *disturbed;
    int failing_call;             /* -1: none */
    enum status prepare_status;   /* what prepare returns ... */
    enum outcome prepare_outcome; /* ... and says */
    double clock_ms, started_ms;
    int calls, live_plans, resets, flushes, timer_starts;
    int phases; /* of the last enqueue */
    bool recording, refuses_recording, dies_of_failing, is_dead;
    int recorded_calls, replays, throttled_tries, conditions_read;
    double replayed_call_ms; /* 0: 0.002 */
};

static struct scripted *scripted_of(struct device *device)
{
    return (struct scripted *)device;
}

static enum status timer_start(struct device *device, struct error *error)
{
    if (scripted_of(device)->is_dead)
        return FAIL(error, STATUS_FAILED, "scripted death of the device");
    scripted_of(device)->started_ms = scripted_of(device)->clock_ms;
    scripted_of(device)->timer_starts++;
    return STATUS_OK;
}

static enum status timer_stop(struct device *device, double *elapsed_ms, struct error *error)
{
    (void)error;
    *elapsed_ms = scripted_of(device)->clock_ms - scripted_of(device)->started_ms;
    return STATUS_OK;
}

static void flush_cache(struct device *device)
{
    scripted_of(device)->flushes++;
}

static void reset(struct device *device)
{
    assert_int_equal(scripted_of(device)->live_plans, 0);
    scripted_of(device)->resets++;
}

static bool disturbed(struct device *device)
{
    const struct scripted *scripted = scripted_of(device);
    return scripted->disturbed && scripted->disturbed(scripted->calls - 1);
}

struct scripted_plan {
    struct plan base;
    struct scripted *device;
};

static const struct bench scripted_bench;

static enum status prepare(struct plan **plan, struct device *device,
                           const struct layer_config *config, struct plan *const *inputs,
                           enum outcome *outcome, struct error *error)
{
    (void)config;
    assert_null(inputs);
    struct scripted *scripted = scripted_of(device);
    *plan = NULL;
    if (scripted->prepare_status != STATUS_OK) {
        *outcome = scripted->prepare_outcome;
        return FAIL(error, scripted->prepare_status, "scripted failure of prepare");
    }
    struct scripted_plan *made = calloc(1, sizeof *made);
    assert_non_null(made);
    *made = (struct scripted_plan){.base = {.bench = &scripted_bench,
                                            .algorithm = "scripted",
                                            .numerical_notes = "noted",
                                            .engine = 7,
                                            .workspace_bytes = 4096},
                                   .device = scripted};
    scripted->live_plans++;
    *plan = &made->base;
    return STATUS_OK;
}

static enum status enqueue(struct plan *plan, int phases, struct error *error)
{
    struct scripted *scripted = ((struct scripted_plan *)plan)->device;
    scripted->phases = phases;
    scripted->is_dead = scripted->dies_of_failing && scripted->calls == scripted->failing_call;
    if (scripted->calls == scripted->failing_call)
        return FAIL(error, STATUS_FAILED, "scripted failure of call %d", scripted->calls);
    if (scripted->recording) {
        scripted->recorded_calls++;
        return STATUS_OK;
    }
    scripted->clock_ms += scripted->time(scripted->calls++);
    return STATUS_OK;
}

static void release(struct plan *plan)
{
    ((struct scripted_plan *)plan)->device->live_plans--;
    free(plan);
}

static const struct bench scripted_bench = {prepare, enqueue, release};
static const struct backend scripted_backend = {
    .name = "scripted",
    .timer_start = timer_start,
    .timer_stop = timer_stop,
    .flush_cache = flush_cache,
    .reset = reset,
    .disturbed = disturbed,
    .bench = {[LAYER_DENSE] = &scripted_bench}, /* others: no implementation */
};

static struct scripted scripted_device(call_time *time)
{
    return (struct scripted){.base.backend = &scripted_backend, .time = time, .failing_call = -1};
}

static const struct layer_config dense = {.kind = LAYER_DENSE,
                                          .batch_size = 1,
                                          .pass = PASS_FORWARD,
                                          .as.dense = {.inputs = 2, .outputs = 3}};

/* Measures dense with these options and demands that nothing leaks. */
static struct measurement measured(struct scripted *scripted, const struct measure_options *options)
{
    struct error error = {0};
    struct measurement row;
    memset(&row, 0xAA, sizeof row);
    if (measure_config(&row, &scripted->base, &dense, options, &error) != STATUS_OK)
        fail_msg("measure_config: %s", error.message);
    assert_int_equal(scripted->live_plans, 0);
    return row;
}

static void assert_near(double got, double wanted)
{
    if (!(fabs(got - wanted) <= 1e-9 * fmax(1, fabs(wanted))))
        fail_msg("got %.12g, wanted %.12g", got, wanted);
}

static double steady(int index)
{
    (void)index;
    return 1.0;
}

static void steady_times_stop_at_the_minimum(void **state)
{
    (void)state;
    struct scripted scripted = scripted_device(steady);
    struct measurement row = measured(&scripted, &measure_options_default);
    assert_int_equal(row.outcome, OUTCOME_OK);
    assert_int_equal(row.sample_count, 6);
    assert_int_equal(row.repeats_per_sample, 1);
    assert_int_equal(row.dropped_count, 0);
    assert_near(row.median_ms, 1);
    assert_near(row.ci_ms, 0);
    assert_near(row.warmup_ms, 5);
    assert_near(row.measuring_ms, 6);
    assert_int_equal(scripted.calls, 5 + 6);
    assert_int_equal(row.workspace_bytes, 4096);
    assert_string_equal(row.algorithm, "scripted");
    assert_string_equal(row.numerical_notes, "noted");
    assert_int_equal(row.engine, 7);
    assert_int_equal(row.timing, TIMING_HOST_CLOCK);
    assert_true(isnan(row.eager_ms) && isnan(row.sm_clock_mhz));
    assert_memory_equal(&row.config, &dense, sizeof dense);
    assert_true(row.unix_time_s > 1.7e9 && row.setup_ms >= 0);
    assert_int_equal(scripted.resets, 1);
    assert_int_equal(scripted.phases, PHASE_FORWARD);
}

static void asked_minimum_of_samples_is_taken(void **state)
{
    (void)state;
    struct measure_options options = measure_options_default;
    options.minimum_samples = 17;
    struct scripted scripted = scripted_device(steady);
    assert_int_equal(measured(&scripted, &options).sample_count, 17);
    options.minimum_samples = 1; /* fewer than 6 have no 95 % interval */
    scripted = scripted_device(steady);
    assert_int_equal(measured(&scripted, &options).sample_count, 6);
}

/* The first call is slow: it belongs to the warm-up. */
static double slow_start(int index)
{
    return index < 1 ? 15 : 0.5;
}

static void warm_up_is_left_out(void **state)
{
    (void)state;
    struct scripted scripted = scripted_device(slow_start);
    struct measurement row = measured(&scripted, &measure_options_default);
    assert_near(row.warmup_ms, 15);
    assert_near(row.median_ms, 0.5);
    assert_near(row.maximum_ms, 0.5);
    assert_int_equal(row.outcome, OUTCOME_OK);
    assert_int_equal(scripted.calls, 1 + 6);
}

/* Falls for 12 calls. */
static double falling(int index)
{
    return index < 12 ? 0.1 * pow(0.9, index) : 0.1 * pow(0.9, 12);
}

static double fallen(int index)
{
    return falling(12 + index);
}

static void warm_up_ends_when_the_median_has_settled(void **state)
{
    (void)state;
    struct scripted scripted = scripted_device(falling);
    struct measurement row = measured(&scripted, &measure_options_default);
    assert_near(row.minimum_ms, row.maximum_ms); /* no sample is of the fall */
    assert_in_range(scripted.calls, 12 + 8 + 6, 12 + 16 + 6);
    scripted = scripted_device(fallen);
    measured(&scripted, &measure_options_default);
    assert_int_equal(scripted.calls, 16 + 6);
    struct measure_options options = measure_options_default;
    options.warmup_calls = 3;
    scripted = scripted_device(falling);
    row = measured(&scripted, &options);
    assert_near(row.maximum_ms, falling(3));
}

/* A wide but narrowing distribution: 1 ms +- 4 % in a fixed pattern. */
static double spread(int index)
{
    return 1 + 0.04 * ((index * 7) % 11 - 5) / 5;
}

static void noisy_times_take_more_samples(void **state)
{
    (void)state;
    struct scripted scripted = scripted_device(spread);
    struct measurement row = measured(&scripted, &measure_options_default);
    assert_int_equal(row.outcome, OUTCOME_OK);
    assert_true(row.sample_count > 6 && row.sample_count < 100);
    assert_true(row.ci_ms > 0 && row.ci_ms <= 0.02 * row.median_ms);
    assert_true(row.minimum_ms <= row.q25_ms && row.q25_ms < row.median_ms);
    assert_true(row.median_ms < row.q75_ms && row.q75_ms <= row.maximum_ms);
    struct measure_options options = measure_options_default;
    options.relative_ci = 0.01;
    scripted = scripted_device(spread);
    assert_true(measured(&scripted, &options).sample_count > row.sample_count);
}

/* Two levels that never settle. */
static double alternating(int index)
{
    return index % 2 ? 1 : 3;
}

static void cap_ends_measuring(void **state)
{
    (void)state;
    struct scripted scripted = scripted_device(alternating);
    struct measurement row = measured(&scripted, &measure_options_default);
    assert_int_equal(row.outcome, OUTCOME_CAPPED);
    assert_int_equal(row.sample_count, 50); /* 2 ms each, 100 ms in all */
    assert_near(row.measuring_ms, 100);
    assert_near(row.median_ms, 2);
    assert_true(row.ci_ms > 0.02 * row.median_ms);
    assert_true(measurement_is_timed(&row));
}

static double tiny_alternating(int index)
{
    return index % 2 ? 0.015 : 0.03;
}

static void maximum_of_samples_ends_measuring(void **state)
{
    (void)state;
    struct scripted scripted = scripted_device(tiny_alternating);
    struct measurement row = measured(&scripted, &measure_options_default);
    assert_int_equal(row.outcome, OUTCOME_CAPPED);
    assert_int_equal(row.sample_count, 2000);
    struct measure_options options = measure_options_default;
    options.maximum_samples = 0; /* one is taken even so */
    scripted = scripted_device(tiny_alternating);
    row = measured(&scripted, &options);
    assert_int_equal(row.sample_count, 1);
    assert_true(isnan(row.ci_ms) && row.median_ms > 0);
}

static double large(int index)
{
    (void)index;
    return 150;
}

static void large_layer_is_capped_at_one_sample(void **state)
{
    (void)state;
    struct scripted scripted = scripted_device(large);
    struct measurement row = measured(&scripted, &measure_options_default);
    assert_int_equal(row.outcome, OUTCOME_CAPPED);
    assert_int_equal(row.sample_count, 1);
    assert_int_equal(scripted.calls, 1); /* which fills the cap: it is no warm-up */
    assert_near(row.median_ms, 150);
    assert_near(row.measuring_ms, 150);
    assert_near(row.warmup_ms, 0);
    assert_true(isnan(row.ci_ms)); /* unknown, not zero */
}

/* A cap below what warming up takes makes no sample of a first call. */
static double first_is_half_longer(int index)
{
    return index < 1 ? 1.5 : 1;
}

static void first_call_is_no_sample_of_a_low_cap(void **state)
{
    (void)state;
    struct measure_options options = measure_options_default;
    options.cap_ms = 0.3;
    struct scripted scripted = scripted_device(first_is_half_longer);
    struct measurement row = measured(&scripted, &options);
    assert_int_equal(row.outcome, OUTCOME_CAPPED);
    assert_near(row.median_ms, 1);
}

static double very_slow(int index)
{
    (void)index;
    return 401;
}

static void slow_layer_keeps_its_first_call(void **state)
{
    (void)state;
    struct scripted scripted = scripted_device(very_slow);
    struct measurement row = measured(&scripted, &measure_options_default);
    assert_int_equal(row.outcome, OUTCOME_SLOW);
    assert_int_equal(row.sample_count, 1);
    assert_int_equal(scripted.calls, 1);
    assert_near(row.median_ms, 401);
    assert_near(row.measuring_ms, 401);
    assert_near(row.warmup_ms, 0);
    assert_true(measurement_is_timed(&row));
}

static double microseconds(int index)
{
    (void)index;
    return 0.0015;
}

static void short_calls_are_batched(void **state)
{
    (void)state;
    struct scripted scripted = scripted_device(microseconds);
    struct measurement row = measured(&scripted, &measure_options_default);
    assert_int_equal(row.repeats_per_sample, 7); /* 10.5 us */
    assert_near(row.median_ms, 0.0015);
    assert_int_equal(scripted.calls, 16 + 6 * 7);
    struct measure_options options = measure_options_default;
    options.cold_cache = true; /* a second call in the sample would be warm */
    scripted = scripted_device(microseconds);
    row = measured(&scripted, &options);
    assert_int_equal(row.repeats_per_sample, 1);
    assert_int_equal(scripted.flushes, scripted.timer_starts);
}

static double zero(int index)
{
    (void)index;
    return 0;
}

static void clock_that_stands_still_ends(void **state)
{
    (void)state;
    struct scripted scripted = scripted_device(zero);
    struct measurement row = measured(&scripted, &measure_options_default);
    assert_int_equal(row.repeats_per_sample, 10000);
    assert_near(row.median_ms, 0);
}

static bool every_third(int index)
{
    return index % 3 == 0;
}
static double third_is_longer(int index)
{
    return every_third(index) ? 9 : 1;
}

static void disturbed_samples_are_dropped_and_counted(void **state)
{
    (void)state;
    struct scripted scripted = scripted_device(third_is_longer);
    scripted.disturbed = every_third;
    struct measurement row = measured(&scripted, &measure_options_default);
    assert_int_equal(row.outcome, OUTCOME_OK);
    assert_int_equal(row.sample_count, 6);
    assert_true(row.dropped_count >= 2 && row.dropped_count <= 4);
    assert_near(row.maximum_ms, 1);
    assert_near(row.measuring_ms, 6 + 9 * row.dropped_count);
}

static bool always(int index)
{
    (void)index;
    return true;
}

static void samples_are_kept_when_all_are_disturbed(void **state)
{
    (void)state;
    struct scripted scripted = scripted_device(steady);
    scripted.disturbed = always;
    struct measurement row = measured(&scripted, &measure_options_default);
    assert_int_equal(row.outcome, OUTCOME_CAPPED);
    assert_int_equal(row.sample_count, 100);
    assert_int_equal(row.dropped_count, 0);
    assert_near(row.median_ms, 1);
}

static void assert_no_times(const struct measurement *row, enum outcome outcome)
{
    assert_int_equal(row->outcome, outcome);
    assert_true(isnan(row->median_ms) && isnan(row->minimum_ms) && isnan(row->maximum_ms));
    assert_true(isnan(row->q25_ms) && isnan(row->q75_ms) && isnan(row->ci_ms));
    assert_int_equal(row->sample_count, 0);
    assert_false(measurement_is_timed(row));
    assert_memory_equal(&row->config, &dense, sizeof dense);
}

static void failures_of_prepare_are_outcomes(void **state)
{
    (void)state;
    struct scripted scripted = scripted_device(steady);
    scripted.prepare_status = STATUS_OUT_OF_MEMORY;
    struct measurement row = measured(&scripted, &measure_options_default);
    assert_no_times(&row, OUTCOME_OUT_OF_MEMORY);
    scripted.prepare_status = STATUS_FAILED;
    scripted.prepare_outcome = OUTCOME_UNSUPPORTED;
    row = measured(&scripted, &measure_options_default);
    assert_no_times(&row, OUTCOME_UNSUPPORTED);
}

static void kind_without_benchmark_is_unsupported(void **state)
{
    (void)state;
    struct scripted scripted = scripted_device(steady);
    struct layer_config config = dense;
    struct error error = {0};
    struct measurement row;
    config.kind = LAYER_POOL2D;
    assert_int_equal(
        measure_config(&row, &scripted.base, &config, &measure_options_default, &error), STATUS_OK);
    assert_int_equal(row.outcome, OUTCOME_UNSUPPORTED);
    assert_true(isnan(row.median_ms));
}

static const int failing_calls[] = {0, 3, 8}; /* first, warm-up, sample */

/* A call fails, but the device works: no engine runs this layer. */
static void failing_calls_are_outcomes(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct scripted scripted = scripted_device(steady);
        scripted.failing_call = failing_calls[i];
        struct measurement row = measured(&scripted, &measure_options_default);
        assert_no_times(&row, OUTCOME_UNSUPPORTED);
        assert_near(row.warmup_ms + row.measuring_ms, 0);
        assert_string_equal(row.algorithm, "scripted"); /* whose it is */
    }
}

/* A device that is dead from then on is an error. */
static void errors_end_measuring(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct scripted scripted = scripted_device(steady);
        struct error error = {0};
        struct measurement row;
        scripted.failing_call = failing_calls[i];
        scripted.dies_of_failing = true;
        assert_int_equal(
            measure_config(&row, &scripted.base, &dense, &measure_options_default, &error),
            STATUS_FAILED);
        assert_non_null(strstr(error.message, "scripted failure of call"));
        assert_non_null(strstr(error.message, "measured dense:batch_size=1"));
        assert_int_equal(scripted.live_plans, 0);
    }
    struct scripted scripted = scripted_device(steady);
    scripted.prepare_status = STATUS_FAILED; /* neither unsupported nor out of memory */
    struct error error = {0};
    struct measurement row;
    assert_int_equal(measure_config(&row, &scripted.base, &dense, &measure_options_default, &error),
                     STATUS_FAILED);
}

static void training_runs_its_phases(void **state)
{
    (void)state;
    struct layer_config config = dense;
    assert_int_equal(phases_of(&config), PHASE_FORWARD);
    config.pass = PASS_TRAIN;
    assert_int_equal(phases_of(&config), PHASE_FORWARD | PHASE_BACKWARD);
    config.optimizer = OPTIMIZER_SGD;
    assert_int_equal(phases_of(&config), PHASE_FORWARD | PHASE_BACKWARD | PHASE_UPDATE);
}

/* ---- a backend that records ---- */

static enum status record_start(struct device *device, struct error *error)
{
    (void)error;
    struct scripted *scripted = scripted_of(device);
    assert_false(scripted->recording);
    scripted->recording = true;
    scripted->recorded_calls = 0;
    return STATUS_OK;
}

static enum status record_stop(struct device *device, struct error *error)
{
    struct scripted *scripted = scripted_of(device);
    scripted->recording = false;
    if (scripted->refuses_recording)
        return FAIL(error, STATUS_FAILED, "scripted refusal to record");
    return STATUS_OK;
}

/* A replayed call takes 0.002 ms or what the test asks for, an eager one what the script says. */
static enum status replay(struct device *device, struct error *error)
{
    (void)error;
    struct scripted *scripted = scripted_of(device);
    const double call_ms = scripted->replayed_call_ms > 0 ? scripted->replayed_call_ms : 0.002;
    scripted->clock_ms += call_ms * scripted->recorded_calls;
    scripted->replays++;
    return STATUS_OK;
}

static void conditions(struct device *device, struct conditions *conditions)
{
    bool throttled = scripted_of(device)->throttled_tries-- > 0;
    scripted_of(device)->conditions_read++;
    *conditions = (struct conditions){.sm_clock_mhz = throttled ? 600 : 1980,
                                      .temperature_c = 60,
                                      .clock_events = throttled ? 0x40 : 0,
                                      .throttled = throttled};
}

static const struct backend recording_backend = {
    .name = "recording",
    .timing = TIMING_EVENTS,
    .sample_floor_ms = 0.2,
    .timer_start = timer_start,
    .timer_stop = timer_stop,
    .flush_cache = flush_cache,
    .reset = reset,
    .record_start = record_start,
    .record_stop = record_stop,
    .replay = replay,
    .conditions = conditions,
    .bench = {[LAYER_DENSE] = &scripted_bench},
};

static struct scripted recording_device(call_time *time)
{
    struct scripted scripted = scripted_device(time);
    scripted.base.backend = &recording_backend;
    return scripted;
}

static double launch_bound(int index)
{
    (void)index;
    return 0.005;
}

static enum status enqueue_forward(void *payload, struct error *error)
{
    return enqueue(payload, PHASE_FORWARD, error);
}

static void recorded_samples_leave_launch_gaps_out(void **state)
{
    (void)state;
    struct scripted scripted = recording_device(launch_bound);
    struct measurement row = measured(&scripted, &measure_options_default);
    assert_int_equal(row.timing, TIMING_GRAPH);
    assert_int_equal(row.repeats_per_sample, 100); /* 0.2 ms of replayed calls, not of eager ones */
    assert_int_equal(scripted.recorded_calls, row.repeats_per_sample);
    assert_int_equal(scripted.replays, 2 + row.sample_count);
    assert_near(row.median_ms, 0.002);
    assert_true(row.eager_ms >= 0); /* by the real clock */
    assert_near(row.sm_clock_mhz, 1980);
    assert_near(row.temperature_c, 60);
    assert_int_equal(row.outcome, OUTCOME_OK);
    scripted = recording_device(launch_bound);
    scripted.replayed_call_ms = 0.0045;
    row = measured(&scripted, &measure_options_default);
    assert_in_range(row.repeats_per_sample, 40, 41); /* near enough: recorded once */
    assert_int_equal(scripted.replays, 1 + row.sample_count);
}

/* 3 ms and 7 ms a call: launch gaps do not show beside them. */
static double milliseconds(int index)
{
    (void)index;
    return 3;
}

static void long_calls_are_not_timed_eagerly(void **state)
{
    (void)state;
    struct scripted scripted = recording_device(milliseconds);
    scripted.replayed_call_ms = 3;
    struct measurement row = measured(&scripted, &measure_options_default);
    assert_int_equal(row.timing, TIMING_GRAPH);
    assert_true(isnan(row.eager_ms));
    assert_int_equal(scripted.calls, 1 + 2); /* the first, and 5 ms of warm-up */
    assert_int_equal(scripted.replays, 1 + row.sample_count);
    scripted = recording_device(milliseconds);
    scripted.replayed_call_ms = 7; /* the first replay is a sample */
    row = measured(&scripted, &measure_options_default);
    assert_int_equal(scripted.replays, row.sample_count);
    assert_int_equal(row.sample_count, 6);
    assert_near(row.measuring_ms, 42);
    assert_near(row.warmup_ms, 3 * 3);
}

/* The first call loads code: 30 or 140 ms on the host, between the timer's marks. */
static double loading_ms, true_ms;
static double loads_first(int index)
{
    return index == 0 ? loading_ms : true_ms;
}

static void first_call_that_loads_is_no_evidence(void **state)
{
    (void)state;
    static const double loads_ms[] = {30, 140, 4000}, times_ms[] = {0.01, 0.05, 20};
    struct measure_options options = measure_options_default;
    options.cap_ms = 100.0 / 3; /* a round of three */
    for (int i = 0; i < 9; i++) {
        loading_ms = loads_ms[i / 3];
        true_ms = times_ms[i % 3];
        struct scripted scripted = recording_device(loads_first);
        scripted.replayed_call_ms = true_ms;
        struct measurement row = measured(&scripted, &options);
        assert_true(row.outcome == (true_ms < 20 ? OUTCOME_OK : OUTCOME_CAPPED));
        assert_true(fabs(row.median_ms / true_ms - 1) < 0.02);
        assert_int_equal(row.timing, TIMING_GRAPH);
        const int repeats = (int)ceil(0.2 / true_ms);
        assert_in_range(row.repeats_per_sample, repeats, repeats + 1);
        assert_true(row.warmup_ms >= loading_ms && row.measuring_ms < loading_ms * 5);
    }
}

static void slow_is_what_the_second_call_says(void **state)
{
    (void)state;
    loading_ms = 5000;
    true_ms = 401;
    struct scripted scripted = recording_device(loads_first);
    struct measurement row = measured(&scripted, &measure_options_default);
    assert_int_equal(row.outcome, OUTCOME_SLOW);
    assert_near(row.median_ms, 401);
    assert_near(row.warmup_ms, 5000);
    assert_int_equal(row.timing, TIMING_EVENTS);
    assert_int_equal(scripted.calls, 2);
    assert_int_equal(scripted.replays, 0);
}

/* Reading a GPU's clocks costs: once, after the samples. A host's stalls need both ends. */
static void stalling_conditions(struct device *device, struct conditions *conditions)
{
    *conditions = (struct conditions){.sm_clock_mhz = NAN,
                                      .temperature_c = NAN,
                                      .stall_ms = 1e6 * scripted_of(device)->conditions_read++};
}

static void conditions_are_read_where_they_are_used(void **state)
{
    (void)state;
    struct scripted scripted = recording_device(launch_bound);
    struct measurement row = measured(&scripted, &measure_options_default);
    assert_int_equal(scripted.conditions_read, 1);
    assert_true(isnan(row.pressure_percent));
    struct backend host = scripted_backend;
    host.conditions = stalling_conditions;
    scripted = scripted_device(steady);
    scripted.base.backend = &host;
    row = measured(&scripted, &measure_options_default);
    assert_int_equal(scripted.conditions_read, 2);
    assert_near(row.pressure_percent, 100);
}

static void one_call_is_a_replay_where_it_can_be(void **state)
{
    (void)state;
    struct scripted scripted = recording_device(launch_bound);
    struct error error;
    struct plan *plan;
    enum outcome outcome;
    double elapsed_ms;
    assert_int_equal(prepare(&plan, &scripted.base, &dense, NULL, &outcome, &error), STATUS_OK);
    const struct measured_call call = {.call = enqueue_forward, .payload = plan};
    assert_int_equal(measure_one_call(&elapsed_ms, &scripted.base, &call, &error), STATUS_OK);
    assert_near(elapsed_ms, 0.002);
    scripted.refuses_recording = true;
    assert_int_equal(measure_one_call(&elapsed_ms, &scripted.base, &call, &error), STATUS_OK);
    assert_near(elapsed_ms, 0.005);
    scripted.base.backend = &scripted_backend;
    assert_int_equal(measure_one_call(&elapsed_ms, &scripted.base, &call, &error), STATUS_OK);
    assert_near(elapsed_ms, 0.005);
    release(plan);
}

static void what_cannot_be_recorded_is_timed_by_events(void **state)
{
    (void)state;
    struct scripted scripted = recording_device(launch_bound);
    scripted.refuses_recording = true;
    struct measurement row = measured(&scripted, &measure_options_default);
    assert_int_equal(row.timing, TIMING_EVENTS);
    assert_int_equal(scripted.replays, 0);
    assert_near(row.median_ms, 0.005);
    assert_true(isnan(row.eager_ms));
}

static void throttled_samples_are_taken_again(void **state)
{
    (void)state;
    struct scripted scripted = recording_device(launch_bound);
    scripted.throttled_tries = 1;
    struct measurement row = measured(&scripted, &measure_options_default);
    assert_int_equal(row.outcome, OUTCOME_OK);
    assert_near(row.sm_clock_mhz, 1980);
    scripted = recording_device(launch_bound);
    scripted.throttled_tries = 100;
    row = measured(&scripted, &measure_options_default);
    assert_int_equal(row.outcome, OUTCOME_THROTTLED);
    assert_true(isnan(row.median_ms) && !measurement_is_timed(&row));
    assert_int_equal(row.clock_events, 0x40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steady_times_stop_at_the_minimum),
        cmocka_unit_test(asked_minimum_of_samples_is_taken),
        cmocka_unit_test(warm_up_is_left_out),
        cmocka_unit_test(warm_up_ends_when_the_median_has_settled),
        cmocka_unit_test(noisy_times_take_more_samples),
        cmocka_unit_test(cap_ends_measuring),
        cmocka_unit_test(maximum_of_samples_ends_measuring),
        cmocka_unit_test(large_layer_is_capped_at_one_sample),
        cmocka_unit_test(first_call_is_no_sample_of_a_low_cap),
        cmocka_unit_test(slow_layer_keeps_its_first_call),
        cmocka_unit_test(short_calls_are_batched),
        cmocka_unit_test(clock_that_stands_still_ends),
        cmocka_unit_test(disturbed_samples_are_dropped_and_counted),
        cmocka_unit_test(samples_are_kept_when_all_are_disturbed),
        cmocka_unit_test(failures_of_prepare_are_outcomes),
        cmocka_unit_test(kind_without_benchmark_is_unsupported),
        cmocka_unit_test(failing_calls_are_outcomes),
        cmocka_unit_test(errors_end_measuring),
        cmocka_unit_test(training_runs_its_phases),
        cmocka_unit_test(recorded_samples_leave_launch_gaps_out),
        cmocka_unit_test(long_calls_are_not_timed_eagerly),
        cmocka_unit_test(first_call_that_loads_is_no_evidence),
        cmocka_unit_test(slow_is_what_the_second_call_says),
        cmocka_unit_test(conditions_are_read_where_they_are_used),
        cmocka_unit_test(one_call_is_a_replay_where_it_can_be),
        cmocka_unit_test(what_cannot_be_recorded_is_timed_by_events),
        cmocka_unit_test(throttled_samples_are_taken_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
