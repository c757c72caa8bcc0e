/* The intervals of a fitted kind: its forecasts of held-out rows against their measurements. */
#include "predictors/network_order.h"
#include "predictors/predictor_mlp_fit.h"

#include <math.h>
#include <stdlib.h>

/* order[i]: the row that stands at place i among the calibration rows. */
static enum status order_rows(size_t *order, const struct fit *fit, const struct kind_fit *kind_fit,
                              enum split split, size_t count, struct error *error)
{
    void *memory;
    TRY(error_allocate(&memory, count, sizeof(struct network_place), "calibration", error));
    struct network_place *places = memory;
    for (size_t i = 0; i < count; i++)
        places[i] = network_place_of(&fit_row(fit, kind_fit, split, i)->config, i);
    network_places_sort(places, count);
    for (size_t i = 0; i < count; i++)
        order[i] = places[i].row;
    free(places);
    return STATUS_OK;
}

/* One allocation, which forecast_ms owns. */
struct calibration {
    size_t count;
    double *forecast_ms, *spreads, *offsets; /* of the rows as they come */
    size_t *order;
    double *measured_ms, *ordered_ms, *ordered_spreads; /* in that order */
    int32_t *passes;
};

static enum status calibration_create(struct calibration *calibration, size_t count,
                                      struct error *error)
{
    void *memory;
    TRY(error_allocate(&memory, count, 6 * sizeof(double) + sizeof(size_t) + sizeof(int32_t),
                       "calibration", error));
    double *const doubles = memory;
    size_t *const order = (size_t *)(void *)(doubles + 6 * count);
    *calibration = (struct calibration){
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
                                     const struct kind_fit *kind_fit, enum split split)
{
    for (size_t i = 0; i < calibration->count; i++) {
        const size_t row = calibration->order[i];
        const struct measurement *measured = fit_row(fit, kind_fit, split, row);
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

/* From the forecasts of one side's rows. */
static enum status calibrate_side(struct interval *interval, struct fit *fit,
                                  const struct kind_fit *kind_fit, int side, struct error *error)
{
    const struct mlp_kind *kind = &fit->predictor->kinds[kind_fit->kind];
    const enum split split = fit_sides[side];
    const size_t count = kind_fit->selection.count[split];
    struct calibration calibration;
    if (count == 0)
        return interval_calibrate(interval, &(struct interval_rows){.count = 0},
                                  fit->options->interval_level, error);
    TRY(calibration_create(&calibration, count, error));
    for (size_t i = 0; i < count; i++)
        calibration.offsets[i] = fit_row_offset(fit, fit_row(fit, kind_fit, split, i));
    enum status status = mlp_kind_forecast(calibration.forecast_ms, calibration.spreads,
                                           kind_fit->inputs[side], calibration.offsets, count, kind,
                                           fit->options->target_units_per_ms, error);
    if (status == STATUS_OK)
        status = order_rows(calibration.order, fit, kind_fit, split, count, error);
    if (status == STATUS_OK) {
        const struct interval_rows rows = in_order(&calibration, fit, kind_fit, split);
        status = interval_calibrate(interval, &rows, fit->options->interval_level, error);
        if (status == STATUS_OK)
            interval_calibrate_sums(interval, &rows, fit->options->interval_level);
    }
    free(calibration.forecast_ms);
    return status;
}

/* Test rows alone, for the nets know the training rows by heart; few of them may be near by chance,
 * but never nearer than what the nets have learnt. */
enum status fit_calibrate(struct fit *fit, const struct kind_fit *kind_fit, struct error *error)
{
    struct interval *interval = &fit->predictor->kinds[kind_fit->kind].interval, learnt;
    const size_t count = kind_fit->selection.count[SPLIT_TEST];
    TRY(calibrate_side(interval, fit, kind_fit, SIDE_TEST, error));
    if (count == 0 || count >= INTERVAL_ROWS_MINIMUM)
        return STATUS_OK;
    TRY(calibrate_side(&learnt, fit, kind_fit, SIDE_TRAIN, error));
    for (int pass = 0; pass < PASS_COUNT; pass++)
        for (int decade = 0; decade < INTERVAL_DECADE_COUNT; decade++) {
            double *quantile = &interval->quantiles[pass][decade];
            *quantile = fmax(*quantile,
                             learnt.quantiles[pass][decade] * learnt.spread / interval->spread);
        }
    interval->correlation = 1;
    return STATUS_OK;
}
