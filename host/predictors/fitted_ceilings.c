#include "predictors/fitted_ceilings.h"

#include "base/least_squares.h"
#include "base/stats.h"

#include <math.h>
#include <string.h>

enum { ROUND_LIMIT = 3, STEP_LIMIT = 60, TRY_LIMIT = 8 };
static const double huber_log = 0.5;
static const double prior_deviation = 1.5;
static const double prior_factor = 1.5;    /* of a ceiling's time: two thirds of the full rate */
static const double prior_fixed_ms = 0.05; /* at most: a few kernel launches */
static const double first_variance = 0.25, least_variance = 1e-4;
static const double first_damping = 1e-2, least_damping = 1e-8, damping_factor = 4;
static const double least_gain = 1e-9; /* of the objective: a smaller one ends a round */

/* ---- ceilings of a layer ---- */

bool fitted_ceilings_rates(struct device_rates *rates, const struct device_info *device)
{
    *rates = device_rates_of(device);
    const bool known = !isnan(rates->gflops) && !isnan(rates->gbps);
    if (isnan(rates->gflops))
        rates->gflops = 1000;
    if (isnan(rates->gbps))
        rates->gbps = 100;
    return known;
}

void fitted_ceilings_row(double *ceilings, const struct layer_question *question,
                         const struct device_rates *rates)
{
    static const struct ceiling_scale scale = {.fixed_ms = 1, .absent_log = -60};
    ceiling_heads(ceilings, question, rates, &scale);
}

void fitted_ceilings_config_row(double *ceilings, const struct layer_config *config,
                                const struct device_info *device)
{
    struct layer_work work;
    struct device_rates rates;
    const struct layer_question question = question_of(config, &work);
    fitted_ceilings_rates(&rates, device);
    fitted_ceilings_row(ceilings, &question, &rates);
}

/* ---- the law ---- */

/* ln f; shares[CEILING_HEADS]: of the heads in f, which are the derivatives of ln f by theta. */
static double log_sum(double *shares, const double *theta, const double *ceilings)
{
    double largest = -INFINITY, sum = 0;
    for (int i = 0; i < CEILING_HEADS; i++)
        largest = fmax(largest, theta[i] + ceilings[i]);
    for (int i = 0; i < CEILING_HEADS; i++) {
        shares[i] = exp(theta[i] + ceilings[i] - largest);
        sum += shares[i];
    }
    for (int i = 0; i < CEILING_HEADS; i++)
        shares[i] /= sum;
    return largest + log(sum);
}

double fitted_ceilings_log_ms(const struct fitted_ceilings *fitted, const double *ceilings)
{
    double shares[CEILING_HEADS];
    return log_sum(shares, fitted->theta, ceilings);
}

/* ---- fitting ---- */

struct problem {
    const double *ceilings, *log_ms; /* (count, CEILING_HEADS), (count) */
    size_t count, used, step;        /* used rows: multiples of step, modulo count */
    double prior[CEILING_HEADS];     /* means */
    double variance;
};

static size_t common_divisor(size_t a, size_t b)
{
    return b == 0 ? a : common_divisor(b, a % b);
}

/* A step near the golden section of count, without common divisors: its multiples modulo count are
 * distinct and every run of them is spread evenly. A plain stride would meet every other row only,
 * which sweeps draw with the same pass. */
static size_t even_step(size_t count)
{
    size_t step = (size_t)((double)count * 0.6180339887498949) + 1;
    while (common_divisor(step, count) != 1)
        step++;
    return step;
}

static size_t row_at(const struct problem *problem, size_t index)
{
    return index * problem->step % problem->count;
}

static double squared(double x)
{
    return x * x;
}

static void set_prior(struct problem *problem)
{
    double sorted[FITTED_ROW_LIMIT], fixed = log(prior_fixed_ms);
    for (size_t i = 0; i < problem->used; i++)
        sorted[i] = problem->log_ms[row_at(problem, i)];
    stats_sort(sorted, problem->used);
    if (problem->used > 0)
        fixed = fmin(fixed, log(0.5) + stats_quantile(sorted, problem->used, 0.02));
    for (int i = 0; i < CEILING_HEADS; i++)
        problem->prior[i] = i < HEAD_FORWARD_FIXED ? log(prior_factor) : fixed;
}

/* ln f - ln t of a used row. */
static double residual(double *shares, const struct problem *problem, const double *theta,
                       size_t index)
{
    const size_t row = row_at(problem, index);
    return log_sum(shares, theta, problem->ceilings + row * CEILING_HEADS) - problem->log_ms[row];
}

static double objective(const struct problem *problem, const double *theta)
{
    double sum = 0, shares[CEILING_HEADS];
    for (size_t i = 0; i < problem->used; i++) {
        const double error = fabs(residual(shares, problem, theta, i));
        sum += error < huber_log ? squared(error) : huber_log * (2 * error - huber_log);
    }
    sum /= problem->variance;
    for (int i = 0; i < CEILING_HEADS; i++)
        sum += squared((theta[i] - problem->prior[i]) / prior_deviation);
    return sum;
}

/* Half the objective's Gauss-Newton matrix (its lower triangle) and half its negative gradient. */
struct equations {
    double matrix[CEILING_HEADS * CEILING_HEADS], sides[CEILING_HEADS];
};

static void set_equations(struct equations *equations, const struct problem *problem,
                          const double *theta)
{
    memset(equations, 0, sizeof *equations);
    for (int i = 0; i < CEILING_HEADS; i++) {
        equations->matrix[i * CEILING_HEADS + i] = 1 / squared(prior_deviation);
        equations->sides[i] = (problem->prior[i] - theta[i]) / squared(prior_deviation);
    }
    for (size_t row = 0; row < problem->used; row++) {
        double shares[CEILING_HEADS];
        const double error = residual(shares, problem, theta, row);
        const double weight = fmin(1, huber_log / fmax(fabs(error), 1e-9)) / problem->variance;
        for (int i = 0; i < CEILING_HEADS; i++) {
            equations->sides[i] -= weight * shares[i] * error;
            for (int j = 0; j <= i; j++)
                equations->matrix[i * CEILING_HEADS + j] += weight * shares[i] * shares[j];
        }
    }
}

/* The damped step from theta into `trial`. */
static void take_step(double *trial, const struct equations *equations, const double *theta,
                      double damping)
{
    struct equations damped = *equations;
    for (int i = 0; i < CEILING_HEADS; i++)
        damped.matrix[i * CEILING_HEADS + i] *= 1 + damping;
    cholesky_solve(damped.matrix, damped.sides, CEILING_HEADS);
    for (int i = 0; i < CEILING_HEADS; i++)
        trial[i] = theta[i] + damped.sides[i];
}

/* Raises the damping until a step lowers the objective; returns by how much, 0: no step does. */
static double improve(double *theta, double *damping, const struct problem *problem, double before)
{
    struct equations equations;
    double trial[CEILING_HEADS];
    set_equations(&equations, problem, theta);
    for (int i = 0; i < TRY_LIMIT; i++, *damping *= damping_factor) {
        take_step(trial, &equations, theta, *damping);
        const double after = objective(problem, trial);
        if (!(after <= before))
            continue;
        memcpy(theta, trial, sizeof trial);
        *damping = fmax(*damping / damping_factor, least_damping);
        return before - after;
    }
    return 0;
}

static double mean_squared_error(const struct problem *problem, const double *theta)
{
    double sum = 0, shares[CEILING_HEADS];
    for (size_t i = 0; i < problem->used; i++)
        sum += squared(residual(shares, problem, theta, i));
    return sum / (double)problem->used;
}

void fitted_ceilings_fit(struct fitted_ceilings *fitted, const double *ceilings,
                         const double *log_ms, size_t count)
{
    struct problem problem = {.ceilings = ceilings,
                              .log_ms = log_ms,
                              .count = count,
                              .used = count < FITTED_ROW_LIMIT ? count : FITTED_ROW_LIMIT,
                              .step = even_step(count),
                              .variance = first_variance};
    double *theta = fitted->theta, damping = first_damping;
    set_prior(&problem);
    memcpy(theta, problem.prior, sizeof problem.prior);
    for (int round = 0; round < ROUND_LIMIT && problem.used > 0; round++) {
        if (round > 0)
            problem.variance = fmax(mean_squared_error(&problem, theta), least_variance);
        double value = objective(&problem, theta), gain = INFINITY;
        for (int i = 0; i < STEP_LIMIT && gain > least_gain; i++) {
            gain = improve(theta, &damping, &problem, value);
            value -= gain;
        }
    }
    fitted->variance = problem.variance;
}
