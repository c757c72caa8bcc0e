/* Cases of test_backend_gpu.c: what cannot be, recordings, times, the description of the device. */
#ifndef EPOCHCAST_TESTS_GPU_MEASURING_CASES_H
#define EPOCHCAST_TESTS_GPU_MEASURING_CASES_H

#include "base/clock.h"
#include "bench/device_identity.h"
#include "gpu_layer_cases.h"
#include "trainer_cuda.h"

/* ---- what cannot be ---- */

static enum status refuse(struct device *device, const struct layer_config *config,
                          struct cuda_plan *input, enum outcome *outcome, struct error *error)
{
    struct plan *plan = (struct plan *)1;
    *outcome = OUTCOME_OK;
    *error = (struct error){0};
    struct plan *const inputs[LAYER_INPUT_LIMIT] = {input ? &input->base : NULL};
    enum status status = backend->bench[config->kind]->prepare(&plan, device, config, inputs,
                                                               outcome, error);
    assert_null(plan);
    return status;
}

static void assert_outcome(struct device *device, const struct layer_config *config, int outcome)
{
    struct measurement row;
    struct error error = {0};
    assert_int_equal(measure_config(&row, device, config, &measure_options_default, &error),
                     STATUS_OK);
    assert_int_equal(row.outcome, outcome);
    assert_true(isnan(row.median_ms) && row.sample_count == 0);
}

static void memory_is_accounted_before_use(void **state)
{
    (void)state;
    struct error error;
    enum outcome outcome;
    struct device *device = open_cuda(1 << 20, false);
    struct cuda_device *cuda = (struct cuda_device *)device;
    const struct layer_config large[] = {
        dense_config(64, 1000, 1000, 1, ACTIVATION_NONE),
        conv2d_config(64, SQUARE(64, 3, 64, 64, 1, PADDING_SAME, 1, ACTIVATION_NONE)),
        pool2d_config(64, (struct pool2d){64, 2, 64, 2, PADDING_VALID, 0, ACTIVATION_NONE})};
    for (size_t i = 0; i < COUNT(large); i++) {
        backend->reset(device);
        assert_int_equal(refuse(device, &large[i], NULL, &outcome, &error), STATUS_OUT_OF_MEMORY);
        assert_non_null(strstr(error.message, "arena"));
        assert_true(cuda->arena_bytes == 1 << 20 && cuda->used_bytes <= cuda->arena_bytes);
        assert_outcome(device, &large[i], OUTCOME_OUT_OF_MEMORY);
    }
    const struct layer_config small = dense_config(4, 30, 20, 1, ACTIVATION_TANH);
    check_config(device, &small);
    backend->close(device);
    assert_no_failures();
}

/* An even window at stride 1 wants more cells after than before. */
static void unsupported_is_an_outcome(void **state)
{
    struct error error;
    enum outcome outcome;
    for (int precision = 0; precision < PRECISION_COUNT; precision++)
        for (int kernel = 2; kernel <= 4; kernel += 2) {
            struct layer_config config = pool2d_config(
                2, (struct pool2d){8, kernel, 4, 1, PADDING_SAME, 0, ACTIVATION_NONE});
            config.precision = precision;
            backend->reset(*state);
            assert_int_equal(refuse(*state, &config, NULL, &outcome, &error), STATUS_FAILED);
            assert_int_equal(outcome, OUTCOME_UNSUPPORTED);
            assert_outcome(*state, &config, OUTCOME_UNSUPPORTED);
        }
}

static void device_goes_on_after_failures(void **state)
{
    struct error error;
    enum outcome outcome;
    struct device *device = *state;
    const struct layer_config good = dense_config(6, 20, 30, 1, ACTIVATION_TANH);
    const struct layer_config bad = pool2d_config(
        2, (struct pool2d){8, 2, 4, 1, PADDING_SAME, 0, ACTIVATION_NONE});
    const struct layer_config large = dense_config(32768, 16384, 16384, 1, ACTIVATION_NONE);
    backend->reset(device);
    struct cuda_plan *producer = prepare(device, &good, NULL);
    assert_non_null(producer);
    assert_int_equal(refuse(device, &good, producer, &outcome, &error), STATUS_FAILED);
    assert_non_null(strstr(error.message, "another size"));
    assert_int_equal(refuse(device, &bad, NULL, &outcome, &error), STATUS_FAILED);
    assert_int_equal(refuse(device, &large, NULL, &outcome, &error), STATUS_OUT_OF_MEMORY);
    check_step(producer);
    release(producer);
    check_config(device, &good);
    assert_no_failures();
}

/* ---- recordings ---- */

static double *read_doubles(const struct cuda_plan *plan, enum cuda_role role)
{
    float *values = read_tensor(plan, role);
    double *wide = zeros(element_count(plan, role));
    for (size_t i = 0; i < element_count(plan, role); i++)
        wide[i] = (double)values[i];
    free(values);
    return wide;
}

static void check_recording(struct device *device, const struct layer_config *config, int repeats)
{
    struct error error = {0};
    backend->reset(device);
    struct cuda_plan *plan = prepare(device, config, NULL);
    assert_non_null(plan);
    enqueue(plan, TRAIN);
    double *output = read_doubles(plan, CUDA_OUTPUT);
    double *gradient = read_doubles(plan, CUDA_INPUT_GRADIENT);
    poison(plan);
    assert_int_equal(backend->record_start(device, &error), STATUS_OK);
    for (int i = 0; i < repeats; i++)
        enqueue(plan, TRAIN);
    if (backend->record_stop(device, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    if (!is_untouched(plan, CUDA_OUTPUT) || !is_untouched(plan, CUDA_INPUT_GRADIENT))
        note_failure(config, "recording runs the work");
    assert_int_equal(backend->replay(device, &error), STATUS_OK);
    check_role(plan, CUDA_OUTPUT, output);
    check_role(plan, CUDA_INPUT_GRADIENT, gradient);
    free(output);
    free(gradient);
    release(plan);
}

static void replays_what_was_recorded(void **state)
{
    const struct layer_config configs[] = {
        dense_config(16, 64, 32, 1, ACTIVATION_RELU), convolution(4, PRECISION_FP32),
        convolution(4, PRECISION_FP16),
        pool2d_config(3, (struct pool2d){9, 3, 20, 1, PADDING_SAME, 1, ACTIVATION_SIGMOID})};
    for (size_t i = 0; i < COUNT(configs); i++)
        for (int repeats = 1; repeats <= 50; repeats += 49)
            check_recording(*state, &configs[i], repeats);
    assert_no_failures();
}

/* K calls beside 2 K of them: a replay's time holds nothing beside its kernels. */
static void replays_last_as_long_as_their_kernels(void **state)
{
    struct cuda_device *cuda = *state;
    struct error error = {0};
    assert_int_equal(cuda_timer_calibrate(&cuda->timer, &error), STATUS_OK);
    print_message("beside their kernels replays last %.2f us; behind a spinning kernel %.2f us%s\n",
                  1e3 * cuda->timer.inside_error_ms, 1e3 * cuda->timer.spin_error_ms,
                  cuda->timer.spins ? ", which is taken" : "");
    const double left_ms = cuda->timer.spins ? cuda->timer.spin_error_ms
                                             : cuda->timer.inside_error_ms;
    assert_true(fabs(left_ms) < 0.01);
}

/* Waiting is not allowed while recording: the recording fails, nothing else. */
static void failed_recordings_are_survived(void **state)
{
    struct device *device = *state;
    struct error error = {0};
    const struct layer_config config = dense_config(16, 64, 32, 1, ACTIVATION_RELU);
    backend->reset(device);
    assert_int_equal(backend->record_start(device, &error), STATUS_OK);
    assert_int_not_equal(cudaStreamSynchronize(((struct cuda_device *)device)->stream),
                         cudaSuccess);
    cudaGetLastError();
    assert_int_equal(backend->record_stop(device, &error), STATUS_FAILED);
    assert_true(strlen(error.message) > 0);
    check_recording(device, &config, 2);
    assert_no_failures();
}

/* ---- measuring ---- */

static struct measurement measure(struct device *device, const struct layer_config *config,
                                  bool cold_cache)
{
    struct measurement row;
    struct error error = {0};
    struct measure_options options = measure_options_default;
    options.cache = cold_cache ? CACHE_COLD : CACHE_HOT;
    if (measure_config(&row, device, config, &options, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    char text[512];
    describe_config(text, sizeof text, config);
    print_message("%s: %s%.4f ms +- %.4f, eager %.4f, %s\n", text, cold_cache ? "cold " : "",
                  row.median_ms, row.ci_ms, row.eager_ms, row.algorithm);
    assert_true(measurement_is_timed(&row));
    return row;
}

static void measurements_are_complete(void **state)
{
    struct layer_config configs[] = {
        dense_config(64, 512, 512, 1, ACTIVATION_RELU),
        conv2d_config(8, SQUARE(28, 3, 32, 32, 1, PADDING_SAME, 1, ACTIVATION_RELU)),
        pool2d_config(8, (struct pool2d){28, 2, 32, 2, PADDING_VALID, 0, ACTIVATION_NONE})};
    configs[0].optimizer = configs[1].optimizer = OPTIMIZER_ADAM;
    for (int precision = 0; precision < PRECISION_COUNT; precision++)
        for (size_t i = 0; i < COUNT(configs); i++) {
            configs[i].precision = precision;
            struct measurement row = measure(*state, &configs[i], false);
            assert_int_equal(row.timing, TIMING_GRAPH);
            assert_true(row.sample_count > 5 && row.repeats_per_sample >= 1);
            assert_true(row.median_ms > 1e-4 && row.median_ms < 100);
            assert_true(row.minimum_ms <= row.median_ms && row.median_ms <= row.maximum_ms);
            assert_true(row.ci_ms >= 0 && row.setup_ms > 0 && row.measuring_ms > 0);
            assert_true(isnan(row.eager_ms) || row.eager_ms >= 0.5 * row.median_ms);
            assert_true(strlen(row.algorithm) > 0 && row.workspace_bytes >= 0);
            if (precision == PRECISION_FP32)
                assert_null(strstr(row.numerical_notes, "tensor_core"));
        }
}

static void cold_caches_are_not_faster(void **state)
{
    struct layer_config config = dense_config(16, 512, 512, 0, ACTIVATION_NONE);
    config.pass = PASS_FORWARD;
    struct measurement hot = measure(*state, &config, false);
    struct measurement cold = measure(*state, &config, true);
    assert_int_equal(cold.repeats_per_sample, 1);
    assert_true(cold.median_ms >= 0.9 * hot.median_ms);
}

static void clock_runs(void **state)
{
    struct device *device = *state;
    struct error error = {0};
    double elapsed_ms = -1;
    assert_int_equal(backend->timer_start(device, &error), STATUS_OK);
    backend->flush_cache(device);
    assert_int_equal(backend->timer_stop(device, &elapsed_ms, &error), STATUS_OK);
    assert_true(elapsed_ms > 0 && elapsed_ms < 1000);
}

/* ---- description ---- */

static void device_describes_itself(void **state)
{
    struct device_info info;
    struct error error = {0};
    assert_int_equal(backend->describe(*state, false, &info, &error), STATUS_OK);
    assert_string_equal(info.backend, "cuda");
    assert_true(strlen(info.name) > 0 && strlen(info.technology) > 0);
    assert_true(strlen(info.connectivity) > 0 && strncmp(info.library, "CUDA ", 5) == 0);
    assert_true(info.device_count == 1 && info.thread_count == 1);
    assert_true(info.memory_bytes > 1 << 30 && info.cache_bytes > 1 << 17);
    assert_true(info.clock_mhz > 100 && info.bandwidth_gbps > 10);
    assert_true(info.core_count > 100 && info.peak_gflops > 100);
    assert_true(isnan(info.measured_copy_gbps) && isnan(info.measured_sgemm_gflops));
    const struct device_info before = info;
    assert_int_equal(backend->describe(*state, true, &info, &error), STATUS_OK);
    print_message("%s: copy %.0f of %.0f GB/s, sgemm %.0f of %.0f GFLOP/s, launch %.2f us\n",
                  info.name, info.measured_copy_gbps, info.bandwidth_gbps,
                  info.measured_sgemm_gflops, info.peak_gflops, info.measured_call_latency_us);
    assert_true(info.measured_copy_gbps > 1 && info.measured_copy_gbps < 1e5);
    assert_true(info.measured_sgemm_gflops > 10 && info.measured_sgemm_gflops < 1e6);
    assert_true(info.measured_call_latency_us > 0.1 && info.measured_call_latency_us < 1e4);
    assert_true(device_is_same(&before, &info));
}

static void conditions_and_trainer_are_there(void **state)
{
    struct conditions conditions;
    const struct trainer *trainer;
    struct error error = {0};
    const double started_s = monotonic_s();
    backend->conditions(*state, &conditions);
    print_message("clocks read in %.3f ms\n", 1e3 * (monotonic_s() - started_s));
    assert_true(isnan(conditions.sm_clock_mhz) || conditions.sm_clock_mhz > 0);
    assert_true(isnan(conditions.temperature_c) || conditions.temperature_c < 150);
    assert_int_equal(backend->trainer(&trainer, 0, &error), STATUS_OK);
    assert_ptr_equal(trainer, &trainer_cuda);
    assert_int_equal(backend->trainer(&trainer, 1000, &error), STATUS_NO_DEVICE);
    assert_null(trainer);
}

#endif
