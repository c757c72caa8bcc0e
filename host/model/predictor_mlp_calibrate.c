/* The intervals of a fitted kind: its forecasts of held-out rows against their measurements. */
#include "model/network_order.h"
#include "model/predictor_mlp_fit.h"

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

/* Calibration rows as they come, and in order; one allocation, which measured_ms owns. */
struct calibration {
    size_t count;
    double *measured_ms, *predicted_ms, *spreads, *offsets, *sorted[3];
    size_t *order;
    int32_t *passes, *sorted_passes;
};

static enum status calibration_create(struct calibration *calibration, size_t count,
                                      struct error *error)
{
    void *memory;
    TRY(error_allocate(&memory, count, 7 * sizeof(double) + sizeof(size_t) + 2 * sizeof(int32_t),
                       "calibration", error));
    double *const doubles = memory;
    size_t *const order = (size_t *)(void *)(doubles + 7 * count);
    int32_t *const passes = (int32_t *)(void *)(order + count);
    *calibration = (struct calibration){
        .count = count,
        .measured_ms = doubles,
        .predicted_ms = doubles + count,
        .spreads = doubles + 2 * count,
        .offsets = doubles + 3 * count,
        .sorted = {doubles + 4 * count, doubles + 5 * count, doubles + 6 * count},
        .order = order,
        .passes = passes,
        .sorted_passes = passes + count,
    };
    return STATUS_OK;
}

static struct interval_rows in_order(const struct calibration *calibration)
{
    const double *const from[3] = {calibration->measured_ms, calibration->predicted_ms,
                                   calibration->spreads};
    for (size_t row = 0; row < calibration->count; row++) {
        for (int i = 0; i < 3; i++)
            calibration->sorted[i][row] = from[i][calibration->order[row]];
        calibration->sorted_passes[row] = calibration->passes[calibration->order[row]];
    }
    return (struct interval_rows){
        .passes = calibration->sorted_passes,
        .measured_ms = calibration->sorted[0],
        .predicted_ms = calibration->sorted[1],
        .spreads = calibration->sorted[2],
        .count = calibration->count,
    };
}

/* Test rows; with fewer than TRAIN_ROWS_MINIMUM of them, the train rows stand in: too narrow, but
 * a quantile of a handful of rows would mean nothing. */
enum status fit_calibrate(struct fit *fit, const struct kind_fit *kind_fit, struct error *error)
{
    struct mlp_kind *kind = &fit->predictor->kinds[kind_fit->kind];
    const int side = fit_calibration_rows(kind_fit) > 0 ? 1 : 0;
    const size_t count = kind_fit->selection.count[fit_sides[side]];
    struct calibration calibration;
    TRY(calibration_create(&calibration, count, error));
    for (size_t i = 0; i < count; i++) {
        const struct measurement *row = fit_row(fit, kind_fit, fit_sides[side], i);
        calibration.measured_ms[i] = row->median_ms;
        calibration.offsets[i] = fit_row_offset(fit, row);
        calibration.passes[i] = row->config.pass;
    }
    enum status status = mlp_kind_forecast(calibration.predicted_ms, calibration.spreads,
                                           kind_fit->inputs[side], calibration.offsets, count, kind,
                                           fit->options->target_units_per_ms, error);
    if (status == STATUS_OK)
        status = order_rows(calibration.order, fit, kind_fit, fit_sides[side], count, error);
    if (status == STATUS_OK) {
        const struct interval_rows rows = in_order(&calibration);
        status = interval_calibrate(&kind->interval, &rows, fit->options->interval_level, error);
        if (status == STATUS_OK)
            interval_calibrate_sums(&kind->interval, &rows, fit->options->interval_level);
    }
    free(calibration.measured_ms);
    return status;
}
