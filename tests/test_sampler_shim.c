/* The CUDA sampler on the CPU: kernel, launches and host code run in the shim; the Sobol words come
 * from sobol32 in cuRAND's place.
 */
#include "base/sobol.h"
#include "sampler_cases.h"
#include "test.h"

#include <cuda_runtime.h>

/* Whatever call fails, the error is reported and everything is given back. */
static void failing_calls_are_reported(void **state)
{
    (void)state;
    enum { COUNT = 100, CALL_LIMIT = 1000 };
    struct sample_domain domain;
    struct layer_config configs[COUNT];
    enum stratum strata[COUNT];
    sample_domain_default(&domain, LAYER_CONV2D);
    int call = 1;
    for (enum status status = STATUS_FAILED; status != STATUS_OK && call < CALL_LIMIT; call++) {
        struct error error = {.status = STATUS_OK};
        shim_fail_call(call, cudaErrorMemoryAllocation);
        status = cuda_sample(configs, strata, &domain, 1, 0, COUNT, &error);
        if (status != STATUS_OK)
            assert_int_equal(error.status, STATUS_OUT_OF_MEMORY);
    }
    shim_fail_call(0, cudaSuccess);
    assert_in_range(call, 12, CALL_LIMIT - 1); /* setup, and a round and more */
}

/* The kernel's stream does not wait for the null stream: nothing is copied there. */
static void copies_are_on_the_kernels_stream(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    struct sample_domain domain;
    struct layer_config configs[COUNT];
    enum stratum strata[COUNT];
    const unsigned long before = shim_legacy_count();
    sample_domain_default(&domain, LAYER_DENSE);
    assert_int_equal(cuda_sample(configs, strata, &domain, 1, 0, COUNT, NULL), STATUS_OK);
    assert_int_equal(shim_legacy_count(), before);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_equal_the_hosts),
        cmocka_unit_test(no_draws_are_no_work),
        cmocka_unit_test(domain_without_configs_fails),
        cmocka_unit_test(failing_calls_are_reported),
        cmocka_unit_test(copies_are_on_the_kernels_stream),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
