/* Which device is which, and what it is called. */
#include "bench/device_identity.h"
#include "test.h"

#include <stdio.h>

static void expect_label(const char *backend, int threads, const char *wanted)
{
    struct device_info info = {.thread_count = threads};
    char label[DEVICE_LABEL_LIMIT];
    snprintf(info.name, sizeof info.name, "AMD EPYC");
    snprintf(info.backend, sizeof info.backend, "%s", backend);
    device_label(label, &info);
    assert_string_equal(label, wanted);
}

static void a_processor_is_called_with_its_threads(void **state)
{
    (void)state;
    expect_label("cpu", 1, "AMD EPYC, 1 thread");
    expect_label("cpu", 16, "AMD EPYC, 16 threads");
    expect_label("cpu", 0, "AMD EPYC"); /* an import that does not say */
    expect_label("cuda", 1, "AMD EPYC");
    expect_label("import", 1, "AMD EPYC");
}

static void the_longest_label_fits(void **state)
{
    (void)state;
    struct device_info info = {.backend = "cpu", .thread_count = INT32_MAX};
    char label[DEVICE_LABEL_LIMIT];
    memset(info.name, 'n', sizeof info.name - 1);
    device_label(label, &info);
    assert_non_null(strstr(label, "n, 2147483647 threads"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_processor_is_called_with_its_threads),
        cmocka_unit_test(the_longest_label_fits),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
