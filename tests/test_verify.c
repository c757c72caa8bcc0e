/* A whole network's step, run layer by layer. */
#include "forecast/forecast.h"
#include "step/verify.h"
#include "test.h"

#include <math.h>
#include <string.h>

#define COMMON .batch_size = 1, .pass = PASS_FORWARD

/* conv -> pool -> dense -> dense, a branch whose size does not fit its input (noise feeds it), and
 * a residual around a normalisation, added to what does not fit. */
static struct network_layer layers[] = {
    {.name = "conv",
     .inputs = (const int[]){-1},
     .input_count = 1,
     .config = {.kind = LAYER_CONV2D,
                COMMON,
                .as.conv2d = {.image_size = 16,
                              .kernel_size = 3,
                              .channels_in = 3,
                              .channels_out = 16,
                              .stride = 1,
                              .padding = PADDING_SAME,
                              .use_bias = 1,
                              .activation = ACTIVATION_RELU,
                              .groups = 1,
                              .dilation = 1}}},
    {.name = "pool",
     .inputs = (const int[]){0},
     .input_count = 1,
     .config = {.kind = LAYER_POOL2D,
                COMMON,
                .as.pool2d = {.image_size = 16, .kernel_size = 2, .channels = 16, .stride = 2}}},
    {.name = "dense1",
     .inputs = (const int[]){1},
     .input_count = 1,
     .config = {.kind = LAYER_DENSE,
                COMMON,
                .as.dense =
                    {.inputs = 1024, .outputs = 32, .use_bias = 1, .activation = ACTIVATION_TANH}}},
    {.name = "dense2",
     .inputs = (const int[]){2},
     .input_count = 1,
     .config = {.kind = LAYER_DENSE, COMMON, .as.dense = {.inputs = 32, .outputs = 10}}},
    {.name = "branch",
     .inputs = (const int[]){0},
     .input_count = 1,
     .config = {.kind = LAYER_DENSE, COMMON, .as.dense = {.inputs = 77, .outputs = 5}}},
    {.name = "norm",
     .inputs = (const int[]){0},
     .input_count = 1,
     .config = {.kind = LAYER_BATCH_NORM,
                COMMON,
                .as.batch_norm = {.image_size = 16, .channels = 16}}},
    {.name = "sum",
     .inputs = (const int[]){5, 0},
     .input_count = 2,
     .config = {.kind = LAYER_BINARY,
                COMMON,
                .as.binary = {.elements = 4096, .activation = ACTIVATION_RELU, .repeats = 1}}},
    {.name = "half_linked",
     .inputs = (const int[]){6, 2},
     .input_count = 2,
     .config = {.kind = LAYER_BINARY, COMMON, .as.binary = {.elements = 4096, .repeats = 1}}},
};
enum { LAYERS = sizeof layers / sizeof *layers };
static const struct network tiny = {
    .name = "tiny", .layers = layers, .layer_count = sizeof layers / sizeof *layers};

static struct device *open_device(const char *name, int64_t arena_bytes)
{
    struct error error = {0};
    struct device *device;
    const struct device_options options = {.arena_bytes = arena_bytes, .seed = 3};
    if (device_open(&device, name, &options, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return device;
}

static struct measurement verified(struct device *device, int batch, int pass, int optimizer)
{
    struct error error = {0};
    struct measurement row;
    if (verify_network(&row, device, &tiny, batch, pass, optimizer, PRECISION_FP32,
                       &measure_options_default, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return row;
}

/* On the fake device a step is the sum of its layers, to the noise. */
static void step_is_the_sum_of_layers(void **state)
{
    (void)state;
    struct device *device = open_device("fake", 0);
    static const int cases[][2] = {
        {PASS_FORWARD, OPTIMIZER_NONE}, {PASS_TRAIN, OPTIMIZER_NONE}, {PASS_TRAIN, OPTIMIZER_ADAM}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double sum_ms = 0;
        for (int j = 0; j < tiny.layer_count; j++) {
            struct layer_config config = network_config(&layers[j], 4, cases[i][0], cases[i][1],
                                                        PRECISION_FP32);
            struct error error = {0};
            struct measurement row;
            assert_int_equal(
                measure_config(&row, device, &config, &measure_options_default, &error), STATUS_OK);
            sum_ms += row.median_ms;
        }
        double step_ms = verified(device, 4, cases[i][0], cases[i][1]).median_ms;
        if (!(fabs(step_ms - sum_ms) < 0.02 * sum_ms))
            fail_msg("case %zu: step %g ms, layers %g ms", i, step_ms, sum_ms);
    }
    device_close(device);
}

static const struct layer_config training_step = {
    .batch_size = 4, .pass = PASS_TRAIN, .optimizer = OPTIMIZER_ADAM};

/* On the fake device a layer takes as long within the step as alone, to the noise. */
static void layers_in_place_are_layers_alone(void **state)
{
    (void)state;
    struct error error = {0};
    struct device *device = open_device("fake", 0);
    double in_place_ms[LAYERS], alone_ms[LAYERS];
    struct measure_options options = measure_options_default;
    assert_int_equal(
        verify_layers_in_place(in_place_ms, device, &tiny, &training_step, &options, &error),
        STATUS_OK);
    assert_int_equal(verify_layers_alone(alone_ms, device, &tiny, &training_step, &options, &error),
                     STATUS_OK);
    for (int i = 0; i < LAYERS; i++)
        if (!(fabs(in_place_ms[i] - alone_ms[i]) < 0.02 * alone_ms[i]))
            fail_msg("layer %d: %g ms in place, %g ms alone", i, in_place_ms[i], alone_ms[i]);
    options.cap_ms = 1e-9; /* one step */
    assert_int_equal(
        verify_layers_in_place(in_place_ms, device, &tiny, &training_step, &options, &error),
        STATUS_OK);
    assert_true(in_place_ms[0] > 0 && in_place_ms[LAYERS - 1] > 0);
    device_close(device);
}

/* ---- a fake device that takes 1 ms to launch a call, and records ---- */

extern const struct backend backend_fake;
static struct backend launching;
static struct bench launching_bench;
static struct {
    struct plan *plan; /* what was recorded */
    int phases, recordings;
    bool is_recording;
    double launches_ms;
} launched;

static enum status launch(struct plan *plan, int phases, struct error *error)
{
    launched.launches_ms += 1;
    if (!launched.is_recording)
        return backend_fake.bench[LAYER_DENSE]->enqueue(plan, phases, error);
    launched.plan = plan;
    launched.phases = phases;
    return STATUS_OK;
}

static enum status launching_start(struct device *device, struct error *error)
{
    launched.launches_ms = 0;
    return backend_fake.timer_start(device, error);
}

static enum status launching_stop(struct device *device, double *elapsed_ms, struct error *error)
{
    const enum status status = backend_fake.timer_stop(device, elapsed_ms, error);
    *elapsed_ms += launched.launches_ms;
    return status;
}

static enum status record_start(struct device *device, struct error *error)
{
    (void)device, (void)error;
    launched.is_recording = true;
    launched.recordings++;
    return STATUS_OK;
}

static enum status record_stop(struct device *device, struct error *error)
{
    (void)device, (void)error;
    launched.is_recording = false;
    return STATUS_OK;
}

static enum status replay(struct device *device, struct error *error)
{
    (void)device;
    return backend_fake.bench[LAYER_DENSE]->enqueue(launched.plan, launched.phases, error);
}

static void make_launching(struct device *device)
{
    launching = backend_fake;
    launching_bench = *backend_fake.bench[LAYER_DENSE];
    launching_bench.enqueue = launch;
    launching.timer_start = launching_start;
    launching.timer_stop = launching_stop;
    launching.record_start = record_start;
    launching.record_stop = record_stop;
    launching.replay = replay;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        launching.bench[kind] = &launching_bench;
    memset(&launched, 0, sizeof launched);
    device->backend = &launching;
}

/* Small layers would read what their launch takes: each phase is recorded, and a replay timed. */
static void layers_in_place_leave_launches_out(void **state)
{
    (void)state;
    struct error error = {0};
    struct device *device = open_device("fake", 0);
    double alone_ms[LAYERS], in_place_ms[LAYERS];
    struct measure_options options = measure_options_default;
    options.cap_ms = 0.5;
    assert_int_equal(verify_layers_alone(alone_ms, device, &tiny, &training_step, &options, &error),
                     STATUS_OK);
    make_launching(device);
    assert_int_equal(
        verify_layers_in_place(in_place_ms, device, &tiny, &training_step, &options, &error),
        STATUS_OK);
    for (int i = 0; i < LAYERS; i++)
        if (!(fabs(in_place_ms[i] - alone_ms[i]) < 0.02 * alone_ms[i]))
            fail_msg("layer %d: %g ms in place, %g ms alone", i, in_place_ms[i], alone_ms[i]);
    assert_true(launched.recordings >= 3 * LAYERS);
    device->backend = &backend_fake;
    device_close(device);
}

/* Layers of the same config are timed once: their times are equal to the bit in spite of noise. */
static void equal_layers_are_timed_once(void **state)
{
    (void)state;
    struct error error = {0};
    struct device *device = open_device("fake", 0);
    struct network_layer three[] = {layers[3], layers[2], layers[3]};
    const struct network repeated = {.name = "repeated", .layers = three, .layer_count = 3};
    double alone_ms[3];
    assert_int_equal(verify_layers_alone(alone_ms, device, &repeated, &training_step,
                                         &measure_options_default, &error),
                     STATUS_OK);
    assert_true(alone_ms[0] == alone_ms[2] && alone_ms[0] != alone_ms[1]);
    device_close(device);
}

/* Knows the fake device's times: it asks the device. */
struct knowing {
    struct predictor base;
    struct device *device;
};

static enum status predict_exactly(struct prediction *predictions, const struct predictor *base,
                                   const struct layer_question *questions, size_t count,
                                   const struct device_info *info, struct error *error)
{
    (void)info;
    const struct knowing *knowing = (const struct knowing *)base;
    for (size_t i = 0; i < count; i++) {
        struct measurement row;
        TRY(measure_config(&row, knowing->device, questions[i].config, &measure_options_default,
                           error));
        predictions[i] = (struct prediction){.median_ms = row.median_ms, .covered = true};
    }
    return STATUS_OK;
}

static void exact_forecasts_have_no_error(void **state)
{
    (void)state;
    static const struct predictor_type type = {.name = "knowing", .predict = predict_exactly};
    struct device *device = open_device("fake", 0);
    const struct knowing knowing = {.base.type = &type, .device = device};
    const struct forecast_options options = {
        .batch_size = 4, .pass = PASS_TRAIN, .optimizer = OPTIMIZER_ADAM, .price_per_hour = NAN};
    struct forecast forecast;
    double alone_ms[sizeof layers / sizeof *layers], sum_ms = 0;
    assert_int_equal(forecast_network(&forecast, &tiny, &knowing.base, NULL, &options, NULL),
                     STATUS_OK);
    assert_int_equal(verify_layers_alone(alone_ms, device, &tiny, &training_step,
                                         &measure_options_default, NULL),
                     STATUS_OK);
    for (int i = 0; i < tiny.layer_count; i++)
        sum_ms += alone_ms[i];
    const struct measurement step = verified(device, 4, PASS_TRAIN, OPTIMIZER_ADAM);
    const struct verify_errors errors = verify_errors_of(forecast.batch_ms, sum_ms, step.median_ms);
    assert_true(fabs(errors.error_percent) < 1); /* the noise of single calls */
    assert_true(fabs(errors.model_error_percent) < 1 && fabs(errors.sum_gap_percent) < 1);
    forecast_free(&forecast);
    device_close(device);
}

static void errors_are_split(void **state)
{
    (void)state;
    const struct verify_errors errors = verify_errors_of(130, 110, 100);
    assert_true(fabs(errors.error_percent - 30) < 1e-9);
    assert_true(fabs(errors.model_error_percent - 20) < 1e-9);
    assert_true(fabs(errors.sum_gap_percent - 10) < 1e-9);
    const struct verify_errors unknown = verify_errors_of(130, NAN, 100);
    assert_true(fabs(unknown.error_percent - 30) < 1e-9 && isnan(unknown.sum_gap_percent));
}

static void cpu_runs_the_step(void **state)
{
    (void)state;
    struct device *device = open_device("cpu", 16 << 20);
    struct measurement forward = verified(device, 32, PASS_FORWARD, OPTIMIZER_NONE);
    struct measurement train = verified(device, 32, PASS_TRAIN, OPTIMIZER_MOMENTUM);
    assert_true(measurement_is_timed(&forward) && measurement_is_timed(&train));
    assert_true(forward.median_ms > 0 && forward.sample_count > 0 && forward.setup_ms > 0);
    assert_true(train.minimum_ms > forward.minimum_ms);
    for (int i = 0; i < 100; i++) /* the arena is empty again after each */
        verified(device, 8, PASS_FORWARD, OPTIMIZER_NONE);
    device_close(device);
}

static void step_that_does_not_fit_is_out_of_memory(void **state)
{
    (void)state;
    struct device *device = open_device("cpu", 4 << 20);
    struct error error = {0};
    struct measurement row;
    assert_int_equal(verify_network(&row, device, &tiny, 256, PASS_TRAIN, OPTIMIZER_ADAM,
                                    PRECISION_FP32, &measure_options_default, &error),
                     STATUS_OUT_OF_MEMORY);
    assert_true(strlen(error.message) > 0);
    double layers_ms[sizeof layers / sizeof *layers];
    const struct layer_config asked = row.config;
    assert_int_equal(
        verify_layers_in_place(layers_ms, device, &tiny, &asked, &measure_options_default, &error),
        STATUS_OUT_OF_MEMORY);
    verified(device, 1, PASS_FORWARD, OPTIMIZER_NONE); /* the device is fit for use */
    device_close(device);
}

static enum status verify_bad(const struct network *network, int batch, int precision,
                              struct error *error)
{
    struct device *device = open_device("fake", 0);
    struct measurement row;
    enum status status = verify_network(&row, device, network, batch, PASS_FORWARD, OPTIMIZER_NONE,
                                        precision, &measure_options_default, error);
    device_close(device);
    return status;
}

static void bad_requests_are_errors(void **state)
{
    (void)state;
    struct error error = {0};
    const struct network empty = {.name = "empty"};
    assert_int_equal(verify_bad(&empty, 1, PRECISION_FP32, &error), STATUS_BAD_FILE);
    assert_non_null(strstr(error.message, "empty"));
    struct network_layer operators[] = {
        {.name = "relu", .inputs = (const int[]){-1}, .input_count = 1, .operator_name = "relu"}};
    const struct network uncovered = {.name = "relu", .layers = operators, .layer_count = 1};
    assert_int_equal(verify_bad(&uncovered, 1, PRECISION_FP32, &error), STATUS_FAILED);
    assert_non_null(strstr(error.message, "no benchmark runs the operator relu"));
    assert_int_equal(verify_bad(&tiny, 0, PRECISION_FP32, &error), STATUS_USAGE);
    assert_int_equal(verify_bad(&tiny, 1, PRECISION_BF16, &error), STATUS_FAILED);
    assert_non_null(strstr(error.message, "bf16"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step_is_the_sum_of_layers),
        cmocka_unit_test(layers_in_place_are_layers_alone),
        cmocka_unit_test(layers_in_place_leave_launches_out),
        cmocka_unit_test(equal_layers_are_timed_once),
        cmocka_unit_test(exact_forecasts_have_no_error),
        cmocka_unit_test(errors_are_split),
        cmocka_unit_test(cpu_runs_the_step),
        cmocka_unit_test(step_that_does_not_fit_is_out_of_memory),
        cmocka_unit_test(bad_requests_are_errors),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
