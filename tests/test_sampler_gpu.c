/* The CUDA sampler on a GPU: cuRAND's words, and whole draws, equal to the host's. */
#include "base/sobol.h"
#include "gpu_or_skip.h"
#include "sampler_cases.h"
#include "sampler_words.h"
#include "test.h"

#include <stdio.h>
#include <time.h>

static void words_are_the_hosts(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static const uint32_t starts[] = {0, 1, 16384, 3000000001u, UINT32_MAX - (COUNT - 1)};
    static uint32_t words[COUNT * SOBOL_DIMENSION_LIMIT];
    uint32_t *device;
    assert_int_equal(cudaMalloc((void **)&device, sizeof words), cudaSuccess);
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct error error;
        if (sampler_words(device, SOBOL_DIMENSION_LIMIT, starts[i], COUNT, NULL, &error))
            fail_msg("%s", error.message);
        assert_int_equal(cudaMemcpy(words, device, sizeof words, cudaMemcpyDeviceToHost),
                         cudaSuccess);
        for (int dimension = 0; dimension < SOBOL_DIMENSION_LIMIT; dimension++)
            for (uint32_t k = 0; k < COUNT; k++)
                assert_int_equal(words[dimension * COUNT + (int)k],
                                 sobol32(starts[i] + k, dimension));
    }
    cudaFree(device);
}

static double seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Says how long a million draws take; the test is that they can be had. */
static void a_million_draws(void **state)
{
    (void)state;
    enum { COUNT = 1000000 };
    struct layer_config *configs = malloc(COUNT * sizeof *configs);
    enum stratum *strata = malloc(COUNT * sizeof *strata);
    assert_true(configs && strata);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct sample_domain domain;
        sample_domain_default(&domain, (enum layer_kind)kind);
        double start = seconds();
        assert_int_equal(cuda_sample(configs, strata, &domain, 1, 0, COUNT, NULL), STATUS_OK);
        print_message("%s: %.0f draws per second\n", layer_descriptors[kind]->name,
                      COUNT / (seconds() - start));
        assert_host_draw(&configs[COUNT - 1], strata[COUNT - 1], &domain, 1, COUNT - 1);
    }
    free(configs);
    free(strata);
}

/* test_sampler_gpu [PATTERN] */
int main(int argc, char **argv)
{
    if (!has_gpu())
        return SKIPPED;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_the_hosts),  cmocka_unit_test(draws_equal_the_hosts),
        cmocka_unit_test(no_draws_are_no_work), cmocka_unit_test(domain_without_configs_fails),
        cmocka_unit_test(a_million_draws),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
