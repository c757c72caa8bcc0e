/* The catalogue of devices: the file that is shipped is consistent; names; faults of a file. */
#include "data/device_catalogue.h"
#include "folder_fixture.h"
#include "test.h"

#include <math.h>

static struct device_catalogue shipped;

/* ---- the file that is shipped ---- */

static void sixty_gpus_and_more(void **state)
{
    (void)state;
    int gpus = 0;
    for (int i = 0; i < shipped.count; i++)
        gpus += shipped.devices[i].type == TYPE_GPU;
    assert_true(gpus >= 60);
}

/* Two operations per core and cycle; twice that where a core issues two instructions. */
static double operations_per_core(const struct catalogue_device *device)
{
    static const char *const dual[] = {"CDNA3", "CDNA4", "RDNA3"};
    for (size_t i = 0; i < sizeof dual / sizeof *dual; i++)
        if (strcmp(device->technology, dual[i]) == 0)
            return 4;
    return device->type == TYPE_CPU ? 64 : 2; /* of AVX-512: 16 lanes, two units */
}

static void peak_is_cores_times_clock(void **state)
{
    (void)state;
    int checked = 0;
    for (int i = 0; i < shipped.count; i++) {
        const struct catalogue_device *device = &shipped.devices[i];
        const double peak = operations_per_core(device) * device->core_count * device->boost_mhz *
                            1e-3;
        if (isnan(peak) || isnan(device->fp32_gflops))
            continue;
        checked++;
        if (!(fabs(device->fp32_gflops / peak - 1) <= 0.03))
            fail_msg("%s: %g GFLOP/s, cores and clock say %g", device->name, device->fp32_gflops,
                     peak);
    }
    assert_true(checked >= 60);
}

static void figures_are_plausible(void **state)
{
    (void)state;
    for (int i = 0; i < shipped.count; i++) {
        const struct catalogue_device *device = &shipped.devices[i];
        const double flops_per_byte = device->fp32_gflops / device->bandwidth_gbps;
        const double cores_per_unit = device->core_count / device->unit_count;
        if (!(device->bandwidth_gbps >= 50 && device->bandwidth_gbps <= 20000) ||
            device->memory_bytes < 2e9 || device->memory_bytes > 1e12 ||
            !(device->year >= 2008 && device->year <= 2100) || flops_per_byte < 5 ||
            flops_per_byte > 120 || device->boost_mhz < device->base_mhz ||
            fmod(cores_per_unit, device->type == TYPE_CPU ? 1 : 32) > 0 ||
            device->cache_bytes > 1e9 || device->tdp_watts > 2000 || !*device->technology ||
            !*device->vendor)
            fail_msg("%s: a figure is not plausible", device->name);
    }
}

static bool is_twice(double larger, double smaller)
{
    return isnan(larger) || isnan(smaller) || fabs(larger / smaller - 2) < 0.06;
}

/* Halving the type doubles the rate of tensor cores; they are not slower than plain ones. */
static void tensor_rates_double(void **state)
{
    (void)state;
    for (int i = 0; i < shipped.count; i++) {
        const struct catalogue_device *device = &shipped.devices[i];
        const bool is_plain = device->bf16_tensor_gflops != device->fp16_tensor_gflops;
        if (strncmp(device->technology, "Gaudi", 5) == 0)
            continue; /* Gaudi 3: both alike */
        if (!is_twice(device->fp16_tensor_gflops, device->tf32_tensor_gflops) ||
            !is_twice(device->fp8_tensor_gflops, device->fp16_tensor_gflops) ||
            device->fp16_tensor_gflops < device->fp32_gflops ||
            (is_plain && device->bf16_tensor_gflops > device->fp16_tensor_gflops))
            fail_msg("%s: rates of tensor cores do not fit one another", device->name);
    }
}

static void known_devices_have_their_figures(void **state)
{
    (void)state;
    const struct catalogue_device *device = device_catalogue_find(&shipped,
                                                                  "NVIDIA A100-SXM4-80GB");
    assert_non_null(device);
    assert_string_equal(device->name, "A100 SXM 80GB");
    const struct device_info info = device_catalogue_info(device);
    assert_string_equal(info.name, "A100 SXM 80GB");
    assert_string_equal(info.technology, "Ampere");
    assert_string_equal(info.connectivity, "NVLink");
    assert_int_equal(info.memory_bytes, 80LL << 30);
    assert_int_equal(info.cache_bytes, 40 << 20);
    assert_true(info.core_count == 6912 && info.clock_mhz == 1410 && info.peak_gflops == 19500);
    assert_true(info.bandwidth_gbps == 2039 && isnan(info.measured_copy_gbps));
}

/* ---- names ---- */

static void names_are_found_however_written(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name;
    } cases[] = {{"h100 sxm", "H100 SXM"},
                 {"H100", "H100 SXM"},
                 {"h100_sxm", "H100 SXM"},
                 {"Tesla V100-SXM2-16GB", "V100 SXM2 16GB"},
                 {"V100", "V100 SXM2 16GB"},
                 {"NVIDIA GeForce RTX 3090", "RTX 3090"},
                 {"AMD_Instinct_MI210", "MI210"},
                 {"NVIDIA TITAN X (Pascal)", "TITAN X Pascal"},
                 {"Quadro_RTX_6000", "Quadro RTX 6000"},
                 {"geforce-gtx-1080-ti", "GTX 1080 Ti"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct catalogue_device *device = device_catalogue_find(&shipped, cases[i].text);
        if (!device || strcmp(device->name, cases[i].name) != 0)
            fail_msg("'%s' is '%s', not '%s'", cases[i].text, device ? device->name : "nothing",
                     cases[i].name);
    }
    assert_null(device_catalogue_find(&shipped, "RTX"));
    assert_null(device_catalogue_find(&shipped, ""));
    assert_null(device_catalogue_find(&shipped, "AMDMI210"));
    assert_true(device_catalogue_same(&shipped, "V100", "Tesla V100-SXM2-16GB"));
    assert_false(device_catalogue_same(&shipped, "V100", "V100 PCIe"));
    assert_false(device_catalogue_same(&shipped, "nothing", "nothing"));
}

static void typing_errors_have_a_nearest_name(void **state)
{
    (void)state;
    char text[64];
    assert_string_equal(device_catalogue_nearest(text, &shipped, "H100 SMX"), "H100 SXM");
    assert_string_equal(device_catalogue_nearest(text, &shipped, "NVIDIA RTX 4009"), "RTX 4090");
    assert_null(device_catalogue_nearest(text, &shipped, "a toaster oven"));
}

/* ---- faults of a file ---- */

#define HEADER                                                                                     \
    "name,aliases,vendor,type,technology,memory_bytes,bandwidth_gbps,cache_bytes,unit_count,"      \
    "core_count,base_mhz,boost_mhz,fp32_gflops,fp16_gflops,tf32_tensor_gflops,"                    \
    "fp16_tensor_gflops,bf16_tensor_gflops,fp8_tensor_gflops,link,tdp_watts,year\n"

static enum status read_text(struct device_catalogue *catalogue, const char *text)
{
    const struct file_name name = in_folder(&folder, "devices.csv");
    FILE *file = fopen(name.text, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return device_catalogue_read(catalogue, name.text, &error);
}

static void an_empty_cell_is_unknown(void **state)
{
    (void)state;
    struct device_catalogue catalogue;
    assert_int_equal(
        read_text(&catalogue, "# a remark\n" HEADER "A,b;c,V,gpu,T,,9,,,,,,,,,,,,,,\n"), STATUS_OK);
    assert_int_equal(catalogue.count, 1);
    assert_true(isnan(catalogue.devices[0].memory_bytes));
    assert_int_equal(device_catalogue_info(&catalogue.devices[0]).memory_bytes, 0);
    assert_ptr_equal(device_catalogue_find(&catalogue, "C"), &catalogue.devices[0]);
    device_catalogue_free(&catalogue);
}

static void faults_name_the_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *fault;
    } cases[] = {
        {"", "empty"},
        {"name,aliases\n", "no column 'vendor'"},
        {HEADER "A,,V,toaster,T,,9,,,,,,,,,,,,,,\n", ":2: type 'toaster'"},
        {HEADER "A,,V,gpu,T,,-9,,,,,,,,,,,,,,\n", ":2: bandwidth_gbps = -9"},
        {HEADER "A,,V,gpu,T,,fast,,,,,,,,,,,,,,\n", "bandwidth_gbps"},
        {HEADER ",,V,gpu,T,,9,,,,,,,,,,,,,,\n", ":2: no name"},
        {HEADER "A,,V,gpu,T,,9,,,,,,,,,,,,,,\nB,a,V,gpu,T,,9,,,,,,,,,,,,,,\n",
         ":3: another device"},
        {HEADER "A,,V,gpu\n", ":2: 4 fields"},
        {HEADER "A,,V,gpu,T,,9,,,,,,,,,,,,a link of many words,,\n", ":2: link is longer than 15"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct device_catalogue catalogue;
        assert_int_equal(read_text(&catalogue, cases[i].text), STATUS_BAD_FILE);
        assert_null(catalogue.devices);
        if (!strstr(error.message, cases[i].fault))
            fail_msg("'%s' does not say '%s'", error.message, cases[i].fault);
    }
}

static int begin(void **state)
{
    (void)state;
    return device_catalogue_read(&shipped, SOURCE_DIR "/datasets/devices.csv", &error) != STATUS_OK;
}

static int end(void **state)
{
    (void)state;
    device_catalogue_free(&shipped);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixty_gpus_and_more),
        cmocka_unit_test(peak_is_cores_times_clock),
        cmocka_unit_test(figures_are_plausible),
        cmocka_unit_test(tensor_rates_double),
        cmocka_unit_test(known_devices_have_their_figures),
        cmocka_unit_test(names_are_found_however_written),
        cmocka_unit_test(typing_errors_have_a_nearest_name),
        TEST(an_empty_cell_is_unknown),
        TEST(faults_name_the_line),
    };
    return RUN_TESTS(argc, argv, tests, begin, end);
}
