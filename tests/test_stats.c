/* Order statistics against hand-computed values, and the coverage of the median's interval. */
#include "base/philox.h"
#include "base/stats.h"
#include "test.h"

#include <math.h>

static void assert_near(double got, double wanted)
{
    if (!(fabs(got - wanted) <= 1e-12 * (1 + fabs(wanted))))
        fail_msg("%.17g is not %.17g", got, wanted);
}

static void sorting(void **state)
{
    (void)state;
    double values[] = {3, -1, INFINITY, 0, 3, -INFINITY, 2e-300};
    stats_sort(values, 7);
    for (int i = 1; i < 7; i++)
        assert_true(values[i - 1] <= values[i]);
    assert_true(values[0] == -INFINITY && values[6] == INFINITY);
    stats_sort(values, 0);
}

/* As numpy.quantile's default. */
static void quantiles_interpolate(void **state)
{
    (void)state;
    static const double four[] = {1, 2, 4, 8}, one[] = {7};
    assert_near(stats_quantile(four, 4, 0), 1);
    assert_near(stats_quantile(four, 4, 1), 8);
    assert_near(stats_quantile(four, 4, 0.5), 3);
    assert_near(stats_quantile(four, 4, 0.25), 1.75);
    assert_near(stats_quantile(four, 4, 0.9), 6.8);
    assert_near(stats_quantile(four, 3, 0.5), 2);
    assert_near(stats_quantile(one, 1, 0.3), 7);
}

static void few_values_give_the_whole_range(void **state)
{
    (void)state;
    static const double values[] = {1, 2, 3, 4, 5};
    for (size_t count = 1; count <= 5; count++) {
        struct stats_interval interval = stats_median_interval(values, count);
        assert_near(interval.low, 1);
        assert_near(interval.high, (double)count);
    }
}

/* n = 100: 50 -+ 9.8 -> order statistics 40 and 61, as the tables of the sign test. */
static void interval_takes_the_order_statistics(void **state)
{
    (void)state;
    double values[100];
    for (int i = 0; i < 100; i++)
        values[i] = i + 1;
    struct stats_interval interval = stats_median_interval(values, 100);
    assert_near(interval.low, 40);
    assert_near(interval.high, 61);
    interval = stats_median_interval(values, 6); // 3 -+ 2.4: the whole range
    assert_near(interval.low, 1);
    assert_near(interval.high, 6);
}

static double coverage(size_t count, int trials)
{
    double values[64];
    int covered = 0;
    for (int trial = 0; trial < trials; trial++) {
        for (size_t i = 0; i < count; i++)
            values[i] = philox_uniform(philox((uint32_t)i, (uint32_t)trial, 0, 99, 1).word[0]);
        stats_sort(values, count);
        struct stats_interval interval = stats_median_interval(values, count);
        covered += interval.low <= 0.5 && 0.5 <= interval.high;
    }
    return (double)covered / trials;
}

static void interval_covers_the_median(void **state)
{
    (void)state;
    static const size_t counts[] = {6, 7, 10, 20, 33, 64};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        double share = coverage(counts[i], 4000);
        if (!(share >= 0.94 && share < 1))
            fail_msg("%zu values: %.3f of the intervals hold the median", counts[i], share);
    }
}

/* Errors +1, -2, 0, +4 on 1, 4, 5, 10. */
static void errors_of_predictions(void **state)
{
    (void)state;
    static const double measured[] = {1, 4, 5, 10}, predicted[] = {2, 2, 5, 14};
    double room[4];
    struct stats_errors errors = stats_errors(measured, predicted, 4, room);
    assert_int_equal(errors.count, 4);
    assert_near(errors.rmse_ms, sqrt(21.0 / 4));
    assert_near(errors.mae_ms, 7.0 / 4);
    assert_near(errors.mape_percent, (100 + 50 + 0 + 40) / 4.0);
    assert_near(errors.median_ape_percent, 45);
    assert_near(errors.p90_ape_percent, 85); // 50 + 0.7 * 50
    assert_near(errors.r2, 1 - 21.0 / 42);
    double a = log(3.0 / 2), b = log(3.0 / 5), c = log(15.0 / 11);
    assert_near(errors.rmsle, sqrt((a * a + b * b + c * c) / 4));
}

static void perfect_predictions(void **state)
{
    (void)state;
    static const double times[] = {0.5, 1, 2};
    double room[3];
    struct stats_errors errors = stats_errors(times, times, 3, room);
    assert_near(errors.rmse_ms, 0);
    assert_near(errors.p90_ape_percent, 0);
    assert_near(errors.rmsle, 0);
    assert_near(errors.r2, 1);
}

static void undefined_errors_are_nan(void **state)
{
    (void)state;
    static const double same[] = {2, 2}, off[] = {1, 2};
    double room[2];
    assert_true(isnan(stats_errors(same, off, 2, room).r2)); // nothing to explain
    assert_near(stats_errors(same, off, 2, room).mae_ms, 0.5);
    struct stats_errors none = stats_errors(same, off, 0, NULL);
    assert_int_equal(none.count, 0);
    assert_true(isnan(none.rmse_ms) && isnan(none.mape_percent) && isnan(none.rmsle));
}

/* Of the tables. */
static void student_has_heavy_tails(void **state)
{
    (void)state;
    static const struct {
        double level;
        int freedom;
        double value;
    } cases[] = {{0.9, 1, 6.31375}, {0.95, 1, 12.7062}, {0.9, 2, 2.91999}, {0.95, 3, 3.18245},
                 {0.9, 4, 2.13185}, {0.99, 5, 4.03214}, {0.9, 19, 1.72913}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(fabs(stats_student(cases[i].level, cases[i].freedom) / cases[i].value - 1) <
                    1e-5);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorting),
        cmocka_unit_test(quantiles_interpolate),
        cmocka_unit_test(few_values_give_the_whole_range),
        cmocka_unit_test(interval_takes_the_order_statistics),
        cmocka_unit_test(interval_covers_the_median),
        cmocka_unit_test(errors_of_predictions),
        cmocka_unit_test(perfect_predictions),
        cmocka_unit_test(undefined_errors_are_nan),
        cmocka_unit_test(student_has_heavy_tails),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
