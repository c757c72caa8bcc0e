/* Small least-squares problems, double precision. */
#ifndef EPOCHCAST_BASE_LEAST_SQUARES_H
#define EPOCHCAST_BASE_LEAST_SQUARES_H

#include "base/error.h"

#include <stddef.h>

/* Solves the symmetric positive definite system in place (Cholesky); `sides` becomes the solution.
 * matrix: (count, count), its lower triangle; overwritten. */
void cholesky_solve(double *matrix, double *sides, int count);

/* The x >= 0 that minimises x' matrix x - 2 sides' x: normal equations of a least-squares problem
 * whose unknowns cannot be negative (cyclic coordinate descent; unique where the matrix is positive
 * definite). matrix: (count, count), full and symmetric. A zero diagonal leaves its unknown at 0.
 */
void nonnegative_solve(double *x, const double *matrix, const double *sides, int count);

/* residuals[0..residual_count) at `parameters`. */
typedef void (*residual_function)(double *residuals, const double *parameters, void *payload);

/* Minimises the sum of squared residuals plus ridge |parameters - start|^2 by Levenberg-Marquardt
 * (Marquardt 1963), forward differences. parameters holds the start and receives the result. */
struct levenberg_problem {
    residual_function residuals;
    void *payload;
    size_t residual_count;
    int parameter_count;
    int iterations; /* at most */
    double ridge;
};
enum status levenberg_solve(double *parameters, const struct levenberg_problem *problem,
                            struct error *error);

#endif
