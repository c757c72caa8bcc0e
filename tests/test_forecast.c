#include "forecast/forecast.h"
#include "predictors/predictor_roofline.h"
#include "synthetic_rows.h"
#include "test.h"
#include "tiny_network.h"

/* Dense takes its outputs in ms, 10 % less to 20 % more; conv2d 100 ms, 30 either way; pool2d is
 * not covered. */
static enum status predict_fixed(struct prediction *predictions, const struct predictor *predictor,
                                 const struct layer_question *questions, size_t count,
                                 const struct device_info *device, struct error *error)
{
    (void)predictor;
    (void)device;
    (void)error;
    for (size_t i = 0; i < count; i++) {
        const struct layer_config *config = questions[i].config;
        predictions[i] = (struct prediction){.median_ms = NAN, .low_ms = NAN, .high_ms = NAN};
        if (!config)
            continue;
        const double outputs = config->as.dense.outputs;
        if (config->kind == LAYER_DENSE)
            predictions[i] = (struct prediction){.median_ms = outputs,
                                                 .low_ms = 0.9 * outputs,
                                                 .high_ms = 1.2 * outputs,
                                                 .correlation = 0.25,
                                                 .covered = true};
        if (config->kind == LAYER_CONV2D)
            predictions[i] = (struct prediction){
                .median_ms = 100, .low_ms = 70, .high_ms = 130, .correlation = 1, .covered = true};
    }
    return STATUS_OK;
}
static const struct predictor_type fixed_type = {.name = "fixed", .predict = predict_fixed};
static const struct predictor fixed = {.type = &fixed_type};

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
    /* dense: 1 and 2 below, correlation 1/4; conv 30; pool: at least its own time, nobody knows how
     * much above */
    const double below = sqrt(0.25 * 9 + 0.75 * 5 + 900);
    assert_true(fabs(forecast.batch_low_ms - (130 + pool_ms - below)) < 1e-9);
    assert_true(forecast.layers[1].low_ms == pool_ms && isnan(forecast.layers[1].high_ms));
    assert_true(isnan(forecast.batch_high_ms));
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

/* Of 10, 20 and 30 outputs, three, two and one: 3, 4 and 3 below, 6, 8 and 6 above, correlation
 * 1/4 between configs and 1 within. */
static void repeated_layers_are_found_anywhere(void **state)
{
    (void)state;
    static const int32_t outputs[] = {10, 20, 10, 30, 20, 10};
    struct network_layer six[6];
    for (int i = 0; i < 6; i++) {
        six[i] = layers[2];
        six[i].config.as.dense.outputs = outputs[i];
    }
    const struct network mixed = {.name = "six", .layers = six, .layer_count = 6};
    const struct forecast_options options = options_of(2);
    struct forecast forecast;
    assert_int_equal(forecast_network(&forecast, &mixed, &fixed, NULL, &options, NULL), STATUS_OK);
    assert_true(fabs(forecast.batch_ms - 100) < 1e-9);
    const double below = sqrt(0.25 * 10 * 10 + 0.75 * (9 + 16 + 9));
    assert_true(fabs(forecast.batch_low_ms - (100 - below)) < 1e-9);
    assert_true(fabs(forecast.batch_high_ms - (100 + 2 * below)) < 1e-9);
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

static void energy_has_a_price(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct forecast_options options = options_of(32);
    struct forecast forecast;
    options.dataset_size = 64;
    options.epochs = 10;
    options.watts = 500;
    options.price_per_kwh = 0.4;
    assert_int_equal(forecast_network(&forecast, &network, &fixed, &device, &options, NULL),
                     STATUS_OK);
    const double hours = 20 * forecast.batch_ms / 3.6e6, kwh = hours * 0.5;
    assert_true(fabs(forecast.energy_kwh - kwh) < 1e-12);
    assert_true(fabs(forecast.cost - 0.4 * kwh) < 1e-12); /* no price of the hour */
    assert_true(fabs(forecast.epoch_cost - 0.04 * kwh) < 1e-12);
    assert_true(forecast.sample_ms == forecast.batch_ms / 32);
    forecast_free(&forecast);
    options.price_per_hour = 2;
    assert_int_equal(forecast_network(&forecast, &network, &fixed, &device, &options, NULL),
                     STATUS_OK);
    assert_true(fabs(forecast.cost - (0.4 * kwh + 2 * hours)) < 1e-12);
    forecast_free(&forecast);
    options.price_per_hour = options.watts = NAN;
    assert_int_equal(forecast_network(&forecast, &network, &fixed, &device, &options, NULL),
                     STATUS_OK);
    assert_true(isnan(forecast.cost) && isnan(forecast.energy_kwh) && forecast.total_s > 0);
    forecast_free(&forecast);
}

static void fits_compares_with_the_device(void **state)
{
    (void)state;
    struct device_info device = synthetic_device("one", 100, 10);
    struct forecast_options options = options_of(2);
    const int64_t needed =
        network_memory(&network, 2, PASS_TRAIN, OPTIMIZER_ADAM, PRECISION_FP32).total_bytes;
    const struct {
        int64_t device_bytes, asked_bytes;
        bool fits;
    } cases[] = {{needed, 0, true},
                 {needed - 1, 0, false},
                 {0, 0, true},
                 {needed, needed - 1, false},
                 {needed - 1, needed, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct forecast forecast;
        device.memory_bytes = cases[i].device_bytes;
        options.memory_bytes = cases[i].asked_bytes;
        assert_int_equal(forecast_network(&forecast, &network, &fixed, &device, &options, NULL),
                         STATUS_OK);
        assert_int_equal(forecast.memory.total_bytes, needed);
        assert_int_equal(forecast.fits, cases[i].fits);
        forecast_free(&forecast);
    }
}

/* 65536 x 64 x 64 x 16 elements are more than 2^31: no benchmark has them, memory is counted. */
static void more_elements_than_benchmarks_take(void **state)
{
    (void)state;
    struct device_info device = synthetic_device("one", 100, 10);
    struct network_layer large[] = {layers[0]};
    const struct network one = {.name = "large", .layers = large, .layer_count = 1};
    const struct forecast_options options = options_of(65536);
    struct forecast forecast;
    large[0].config.as.conv2d.image_size = 64;
    large[0].config.as.conv2d.channels_out = 16;
    device.memory_bytes = INT64_C(16) << 30;
    assert_int_equal(forecast_network(&forecast, &one, &fixed, &device, &options, NULL), STATUS_OK);
    assert_int_equal(forecast.uncovered_count, 1);
    assert_false(forecast.fits);
    assert_true(forecast.memory.activations_bytes > INT64_C(65536) * 64 * 64 * 16 * 4);
    forecast_free(&forecast);
    struct error error = {0};
    large[0].config.as.conv2d.kernel_size = 0; /* wrong for one sample, too */
    assert_int_equal(forecast_network(&forecast, &one, &fixed, &device, &options, &error),
                     STATUS_USAGE);
}

/* Weak scaling: the batch is each device's. 948 fp32 gradients over 1 MB/s: 3.792 ms a transfer. */
static void gradients_cross_the_link(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct forecast_options options = options_of(8);
    struct forecast one, four;
    options.dataset_size = 320;
    options.epochs = 1;
    options.price_per_hour = 36;
    assert_int_equal(forecast_network(&one, &network, &fixed, &device, &options, NULL), STATUS_OK);
    assert_true(one.communication_ms == 0 && one.efficiency_percent == 100);
    options.parallel = (struct parallel_options){.device_count = 4, .link_bytes_per_s = 1e6};
    assert_int_equal(forecast_network(&four, &network, &fixed, &device, &options, NULL), STATUS_OK);
    assert_true(fabs(four.communication_ms - 1.5 * 3.792) < 1e-9); /* the ring of 4 */
    assert_true(fabs(four.batch_ms - one.batch_ms - 1.5 * 3.792) < 1e-9);
    assert_true(fabs(four.batch_low_ms - one.batch_low_ms - 1.5 * 3.792) < 1e-9);
    assert_true(fabs(four.efficiency_percent - 100 * one.batch_ms / four.batch_ms) < 1e-9);
    assert_true(four.overlap_efficiency_percent == 100); /* hidden behind the computation */
    assert_true(four.global_batch_size == 32 && four.device_batch_size == 8);
    assert_true(fabs(four.epoch_s - 10 * four.batch_ms / 1000) < 1e-9);
    assert_true(fabs(four.cost - four.total_s / 3600 * 4 * 36) < 1e-9);
    assert_int_equal(four.memory.total_bytes, one.memory.total_bytes);
    options.pass = PASS_FORWARD;
    options.optimizer = OPTIMIZER_NONE;
    forecast_free(&four);
    assert_int_equal(forecast_network(&four, &network, &fixed, &device, &options, NULL), STATUS_OK);
    assert_true(four.communication_ms == 0); /* no gradients */
    forecast_free(&four);
    forecast_free(&one);
}

/* Strong scaling divides: the fixed predictor takes as long for any batch, so that three devices
 * are worth a third at most. 10 = 4 + 3 + 3. */
static void strong_scaling_divides_the_batch(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    const struct network dense = {.name = "dense", .layers = layers + 3, .layer_count = 1};
    struct forecast_options options = options_of(10);
    struct forecast forecast;
    struct error error = {0};
    options.parallel = (struct parallel_options){.device_count = 3,
                                                 .scaling = SCALING_STRONG,
                                                 .all_reduce = ALL_REDUCE_RING,
                                                 .link_bytes_per_s = 1e6};
    assert_int_equal(forecast_network(&forecast, &dense, &fixed, &device, &options, NULL),
                     STATUS_OK);
    assert_true(forecast.device_batch_size == 4 && forecast.global_batch_size == 10);
    const double communication_ms = 4. / 3 * 200 * 4 / 1e6 * 1e3; /* 10 x 20 weights */
    assert_true(fabs(forecast.communication_ms - communication_ms) < 1e-12);
    assert_true(fabs(forecast.efficiency_percent - 100 * 20 / (3 * (20 + communication_ms))) <
                1e-9);
    assert_true(fabs(forecast.overlap_efficiency_percent - 100. / 3) < 1e-9);
    assert_int_equal(
        forecast.memory.activations_bytes,
        network_memory(&dense, 4, PASS_TRAIN, OPTIMIZER_ADAM, PRECISION_FP32).activations_bytes);
    forecast_free(&forecast);
    options.parallel.device_count = 11;
    assert_int_equal(forecast_network(&forecast, &dense, &fixed, &device, &options, &error),
                     STATUS_USAGE);
    assert_non_null(strstr(error.message, "cannot be divided"));
}

/* An operator takes the roofline as its lower bound; a layer of more rows than benchmarks have does
 * so too. 100 GFLOP/s, 10 GB/s: the work below takes 3 * 2 / 1e8 s. */
static void operators_take_the_roofline(void **state)
{
    (void)state;
    const struct device_info device = synthetic_device("one", 100, 10);
    struct network_layer mixed[] = {
        layers[2], layers[2], {.name = "relu", .inputs = (const int[]){0}, .input_count = 1}};
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
    assert_true(forecast.layers[1].low_ms == rows_ms && forecast.layers[2].low_ms == relu_ms);
    assert_true(fabs(forecast.batch_low_ms - forecast.batch_ms + 1) < 1e-9);
    assert_true(isnan(forecast.batch_high_ms));
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

/* Forecasts operators alone, from their work: a ms an element written. */
static enum status predict_work(struct prediction *predictions, const struct predictor *predictor,
                                const struct layer_question *questions, size_t count,
                                const struct device_info *device, struct error *error)
{
    (void)predictor;
    (void)device;
    (void)error;
    for (size_t i = 0; i < count; i++) {
        const double ms = questions[i].config ? NAN
                                              : question_cost(&questions[i]).bytes_written / 4;
        predictions[i] = (struct prediction){
            .median_ms = ms, .low_ms = ms, .high_ms = ms, .covered = !questions[i].config};
    }
    return STATUS_OK;
}

/* The predictor is asked about every layer, an operator by its work: 64 elements written a sample.
 */
static void operators_are_asked_about_by_their_work(void **state)
{
    (void)state;
    static const struct predictor_type work_type = {.name = "work", .predict = predict_work};
    static const struct predictor by_work = {.type = &work_type};
    const struct device_info device = synthetic_device("one", 100, 10);
    struct forecast_options options = options_of(2);
    struct network_layer mixed[2] = {
        layers[0], {.name = "relu", .inputs = (const int[]){0}, .input_count = 1}};
    struct forecast forecast;
    snprintf(mixed[1].operator_name, sizeof mixed[1].operator_name, "relu");
    mixed[1].work = (struct operator_work){
        .input_count = 64, .output_count = 64, .forward_flops = 64};
    options.pass = PASS_FORWARD;
    options.optimizer = OPTIMIZER_NONE;
    const struct network short_network = {.name = "short", .layers = mixed, .layer_count = 2};
    assert_int_equal(forecast_network(&forecast, &short_network, &by_work, &device, &options, NULL),
                     STATUS_OK);
    assert_true(forecast.layers[1].covered && forecast.layers[1].median_ms == 128);
    assert_true(forecast.layers[0].covered); /* asked again, without its config */
    assert_int_equal(forecast.uncovered_count, 0);
    forecast_free(&forecast);
    /* and the roofline itself covers both */
    const struct predictor roofline = {.type = &predictor_roofline};
    assert_int_equal(
        forecast_network(&forecast, &short_network, &roofline, &device, &options, NULL), STATUS_OK);
    assert_int_equal(forecast.uncovered_count, 0);
    forecast_free(&forecast);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_and_intervals_add_up),
        cmocka_unit_test(repeated_layers_add_up),
        cmocka_unit_test(repeated_layers_are_found_anywhere),
        cmocka_unit_test(epochs_and_cost_follow),
        cmocka_unit_test(unknown_rates_are_an_error),
        cmocka_unit_test(bad_batch_is_a_usage_error),
        cmocka_unit_test(energy_has_a_price),
        cmocka_unit_test(fits_compares_with_the_device),
        cmocka_unit_test(more_elements_than_benchmarks_take),
        cmocka_unit_test(gradients_cross_the_link),
        cmocka_unit_test(strong_scaling_divides_the_batch),
        cmocka_unit_test(operators_take_the_roofline),
        cmocka_unit_test(operators_are_asked_about_by_their_work),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
