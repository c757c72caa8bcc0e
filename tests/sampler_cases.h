/* Draws of cuda_sample against sample_draw: for the shim and for a GPU. */
#ifndef EPOCHCAST_TESTS_SAMPLER_CASES_H
#define EPOCHCAST_TESTS_SAMPLER_CASES_H

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "layers/describe.h"
#include "layers/sample.h"
#include "sampler.h"
#include "test.h"

struct sampler_case {
    const char *sets[8];
    double flops_limit; /* 0: the default */
    uint64_t seed;
    uint32_t first, count;
};

static const struct sampler_case sampler_cases[] = {
    {{NULL}, 0, 1, 0, 20000},
    {{NULL}, 0, UINT64_MAX, UINT32_MAX - 19999, 20000},
    {{"kernel_size=5,3", "image_size=7..30", "batch_size=1..8*2", "activation=tanh,none",
      "pass=train", "inputs=17..500", "outputs=3,1000"},
     0,
     2,
     123456789,
     20000},
    {{"optimizer=adam,sgd", "precision=fp32,bf16", "padding=same", "stride=1..16"}, 0, 3, 7, 20000},
    {{"stratum=realistic", "image_size=200..300", "channels_in=48..200"}, 0, 4, 77, 20000},
    {{"stratum=uniform", "channels_out=300..60000", "channels=1..60000", "image_size=20..60"},
     0,
     5,
     777,
     20000},
    {{NULL}, 3e6, 6, 0, 20000},                /* many rejections */
    {{"stratum=log_uniform"}, 0, 7, 0, 70000}, /* more than one batch */
    {{NULL}, 0, 8, 5, 1},
};

static struct sample_domain case_domain(const struct sampler_case *wanted, enum layer_kind kind)
{
    struct sample_domain domain;
    struct error error;
    bool applied;
    sample_domain_default(&domain, kind);
    for (int i = 0; wanted->sets[i]; i++)
        if (sample_domain_set(&domain, wanted->sets[i], &applied, &error) != STATUS_OK)
            fail_msg("%s: %s", wanted->sets[i], error.message);
    if (wanted->flops_limit > 0)
        domain.flops_limit = wanted->flops_limit;
    return domain;
}

static void assert_host_draw(const struct layer_config *config, enum stratum stratum,
                             const struct sample_domain *domain, uint64_t seed, uint32_t index)
{
    struct layer_config host;
    enum stratum host_stratum;
    assert_int_equal(sample_draw(&host, &host_stratum, domain, seed, index, NULL), STATUS_OK);
    if (host_stratum == stratum && memcmp(&host, config, sizeof host) == 0)
        return;
    char here[512], there[512];
    describe_config(here, sizeof here, &host);
    describe_config(there, sizeof there, config);
    fail_msg("draw %u: host %s, stratum %d; device %s, stratum %d", index, here, (int)host_stratum,
             there, (int)stratum);
}

static void assert_case(const struct sampler_case *wanted, enum layer_kind kind)
{
    struct sample_domain domain = case_domain(wanted, kind);
    struct layer_config *configs = malloc(wanted->count * sizeof *configs);
    enum stratum *strata = malloc(wanted->count * sizeof *strata);
    struct error error;
    assert_true(configs && strata);
    if (cuda_sample(configs, strata, &domain, wanted->seed, wanted->first, wanted->count, &error) !=
        STATUS_OK)
        fail_msg("%s (%s)", error.message, error.hint);
    for (uint32_t i = 0; i < wanted->count; i++)
        assert_host_draw(&configs[i], strata[i], &domain, wanted->seed, wanted->first + i);
    free(configs);
    free(strata);
}

static void draws_equal_the_hosts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sampler_cases / sizeof *sampler_cases; i++)
        for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
            assert_case(&sampler_cases[i], (enum layer_kind)kind);
}

static void no_draws_are_no_work(void **state)
{
    (void)state;
    struct sample_domain domain;
    sample_domain_default(&domain, LAYER_DENSE);
    assert_int_equal(cuda_sample(NULL, NULL, &domain, 1, UINT32_MAX, 0, NULL), STATUS_OK);
}

static void domain_without_configs_fails(void **state)
{
    (void)state;
    static const struct sampler_case impossible = {
        .sets = {"image_size=3", "kernel_size=7", "padding=valid"}};
    enum { COUNT = 300 };
    struct sample_domain domain = case_domain(&impossible, LAYER_CONV2D);
    static struct layer_config configs[COUNT];
    enum stratum strata[COUNT];
    struct error host, device;
    assert_int_equal(sample_draw(configs, strata, &domain, 1, 0, &host), STATUS_USAGE);
    assert_int_equal(cuda_sample(configs, strata, &domain, 1, 0, COUNT, &device), STATUS_USAGE);
    assert_int_equal(device.status, host.status);
    assert_string_equal(device.message, host.message);
    assert_string_equal(device.hint, host.hint);
}

#endif
