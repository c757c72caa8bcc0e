/* All-reduce times by Paleo's formulas, and links by name. */
#include "forecast/parallel.h"
#include "test.h"

#include <math.h>
#include <string.h>

/* 1000 bytes over 1 MB/s: 1 ms a transfer. */
static void formulas_by_hand(void **state)
{
    (void)state;
    static const struct {
        int32_t device_count, all_reduce;
        double ms;
    } cases[] = {
        {0, ALL_REDUCE_TREE, 0},
        {1, ALL_REDUCE_ONE_TO_ALL, 0},
        {2, ALL_REDUCE_BUTTERFLY, 1},
        {8, ALL_REDUCE_BUTTERFLY, 3},
        {5, ALL_REDUCE_BUTTERFLY, 3},
        {8, ALL_REDUCE_TREE, 6},
        {9, ALL_REDUCE_TREE, 8},
        {8, ALL_REDUCE_ONE_TO_ALL, 14},
        {8, ALL_REDUCE_RING, 1.75},
        {2, ALL_REDUCE_RING, 1},
        {65536, ALL_REDUCE_RING, 2 - 2. / 65536},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct parallel_options options = {.device_count = cases[i].device_count,
                                                 .all_reduce = cases[i].all_reduce,
                                                 .link_bytes_per_s = 1e6};
        assert_true(fabs(all_reduce_ms(&options, 1000) - cases[i].ms) < 1e-12);
    }
}

static void links_by_name_and_number(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double bytes_per_s;
    } cases[] = {{"nvlink", LINK_SHARE * 150e9},
                 {"pcie", LINK_SHARE * 15.75e9},
                 {"10gbe", LINK_SHARE * 1.25e9},
                 {"10", 10e9},
                 {"0.5", 0.5e9}};
    double bytes_per_s;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(link_bytes_per_s(&bytes_per_s, cases[i].name, NULL), STATUS_OK);
        assert_true(fabs(bytes_per_s / cases[i].bytes_per_s - 1) < 1e-12);
    }
    static const char *const bad[] = {"", "nvlin", "0", "-3", "inf", "nan", "10 GB/s", "1e999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error error = {0};
        assert_int_equal(link_bytes_per_s(&bytes_per_s, bad[i], &error), STATUS_USAGE);
        assert_non_null(strstr(error.message, "--link"));
        assert_non_null(strstr(error.hint, "infiniband, or GB/s"));
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_by_hand),
        cmocka_unit_test(links_by_name_and_number),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
