/* Fine-tuning: nets that were trained on several devices go on with the rows of one. */
#include "model/predictor_mlp_fit.h"

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

static enum status unknown_device(const struct mlp_predictor *predictor, const char *name,
                                  struct error *error)
{
    char list[512] = "";
    for (int i = 0; i < predictor->device_count; i++) {
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "",
                 predictor->devices[i].name);
    }
    FAIL(error, STATUS_NO_DEVICE, "no rows of device '%s' to fine-tune to", name);
    return error_hint(error, "the files hold rows of: %s", list);
}

/* The rows measured on devices called `name`; the caller frees own->rows. */
static enum status rows_of_device(struct dataset_rows *own, const struct dataset_rows *rows,
                                  const char *name, struct error *error)
{
    void *memory;
    TRY(error_allocate(&memory, rows->count, sizeof *rows->rows, "rows", error));
    *own = *rows;
    own->rows = memory;
    own->count = 0;
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->devices[rows->rows[i].device].name, name) == 0)
            own->rows[own->count++] = rows->rows[i];
    return STATUS_OK;
}

/* Kinds without rows of the device are no longer known. */
static void forget_kinds(struct fit *fit)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct mlp_kind *learnt = &fit->predictor->kinds[kind];
        if (learnt->net_count == 0 || fit->kinds[kind].selection.count[SPLIT_TRAIN] > 0)
            continue;
        free(learnt->parameters);
        *learnt = (struct mlp_kind){0};
    }
}

enum status fit_fine_tune(struct mlp_predictor *predictor, const struct dataset_rows *rows,
                          const struct fit_options *options, struct fit_report *reports,
                          struct error *error)
{
    struct dataset_rows own;
    struct fit_options tuned = *options;
    const int device = device_called(rows, options->fine_tune);
    if (device < 0)
        return unknown_device(predictor, options->fine_tune, error);
    TRY(rows_of_device(&own, rows, options->fine_tune, error));
    tuned.train.learning_rate *= options->tune_rate;
    tuned.train.epochs = options->tune_epochs;
    tuned.minimum_steps = 0;
    struct fit fit = {.predictor = predictor, .rows = &own, .options = &tuned};
    enum status status = fit_prepare(&fit, error);
    if (status == STATUS_OK && fit.job_count == 0)
        status = unknown_device(predictor, options->fine_tune, error);
    if (status == STATUS_OK) {
        forget_kinds(&fit);
        status = fit_learn(&fit, reports, error);
    }
    predictor->devices[0] = rows->devices[device];
    predictor->device_count = 1;
    predictor->fine_tuned = 1;
    fit_release(&fit);
    free(own.rows);
    return status;
}
