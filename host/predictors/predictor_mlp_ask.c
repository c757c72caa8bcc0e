/* The nets of a layer kind, asked: their mean and spread, and the time that it means. */
#include "predictors/predictor_mlp.h"

#include "bench/device_identity.h"

#include <math.h>
#include <stdlib.h>

/* ln t' above this (10^26) is no time; the limit keeps the result finite. */
static const double log_limit = 60;

double mlp_anchor(float *offsets, const struct mlp_kind *kind, size_t net, int32_t anchor,
                  const double *log_ceilings)
{
    const struct fitted_ceilings *ceilings =
        &kind->ceilings[net * (size_t)kind->anchor_count + (size_t)anchor];
    for (int head = 0; head < CEILING_HEADS && offsets; head++)
        offsets[head] = (float)(log_ceilings[head] + ceilings->theta[head]);
    return fitted_ceilings_log_ms(ceilings, log_ceilings);
}

int32_t mlp_anchor_of(const struct mlp_predictor *predictor, const struct device_info *device)
{
    const int known = device_find(predictor->base.devices, predictor->base.device_count, device);
    return known >= 0 ? known : predictor->base.device_count;
}

/* ---- one net ---- */

struct scratch {
    float *answers;  /* (rows) */
    float *offsets;  /* (rows, CEILING_HEADS) */
    double *anchors; /* (rows): ln f */
};

static enum status scratch_create(struct scratch *scratch, size_t rows, bool has_heads,
                                  struct error *error)
{
    const size_t floats = has_heads ? 1 + CEILING_HEADS : 1;
    void *memory;
    TRY(error_allocate(&memory, rows, sizeof(double) + floats * sizeof(float), "forecasts", error));
    scratch->anchors = memory;
    scratch->answers = (float *)(void *)(scratch->anchors + rows);
    scratch->offsets = has_heads ? scratch->answers + rows : NULL;
    return STATUS_OK;
}

/* scratch->answers: what net `net` with these parameters says of every row; with heads no further
 * from its ceilings than it has learnt. */
static enum status ask_net(struct scratch *scratch, const struct mlp_rows *rows,
                           const struct mlp_kind *kind, const float *parameters, size_t net,
                           struct error *error)
{
    for (size_t row = 0; row < rows->count && scratch->offsets; row++)
        scratch->anchors[row] = mlp_anchor(scratch->offsets + row * CEILING_HEADS, kind, net,
                                           rows->anchors[row],
                                           rows->log_ceilings + row * CEILING_HEADS);
    TRY(mlp_predict(scratch->answers, rows->inputs, scratch->offsets, rows->count, parameters,
                    &kind->shape, error));
    for (size_t row = 0; row < rows->count && scratch->offsets; row++) {
        const double anchor = scratch->anchors[row];
        const double limited = fmax(
            anchor + kind->limits[2 * net],
            fmin(anchor + kind->limits[2 * net + 1], (double)scratch->answers[row]));
        scratch->answers[row] = (float)limited;
    }
    return STATUS_OK;
}

/* ---- all nets ---- */

static bool is_asked(const struct mlp_rows *rows, size_t row, size_t net)
{
    return !rows->folds || rows->folds[row] == (int32_t)net;
}

/* Mean and standard deviation of what the kind's nets say, with these parameters. */
static enum status ask_nets(double *means, double *deviations, const struct mlp_rows *rows,
                            const struct mlp_kind *kind, const float *parameters,
                            struct error *error)
{
    const size_t size = mlp_parameter_count(&kind->shape);
    const double asked = rows->folds ? 1 : kind->net_count;
    struct scratch scratch;
    TRY(scratch_create(&scratch, rows->count, kind->ceilings != NULL, error));
    for (size_t row = 0; row < rows->count; row++)
        means[row] = deviations[row] = 0;
    enum status status = STATUS_OK;
    for (size_t net = 0; net < (size_t)kind->net_count && status == STATUS_OK; net++) {
        status = ask_net(&scratch, rows, kind, parameters + net * size, net, error);
        for (size_t row = 0; row < rows->count && status == STATUS_OK; row++) {
            const double answer = is_asked(rows, row, net) ? (double)scratch.answers[row] : 0;
            means[row] += answer;
            deviations[row] += answer * answer;
        }
    }
    free(scratch.anchors);
    for (size_t row = 0; row < rows->count; row++) {
        means[row] /= asked;
        deviations[row] = sqrt(fmax(deviations[row] / asked - means[row] * means[row], 0));
    }
    return status;
}

/* The intervals are in units of how much the calibrated nets disagree. The last epochs draw the
 * nets together, more than towards the truth. */
static enum status ask_spreads(double *spreads, const struct mlp_rows *rows,
                               const struct mlp_kind *kind, struct error *error)
{
    void *means;
    if (!kind->calibrated || kind->net_count == 1)
        return STATUS_OK;
    TRY(error_allocate(&means, rows->count, sizeof(double), "forecasts", error));
    const enum status status = ask_nets(means, spreads, rows, kind, kind->calibrated, error);
    free(means);
    return status;
}

enum status mlp_kind_forecast(double *predicted_ms, double *spreads, const struct mlp_rows *rows,
                              const struct mlp_kind *kind, double target_units_per_ms,
                              struct error *error)
{
    TRY(ask_nets(predicted_ms, spreads, rows, kind, kind->parameters, error));
    TRY(ask_spreads(spreads, rows, kind, error));
    for (size_t row = 0; row < rows->count; row++) {
        const double answer = predicted_ms[row];
        const double ms = kind->ceilings
                              ? exp(fmin(answer, log_limit))
                              : expm1(fmin(rows->offsets[row] + fmin(answer, kind->output_limit),
                                           log_limit)) /
                                    target_units_per_ms;
        predicted_ms[row] = fmax(ms, kind->floor_ms);
    }
    return STATUS_OK;
}
