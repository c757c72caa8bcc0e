/* How large the layers of a sweep may be, by device. */
#include "cli/sweep_request.h"
#include "data/import.h"
#include "dataset_files.h"
#include "network/network.h"
#include "sweep/identity.h"

static struct error error;

static struct device_info device_of(const char *backend, int threads, double peak_gflops,
                                    double memory_gib)
{
    struct device_info info = {.thread_count = threads,
                               .memory_bytes = (int64_t)(memory_gib * (1 << 30)),
                               .peak_gflops = peak_gflops};
    snprintf(info.backend, sizeof info.backend, "%s", backend);
    return info;
}

static void limits_are(struct device_info info, double flops, double memory_gib)
{
    const struct sweep_limits limits = sweep_limits_of(&info);
    assert_true(limits.flops == flops);
    assert_true(limits.memory_bytes == floor(memory_gib * (1 << 30)));
}

static void a_processor_has_limits_per_thread(void **state)
{
    (void)state;
    struct sample_domain domain;
    sample_domain_default(&domain, LAYER_DENSE);
    limits_are(device_of("cpu", 1, 166, 24), domain.flops_limit, 1);
    limits_are(device_of("fake", 1, 500, 16), domain.flops_limit, 1);
    limits_are(device_of("cpu", 1, NAN, 0), 2e10, 1); /* nothing is known */
    limits_are(device_of("cpu", 16, 2600, 256), 16 * 2e10, 16);
    limits_are(device_of("cpu", 16, 2600, 32), 16 * 2e10, 8);
    limits_are(device_of("cpu", 1, 166, 0.5), 2e10, 0.125); /* a container */
}

static void a_gpu_has_limits_by_peak_and_memory(void **state)
{
    (void)state;
    limits_are(device_of("cuda", 1, 15700, 16), 3.14e12, 0.8 * 16);
    limits_are(device_of("cuda", 1, 66900, 80), 1.34e13, 0.8 * 80); /* three digits */
    limits_are(device_of("cuda", 1, NAN, 80), 2e10, 0.8 * 80);
}

/* What made every batch of README's example an extrapolation. */
static void vgg16_at_batch_256_is_within_the_domain_of_a_v100(void **state)
{
    (void)state;
    struct network vgg16;
    struct device_info v100;
    SUCCEEDS(import_known_device(&v100, "V100", &error));
    snprintf(v100.backend, sizeof v100.backend, "cuda");
    const struct sweep_limits limits = sweep_limits_of(&v100);
    SUCCEEDS(network_load(&vgg16, "vgg16", &error));
    for (int batch = 16; batch <= 256; batch *= 2)
        for (int i = 0; i < vgg16.layer_count; i++) {
            const struct cost cost = network_cost(&vgg16.layers[i], batch, PASS_TRAIN,
                                                  OPTIMIZER_SGD, PRECISION_FP32);
            assert_true(cost.flops <= limits.flops);
            assert_true((double)cost.memory_bytes <= limits.memory_bytes);
        }
    network_free(&vgg16);
}

static enum status make(struct sweep_request *request, struct settings *settings,
                        const char *const *arguments)
{
    int count = 0;
    *settings = settings_default;
    while (arguments[count])
        count++;
    TRY(cli_parse(settings, &command_sweep, count, (char *const *)arguments, &error));
    return sweep_request_make(request, settings, &error);
}

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void options_go_before_the_device(void **state)
{
    (void)state;
    static const struct sweep_limits device = {1e10, 3.14e12};
    struct sweep_request request;
    struct settings settings;
    SUCCEEDS(make(&request, &settings, ARGUMENTS("--layer", "dense,conv2d")));
    SUCCEEDS(sweep_request_limit(&request, &settings, &device, &error));
    for (int i = 0; i < 2; i++) {
        assert_true(request.domains[i].flops_limit == 3.14e12);
        assert_true(request.domains[i].memory_limit_bytes == 1e10);
    }
    assert_non_null(strstr(request.header.domain, "layer dense: memory <= 10000000000 bytes, "
                                                  "flops <= 3.14e+12\n"));
    sweep_request_free(&request);
    SUCCEEDS(
        make(&request, &settings,
             ARGUMENTS("--layer", "dense", "--max-flops", "123456789", "--max-memory", "1MiB")));
    SUCCEEDS(sweep_request_limit(&request, &settings, &device, &error));
    assert_true(request.domains[0].flops_limit == 123456789);
    assert_true(request.domains[0].memory_limit_bytes == 1 << 20);
    assert_non_null(strstr(request.header.domain, "flops <= 123456789\n"));
    for (uint32_t i = 0; i < 200; i++) {
        struct layer_config config;
        enum stratum stratum;
        SUCCEEDS(sample_draw(&config, &stratum, &request.domains[0], 1, i, &error));
        assert_true(layer_cost(&config).flops <= 123456789);
    }
    sweep_request_free(&request);
}

/* Other limits are another sweep; the same ones come back out of the text. */
static void limits_are_part_of_the_identity(void **state)
{
    (void)state;
    static const struct sweep_limits some = {123456789, 0.1 + 0.2e12}, others = {123456789, 1e9};
    struct sweep_request a, b;
    struct settings settings;
    struct sweep_limits limits;
    SUCCEEDS(make(&a, &settings, ARGUMENTS("--layer", "batch_norm,dense")));
    SUCCEEDS(sweep_request_limit(&a, &settings, &some, &error));
    assert_true(sweep_limits_read(&limits, a.header.domain));
    assert_true(limits.flops == some.flops && limits.memory_bytes == some.memory_bytes);
    SUCCEEDS(make(&b, &settings, ARGUMENTS("--layer", "batch_norm,dense")));
    SUCCEEDS(sweep_request_limit(&b, &settings, &limits, &error));
    assert_null(sweep_difference(&a.header, &b.header));
    SUCCEEDS(sweep_request_limit(&b, &settings, &others, &error));
    assert_non_null(sweep_difference(&a.header, &b.header));
    assert_false(sweep_limits_read(&limits, ""));
    assert_false(sweep_limits_read(&limits, "set batch_size=1\n"));
    sweep_request_free(&a);
    sweep_request_free(&b);
}

static void limits_that_leave_nothing_are_refused(void **state)
{
    (void)state;
    static const struct sweep_limits device = {1e10, 3.14e12};
    struct sweep_request request;
    struct settings settings;
    SUCCEEDS(make(&request, &settings, ARGUMENTS("--layer", "conv2d")));
    settings.max_flops = 1;
    FAILS(STATUS_USAGE, "no valid config",
          sweep_request_limit(&request, &settings, &device, &error));
    assert_non_null(strstr(error.hint, "--max-flops"));
    sweep_request_free(&request);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_processor_has_limits_per_thread),
        cmocka_unit_test(a_gpu_has_limits_by_peak_and_memory),
        cmocka_unit_test(vgg16_at_batch_256_is_within_the_domain_of_a_v100),
        cmocka_unit_test(options_go_before_the_device),
        cmocka_unit_test(limits_are_part_of_the_identity),
        cmocka_unit_test(limits_that_leave_nothing_are_refused),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
