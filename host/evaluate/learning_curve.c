#include "evaluate/learning_curve.h"

#include "data/split.h"
#include "predictors/row_selection.h"

#include <math.h>
#include <stdlib.h>

struct learning_curve learning_curve_of(double mape_percent, size_t count, double half_mape_percent,
                                        size_t half_count, double row_seconds)
{
    struct learning_curve curve = {NAN, NAN, NAN};
    const double slope = log(half_mape_percent / mape_percent) /
                         log((double)count / (double)half_count);
    if (!isfinite(slope))
        return curve;
    curve.exponent = fmin(fmax(slope, LEARNING_EXPONENT_LOW), LEARNING_EXPONENT_HIGH);
    curve.rows_to_halve = (double)count * (pow(2, 1 / curve.exponent) - 1);
    curve.seconds = curve.rows_to_halve * row_seconds;
    return curve;
}

/* Mean time that a row of the kind took, warm-up and set-up included; NaN: an import. */
static double row_seconds_of(const struct dataset_rows *rows, int kind)
{
    double ms = 0;
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct measurement *row = &rows->rows[i];
        const double own_ms = row->setup_ms + row->warmup_ms + row->measuring_ms;
        if ((int)row->config.kind != kind || !row_is_usable(row) || !isfinite(own_ms))
            continue;
        ms += own_ms;
        count++;
    }
    return count > 0 && ms > 0 ? ms / 1000 / (double)count : NAN;
}

static enum status half_create(struct dataset_rows *half, const bool *wanted,
                               const struct dataset_rows *rows, struct error *error)
{
    *half = *rows;
    half->count = 0;
    TRY(ALLOCATE(&half->rows, rows->count, "half the rows", error));
    for (size_t i = 0; i < rows->count; i++)
        if (wanted[rows->rows[i].config.kind] && fold_of(&rows->rows[i].config, 2) == 0)
            half->rows[half->count++] = rows->rows[i];
    return STATUS_OK;
}

enum status learning_curves_measure(struct learning_curve curves[LAYER_KIND_COUNT],
                                    const bool wanted[LAYER_KIND_COUNT],
                                    const struct fit_report reports[LAYER_KIND_COUNT],
                                    const struct dataset_rows *rows,
                                    const struct mlp_options *options, struct error *error)
{
    struct fit_report half_reports[LAYER_KIND_COUNT] = {{0}};
    struct dataset_rows half;
    struct predictor *predictor = NULL;
    struct mlp_options quiet = *options;
    quiet.fine_tune[0] = '\0';
    TRY(half_create(&half, wanted, rows, error));
    enum status status = STATUS_OK;
    if (half.count > 0)
        status = predictor_mlp.fit(&predictor, &half, &quiet.base, half_reports, error);
    if (status == STATUS_FAILED) /* half the rows may be too few */
        status = STATUS_OK;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        curves[kind] = learning_curve_of(
            reports[kind].held_out.mape_percent, reports[kind].rows,
            half_reports[kind].rows > 0 ? half_reports[kind].held_out.mape_percent : NAN,
            half_reports[kind].rows, row_seconds_of(rows, kind));
    predictor_mlp.free(predictor);
    free(half.rows);
    return status;
}
