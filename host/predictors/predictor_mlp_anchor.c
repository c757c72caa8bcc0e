/* Where the heads of a kind's nets start: ceilings fitted to the rows that a net learns from. */
#include "predictors/predictor_mlp_fit.h"
#include "predictors/rivals.h"

#include <math.h>
#include <stdlib.h>

/* A net's forecast may leave its ceilings by as much as the rows that it learnt from, and this
 * more (in ln t). */
static const double limit_margin = 0.3;

struct anchor_rows {
    double *log_ceilings, *log_ms; /* (count, CEILING_HEADS), (count) */
    size_t count;
};

static enum status rows_create(struct anchor_rows *rows, size_t count, struct error *error)
{
    void *memory;
    TRY(error_allocate(&memory, count, (CEILING_HEADS + 1) * sizeof(double), "ceilings", error));
    rows->log_ceilings = memory;
    rows->log_ms = rows->log_ceilings + count * CEILING_HEADS;
    return STATUS_OK;
}

/* The rows of one training device, or of all (anchor: their number), that the net learns from. */
static void collect(struct anchor_rows *rows, const struct fit *fit,
                    const struct kind_fit *kind_fit, size_t net, int32_t anchor)
{
    const bool is_of_all = anchor == fit->predictor->base.device_count;
    rows->count = 0;
    for (size_t i = 0; i < kind_fit->count; i++) {
        if (!fit_learns_from(kind_fit, net, i) || (!is_of_all && kind_fit->anchors[i] != anchor))
            continue;
        for (int head = 0; head < CEILING_HEADS; head++)
            rows->log_ceilings[rows->count * CEILING_HEADS + (size_t)head] =
                kind_fit->log_ceilings[i * CEILING_HEADS + (size_t)head];
        rows->log_ms[rows->count++] = log(fit_row(fit, kind_fit, i)->median_ms);
    }
}

/* A device without rows has the ceilings of all. */
static void fit_net(struct fitted_ceilings *ceilings, struct anchor_rows *rows,
                    const struct fit *fit, const struct kind_fit *kind_fit, size_t net)
{
    const int32_t devices = fit->predictor->base.device_count;
    for (int32_t anchor = devices; anchor >= 0; anchor--) {
        collect(rows, fit, kind_fit, net, anchor);
        if (anchor < devices && (devices == 1 || rows->count == 0))
            ceilings[anchor] = ceilings[devices];
        else
            fitted_ceilings_fit(&ceilings[anchor], rows->log_ceilings, rows->log_ms, rows->count);
    }
}

static void set_limits(double limits[2], const struct fit *fit, const struct kind_fit *kind_fit,
                       size_t net)
{
    const struct mlp_kind *kind = &fit->predictor->kinds[kind_fit->kind];
    limits[0] = limits[1] = 0;
    for (size_t i = 0; i < kind_fit->count; i++) {
        if (!fit_learns_from(kind_fit, net, i))
            continue;
        const double off = log(fit_row(fit, kind_fit, i)->median_ms) -
                           mlp_anchor(NULL, kind, net, kind_fit->anchors[i],
                                      kind_fit->log_ceilings + i * CEILING_HEADS);
        limits[0] = fmin(limits[0], off);
        limits[1] = fmax(limits[1], off);
    }
    limits[0] -= limit_margin;
    limits[1] += limit_margin;
}

/* Without folds all nets learn from the same rows, so the first one's ceilings are theirs all. */
static enum status fit_nets(struct mlp_kind *kind, const struct fit *fit,
                            const struct kind_fit *kind_fit, struct error *error)
{
    const size_t nets = (size_t)kind_fit->net_count, width = (size_t)kind->anchor_count;
    struct anchor_rows rows;
    TRY(rows_create(&rows, kind_fit->count, error));
    for (size_t net = 0; net < nets; net++) {
        struct fitted_ceilings *own = kind->ceilings + net * width;
        if (net == 0 || kind_fit->folds)
            fit_net(own, &rows, fit, kind_fit, net);
        for (size_t i = 0; i < width && net > 0 && !kind_fit->folds; i++)
            own[i] = kind->ceilings[i];
    }
    free(rows.log_ceilings);
    return STATUS_OK;
}

/* Root mean square of ln t - ln f over rows that the ceilings are not fitted to; NaN: there are
 * none.
 */
static double left_out_error(const struct mlp_kind *kind, const struct fit *fit,
                             const struct kind_fit *kind_fit)
{
    const size_t first = kind_fit->folds ? 0 : kind_fit->train_count;
    double sum = 0;
    for (size_t i = first; i < kind_fit->count; i++) {
        const size_t net = kind_fit->folds ? (size_t)kind_fit->folds[i] : 0;
        const double off = log(fit_row(fit, kind_fit, i)->median_ms) -
                           mlp_anchor(NULL, kind, net, kind_fit->anchors[i],
                                      kind_fit->log_ceilings + i * CEILING_HEADS);
        sum += off * off;
    }
    return sqrt(sum / (double)(kind_fit->count - first));
}

/* Fine-tuning: of a kind that its device had few rows of, or none, ceilings fitted to its rows of
 * now may be nearer than its own. */
static enum status refit_nets(struct mlp_kind *kind, const struct fit *fit,
                              const struct kind_fit *kind_fit, struct error *error)
{
    struct fitted_ceilings *const own = kind->ceilings, *fresh;
    const double own_error = left_out_error(kind, fit, kind_fit);
    TRY(ALLOCATE(&fresh, (size_t)kind_fit->net_count * (size_t)kind->anchor_count, "ceilings",
                 error));
    kind->ceilings = fresh;
    const enum status status = fit_nets(kind, fit, kind_fit, error);
    const bool is_nearer = status == STATUS_OK &&
                           left_out_error(kind, fit, kind_fit) < own_error / RIVAL_MARGIN;
    kind->ceilings = is_nearer ? fresh : own;
    free(is_nearer ? own : fresh);
    return status;
}

static enum status keep_offsets(struct kind_fit *kind_fit, const struct mlp_kind *kind,
                                struct error *error)
{
    TRY(ALLOCATE(&kind_fit->offsets, kind_fit->count * CEILING_HEADS, "ceilings", error));
    for (size_t i = 0; i < kind_fit->count; i++)
        mlp_anchor(kind_fit->offsets + i * CEILING_HEADS, kind, 0, kind_fit->anchors[i],
                   kind_fit->log_ceilings + i * CEILING_HEADS);
    return STATUS_OK;
}

enum status fit_anchor(struct fit *fit, struct kind_fit *kind_fit, struct error *error)
{
    struct mlp_kind *kind = &fit->predictor->kinds[kind_fit->kind];
    const size_t nets = (size_t)kind_fit->net_count;
    if (!kind->ceilings) {
        kind->anchor_count = fit->predictor->base.device_count + 1;
        TRY(ALLOCATE(&kind->ceilings, nets * (size_t)kind->anchor_count, "ceilings", error));
        TRY(ALLOCATE(&kind->limits, 2 * nets, "limits", error));
        TRY(fit_nets(kind, fit, kind_fit, error));
    } else
        TRY(refit_nets(kind, fit, kind_fit, error));
    for (size_t net = 0; net < nets; net++)
        set_limits(kind->limits + 2 * net, fit, kind_fit, net);
    return kind_fit->folds ? STATUS_OK : keep_offsets(kind_fit, kind, error);
}
