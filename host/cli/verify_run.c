#include "cli/verify_run.h"

#include "cli/device_choice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
        return HINT(error, STATUS_USAGE, "epochcast verify NETWORK DATA.h5 --baselines ...");
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

enum { VERIFY_ROUNDS = 3 };

static struct layer_config asked_step(const struct network_choice *choice, int index,
                                      const struct settings *settings)
{
    const struct step_choice *step = &choice->steps[index / choice->batch_count];
    return (struct layer_config){.batch_size = choice->batch_sizes[index % choice->batch_count],
                                 .pass = step->pass,
                                 .optimizer = step->optimizer,
                                 .precision = settings->precision};
}

static double sum_of(const double *layers_ms, int count)
{
    double sum_ms = layers_ms ? 0 : NAN;
    for (int i = 0; layers_ms && i < count; i++)
        sum_ms += layers_ms[i];
    return sum_ms;
}

static void keep_times(struct verification *all, const struct verify_times *times)
{
    for (int i = 0; i < all->count; i++) {
        struct verify_row *row = &all->rows[i];
        row->measured = times[i];
        row->sum_ms = sum_of(times[i].alone_ms, all->choice->network.layer_count);
        all->too_large += times[i].step.outcome == OUTCOME_OUT_OF_MEMORY;
    }
}

static struct verify_rounds_options rounds_options_of(const struct settings *settings,
                                                      struct progress *progress)
{
    return (struct verify_rounds_options){
        .round_count = settings->rounds > 0 ? (int)settings->rounds : VERIFY_ROUNDS,
        .measure = measure_options_of(settings),
        .step_cap_ms = isnan(settings->cap_ms) ? VERIFY_STEP_CAP_MS : settings->cap_ms,
        .has_layers_in_place = settings->layers,
        .has_layers_alone = settings->sum,
        .progress = progress};
}

static enum status measure_rows(struct verification *all, const struct layer_config *asked,
                                struct device *device, const struct settings *settings,
                                struct error *error)
{
    struct progress progress;
    struct verify_times *times;
    const struct verify_rounds_options wanted = rounds_options_of(settings, &progress);
    TRY(ALLOCATE(&times, (unsigned long)all->count, "times", error));
    progress_begin(&progress, stderr, settings->quiet);
    const enum status status = verify_rounds(times, asked, all->count, &all->choice->network,
                                             device, &wanted, error);
    progress_end(&progress);
    if (status == STATUS_OK)
        keep_times(all, times);
    else
        verify_times_free(times, all->count);
    free(times);
    return status;
}

/* Forecasts first: what is wrong with a model shows before anything is measured. */
static enum status fill_rows(struct verification *all, struct layer_config *asked, int count,
                             struct device *device, const struct settings *settings,
                             struct error *error)
{
    for (int i = 0; i < count; i++) {
        asked[i] = asked_step(all->choice, i, settings);
        TRY(forecast_row(&all->rows[all->count++], all, &asked[i], error));
    }
    return measure_rows(all, asked, device, settings, error);
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
    return HINT(error, STATUS_NO_DEVICE,
                "it knows %s; sweep and train on this device, with the same --threads",
                model->device_count ? model->devices[0].name : "no device");
}

static enum status fill(struct verification *all, struct device *device,
                        const struct settings *settings, struct error *error)
{
    void *asked;
    const int count = all->choice->step_count * all->choice->batch_count;
    TRY(same_device(&all->known, device, &all->choice->model, error));
    TRY(fit_rivals(all, settings, error));
    TRY(ALLOCATE(&all->rows, (unsigned long)count, "rows", error));
    TRY(error_allocate(&asked, (unsigned long)count, sizeof(struct layer_config), "steps", error));
    const enum status status = fill_rows(all, asked, count, device, settings, error);
    free(asked);
    return status;
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
        verify_times_free(&all->rows[i].measured, 1);
    }
    for (int i = 0; i < all->rival_count; i++)
        all->rivals[i]->type->free(all->rivals[i]);
    free(all->rows);
    *all = (struct verification){.rows = NULL};
}
