#include "base/least_squares.h"
#include "test.h"

#include <math.h>

/* [4 2; 2 3] x = [10; 9] has x = (1.5, 2). */
static void cholesky_solves_by_hand(void **state)
{
    (void)state;
    double matrix[] = {4, 0, 2, 3}, sides[] = {10, 9};
    cholesky_solve(matrix, sides, 2);
    assert_true(fabs(sides[0] - 1.5) < 1e-12 && fabs(sides[1] - 2) < 1e-12);
}

/* Unconstrained, [1 0.5; 0.5 1] x = [1; -1] has x = (2, -2); with x >= 0 the best is (1, 0). */
static void nonnegative_stops_at_zero(void **state)
{
    (void)state;
    const double matrix[] = {1, 0.5, 0.5, 1}, negative[] = {1, -1}, positive[] = {2, 2.5};
    double x[2];
    nonnegative_solve(x, matrix, negative, 2);
    assert_true(fabs(x[0] - 1) < 1e-12 && x[1] == 0);
    nonnegative_solve(x, matrix, positive, 2); /* (1, 2) */
    assert_true(fabs(x[0] - 1) < 1e-9 && fabs(x[1] - 2) < 1e-9);
    const double with_unused[] = {2, 0, 0, 0}, sides[] = {6, 0};
    nonnegative_solve(x, with_unused, sides, 2);
    assert_true(x[0] == 3 && x[1] == 0);
}

/* y = p0 exp(p1 x) at x = 0, 0.1, ... */
static void exponential(double *residuals, const double *parameters, void *payload)
{
    const double *truth = payload;
    for (int i = 0; i < 20; i++)
        residuals[i] = parameters[0] * exp(parameters[1] * i / 10) -
                       truth[0] * exp(truth[1] * i / 10);
}

static void levenberg_finds_an_exponential(void **state)
{
    (void)state;
    double truth[] = {3, -1.5}, parameters[] = {1, 0};
    const struct levenberg_problem problem = {.residuals = exponential,
                                              .payload = truth,
                                              .residual_count = 20,
                                              .parameter_count = 2,
                                              .iterations = 100};
    assert_int_equal(levenberg_solve(parameters, &problem, NULL), STATUS_OK);
    assert_true(fabs(parameters[0] - 3) < 1e-5 && fabs(parameters[1] + 1.5) < 1e-5);
}

static void not_finite(double *residuals, const double *parameters, void *payload)
{
    (void)payload;
    residuals[0] = parameters[0] / 0.0;
}

static void levenberg_refuses_a_start_that_is_not_finite(void **state)
{
    (void)state;
    double parameter = 1;
    struct error error = {0};
    const struct levenberg_problem problem = {
        .residuals = not_finite, .residual_count = 1, .parameter_count = 1, .iterations = 5};
    assert_int_equal(levenberg_solve(&parameter, &problem, &error), STATUS_FAILED);
    assert_true(parameter == 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cholesky_solves_by_hand),
        cmocka_unit_test(nonnegative_stops_at_zero),
        cmocka_unit_test(levenberg_finds_an_exponential),
        cmocka_unit_test(levenberg_refuses_a_start_that_is_not_finite),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
