/* The intervals of a fitted kind: its forecasts of held-out rows against their measurements. */
#include "predictors/network_order.h"
#include "predictors/predictor_mlp_fit.h"
#include "predictors/rivals.h"

#include <math.h>
#include <stdlib.h>

/* order[i]: the row that stands at place i among the calibration rows. */
static enum status order_rows(size_t *order, const struct fit *fit, const struct kind_fit *kind_fit,
                              size_t first, size_t count, struct error *error)
{
    void *memory;
    TRY(error_allocate(&memory, count, sizeof(struct network_place), "calibration", error));
    struct network_place *places = memory;
    for (size_t i = 0; i < count; i++)
        places[i] = network_place_of(&fit_row(fit, kind_fit, first + i)->config, i);
    network_places_sort(places, count);
    for (size_t i = 0; i < count; i++)
        order[i] = places[i].row;
    free(places);
    return STATUS_OK;
}

/* Forecasts of the kind's rows from `first` on. One allocation, which forecast_ms owns. */
struct calibration {
    size_t first, count;
    double *forecast_ms, *spreads, *offsets; /* of the rows as they come */
    size_t *order;
    double *measured_ms, *ordered_ms, *ordered_spreads; /* in that order */
    int32_t *passes;
};

static enum status calibration_create(struct calibration *calibration, size_t first, size_t count,
                                      struct error *error)
{
    void *memory;
    TRY(error_allocate(&memory, count, 6 * sizeof(double) + sizeof(size_t) + sizeof(int32_t),
                       "calibration", error));
    double *const doubles = memory;
    size_t *const order = (size_t *)(void *)(doubles + 6 * count);
    *calibration = (struct calibration){
        .first = first,
        .count = count,
        .forecast_ms = doubles,
        .spreads = doubles + count,
        .offsets = doubles + 2 * count,
        .order = order,
        .measured_ms = doubles + 3 * count,
        .ordered_ms = doubles + 4 * count,
        .ordered_spreads = doubles + 5 * count,
        .passes = (int32_t *)(void *)(order + count),
    };
    return STATUS_OK;
}

static struct interval_rows in_order(const struct calibration *calibration, const struct fit *fit,
                                     const struct kind_fit *kind_fit)
{
    for (size_t i = 0; i < calibration->count; i++) {
        const size_t row = calibration->order[i];
        const struct measurement *measured = fit_row(fit, kind_fit, calibration->first + row);
        calibration->measured_ms[i] = measured->median_ms;
        calibration->passes[i] = measured->config.pass;
        calibration->ordered_ms[i] = calibration->forecast_ms[row];
        calibration->ordered_spreads[i] = calibration->spreads[row];
    }
    return (struct interval_rows){
        .passes = calibration->passes,
        .measured_ms = calibration->measured_ms,
        .predicted_ms = calibration->ordered_ms,
        .spreads = calibration->ordered_spreads,
        .count = calibration->count,
    };
}

static enum status forecast(struct calibration *calibration, struct fit *fit,
                            const struct kind_fit *kind_fit, struct error *error)
{
    const struct mlp_kind *kind = &fit->predictor->kinds[kind_fit->kind];
    const size_t first = calibration->first;
    for (size_t i = 0; i < calibration->count; i++) {
        const struct measurement *row = fit_row(fit, kind_fit, first + i);
        calibration->offsets[i] = mlp_offset(fit->predictor, &row->config, fit_device(fit, row));
    }
    const bool has_heads = fit_has_heads(fit, kind_fit);
    const struct mlp_rows rows = {
        .count = calibration->count,
        .inputs = kind_fit->inputs + first * (size_t)kind->plan.count,
        .log_ceilings = has_heads ? kind_fit->log_ceilings + first * CEILING_HEADS : NULL,
        .anchors = has_heads ? kind_fit->anchors + first : NULL,
        .folds = kind_fit->folds ? kind_fit->folds + first : NULL,
        .offsets = calibration->offsets,
    };
    return mlp_kind_forecast(calibration->forecast_ms, calibration->spreads, &rows, kind,
                             fit->options->target_units_per_ms, error);
}

/* From the forecasts of `count` rows from `first` on. */
static enum status calibrate_rows(struct interval *interval, struct held_out_errors *errors,
                                  struct fit *fit, const struct kind_fit *kind_fit, size_t first,
                                  size_t count, struct error *error)
{
    const double level = fit->options->interval_level;
    struct calibration calibration;
    *errors = held_out_errors_of(NULL);
    if (count == 0)
        return interval_calibrate(interval, &(struct interval_rows){.count = 0}, level, error);
    TRY(calibration_create(&calibration, first, count, error));
    enum status status = forecast(&calibration, fit, kind_fit, error);
    if (status == STATUS_OK)
        status = order_rows(calibration.order, fit, kind_fit, first, count, error);
    if (status == STATUS_OK) {
        const struct interval_rows rows = in_order(&calibration, fit, kind_fit);
        *errors = held_out_errors_of(&rows);
        status = interval_calibrate(interval, &rows, level, error);
        if (status == STATUS_OK)
            interval_calibrate_sums(interval, &rows, level);
    }
    free(calibration.forecast_ms);
    return status;
}

/* Test rows alone, for the nets know the training rows by heart; few of them may be near by chance,
 * but never nearer than what the nets have learnt. */
static enum status calibrate_split(struct interval *interval, struct held_out_errors *errors,
                                   struct fit *fit, const struct kind_fit *kind_fit,
                                   struct error *error)
{
    struct interval learnt;
    struct held_out_errors unused;
    const size_t train = kind_fit->train_count, count = kind_fit->count - train;
    TRY(calibrate_rows(interval, errors, fit, kind_fit, train, count, error));
    if (count == 0 && fit_keeps_nets(fit, kind_fit)) /* nets that have not learnt from these rows */
        return calibrate_rows(interval, &unused, fit, kind_fit, 0, train, error);
    if (count == 0 || count >= INTERVAL_ROWS_MINIMUM)
        return STATUS_OK;
    TRY(calibrate_rows(&learnt, &unused, fit, kind_fit, 0, train, error));
    for (int pass = 0; pass < PASS_COUNT; pass++)
        for (int decade = 0; decade < INTERVAL_DECADE_COUNT; decade++) {
            double *quantile = &interval->quantiles[pass][decade];
            *quantile = fmax(*quantile,
                             learnt.quantiles[pass][decade] * learnt.spread / interval->spread);
        }
    interval->correlation = 1;
    return STATUS_OK;
}

/* Nets that forecast the rows that they left out worse than their ceilings do are not kept. */
static enum status prefer_ceilings(struct interval *interval, struct held_out_errors *errors,
                                   struct fit *fit, const struct kind_fit *kind_fit,
                                   struct error *error)
{
    struct mlp_kind *kind = &fit->predictor->kinds[kind_fit->kind];
    float *const trained = kind->parameters, *other;
    struct held_out_errors other_errors;
    struct interval other_interval;
    TRY(fit_untrained(&other, &kind->shape, kind->net_count, fit->options->seed, error));
    kind->parameters = other;
    const enum status status = calibrate_rows(&other_interval, &other_errors, fit, kind_fit, 0,
                                              kind_fit->count, error);
    const bool is_better = status == STATUS_OK &&
                           other_errors.mape_percent < errors->mape_percent / RIVAL_MARGIN;
    if (is_better) {
        *interval = other_interval;
        *errors = other_errors;
    }
    kind->parameters = is_better ? other : trained;
    free(is_better ? trained : other);
    return status;
}

enum status fit_calibrate(struct fit *fit, const struct kind_fit *kind_fit,
                          struct fit_report *report, struct error *error)
{
    struct interval *interval = &fit->predictor->kinds[kind_fit->kind].interval;
    if (!kind_fit->folds)
        return calibrate_split(interval, &report->held_out, fit, kind_fit, error);
    TRY(calibrate_rows(interval, &report->held_out, fit, kind_fit, 0, kind_fit->count, error));
    if (fit_has_heads(fit, kind_fit) && kind_fit->job_count > 0)
        TRY(prefer_ceilings(interval, &report->held_out, fit, kind_fit, error));
    report->test_rmsle = report->held_out.rmsle;
    return STATUS_OK;
}
