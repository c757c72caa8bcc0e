/* Figures for people. */
#include "base/human.h"
#include "test.h"

#include <math.h>

struct example {
    double value;
    const char *wanted;
    int digits;
};

static void assert_reads(enum unit_scale scale, const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[HUMAN_TEXT_SIZE], negative[HUMAN_TEXT_SIZE + 1];
        assert_string_equal(human_text(text, scale, examples[i].value, examples[i].digits),
                            examples[i].wanted);
        if (!(examples[i].value > 0) || isinf(examples[i].value))
            continue;
        snprintf(negative, sizeof negative, "-%s", examples[i].wanted);
        assert_string_equal(human_text(text, scale, -examples[i].value, examples[i].digits),
                            negative);
    }
}
#define ASSERT_READS(scale, ...)                                                                   \
    do {                                                                                           \
        static const struct example examples[] = {__VA_ARGS__};                                    \
        assert_reads(scale, examples, sizeof examples / sizeof *examples);                         \
    } while (0)

static void every_scale_knows_nothing_and_none(void **state)
{
    (void)state;
    char text[HUMAN_TEXT_SIZE];
    for (int scale = 0; scale < SCALE_COUNT; scale++) {
        assert_string_equal(human_text(text, (enum unit_scale)scale, NAN, 0), "-");
        assert_string_equal(human_text(text, (enum unit_scale)scale, INFINITY, 0), "-");
        assert_string_equal(human_text(text, (enum unit_scale)scale, -INFINITY, 0), "-");
        assert_int_equal(human_text(text, (enum unit_scale)scale, 0, 0)[0], '0');
    }
}

/* The smallest and the largest number leave room in the text. */
static void every_scale_has_room(void **state)
{
    (void)state;
    char text[HUMAN_TEXT_SIZE];
    for (int scale = 0; scale < SCALE_COUNT; scale++)
        for (double value = 5e-324; value < 1e308; value *= value < 1e-307 ? 1e3 : 1.7) {
            human_text(text, (enum unit_scale)scale, -value, 4);
            assert_true(strlen(text) >= 2 && strlen(text) < HUMAN_TEXT_SIZE - 1);
            assert_null(strstr(text, "inf"));
            assert_null(strstr(text, "nan"));
        }
}

static void times(void **state)
{
    (void)state;
    ASSERT_READS(SCALE_US, {1.2, "1.2 us", 0}, {999.6, "1 ms", 0});
    ASSERT_READS(SCALE_MS, {0.0012, "1.2 us", 0}, {15.6, "15.6 ms", 0}, {999.4, "999 ms", 0},
                 {999.95, "1 s", 0}, {999.4, "999.4 ms", 4}, {33372, "33.4 s", 0},
                 {2e-6, "2 ns", 0}, {1e-7, "0.1 ns", 0});
    ASSERT_READS(SCALE_S, {59.94, "59.9 s", 0}, {59.96, "1 min", 0}, {60, "1 min", 0},
                 {90, "1 min 30 s", 0}, {3599.4, "59 min 59 s", 0}, {3599.6, "1 h", 0},
                 {7800, "2 h 10 min", 0}, {7199, "2 h", 0}, {86400, "24 h", 0}, {172799, "48 h", 0},
                 {172800, "2.0 days", 0}, {864000, "10 days", 0}, {1.165e8, "3.7 years", 0},
                 {3.15576e19, "1e+12 years", 0});
}

static void bytes(void **state)
{
    (void)state;
    ASSERT_READS(SCALE_BYTES, {1, "1 B", 0}, {1023, "1023 B", 0}, {1024, "1 KiB", 0},
                 {1047527, "1023 KiB", 0}, {1048570, "1 MiB", 0}, {24969541952, "23.3 GiB", 0},
                 {0x1p50, "1 PiB", 0}, {0x1p60, "1024 PiB", 0});
}

static void counts_and_rates(void **state)
{
    (void)state;
    ASSERT_READS(SCALE_NUMBER, {0.25, "0.25", 0}, {312.5, "312.5", 0}, {9999, "9999", 0},
                 {9999.6, "10 k", 0}, {12345, "12.35 k", 0}, {999960, "1 M", 0},
                 {138357544, "138.4 M", 0}, {5e15, "5000 T", 0});
    ASSERT_READS(SCALE_FLOP, {320, "320 FLOP", 0}, {30.97e9, "30.97 GFLOP", 0});
    ASSERT_READS(SCALE_GFLOPS, {101, "101 GFLOP/s", 0}, {19500, "19.5 TFLOP/s", 0});
    ASSERT_READS(SCALE_GBPS, {22.31, "22.3 GB/s", 0}, {3350, "3.35 TB/s", 0});
    ASSERT_READS(SCALE_MHZ, {800, "800 MHz", 0}, {2596, "2.6 GHz", 0});
    ASSERT_READS(SCALE_KWH, {0.0123, "12.3 Wh", 0}, {1200, "1.2 MWh", 0});
}

static void percent_and_money(void **state)
{
    (void)state;
    char text[HUMAN_TEXT_SIZE];
    assert_string_equal(human_text(text, SCALE_PERCENT, -0.004, 0), "0.00 %");
    ASSERT_READS(SCALE_PERCENT, {0.126, "0.13 %", 0}, {9.994, "9.99 %", 0}, {9.996, "10.0 %", 0},
                 {12.34, "12.3 %", 0}, {99.96, "100 %", 0}, {296.4, "296 %", 0},
                 {1.5e7, "1.5e+07 %", 0});
    ASSERT_READS(SCALE_MONEY, {562.654, "562.65", 0}, {99060, "99060.00", 0},
                 {0.00123, "0.00123", 0}, {0.996, "1.00", 0});
}

static void without_scale(void **state)
{
    (void)state;
    ASSERT_READS(SCALE_NONE, {1.23456, "1.235", 0}, {1.23456, "1.2", 2}, {33370, "3.337e+04", 0});
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scale_knows_nothing_and_none),
        cmocka_unit_test(every_scale_has_room),
        cmocka_unit_test(times),
        cmocka_unit_test(bytes),
        cmocka_unit_test(counts_and_rates),
        cmocka_unit_test(percent_and_money),
        cmocka_unit_test(without_scale),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
