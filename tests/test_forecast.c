#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/forecast.h"
#include "model/predictor_roofline.h"
#include "synthetic_rows.h"

/* Dense takes its outputs in ms, 10 % less to 20 % more; conv2d 100 ms, 30 either way; pool2d is
 * not covered. */
static enum status predict_fixed(struct prediction *predictions, const struct predictor *predictor,
                                 const struct layer_config *configs, size_t count,
                                 const struct device_info *device, struct error *error)
{
    (void)predictor;
    (void)device;
    (void)error;
    for (size_t i = 0; i < count; i++) {
        const double outputs = configs[i].as.dense.outputs;
        predictions[i] = (struct prediction){.median_ms = NAN, .low_ms = NAN, .high_ms = NAN};
        if (configs[i].kind == LAYER_DENSE)
            predictions[i] = (struct prediction){outputs, 0.9 * outputs, 1.2 * outputs,
                                                 0.25,    false,         true};
        if (configs[i].kind == LAYER_CONV2D)
            predictions[i] = (struct prediction){100, 70, 130, 1, false, true};
    }
    return STATUS_OK;
}
static const struct predictor_type fixed_type = {.name = "fixed", .predict = predict_fixed};
static const struct predictor fixed = {.type = &fixed_type};

/* conv 8x8x3 -> 8x8x4 (kernel 3, same, no bias), pool 2x2 -> 4x4x4, dense 64 -> 10, 10 -> 20. */
static struct network_layer layers[] = {
    {.name = "conv",
     .input = -1,
     .config = {.kind = LAYER_CONV2D,
                .batch_size = 1,
                .as.conv2d = {.image_size = 8,
                              .kernel_size = 3,
                              .channels_in = 3,
                              .channels_out = 4,
                              .stride = 1,
                              .padding = PADDING_SAME}}},
    {.name = "pool",
     .input = 0,
     .config = {.kind = LAYER_POOL2D,
                .batch_size = 1,
                .as.pool2d = {.image_size = 8, .kernel_size = 2, .channels = 4, .stride = 2}}},
    {.name = "fc1",
     .input = 1,
     .config = {.kind = LAYER_DENSE, .batch_size = 1, .as.dense = {.inputs = 64, .outputs = 10}}},
    {.name = "fc2",
     .input = 2,
     .config = {.kind = LAYER_DENSE, .batch_size = 1, .as.dense = {.inputs = 10, .outputs = 20}}},
};
static const struct network network = {.name = "tiny", .layers = layers, .layer_count = 4};

static struct forecast_options options_of(int32_t batch_size)
{
    return (struct forecast_options){.batch_size = batch_size,
                                     .pass = PASS_TRAIN,
                                     .optimizer = OPTIMIZER_ADAM,
                                     .price_per_hour = NAN};
}

static void times_and_intervals_add_up(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    const struct forecast_options options = options_of(2);
    struct forecast forecast;
    assert_int_equal(forecast_network(&forecast, &network, &fixed, &device, &options, NULL),
                     STATUS_OK);
    const struct layer_config pool = network_config(&layers[1], 2, PASS_TRAIN, OPTIMIZER_ADAM,
                                                    PRECISION_FP32);
    const double pool_ms = roofline_ms(&pool, &device);
    assert_int_equal(forecast.uncovered_count, 1);
    assert_false(forecast.layers[1].covered);
    assert_true(forecast.layers[1].median_ms == pool_ms && pool_ms > 0);
    assert_true(fabs(forecast.batch_ms - (130 + pool_ms)) < 1e-9);
    /* dense: 1 and 2 below, 2 and 4 above, correlation 1/4; conv 30; pool its own time */
    const double below = sqrt(0.25 * 9 + 0.75 * 5 + 900 + pool_ms * pool_ms);
    const double above = sqrt(0.25 * 36 + 0.75 * 20 + 900 + pool_ms * pool_ms);
    assert_true(fabs(forecast.batch_low_ms - (130 + pool_ms - below)) < 1e-9);
    assert_true(fabs(forecast.batch_high_ms - (130 + pool_ms + above)) < 1e-9);
    assert_true(isnan(forecast.epoch_s) && isnan(forecast.total_s) && isnan(forecast.cost));
    forecast_free(&forecast);
}

/* The same config twice errs twice as much, whatever the correlation. */
static void repeated_layers_add_up(void **state)
{
    (void)state;
    struct network_layer twice[] = {layers[2], layers[2]};
    const struct network repeated = {.name = "twice", .layers = twice, .layer_count = 2};
    const struct forecast_options options = options_of(2);
    struct forecast forecast;
    assert_int_equal(forecast_network(&forecast, &repeated, &fixed, NULL, &options, NULL),
                     STATUS_OK);
    assert_true(fabs(forecast.batch_low_ms - (20 - 2)) < 1e-9);
    assert_true(fabs(forecast.batch_high_ms - (20 + 4)) < 1e-9);
    forecast_free(&forecast);
}

static void epochs_and_cost_follow(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct forecast_options options = options_of(32);
    options.dataset_size = 100; /* 4 batches */
    struct forecast forecast;
    assert_int_equal(forecast_network(&forecast, &network, &fixed, &device, &options, NULL),
                     STATUS_OK);
    assert_true(fabs(forecast.epoch_s - 4 * forecast.batch_ms / 1000) < 1e-9);
    assert_true(isnan(forecast.total_s));
    forecast_free(&forecast);
    options.epochs = 90;
    options.price_per_hour = 3600;
    assert_int_equal(forecast_network(&forecast, &network, &fixed, &device, &options, NULL),
                     STATUS_OK);
    assert_true(fabs(forecast.total_s - 90 * forecast.epoch_s) < 1e-9);
    assert_true(fabs(forecast.cost - forecast.total_s) < 1e-9);
    forecast_free(&forecast);
}

static void unknown_rates_are_an_error(void **state)
{
    (void)state;
    struct device_info device = synthetic_device("one", NAN, 10);
    const struct forecast_options options = options_of(2);
    struct forecast forecast;
    struct error error = {0};
    assert_int_equal(forecast_network(&forecast, &network, &fixed, &device, &options, &error),
                     STATUS_FAILED);
    assert_non_null(strstr(error.message, "layer 'pool' (pool2d)"));
    assert_null(forecast.layers);
    assert_int_equal(forecast_network(&forecast, &network, &fixed, NULL, &options, &error),
                     STATUS_FAILED);
}

static void bad_batch_is_a_usage_error(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    const struct forecast_options options = options_of(0);
    struct forecast forecast;
    struct error error = {0};
    assert_int_equal(forecast_network(&forecast, &network, &fixed, &device, &options, &error),
                     STATUS_USAGE);
    assert_non_null(strstr(error.message, "batch_size"));
}

/* Parameters: 3*3*3*4 + 64*10 + 10*20 = 948. Elements of one row: input 192, outputs 256, 64, 10,
 * 20; the largest input + output is the convolution's 448. */
static void memory_is_counted(void **state)
{
    (void)state;
    assert_int_equal(
        network_memory_bytes(&network, 1, PASS_FORWARD, OPTIMIZER_NONE, PRECISION_FP32),
        4 * (948 + 448));
    assert_int_equal(
        network_memory_bytes(&network, 3, PASS_FORWARD, OPTIMIZER_NONE, PRECISION_FP32),
        4 * (948 + 3 * 448));
    assert_int_equal(network_memory_bytes(&network, 2, PASS_TRAIN, OPTIMIZER_SGD, PRECISION_FP32),
                     4 * (2 * 948 + 2 * (192 + 350 + 448)));
    assert_int_equal(network_memory_bytes(&network, 2, PASS_TRAIN, OPTIMIZER_ADAM, PRECISION_FP32),
                     4 * (4 * 948 + 2 * (192 + 350 + 448)));
    /* half the bytes, but for Adam's state */
    assert_int_equal(network_memory_bytes(&network, 2, PASS_TRAIN, OPTIMIZER_ADAM, PRECISION_FP16),
                     2 * (2 * 948 + 2 * (192 + 350 + 448)) + 4 * 2 * 948);
}

static void largest_batch_is_exact(void **state)
{
    (void)state;
    for (int32_t batch_size = 1; batch_size <= 65536; batch_size *= 4) {
        const int64_t bytes = network_memory_bytes(&network, batch_size, PASS_TRAIN, OPTIMIZER_ADAM,
                                                   PRECISION_FP32);
        assert_int_equal(
            network_largest_batch(&network, PASS_TRAIN, OPTIMIZER_ADAM, PRECISION_FP32, bytes),
            batch_size);
        assert_int_equal(
            network_largest_batch(&network, PASS_TRAIN, OPTIMIZER_ADAM, PRECISION_FP32, bytes - 1),
            batch_size - 1);
    }
    assert_int_equal(
        network_largest_batch(&network, PASS_TRAIN, OPTIMIZER_ADAM, PRECISION_FP32, INT64_MAX),
        65536);
}

static void fits_compares_with_the_device(void **state)
{
    (void)state;
    struct device_info device = synthetic_device("one", 100, 10);
    const struct forecast_options options = options_of(2);
    const int64_t needed = network_memory_bytes(&network, 2, PASS_TRAIN, OPTIMIZER_ADAM,
                                                PRECISION_FP32);
    const struct {
        int64_t memory_bytes;
        bool fits;
    } cases[] = {{needed, true}, {needed - 1, false}, {0, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct forecast forecast;
        device.memory_bytes = cases[i].memory_bytes;
        assert_int_equal(forecast_network(&forecast, &network, &fixed, &device, &options, NULL),
                         STATUS_OK);
        assert_int_equal(forecast.memory_bytes, needed);
        assert_int_equal(forecast.fits, cases[i].fits);
        forecast_free(&forecast);
    }
}

/* An operator takes the roofline and a group of its own in the interval; a layer of more rows than
 * benchmarks have does so too. 100 GFLOP/s, 10 GB/s: the work below takes 3 * 2 / 1e8 s. */
static void operators_take_the_roofline(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct network_layer mixed[] = {layers[2], layers[2], {.name = "relu", .input = 0}};
    const struct network three = {.name = "mixed", .layers = mixed, .layer_count = 3};
    struct forecast_options options = options_of(2);
    options.pass = PASS_FORWARD;
    options.optimizer = OPTIMIZER_NONE;
    mixed[1].config.batch_size = 40000;
    snprintf(mixed[2].operator_name, sizeof mixed[2].operator_name, "relu");
    mixed[2].work = (struct operator_work){
        .input_count = 10, .output_count = 10, .forward_flops = 3e6};
    struct forecast forecast;
    assert_int_equal(forecast_network(&forecast, &three, &fixed, &device, &options, NULL),
                     STATUS_OK);
    const struct layer_config rows = network_config(&mixed[1], 2, PASS_FORWARD, OPTIMIZER_NONE,
                                                    PRECISION_FP32);
    const double relu_ms = 2 * 3e6 / 1e8, rows_ms = roofline_ms(&rows, &device);
    assert_int_equal(rows.batch_size, 80000);
    assert_int_equal(forecast.uncovered_count, 2);
    assert_true(fabs(forecast.layers[2].median_ms - relu_ms) < 1e-12 * relu_ms);
    assert_true(forecast.layers[1].median_ms == rows_ms && forecast.layers[0].covered);
    assert_true(fabs(forecast.uncovered_ms - relu_ms - rows_ms) < 1e-12);
    const double above = sqrt((2 + rows_ms) * (2 + rows_ms) + relu_ms * relu_ms);
    assert_true(fabs(forecast.batch_high_ms - forecast.batch_ms - above) < 1e-9);
    char kinds[64];
    assert_int_equal(forecast_uncovered_kinds(kinds, sizeof kinds, &forecast, &three, NULL),
                     STATUS_OK);
    assert_string_equal(kinds, "dense x1, relu x1");
    forecast_free(&forecast);
    options.batch_size = 1; /* 40000 rows are what a benchmark has */
    assert_int_equal(forecast_network(&forecast, &three, &fixed, &device, &options, NULL),
                     STATUS_OK);
    assert_int_equal(forecast.uncovered_count, 1);
    forecast_free(&forecast);
    struct error error = {0};
    assert_int_equal(forecast_network(&forecast, &three, &fixed, NULL, &options, &error),
                     STATUS_FAILED);
    assert_non_null(strstr(error.message, "layer 'relu' (relu)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_and_intervals_add_up),
        cmocka_unit_test(repeated_layers_add_up),
        cmocka_unit_test(epochs_and_cost_follow),
        cmocka_unit_test(unknown_rates_are_an_error),
        cmocka_unit_test(bad_batch_is_a_usage_error),
        cmocka_unit_test(memory_is_counted),
        cmocka_unit_test(largest_batch_is_exact),
        cmocka_unit_test(fits_compares_with_the_device),
        cmocka_unit_test(operators_take_the_roofline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
