/* Features of CUDA devices and NVML, without either: attributes as real devices give them, and a
 * library in place of the driver's (fake_nvml.c).
 */
#include "base/clock.h"
#include "base/term.h"
#include "gpu.h"
#include "nvml.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BUS_ID "0000:19:00.0"

static struct nvml *open_fake(const char *words)
{
    struct error error = {0};
    struct nvml *nvml;
    setenv("FAKE_NVML_CASE", words, 1);
    if (nvml_open(&nvml, BUS_ID, FAKE_NVML, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return nvml;
}

static void assert_link(const char *words, const char *expected)
{
    char connectivity[16];
    struct nvml *nvml = open_fake(words);
    nvml_link(connectivity, nvml);
    assert_string_equal(connectivity, expected);
    nvml_close(nvml);
}

static struct conditions conditions_of(const char *words)
{
    struct conditions conditions;
    struct nvml *nvml = open_fake(words);
    nvml_conditions(&conditions, nvml);
    nvml_close(nvml);
    return conditions;
}

static void assert_no_nvml(const char *path, const char *bus_id, const char *expected)
{
    struct error error = {0};
    struct nvml *nvml = (struct nvml *)1;
    assert_int_equal(nvml_open(&nvml, bus_id, path, &error), STATUS_NO_DEVICE);
    assert_null(nvml);
    if (!strstr(error.message, expected))
        fail_msg("'%s' lacks '%s'", error.message, expected);
    assert_true(strlen(error.hint) > 0);
    assert_int_equal(nvml_open(&nvml, bus_id, path, NULL), STATUS_NO_DEVICE);
}

static void absent_nvml_is_reported(void **state)
{
    (void)state;
    setenv("FAKE_NVML_CASE", "", 1);
    assert_no_nvml("/nowhere/libnvidia-ml.so.1", BUS_ID, "/nowhere/libnvidia-ml.so.1");
    assert_no_nvml("libm.so.6", BUS_ID, "no nvmlInit_v2");
    assert_no_nvml(FAKE_NVML, "0000:99:00.0", "find device 0000:99:00.0: Not Found");
    setenv("FAKE_NVML_CASE", "no_driver", 1);
    assert_no_nvml(FAKE_NVML, BUS_ID, "cannot start: Driver Not Loaded");
}

static void assert_unknown(const struct conditions *conditions)
{
    assert_true(isnan(conditions->sm_clock_mhz) && isnan(conditions->maximum_sm_clock_mhz));
    assert_true(isnan(conditions->temperature_c));
    assert_int_equal(conditions->clock_events, 0);
    assert_false(conditions->throttled);
}

static void without_nvml_all_is_unknown(void **state)
{
    (void)state;
    char connectivity[16];
    struct conditions conditions;
    nvml_close(NULL);
    nvml_link(connectivity, NULL);
    assert_string_equal(connectivity, "PCIe");
    nvml_conditions(&conditions, NULL);
    assert_unknown(&conditions);
}

static void link_is_named(void **state)
{
    (void)state;
    assert_link("", "NVLink");
    assert_link("no_nvlink", "PCIe5 x16");
    assert_link("silent", "PCIe");
}

static void conditions_are_read(void **state)
{
    (void)state;
    struct conditions conditions = conditions_of("");
    assert_true(conditions.sm_clock_mhz == 1755 && conditions.maximum_sm_clock_mhz == 1980);
    assert_true(conditions.temperature_c == 45);
    assert_int_equal(conditions.clock_events, 0x4);
    assert_false(conditions.throttled);
    conditions = conditions_of("hot");
    assert_true(conditions.temperature_c == 91 && !conditions.throttled);
    assert_int_equal(conditions.clock_events, 0x44);
    assert_true(conditions_of("low_clock").throttled);
    assert_true(conditions_of("low_clock hot").throttled);
    conditions = conditions_of("silent");
    assert_unknown(&conditions);
}

/* The library's own answers differ from one to the next. */
static void readings_are_100_ms_apart(void **state)
{
    (void)state;
    const struct timespec pause = {.tv_nsec = 110000000};
    struct conditions first, second, later;
    struct nvml *nvml = open_fake("counting");
    double started_s;
    do { /* a busy machine may let 100 ms pass between the two */
        nanosleep(&pause, NULL);
        started_s = monotonic_s();
        nvml_conditions(&first, nvml);
        nvml_conditions(&second, nvml);
    } while (monotonic_s() - started_s > 0.05);
    nanosleep(&pause, NULL);
    nvml_conditions(&later, nvml);
    assert_true(first.temperature_c == second.temperature_c);
    assert_true(first.temperature_c < later.temperature_c);
    nvml_close(nvml);
    nvml = open_fake("counting low_clock"); /* throttled: it may have ended */
    nvml_conditions(&first, nvml);
    nvml_conditions(&second, nvml);
    assert_true(first.throttled && first.temperature_c < second.temperature_c);
    nvml_close(nvml);
}

static void older_drivers_have_another_name(void **state)
{
    (void)state;
    assert_int_equal(conditions_of("older").clock_events, 0x4);
    assert_int_equal(conditions_of("older hot").clock_events, 0x44);
    assert_true(conditions_of("older hot low_clock").throttled);
}

static void harm_makes_throttled(void **state)
{
    (void)state;
    static const struct {
        int64_t clock_events;
        double clock_mhz;
        bool throttled;
    } cases[] = {
        {0x0, 1980, false},  {0x0, 210, false},   {0x1, 210, false},   {0x2, 1200, false},
        {0x4, 1500, false},  {0x4, 1485, false},  {0x4, 1484, true},   {0x4, NAN, false},
        {0x8, 1980, false},  {0x8, 1200, true},   {0x10, 1200, false}, {0x20, 1980, false},
        {0x20, 1400, true},  {0x40, 1484, true},  {0x40, 1485, false}, {0x80, 1980, false},
        {0x80, 1200, true},  {0x80, NAN, false},  {0x24, 1900, false}, {0x24, 900, true},
        {0x100, 900, false}, {0x200, 900, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct conditions conditions = {.sm_clock_mhz = cases[i].clock_mhz,
                                        .maximum_sm_clock_mhz = 1980,
                                        .clock_events = cases[i].clock_events};
        if (conditions_throttled(&conditions) != cases[i].throttled)
            fail_msg("events %#x at %g MHz", (unsigned)cases[i].clock_events, cases[i].clock_mhz);
    }
}

static void assert_text(size_t size, int64_t clock_events, const char *expected)
{
    char text[161];
    memset(text, '#', sizeof text);
    conditions_text(text, size, clock_events);
    assert_string_equal(text, expected);
    assert_int_equal(text[size], '#');
}

static void clock_events_have_names(void **state)
{
    (void)state;
    assert_text(160, 0, "");
    assert_text(160, 0x44, "sw_power_cap,hw_thermal");
    assert_text(160, 0x201, "idle,0x200");
    assert_text(160, -1,
                "idle,applications_clocks,sw_power_cap,hw_slowdown,sync_boost,sw_thermal,"
                "hw_thermal,hw_power_brake,display_clock,0xfffffffffffffe00");
    assert_text(24, 0x44, "sw_power_cap,hw_thermal");
    assert_text(23, 0x44, "sw_power_cap");
    assert_text(1, 0x44, "");
    conditions_text(NULL, 0, 0x44);
}

static void assert_about(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-3 * expected))
        fail_msg("%g instead of %g", value, expected);
}

static void features_are_computed(void **state)
{
    (void)state;
    static const struct {
        struct gpu_attributes attributes;
        const char *technology, *library;
        double clock_mhz, core_count, peak_gflops, bandwidth_gbps;
    } gpus[] = {
        {{"NVIDIA H100 80GB HBM3", "NVLink", 9, 0, 132, 1980000, 2619000, 5120,
          INT64_C(85029158912), 52428800, 13000, 91900},
         "Hopper",
         "CUDA 13.0 cuDNN 9.19.0",
         1980,
         16896,
         66908,
         3352},
        {{"Tesla T4", "PCIe3 x16", 7, 5, 40, 1590000, 5001000, 256, INT64_C(15655829504), 4194304,
          12080, 91002},
         "Turing",
         "CUDA 12.8 cuDNN 9.10.2",
         1590,
         2560,
         8141,
         320},
        {{"Tesla V100-SXM2-16GB", "NVLink", 7, 0, 80, 1530000, 877000, 4096, INT64_C(16935682048),
          6291456, 12040, 8907},
         "Volta",
         "CUDA 12.4 cuDNN 8.9.7",
         1530,
         5120,
         15667,
         898},
    };
    for (size_t i = 0; i < sizeof gpus / sizeof *gpus; i++) {
        struct device_info info;
        memset(&info, 0xFF, sizeof info);
        gpu_fill(&info, &gpus[i].attributes);
        assert_string_equal(info.name, gpus[i].attributes.name);
        assert_string_equal(info.connectivity, gpus[i].attributes.connectivity);
        assert_string_equal(info.technology, gpus[i].technology);
        assert_string_equal(info.library, gpus[i].library);
        assert_about(info.clock_mhz, gpus[i].clock_mhz);
        assert_true(info.core_count == gpus[i].core_count);
        assert_about(info.peak_gflops, gpus[i].peak_gflops);
        assert_about(info.bandwidth_gbps, gpus[i].bandwidth_gbps);
    }
}

static void the_rest_is_copied(void **state)
{
    (void)state;
    const struct gpu_attributes attributes = {
        .major = 9, .memory_bytes = INT64_C(85029158912), .cache_bytes = 52428800};
    struct device_info info;
    memset(&info, 0xFF, sizeof info);
    gpu_fill(&info, &attributes);
    assert_string_equal(info.backend, "cuda");
    assert_true(info.device_count == 1 && info.thread_count == 1);
    assert_true(info.memory_bytes == INT64_C(85029158912) && info.cache_bytes == 52428800);
    assert_true(isnan(info.measured_copy_gbps) && isnan(info.measured_sgemm_gflops));
    assert_true(isnan(info.measured_call_latency_us));
}

static void unknown_is_nan(void **state)
{
    (void)state;
    const struct gpu_attributes newer = {
        .major = 13, .multiprocessor_count = 200, .clock_khz = 2000000, .memory_bus_bits = 8192};
    const struct gpu_attributes silent = {.major = 9, .multiprocessor_count = 132};
    struct device_info info;
    gpu_fill(&info, &newer);
    assert_string_equal(info.technology, "sm_130");
    assert_true(info.clock_mhz == 2000);
    assert_true(isnan(info.core_count) && isnan(info.peak_gflops) && isnan(info.bandwidth_gbps));
    gpu_fill(&info, &silent);
    assert_true(info.core_count == 16896);
    assert_true(isnan(info.clock_mhz) && isnan(info.peak_gflops));
}

static void architectures_are_known(void **state)
{
    (void)state;
    static const struct {
        int major, minor;
        const char *technology;
        int cores;
    } cases[] = {
        {5, 0, "Maxwell", 128},    {5, 2, "Maxwell", 128},    {6, 0, "Pascal", 64},
        {6, 1, "Pascal", 128},     {6, 2, "Pascal", 128},     {7, 0, "Volta", 64},
        {7, 5, "Turing", 64},      {8, 0, "Ampere", 64},      {8, 6, "Ampere", 128},
        {8, 7, "Ampere", 128},     {8, 9, "Ada", 128},        {9, 0, "Hopper", 128},
        {10, 0, "Blackwell", 128}, {10, 3, "Blackwell", 128}, {12, 0, "Blackwell", 128},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct gpu_attributes attributes = {
            .major = cases[i].major, .minor = cases[i].minor, .multiprocessor_count = 1};
        struct device_info info;
        gpu_fill(&info, &attributes);
        assert_string_equal(info.technology, cases[i].technology);
        assert_true(info.core_count == cases[i].cores);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_nvml_is_reported),
        cmocka_unit_test(without_nvml_all_is_unknown),
        cmocka_unit_test(link_is_named),
        cmocka_unit_test(conditions_are_read),
        cmocka_unit_test(readings_are_100_ms_apart),
        cmocka_unit_test(older_drivers_have_another_name),
        cmocka_unit_test(harm_makes_throttled),
        cmocka_unit_test(clock_events_have_names),
        cmocka_unit_test(features_are_computed),
        cmocka_unit_test(the_rest_is_copied),
        cmocka_unit_test(unknown_is_nan),
        cmocka_unit_test(architectures_are_known),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
