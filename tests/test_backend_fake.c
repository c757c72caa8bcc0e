/* Opening devices by name, and the device that computes its times. */
#include "bench/device_identity.h"
#include "bench/measure.h"
#include "test.h"

#include <math.h>
#include <string.h>

static struct device *open_fake(uint64_t seed)
{
    struct error error = {0};
    struct device *device;
    const struct device_options options = {.seed = seed};
    if (device_open(&device, "fake", &options, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return device;
}

static struct layer_config conv2d_config(int batch, int channels)
{
    return (struct layer_config){.kind = LAYER_CONV2D,
                                 .batch_size = batch,
                                 .pass = PASS_TRAIN,
                                 .optimizer = OPTIMIZER_ADAM,
                                 .as.conv2d = {.image_size = 32,
                                               .kernel_size = 3,
                                               .channels_in = channels,
                                               .channels_out = channels,
                                               .stride = 1,
                                               .padding = PADDING_SAME,
                                               .use_bias = 1,
                                               .groups = 1,
                                               .dilation = 1}};
}

static struct measurement measured(struct device *device, const struct layer_config *config)
{
    struct error error = {0};
    struct measurement row;
    if (measure_config(&row, device, config, &measure_options_default, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return row;
}

/* It has no cache: a call takes as long when its phases work on several sets of operands. */
static void sets_of_operands_do_not_change_its_times(void **state)
{
    (void)state;
    const struct layer_config config = conv2d_config(4, 16);
    double median_ms[2];
    for (int i = 0; i < 2; i++) {
        struct error error = {0};
        struct device *device = open_fake(3);
        struct measure_options options = measure_options_default;
        struct measurement row;
        options.cache = i == 0 ? CACHE_HOT : CACHE_STEP;
        if (measure_config(&row, device, &config, &options, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        median_ms[i] = row.median_ms;
        device_close(device);
    }
    assert_true(fabs(median_ms[0] - median_ms[1]) < 1e-9 * median_ms[0]);
}

static void devices_open_by_name(void **state)
{
    (void)state;
    static const char *const names[] = {"fake", "fake:0", "cpu", "cpu:0"};
    const struct device_options options = {.arena_bytes = 1 << 20};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct device *device;
        struct error error = {0};
        assert_int_equal(device_open(&device, names[i], &options, &error), STATUS_OK);
        assert_memory_equal(device->backend->name, names[i], strlen(device->backend->name));
        device_close(device);
    }
    device_close(NULL);
}

static void unknown_devices_are_reported(void **state)
{
    (void)state;
    static const char *const names[] = {"",
                                        "vulkan",
                                        "vulkan:0",
                                        "cuda:9999",
                                        "cpu:7",
                                        "nonsense",
                                        "fak",
                                        "fake:1",
                                        "fake:",
                                        "fake:-1",
                                        "fake:x",
                                        "fake:0x",
                                        "fake:99999999999999999999",
                                        "a name that is longer than the name of any backend"};
    const struct device_options options = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct device *device = (struct device *)1;
        struct error error = {0};
        assert_int_equal(device_open(&device, names[i], &options, &error), STATUS_NO_DEVICE);
        assert_null(device);
        assert_true(strlen(error.message) > 0 && strlen(error.hint) > 0);
    }
    struct device *device;
    struct error error = {0};
    device_open(&device, "vulkan", &options, &error);
    assert_non_null(strstr(error.message, "vulkan"));
    assert_non_null(strstr(error.hint, "cuda, cpu, fake"));
}

static void fake_says_so(void **state)
{
    (void)state;
    struct device *device = open_fake(1);
    struct device_info info, again;
    struct error error = {0};
    assert_int_equal(device->backend->describe(device, false, &info, &error), STATUS_OK);
    assert_memory_equal(info.name, "fake", 4);
    assert_string_equal(info.backend, "fake");
    assert_true(isnan(info.measured_copy_gbps));
    assert_int_equal(device->backend->describe(device, true, &again, &error), STATUS_OK);
    assert_true(again.measured_copy_gbps > 0 && again.measured_sgemm_gflops > 0);
    assert_true(device_is_same(&info, &again));
    memcpy(again.library, "other", 6);
    assert_false(device_is_same(&info, &again));
    device_close(device);
}

/* The same seed and config give the same row, whatever was measured before. */
static void times_are_deterministic(void **state)
{
    (void)state;
    struct device *first = open_fake(1), *second = open_fake(1), *other = open_fake(2);
    const struct layer_config config = conv2d_config(8, 32), before = conv2d_config(2, 5);
    measured(second, &before);
    struct measurement a = measured(first, &config), b = measured(second, &config);
    struct measurement c = measured(other, &config);
    assert_int_equal(a.sample_count, b.sample_count);
    assert_true(fabs(a.median_ms - b.median_ms) < 1e-9 * a.median_ms);
    assert_true(fabs(a.ci_ms - b.ci_ms) < 1e-9 * a.median_ms);
    assert_true(fabs(a.median_ms - c.median_ms) > 1e-7 * a.median_ms);
    assert_true(a.minimum_ms < a.maximum_ms); /* there is noise */
    device_close(first), device_close(second), device_close(other);
}

/* Of so many samples that the noise of 1 % is far below what an optimizer adds. */
static double expected_ms(struct device *device, const struct layer_config *config)
{
    struct error error = {0};
    struct measurement row;
    struct measure_options options = measure_options_default;
    options.minimum_samples = options.maximum_samples = 2000;
    options.cap_ms = INFINITY;
    if (measure_config(&row, device, config, &options, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return row.median_ms;
}

static void times_follow_the_work(void **state)
{
    (void)state;
    struct device *device = open_fake(1);
    struct layer_config config = conv2d_config(8, 64);
    double train_ms = expected_ms(device, &config);
    config.optimizer = OPTIMIZER_NONE;
    double step_ms = expected_ms(device, &config);
    config.pass = PASS_FORWARD;
    double forward_ms = expected_ms(device, &config);
    assert_true(train_ms > step_ms && step_ms > 2 * forward_ms);
    config.batch_size = 64;
    double large_ms = expected_ms(device, &config);
    assert_true(large_ms > 4 * forward_ms && large_ms < 12 * forward_ms);
    /* an unaligned width costs more than its share of the work */
    config = conv2d_config(8, 64);
    config.as.conv2d.image_size = 31;
    double odd_flops = layer_cost(&config).flops;
    config.as.conv2d.channels_out = 63;
    double odd_ms = expected_ms(device, &config);
    assert_true(layer_cost(&config).flops < odd_flops && odd_ms > train_ms);
    device_close(device);
}

static void memory_ends(void **state)
{
    (void)state;
    struct device *device = open_fake(1);
    struct layer_config config = {.kind = LAYER_DENSE,
                                  .batch_size = 65536,
                                  .pass = PASS_TRAIN,
                                  .as.dense = {.inputs = 32768, .outputs = 32000}};
    struct measurement row = measured(device, &config);
    assert_int_equal(row.outcome, OUTCOME_OUT_OF_MEMORY);
    assert_true(isnan(row.median_ms));
    /* what is measured one after the other does not add up */
    config.batch_size = 1;
    for (int i = 0; i < 10; i++)
        assert_true(measurement_is_timed((struct measurement[]){measured(device, &config)}));
    device_close(device);
}

static void other_precisions_are_unsupported(void **state)
{
    (void)state;
    struct device *device = open_fake(1);
    struct layer_config config = conv2d_config(1, 3);
    config.precision = PRECISION_FP16;
    assert_int_equal(measured(device, &config).outcome, OUTCOME_UNSUPPORTED);
    device_close(device);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_open_by_name),
        cmocka_unit_test(sets_of_operands_do_not_change_its_times),
        cmocka_unit_test(unknown_devices_are_reported),
        cmocka_unit_test(fake_says_so),
        cmocka_unit_test(times_are_deterministic),
        cmocka_unit_test(times_follow_the_work),
        cmocka_unit_test(memory_ends),
        cmocka_unit_test(other_precisions_are_unsupported),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
