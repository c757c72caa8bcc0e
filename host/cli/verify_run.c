#include "cli/verify_run.h"
#include "base/human.h"
#include "base/machine.h"
#include "cli/cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- baselines ---- */

static enum status fit_baselines(struct verification *all,
                                 const struct verification_options *options, struct error *error)
{
    struct dataset_rows rows;
    if (!baseline_set_needs_rows(options->baselines))
        return baseline_set_fit(&all->baselines, all->known, 0, NULL, error);
    if (options->dataset_count < 1) {
        FAIL(error, STATUS_USAGE, "--baselines: all but the roofline need rows to train on");
        return HINT(error, STATUS_USAGE, "epochcast verify NETWORK DATA.h5 --baselines ...");
    }
    TRY(dataset_read(&rows, options->datasets, options->dataset_count, error));
    const enum status status = baseline_set_fit(&all->baselines, all->known, options->baselines,
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

static struct layer_config asked_step(const struct network_selection *selection, int index,
                                      const struct verification_options *options)
{
    const struct step_selection *step = &selection->steps[index / selection->batch_count];
    return (struct layer_config){
        .batch_size = selection->batch_sizes[index % selection->batch_count],
        .pass = step->pass,
        .optimizer = step->optimizer,
        .precision = options->precision};
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

static enum status measure_rows(struct verification *all, const struct layer_config *asked,
                                struct device *device, const struct verification_options *options,
                                struct error *error)
{
    struct progress progress;
    struct verify_times *times;
    struct verify_rounds_options rounds = options->rounds;
    rounds.measure.cache = options->cache < 0 ? all->known->cache : options->cache;
    rounds.progress = &progress;
    rounds.interrupted = &cli_interrupted;
    TRY(ALLOCATE(&times, (unsigned long)all->count, "times", error));
    cli_catch_signals("step", "nothing was compared");
    progress_begin(&progress, stderr, options->quiet);
    const enum status status = verify_rounds(times, asked, all->count, &all->selection->network,
                                             device, &rounds, error);
    progress_end(&progress);
    if (status == STATUS_OK)
        keep_times(all, times);
    else
        verify_times_free(times, all->count);
    free(times);
    return status;
}

/* Memory that a step may take: what this process may still use, or that of a device of its own. */
static int64_t available_bytes(const struct device_info *here)
{
    struct machine_memory memory;
    machine_memory_read(&memory, "");
    const bool is_shared = strcmp(here->backend, "cpu") == 0 && memory.total_bytes > 0;
    return is_shared ? memory.available_bytes : here->memory_bytes;
}

/* STATUS_OUT_OF_MEMORY when by its forecast no step fits. Of others, those that do not fit become
 * rows without times. */
static enum status check_memory(const struct verification *all, const struct layer_config *asked,
                                int64_t available, struct error *error)
{
    int64_t least = INT64_MAX;
    for (int i = 0; i < all->count; i++)
        if (all->rows[i].forecast.memory.total_bytes < least)
            least = all->rows[i].forecast.memory.total_bytes;
    if (all->count == 0 || available <= 0 || least <= available)
        return STATUS_OK;
    char needed[HUMAN_TEXT_SIZE], left[HUMAN_TEXT_SIZE];
    FAIL(error, STATUS_OUT_OF_MEMORY, "no step fits: the smallest takes %s, and %s are available",
         human_text(needed, SCALE_BYTES, (double)least, 0),
         human_text(left, SCALE_BYTES, (double)available, 0));
    const int32_t largest = network_largest_batch(
        &all->selection->network, asked[0].pass, asked[0].optimizer, asked[0].precision, available);
    return largest > 0 ? HINT(error, STATUS_OUT_OF_MEMORY, "the largest batch size that fits is %d",
                              largest)
                       : HINT(error, STATUS_OUT_OF_MEMORY,
                              "end other programs, or raise the limit of the container");
}

/* Forecasts first: faults of a model show before anything is measured. */
static enum status fill_rows(struct verification *all, struct layer_config *asked, int count,
                             struct device *device, int64_t available,
                             const struct verification_options *options, struct error *error)
{
    for (int i = 0; i < count; i++) {
        asked[i] = asked_step(all->selection, i, options);
        TRY(forecast_row(&all->rows[all->count++], all, &asked[i], error));
    }
    TRY(check_memory(all, asked, available, error));
    return measure_rows(all, asked, device, options, error);
}

/* ---- all of it ---- */

static enum status fill(struct verification *all, struct device *device,
                        const struct verification_options *options, struct error *error)
{
    struct device_info here;
    struct layer_config *asked;
    const int count = all->selection->step_count * all->selection->batch_count;
    TRY(device->backend->describe(device, false, &here, error));
    here.cache = options->cache < 0 ? CACHE_STEP : options->cache;
    TRY(model_find_device(&all->known, &all->selection->model, &here, error));
    TRY(fit_baselines(all, options, error));
    TRY(ALLOCATE(&all->rows, (unsigned long)count, "rows", error));
    TRY(ALLOCATE(&asked, (unsigned long)count, "steps", error));
    const enum status status = fill_rows(all, asked, count, device, available_bytes(&here), options,
                                         error);
    free(asked);
    return status;
}

enum status verification_create(struct verification *all, const struct network_selection *selection,
                                struct device *device, const struct verification_options *options,
                                struct error *error)
{
    *all = (struct verification){.selection = selection,
                                 .precision = options->precision,
                                 .has_sum = options->rounds.has_layers_alone};
    const enum status status = fill(all, device, options, error);
    if (status != STATUS_OK)
        verification_free(all);
    return status;
}

enum status verification_caveats(struct caveats *caveats, const struct verification *all,
                                 struct error *error)
{
    const struct forecast **forecasts;
    TRY(ALLOCATE(&forecasts, (size_t)all->count, "forecasts", error));
    for (int i = 0; i < all->count; i++)
        forecasts[i] = &all->rows[i].forecast;
    const enum status status = caveats_of(caveats, forecasts, all->count, &all->selection->network,
                                          all->selection->model.predictor, error);
    free(forecasts);
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
