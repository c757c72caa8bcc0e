/* The protocol of measuring, on a scripted device with a virtual clock. */
#include "scripted_device.h"

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
    assert_near(row.measuring_ms - row.warmup_ms, 150);
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
    assert_near(row.measuring_ms - row.warmup_ms, 401);
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
    options.cache = CACHE_COLD; /* a second call in the sample would be warm */
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

int main(int argc, char **argv)
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
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
