/* Training the nets of one or several fits, and what comes of it: parameters, reports, intervals.
 */
#include "predictors/predictor_mlp_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum status keep_parameters(struct mlp_kind *kind, const struct train_result *results,
                                   int net_count, struct error *error)
{
    const size_t count = mlp_parameter_count(&kind->shape);
    void *memory;
    TRY(error_allocate(&memory, (unsigned long)net_count * count, sizeof(float), "parameters",
                       error));
    free(kind->parameters);
    kind->parameters = memory;
    kind->net_count = net_count;
    for (int net = 0; net < net_count; net++)
        memcpy(kind->parameters + (size_t)net * count, results[net].parameters,
               count * sizeof(float));
    return STATUS_OK;
}

static bool is_known(const struct kind_fit *kind_fit)
{
    return kind_fit->count > 0;
}

static size_t calibration_rows(const struct fit *fit, const struct kind_fit *kind_fit)
{
    const size_t test = kind_fit->count - kind_fit->train_count;
    const bool uses_all = kind_fit->folds || (test == 0 && fit_keeps_nets(fit, kind_fit));
    return uses_all ? kind_fit->count : test;
}

static struct fit_report report_of(const struct fit *fit, const struct kind_fit *kind_fit)
{
    const struct train_result *results = fit->results + kind_fit->first_job;
    const int job_count = kind_fit->job_count;
    struct fit_report report = {.kind = (int32_t)kind_fit->kind,
                                .rows = kind_fit->folds ? kind_fit->count : kind_fit->train_count,
                                .folds = kind_fit->folds ? kind_fit->net_count : 0,
                                .calibration_rows = calibration_rows(fit, kind_fit),
                                .epochs = job_count > 0 ? results[0].epochs : 0,
                                .train_rmsle = job_count > 0 ? 0 : NAN,
                                .validation_rmse_ms = NAN,
                                .validation_mape_percent = NAN};
    for (int job = 0; job < job_count; job++) {
        report.train_rmsle += results[job].train_rmsle / job_count;
        report.test_rmsle += results[job].test_rmsle / job_count;
    }
    return report;
}

static void add_seconds(struct fit_report *report, const struct fit *fit,
                        const struct kind_fit *kind_fit)
{
    for (int job = 0; job < kind_fit->job_count; job++)
        report->seconds += fit->results[kind_fit->first_job + job].seconds;
}

/* The kind's jobs once more, from what they have learnt: a few slow epochs, test rows included. */
static void continue_jobs(struct fit *fit, struct kind_fit *kind_fit)
{
    const struct mlp_options *options = fit->options;
    struct mlp_kind *kind = &fit->predictor->kinds[kind_fit->kind];
    const size_t size = mlp_parameter_count(&kind->shape);
    kind_fit->data->train_rows += kind_fit->data->test_rows; /* they stand behind one another */
    kind_fit->data->test_rows = 0;
    kind->calibrated = kind->parameters;
    kind->parameters = NULL;
    for (int net = 0; net < kind_fit->job_count; net++) {
        struct train_job *job = &fit->jobs[kind_fit->first_job + net];
        job->initial = kind->calibrated + (size_t)net * size;
        job->options.learning_rate *= options->last_rate;
        job->options.epochs = (int32_t)ceilf(options->last_share * (float)job->options.epochs);
        job->options.keep_best = 0;
    }
}

/* The jobs of kinds that have their last epochs behind them go. */
static void drop_done_jobs(struct fit *fit)
{
    int kept = 0;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct kind_fit *kind_fit = &fit->kinds[kind];
        const int first = kind_fit->first_job;
        for (int job = first; job < first + kind_fit->job_count; job++) {
            if (kind_fit->is_done) {
                train_result_free(&fit->results[job]);
                continue;
            }
            fit->jobs[kept + job - first] = fit->jobs[job];
            fit->results[kept + job - first] = fit->results[job];
        }
        kind_fit->first_job = kept;
        kind_fit->job_count = kind_fit->is_done ? 0 : kind_fit->job_count;
        kept += kind_fit->job_count;
    }
    fit->job_count = kept;
}

/* ---- all fits' jobs in one call of the trainer ---- */

struct population {
    struct train_job *jobs;
    struct train_result *results;
    int count;
};

static enum status population_create(struct population *population, struct fit *const *fits,
                                     int count, bool may_fail, struct error *error)
{
    unsigned long jobs = 0;
    *population = (struct population){0};
    for (int i = 0; i < count; i++)
        jobs += fits[i]->status == STATUS_OK ? (unsigned long)fits[i]->job_count : 0;
    TRY(ALLOCATE(&population->jobs, jobs, "training jobs", error));
    TRY(ALLOCATE(&population->results, jobs, "training results", error));
    for (int i = 0; i < count; i++)
        for (int job = 0; fits[i]->status == STATUS_OK && job < fits[i]->job_count; job++) {
            population->jobs[population->count] = fits[i]->jobs[job];
            population->jobs[population->count++].may_fail = may_fail;
        }
    return STATUS_OK;
}

static void population_free(struct population *population)
{
    free(population->jobs);
    free(population->results);
}

/* The fit's results, which stand first in `results`; the nets' new parameters replace those of the
 * predictor. */
static enum status take_results(struct fit *fit, const struct train_result *results)
{
    for (int job = 0; job < fit->job_count; job++) {
        train_result_free(&fit->results[job]);
        fit->results[job] = results[job];
    }
    for (int job = 0; job < fit->job_count; job++)
        if (results[job].error.status != STATUS_OK) {
            *fit->error = results[job].error;
            return results[job].error.status;
        }
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        if (fit->kinds[kind].job_count > 0)
            TRY(keep_parameters(&fit->predictor->kinds[kind],
                                fit->results + fit->kinds[kind].first_job,
                                fit->kinds[kind].job_count, fit->error));
    return STATUS_OK;
}

static enum status run_jobs(struct fit *const *fits, int count, bool may_fail, struct error *error)
{
    struct population population;
    const struct mlp_options *options = fits[0]->options;
    enum status status = population_create(&population, fits, count, may_fail, error);
    if (status == STATUS_OK && population.count > 0)
        status = options->trainer->fit(population.results, population.jobs, population.count,
                                       options->threads, options->progress, error);
    const struct train_result *results = population.results;
    for (int i = 0; i < count && status == STATUS_OK; i++)
        if (fits[i]->status == STATUS_OK) {
            const int job_count = fits[i]->job_count;
            fits[i]->status = take_results(fits[i], results);
            results += job_count;
        }
    population_free(&population);
    return status;
}

/* ---- what was learnt ---- */

static enum status report_and_calibrate(struct fit *fit)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct kind_fit *kind_fit = &fit->kinds[kind];
        if (!is_known(kind_fit))
            continue;
        struct fit_report report = report_of(fit, kind_fit);
        add_seconds(&report, fit, kind_fit);
        TRY(fit_calibrate(fit, kind_fit, &report, fit->error));
        if (fit->reports)
            fit->reports[kind] = report;
    }
    return STATUS_OK;
}

static void add_all_seconds(struct fit *fit)
{
    for (int kind = 0; fit->reports && kind < LAYER_KIND_COUNT; kind++)
        if (fit->kinds[kind].job_count > 0)
            add_seconds(&fit->reports[kind], fit, &fit->kinds[kind]);
}

enum status fits_learn(struct fit *const *fits, int count, bool may_fail, struct error *error)
{
    bool goes_on = false;
    TRY(run_jobs(fits, count, may_fail, error));
    for (int i = 0; i < count; i++) {
        if (fits[i]->status == STATUS_OK)
            fits[i]->status = report_and_calibrate(fits[i]);
        goes_on |= fits[i]->status == STATUS_OK && fits[i]->options->last_share > 0;
    }
    if (!goes_on)
        return STATUS_OK;
    for (int i = 0; i < count; i++) {
        drop_done_jobs(fits[i]);
        for (int kind = 0; fits[i]->status == STATUS_OK && kind < LAYER_KIND_COUNT; kind++)
            if (fits[i]->kinds[kind].job_count > 0)
                continue_jobs(fits[i], &fits[i]->kinds[kind]);
    }
    TRY(run_jobs(fits, count, may_fail, error));
    for (int i = 0; i < count; i++)
        if (fits[i]->status == STATUS_OK)
            add_all_seconds(fits[i]);
    return STATUS_OK;
}
