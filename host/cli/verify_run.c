#include "cli/verify_run.h"

#include "cli/device_choice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of one step: whole steps take long, and one sample has no interval. */
static const double default_cap_ms = 3000;

/* ---- rivals ---- */

/* The roofline needs a device, and nothing of the row that names it. */
static enum status fit_roofline(struct predictor **roofline, const struct device_info *known,
                                const struct fit_options *wanted, struct error *error)
{
    struct device_info device = *known;
    struct measurement row = {.outcome = OUTCOME_OK, .median_ms = 1};
    const struct dataset_rows rows = {
        .rows = &row, .count = 1, .devices = &device, .device_count = 1};
    return predictor_roofline.fit(roofline, &rows, wanted, NULL, error);
}

/* Every wanted rival but the roofline. */
static enum status fit_from_rows(struct verification *all, const struct dataset_rows *rows,
                                 const struct fit_options *wanted, int32_t mask,
                                 struct error *error)
{
    for (int i = 0; i < choice_baseline.count; i++) {
        const struct predictor_type *type = predictor_find(choice_baseline.names[i]);
        if (!(mask >> i & 1) || type == &predictor_roofline || all->rival_count == RIVAL_LIMIT)
            continue;
        TRY(type->fit(&all->rivals[all->rival_count], rows, wanted, NULL, error));
        all->rival_count++;
    }
    return STATUS_OK;
}

static enum status fit_rivals(struct verification *all, const struct settings *settings,
                              struct error *error)
{
    struct fit_options wanted;
    struct dataset_rows rows;
    const int roofline = choice_find(&choice_baseline, "roofline");
    TRY(fit_options_preset(&wanted, "default", error));
    TRY(fit_roofline(&all->rivals[0], all->known, &wanted, error));
    all->rival_count = 1;
    if (!(settings->baselines & ~(INT32_C(1) << roofline)))
        return STATUS_OK;
    if (settings->operand_count < 2) {
        FAIL(error, STATUS_USAGE, "--baselines other than the roofline need rows to learn from");
        return error_hint(error, "epochcast verify NETWORK DATA.h5 --baselines ..."), STATUS_USAGE;
    }
    TRY(dataset_read(&rows, settings->operands + 1, settings->operand_count - 1, error));
    const enum status status = fit_from_rows(all, &rows, &wanted, settings->baselines, error);
    dataset_rows_free(&rows);
    return status;
}

/* ---- forecasts ---- */

static struct forecast_options options_of(const struct layer_config *asked)
{
    return (struct forecast_options){.batch_size = asked->batch_size,
                                     .pass = asked->pass,
                                     .optimizer = asked->optimizer,
                                     .precision = asked->precision,
                                     .price_per_hour = NAN};
}

static enum status forecast_row(struct verify_row *row, const struct verification *all,
                                const struct layer_config *asked, struct error *error)
{
    const struct forecast_options wanted = options_of(asked);
    const struct network *network = &all->choice->network;
    for (int i = 0; i < all->rival_count; i++) {
        struct forecast rival;
        TRY(forecast_network(&rival, network, all->rivals[i], all->known, &wanted, error));
        row->rivals_ms[i] = rival.batch_ms;
        forecast_free(&rival);
    }
    return forecast_network(&row->forecast, network, all->choice->model.predictor, all->known,
                            &wanted, error);
}

/* ---- measurements ---- */

static enum status allocate_layers(double **layers_ms, const struct network *network,
                                   struct error *error)
{
    return error_allocate((void **)layers_ms, (unsigned long)network->layer_count,
                          sizeof **layers_ms, "layer times", error);
}

static enum status measure_row_layers(struct verify_row *row, const struct network *network,
                                      struct device *device, const struct measure_options *step,
                                      const struct settings *settings, struct error *error)
{
    const struct layer_config *asked = &row->measured.config;
    const struct measure_options single = measure_options_of(settings);
    if (settings->layers) {
        TRY(allocate_layers(&row->in_place_ms, network, error));
        TRY(verify_layers_in_place(row->in_place_ms, device, network, asked, step, error));
    }
    if (!settings->sum)
        return STATUS_OK;
    TRY(allocate_layers(&row->alone_ms, network, error));
    TRY(verify_layers_alone(row->alone_ms, device, network, asked, &single, error));
    row->sum_ms = 0;
    for (int i = 0; i < network->layer_count; i++)
        row->sum_ms += row->alone_ms[i];
    return STATUS_OK;
}

static enum status measure_row(struct verify_row *row, const struct verification *all,
                               struct device *device, const struct layer_config *asked,
                               const struct settings *settings, struct error *error)
{
    const struct network *network = &all->choice->network;
    struct measure_options step = measure_options_of(settings);
    if (isnan(settings->cap_ms))
        step.cap_ms = default_cap_ms;
    const enum status status = verify_network(&row->measured, device, network, asked->batch_size,
                                              asked->pass, asked->optimizer, asked->precision,
                                              &step, error);
    if (status == STATUS_OUT_OF_MEMORY) {
        measurement_fail(&row->measured, asked, OUTCOME_OUT_OF_MEMORY, &step);
        return STATUS_OK;
    }
    TRY(status);
    return measure_row_layers(row, network, device, &step, settings, error);
}

static enum status add_row(struct verification *all, struct device *device,
                           const struct step_choice *step, int32_t batch_size,
                           const struct settings *settings, struct error *error)
{
    const struct layer_config asked = {.batch_size = batch_size,
                                       .pass = step->pass,
                                       .optimizer = step->optimizer,
                                       .precision = settings->precision};
    struct verify_row *row = &all->rows[all->count++];
    row->sum_ms = NAN;
    TRY(forecast_row(row, all, &asked, error));
    TRY(measure_row(row, all, device, &asked, settings, error));
    all->too_large += row->measured.outcome == OUTCOME_OUT_OF_MEMORY;
    return STATUS_OK;
}

static enum status add_rows(struct verification *all, struct device *device,
                            const struct settings *settings, struct error *error)
{
    struct progress progress;
    const struct network_choice *choice = all->choice;
    const int total = choice->step_count * choice->batch_count;
    enum status status = STATUS_OK;
    progress_begin(&progress, stderr, settings->quiet);
    for (int i = 0; status == STATUS_OK && i < total; i++) {
        const int32_t batch_size = choice->batch_sizes[i % choice->batch_count];
        progress_update(&progress, i, total, "%s, batch %d", choice->network.name, batch_size);
        status = add_row(all, device, &choice->steps[i / choice->batch_count], batch_size, settings,
                         error);
    }
    progress_end(&progress);
    return status;
}

/* ---- all of it ---- */

/* A model that was trained on another device is told so, not compared silently. */
static enum status same_device(const struct device_info **known, struct device *device,
                               const struct model *model, struct error *error)
{
    struct device_info here;
    TRY(device->backend->describe(device, false, &here, error));
    for (int i = 0; i < model->device_count; i++)
        if (device_fingerprint(&model->devices[i]) == device_fingerprint(&here)) {
            *known = &model->devices[i];
            return STATUS_OK;
        }
    FAIL(error, STATUS_NO_DEVICE, "the model was not trained on %s (%s, %d thread%s)", here.name,
         here.backend, here.thread_count, here.thread_count == 1 ? "" : "s");
    return error_hint(error, "it knows %s; sweep and train on this device, with the same --threads",
                      model->device_count ? model->devices[0].name : "no device"),
           STATUS_NO_DEVICE;
}

static enum status fill(struct verification *all, struct device *device,
                        const struct settings *settings, struct error *error)
{
    const size_t count = (size_t)(all->choice->step_count * all->choice->batch_count);
    TRY(same_device(&all->known, device, &all->choice->model, error));
    TRY(fit_rivals(all, settings, error));
    TRY(error_allocate((void **)&all->rows, count, sizeof *all->rows, "rows", error));
    return add_rows(all, device, settings, error);
}

enum status verification_create(struct verification *all, const struct network_choice *choice,
                                struct device *device, const struct settings *settings,
                                struct error *error)
{
    *all = (struct verification){.choice = choice, .has_sum = settings->sum};
    const enum status status = fill(all, device, settings, error);
    if (status != STATUS_OK)
        verification_free(all);
    return status;
}

void verification_free(struct verification *all)
{
    for (int i = 0; i < all->count; i++) {
        forecast_free(&all->rows[i].forecast);
        free(all->rows[i].in_place_ms);
        free(all->rows[i].alone_ms);
    }
    for (int i = 0; i < all->rival_count; i++)
        all->rivals[i]->type->free(all->rivals[i]);
    free(all->rows);
    *all = (struct verification){.rows = NULL};
}
