#include "cli/verify_run.h"

#include "cli/device_choice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- baselines ---- */

static enum status fit_baselines(struct verification *all, const struct settings *settings,
                                 struct error *error)
{
    struct dataset_rows rows;
    if (!baseline_set_needs_rows(settings->baselines))
        return baseline_set_fit(&all->baselines, all->known, 0, NULL, error);
    if (settings->operand_count < 2) {
        FAIL(error, STATUS_USAGE, "--baselines other than the roofline need rows to learn from");
        return HINT(error, STATUS_USAGE, "epochcast verify NETWORK DATA.h5 --baselines ...");
    }
    TRY(dataset_read(&rows, settings->operands + 1, settings->operand_count - 1, error));
    const enum status status = baseline_set_fit(&all->baselines, all->known, settings->baselines,
                                                &rows, error);
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
    const struct network *network = &all->selection->network;
    TRY(baseline_set_forecast(row->baselines_ms, &all->baselines, network, all->known, &wanted,
                              error));
    return forecast_network(&row->forecast, network, all->selection->model.predictor, all->known,
                            &wanted, error);
}

/* ---- measurements ---- */

enum { VERIFY_ROUNDS = 3 };

static struct layer_config asked_step(const struct network_selection *selection, int index,
                                      const struct settings *settings)
{
    const struct step_selection *step = &selection->steps[index / selection->batch_count];
    return (struct layer_config){
        .batch_size = selection->batch_sizes[index % selection->batch_count],
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
        row->sum_ms = sum_of(times[i].alone_ms, all->selection->network.layer_count);
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
    const enum status status = verify_rounds(times, asked, all->count, &all->selection->network,
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
        asked[i] = asked_step(all->selection, i, settings);
        TRY(forecast_row(&all->rows[all->count++], all, &asked[i], error));
    }
    return measure_rows(all, asked, device, settings, error);
}

/* ---- all of it ---- */

static enum status fill(struct verification *all, struct device *device,
                        const struct settings *settings, struct error *error)
{
    struct device_info here;
    struct layer_config *asked;
    const int count = all->selection->step_count * all->selection->batch_count;
    TRY(device->backend->describe(device, false, &here, error));
    TRY(model_find_device(&all->known, &all->selection->model, &here, error));
    TRY(fit_baselines(all, settings, error));
    TRY(ALLOCATE(&all->rows, (unsigned long)count, "rows", error));
    TRY(ALLOCATE(&asked, (unsigned long)count, "steps", error));
    const enum status status = fill_rows(all, asked, count, device, settings, error);
    free(asked);
    return status;
}

enum status verification_create(struct verification *all, const struct network_selection *selection,
                                struct device *device, const struct settings *settings,
                                struct error *error)
{
    *all = (struct verification){.selection = selection, .has_sum = settings->sum};
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
    baseline_set_free(&all->baselines);
    free(all->rows);
    *all = (struct verification){.rows = NULL};
}
