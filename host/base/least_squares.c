#include "base/least_squares.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void cholesky_solve(double *matrix, double *sides, int count)
{
    for (int i = 0; i < count; i++)
        for (int j = 0; j <= i; j++) {
            double sum = matrix[i * count + j];
            for (int k = 0; k < j; k++)
                sum -= matrix[i * count + k] * matrix[j * count + k];
            matrix[i * count + j] = i == j ? sqrt(sum) : sum / matrix[j * count + j];
        }
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < i; k++)
            sides[i] -= matrix[i * count + k] * sides[k];
        sides[i] /= matrix[i * count + i];
    }
    for (int i = count - 1; i >= 0; i--) {
        for (int k = i + 1; k < count; k++)
            sides[i] -= matrix[k * count + i] * sides[k];
        sides[i] /= matrix[i * count + i];
    }
}

/* The best value of x[i] when the others stay. */
static double best_coordinate(const double *x, const double *matrix, const double *sides, int count,
                              int i)
{
    double rest = sides[i];
    for (int j = 0; j < count; j++)
        rest -= i == j ? 0 : matrix[i * count + j] * x[j];
    return matrix[i * count + i] > 0 ? fmax(0, rest / matrix[i * count + i]) : 0;
}

void nonnegative_solve(double *x, const double *matrix, const double *sides, int count)
{
    enum { SWEEP_LIMIT = 100000 };
    memset(x, 0, (size_t)count * sizeof *x);
    for (int sweep = 0; sweep < SWEEP_LIMIT; sweep++) {
        double change = 0, size = 0;
        for (int i = 0; i < count; i++) {
            const double value = best_coordinate(x, matrix, sides, count, i);
            change = fmax(change, fabs(value - x[i]));
            size = fmax(size, value);
            x[i] = value;
        }
        if (change <= 1e-14 * size)
            return;
    }
}

/* ---- Levenberg-Marquardt ---- */

struct levenberg {
    const struct levenberg_problem *problem;
    double *start;               /* (parameter_count) */
    double *residuals, *shifted; /* (residual_count) */
    double *jacobian;            /* (parameter_count, residual_count) */
    double *normal, *damped;     /* (parameter_count, parameter_count) */
    double *gradient, *step, *trial;
    void *memory;
};

static enum status levenberg_allocate(struct levenberg *work,
                                      const struct levenberg_problem *problem, struct error *error)
{
    const size_t rows = problem->residual_count, columns = (size_t)problem->parameter_count;
    TRY(error_allocate(&work->memory, rows * (columns + 2) + columns * (2 * columns + 4),
                       sizeof(double), "least squares", error));
    double *next = work->memory;
    work->problem = problem;
    work->residuals = next;
    work->shifted = next += rows;
    work->jacobian = next += rows;
    work->normal = next += rows * columns;
    work->damped = next += columns * columns;
    work->gradient = next += columns * columns;
    work->step = next += columns;
    work->trial = next += columns;
    work->start = next + columns;
    return STATUS_OK;
}

/* Fills residuals; returns the objective, which is not finite where the model breaks down. */
static double objective(const struct levenberg *work, double *residuals, const double *parameters)
{
    double sum = 0;
    work->problem->residuals(residuals, parameters, work->problem->payload);
    for (size_t i = 0; i < work->problem->residual_count; i++)
        sum += residuals[i] * residuals[i];
    for (int i = 0; i < work->problem->parameter_count; i++) {
        const double moved = parameters[i] - work->start[i];
        sum += work->problem->ridge * moved * moved;
    }
    return sum;
}

static void differentiate(struct levenberg *work, double *parameters)
{
    const size_t rows = work->problem->residual_count;
    for (int j = 0; j < work->problem->parameter_count; j++) {
        double *column = work->jacobian + (size_t)j * rows;
        const double kept = parameters[j], shift = 1e-6 * fmax(1, fabs(kept));
        parameters[j] = kept + shift;
        work->problem->residuals(column, parameters, work->problem->payload);
        parameters[j] = kept;
        for (size_t i = 0; i < rows; i++)
            column[i] = (column[i] - work->residuals[i]) / shift;
    }
}

static double dot(const double *a, const double *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

static void make_normal(struct levenberg *work, const double *parameters)
{
    const size_t rows = work->problem->residual_count;
    const int count = work->problem->parameter_count;
    for (int i = 0; i < count; i++) {
        const double *column = work->jacobian + (size_t)i * rows;
        for (int j = 0; j <= i; j++)
            work->normal[i * count + j] = dot(column, work->jacobian + (size_t)j * rows, rows);
        work->normal[i * count + i] += work->problem->ridge;
        work->gradient[i] = -dot(column, work->residuals, rows) -
                            work->problem->ridge * (parameters[i] - work->start[i]);
    }
}

/* The damped step from `parameters` into work->trial. */
static void take_step(struct levenberg *work, const double *parameters, double damping)
{
    const int count = work->problem->parameter_count;
    memcpy(work->damped, work->normal, (size_t)(count * count) * sizeof(double));
    memcpy(work->step, work->gradient, (size_t)count * sizeof(double));
    for (int i = 0; i < count; i++)
        work->damped[i * count + i] += damping * work->normal[i * count + i] + 1e-12;
    cholesky_solve(work->damped, work->step, count);
    for (int i = 0; i < count; i++)
        work->trial[i] = parameters[i] + work->step[i];
}

/* Raises the damping until a step makes it better; false: none does. */
static bool improve(struct levenberg *work, double *parameters, double *best, double *damping)
{
    for (; *damping < 1e12; *damping *= 4) {
        take_step(work, parameters, *damping);
        const double value = objective(work, work->shifted, work->trial);
        if (!(value < *best))
            continue;
        const bool worthwhile = *best - value > 1e-12 * *best;
        memcpy(parameters, work->trial, (size_t)work->problem->parameter_count * sizeof(double));
        memcpy(work->residuals, work->shifted, work->problem->residual_count * sizeof(double));
        *best = value;
        *damping = fmax(*damping / 9, 1e-12);
        return worthwhile;
    }
    return false;
}

enum status levenberg_solve(double *parameters, const struct levenberg_problem *problem,
                            struct error *error)
{
    struct levenberg work = {0};
    double damping = 1e-3;
    TRY(levenberg_allocate(&work, problem, error));
    memcpy(work.start, parameters, (size_t)problem->parameter_count * sizeof(double));
    double best = objective(&work, work.residuals, parameters);
    enum status status = STATUS_OK;
    if (!isfinite(best))
        status = FAIL(error, STATUS_FAILED, "least squares: no finite start");
    for (int i = 0; i < problem->iterations && status == STATUS_OK; i++) {
        differentiate(&work, parameters);
        make_normal(&work, parameters);
        if (!improve(&work, parameters, &best, &damping))
            break;
    }
    free(work.memory);
    return status;
}
