/* The protocol of measuring on a device of its own, which loads code at a first call, records calls
 * and replays them, and has a clock that throttles. */
#include "scripted_device.h"

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

/* The flush before each call would be within the host's time. */
static void cold_calls_are_not_timed_eagerly(void **state)
{
    (void)state;
    struct measure_options options = measure_options_default;
    options.cache = CACHE_COLD;
    struct scripted scripted = recording_device(launch_bound);
    const struct measurement row = measured(&scripted, &options);
    assert_int_equal(row.timing, TIMING_GRAPH);
    assert_int_equal(row.repeats_per_sample, 1);
    assert_near(row.median_ms, 0.002);
    assert_true(isnan(row.eager_ms));
    assert_int_equal(scripted.flushes, scripted.timer_starts);
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

static double steady(int index)
{
    (void)index;
    return 1.0;
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_samples_leave_launch_gaps_out),
        cmocka_unit_test(long_calls_are_not_timed_eagerly),
        cmocka_unit_test(cold_calls_are_not_timed_eagerly),
        cmocka_unit_test(first_call_that_loads_is_no_evidence),
        cmocka_unit_test(slow_is_what_the_second_call_says),
        cmocka_unit_test(conditions_are_read_where_they_are_used),
        cmocka_unit_test(one_call_is_a_replay_where_it_can_be),
        cmocka_unit_test(what_cannot_be_recorded_is_timed_by_events),
        cmocka_unit_test(throttled_samples_are_taken_again),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
