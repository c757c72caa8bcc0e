/* Quantiles: exact within the budget, within 0.1 % of the sorted values beyond it. */
#include "base/philox.h"
#include "base/quantiles.h"
#include "base/stats.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

static struct error error;

/* Log-uniform over eleven decades. */
static double value_of(uint32_t i)
{
    return pow(10, 11 * philox(i, 0, 0, PHILOX_FAKE_TIME, 1).word[0] / 4294967296.0 - 6);
}

static void add_all(struct quantiles *quantiles, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++)
        assert_int_equal(quantiles_add(quantiles, value_of(i), &error), STATUS_OK);
}

/* The sorted values are the reference. */
static void expect_near(struct quantiles *quantiles, uint32_t count, double tolerance)
{
    double *sorted = calloc(count, sizeof *sorted);
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = value_of(i);
    stats_sort(sorted, count);
    quantiles_sort(quantiles);
    assert_int_equal(quantiles->count, count);
    for (double q = 0; q <= 1; q += 0.0625) {
        const double got = quantiles_at(quantiles, q), wanted = stats_quantile(sorted, count, q);
        if (!(fabs(got / wanted - 1) <= tolerance))
            fail_msg("q %g of %u: %.9g, not %.9g", q, count, got, wanted);
    }
    assert_true(quantiles_at(quantiles, 0) == sorted[0]);
    assert_true(quantiles_at(quantiles, 1) == sorted[count - 1]);
    free(sorted);
}

static void exact_within_the_budget(void **state)
{
    (void)state;
    struct quantiles_budget budget = {.left = 2 * 3000};
    struct quantiles quantiles = {.budget = &budget};
    assert_true(isnan(quantiles_at(&quantiles, 0.5)));
    add_all(&quantiles, 0, 3000);
    expect_near(&quantiles, 3000, 0);
    quantiles_free(&quantiles);
    assert_int_equal(budget.left, 2 * 3000);
}

static void near_beyond_the_budget(void **state)
{
    (void)state;
    struct quantiles_budget budget = {.left = 1024};
    struct quantiles quantiles = {.budget = &budget};
    add_all(&quantiles, 0, 50000);
    assert_int_equal(budget.left, 1024); /* what it kept is given back */
    assert_non_null(quantiles.bins);
    expect_near(&quantiles, 50000, 0.001);
    quantiles_free(&quantiles);
}

/* Each of the four pairs of exact and binned. */
static void merged_as_if_added(void **state)
{
    (void)state;
    for (int which = 0; which < 4; which++) {
        struct quantiles_budget first = {.left = which & 1 ? 64 : 100000},
                                second = {.left = which & 2 ? 64 : 100000};
        struct quantiles a = {.budget = &first}, b = {.budget = &second};
        add_all(&a, 0, 2000);
        add_all(&b, 2000, 9000);
        assert_int_equal(quantiles_merge(&a, &b, &error), STATUS_OK);
        assert_true((a.bins != NULL) == (which != 0));
        expect_near(&a, 9000, which ? 0.001 : 0);
        quantiles_free(&a);
        quantiles_free(&b);
    }
}

/* Zero, beyond the bins on both sides, infinite: minimum and maximum stay exact. */
static void odd_values(void **state)
{
    (void)state;
    static const double values[] = {0, 1e-300, 5, 1e300, INFINITY};
    struct quantiles_budget budget = {.left = 0};
    struct quantiles quantiles = {.budget = &budget};
    for (int i = 0; i < 5; i++)
        assert_int_equal(quantiles_add(&quantiles, values[i], &error), STATUS_OK);
    quantiles_sort(&quantiles);
    assert_true(quantiles_at(&quantiles, 0) == 0);
    assert_true(fabs(quantiles_at(&quantiles, 0.5) / 5 - 1) <= 0.001);
    assert_true(isinf(quantiles_at(&quantiles, 1)));
    quantiles_free(&quantiles);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_within_the_budget),
        cmocka_unit_test(near_beyond_the_budget),
        cmocka_unit_test(merged_as_if_added),
        cmocka_unit_test(odd_values),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
