/* Fine-tuning: nets that were trained on several devices go on with the rows of one. */
#include "predictors/predictor_mlp_fit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int device_called(const struct dataset_rows *rows, const char *name)
{
    for (int i = 0; i < rows->device_count; i++)
        if (strcmp(rows->devices[i].name, name) == 0)
            return i;
    return -1;
}

static enum status unknown_device(const struct dataset_rows *rows, const char *name,
                                  struct error *error)
{
    char list[512] = "";
    for (int i = 0; i < rows->device_count; i++) {
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", rows->devices[i].name);
    }
    FAIL(error, STATUS_NO_DEVICE, "no rows of device '%s' to fine-tune to", name);
    return HINT(error, STATUS_NO_DEVICE, "the files hold rows of: %s", list);
}

/* The rows of known kinds measured on devices called `name`; the caller frees own->rows. */
static enum status rows_of_device(struct dataset_rows *own, const struct dataset_rows *rows,
                                  const struct mlp_predictor *predictor, const char *name,
                                  struct error *error)
{
    void *memory;
    TRY(error_allocate(&memory, rows->count, sizeof *rows->rows, "rows", error));
    *own = *rows;
    own->rows = memory;
    own->count = 0;
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->devices[rows->rows[i].device].name, name) == 0 &&
            predictor->kinds[rows->rows[i].config.kind].net_count > 0)
            own->rows[own->count++] = rows->rows[i];
    return STATUS_OK;
}

/* Kinds without rows of the device are no longer known. */
static void forget_kinds(struct fit *fit)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct mlp_kind *learnt = &fit->predictor->kinds[kind];
        if (learnt->net_count > 0 && fit->kinds[kind].count == 0)
            mlp_kind_free(learnt);
    }
}

/* Test rows that the nets have learnt from could not calibrate them again. */
static void start_as_calibrated(struct mlp_kind *kind)
{
    if (!kind->calibrated)
        return;
    free(kind->parameters);
    kind->parameters = kind->calibrated;
    kind->calibrated = NULL;
}

/* Of every net's ceilings those of one device alone; a device that no net has seen gets its own,
 * fitted to its rows. */
static enum status keep_anchor(struct mlp_kind *kind, int32_t anchor, struct error *error)
{
    const size_t nets = (size_t)kind->net_count, width = (size_t)kind->anchor_count;
    if (!kind->ceilings)
        return STATUS_OK;
    if ((size_t)anchor + 1 == width) { /* fit_anchor fits them */
        free(kind->ceilings);
        free(kind->limits);
        kind->ceilings = NULL;
        kind->limits = NULL;
        return STATUS_OK;
    }
    struct fitted_ceilings *own;
    TRY(ALLOCATE(&own, 2 * nets, "ceilings", error));
    for (size_t net = 0; net < nets; net++)
        own[2 * net] = own[2 * net + 1] = kind->ceilings[net * width + (size_t)anchor];
    free(kind->ceilings);
    kind->ceilings = own;
    kind->anchor_count = 2;
    return STATUS_OK;
}

/* The recipe, as far as the predictor does not fix it. */
static void tuned_options(struct mlp_options *tuned, const struct mlp_predictor *predictor,
                          const struct mlp_options *options)
{
    *tuned = *options;
    tuned->train.learning_rate *= options->tune_rate;
    tuned->train.epochs = options->tune_epochs;
    tuned->last_rate = 1;
    tuned->last_share = options->last_share > 0;
    tuned->minimum_steps = 0;
    tuned->target_units_per_ms = predictor->target_units_per_ms;
}

static enum status tune(struct mlp_predictor *predictor, const struct dataset_rows *own,
                        const struct mlp_options *tuned, struct fit_report *reports,
                        struct error *error)
{
    struct error failure = {0};
    struct fit fit = {.predictor = predictor,
                      .rows = own,
                      .options = tuned,
                      .reports = reports,
                      .error = &failure};
    struct fit *const fits[] = {&fit};
    enum status status = fit_prepare(&fit, error);
    if (status == STATUS_OK) {
        forget_kinds(&fit);
        status = fits_learn(fits, 1, false, error);
    }
    if (status == STATUS_OK && fit.status != STATUS_OK) {
        status = fit.status;
        if (error)
            *error = failure;
    }
    fit_release(&fit);
    return status;
}

enum status mlp_predictor_tune(struct predictor *base, const struct dataset_rows *rows,
                               const struct fit_options *base_options, struct fit_report *reports,
                               struct error *error)
{
    struct mlp_predictor *predictor = (struct mlp_predictor *)base;
    struct dataset_rows own;
    struct mlp_options tuned;
    TRY(fit_options_check(&base_options, &predictor_mlp, error));
    const struct mlp_options *options = (const struct mlp_options *)base_options;
    const int device = device_called(rows, options->fine_tune);
    if (device < 0)
        return unknown_device(rows, options->fine_tune, error);
    tuned_options(&tuned, predictor, options);
    TRY(rows_of_device(&own, rows, predictor, options->fine_tune, error));
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        start_as_calibrated(&predictor->kinds[kind]);
    for (int kind = 0; reports && kind < LAYER_KIND_COUNT; kind++)
        reports[kind] = (struct fit_report){.kind = kind};
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        TRY(keep_anchor(&predictor->kinds[kind], mlp_anchor_of(predictor, &rows->devices[device]),
                        error));
    predictor->base.devices[0] = rows->devices[device];
    predictor->base.device_count = 1;
    predictor->fine_tuned = 1;
    predictor->interval_level = options->interval_level;
    enum status status = own.count > 0 ? tune(predictor, &own, &tuned, reports, error)
                                       : unknown_device(rows, options->fine_tune, error);
    free(own.rows);
    return status;
}
