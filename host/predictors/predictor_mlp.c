/* The `mlp` predictor: per layer kind a small feed-forward network on the encoded config (Justus et
 * al. 2018, arXiv 1811.11880, section 3), or the mean of several. This file is the entry: it fits,
 * several predictors side by side, in the order tune -> learn -> calibrate -> forecast, none of
 * which calls back.
 */
#include "predictors/predictor_mlp_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum status options_check(const struct fit_options *options, struct error *error)
{
    if (options->ensemble < 1 || options->ensemble > ENSEMBLE_LIMIT)
        return FAIL(error, STATUS_USAGE, "ensemble %d is outside 1..%d", options->ensemble,
                    ENSEMBLE_LIMIT);
    if (options->hidden_count < 0 || options->hidden_count >= MLP_LAYER_LIMIT)
        return FAIL(error, STATUS_USAGE, "%d hidden layers are outside 0..%d",
                    options->hidden_count, MLP_LAYER_LIMIT - 1);
    if (!(options->target_units_per_ms > 0) || !isfinite(options->target_units_per_ms))
        return FAIL(error, STATUS_USAGE, "target units per ms %g must be above 0",
                    options->target_units_per_ms);
    if (!(options->interval_level > 0 && options->interval_level < 1))
        return FAIL(error, STATUS_USAGE, "interval level %g is outside (0, 1)",
                    options->interval_level);
    if (options->train.batch_size < 1 || options->train.epochs < 1)
        return FAIL(error, STATUS_USAGE, "batch size %d and epochs %d must be at least 1",
                    options->train.batch_size, options->train.epochs);
    return STATUS_OK;
}

static void widen_for_devices(struct fit_options *options)
{
    if (options->several_hidden_count == 0)
        return;
    memcpy(options->hidden, options->several_hidden, sizeof options->hidden);
    options->hidden_count = options->several_hidden_count;
}

/* A predictor that knows its devices and options, and nothing else yet. */
static enum status predictor_begin(struct mlp_predictor **predictor,
                                   const struct dataset_rows *rows,
                                   const struct fit_options *options, struct error *error)
{
    TRY(ALLOCATE(predictor, 1, "predictor", error));
    **predictor = (struct mlp_predictor){
        .base.type = &predictor_mlp,
        .encoding = options->encoding,
        .target_units_per_ms = options->target_units_per_ms,
        .interval_level = options->interval_level,
        .seed = options->seed,
    };
    memcpy((*predictor)->preset, options->preset, sizeof options->preset);
    return training_devices(&(*predictor)->devices, &(*predictor)->device_count, rows, error);
}

/* A fit and the options it goes by. */
struct own_fit {
    struct fit fit;
    struct fit_options options;
};

static enum status begin(struct own_fit *own, struct mlp_fitting *fitting)
{
    struct error *error = &fitting->error;
    own->options = *fitting->options;
    own->fit = (struct fit){.rows = fitting->rows,
                            .options = &own->options,
                            .reports = fitting->reports,
                            .error = error};
    TRY(options_check(fitting->options, error));
    if (fitting->reports)
        for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
            fitting->reports[kind] = (struct fit_report){.kind = kind};
    if (own->options.fine_tune[0])
        own->options.last_share = 0; /* that of the tuning follows */
    TRY(predictor_begin(&own->fit.predictor, fitting->rows, fitting->options, error));
    struct mlp_predictor *predictor = own->fit.predictor;
    predictor->with_hardware = hardware_differs(predictor->devices, predictor->device_count);
    if (predictor->with_hardware)
        widen_for_devices(&own->options);
    return fit_prepare(&own->fit, error);
}

static void end(struct own_fit *own, struct mlp_fitting *fitting)
{
    struct fit *fit = &own->fit;
    fit_release(fit);
    if (fit->status == STATUS_OK && own->options.fine_tune[0])
        fit->status = predictor_mlp_tune(&fit->predictor->base, fitting->rows, fitting->options,
                                         fitting->reports, &fitting->error);
    fitting->status = fit->status;
    if (fit->status == STATUS_OK)
        fitting->predictor = &fit->predictor->base;
    else
        mlp_predictor_free((struct predictor *)fit->predictor);
}

static enum status fit_all(struct mlp_fitting *fittings, int count, bool may_fail,
                           struct error *error)
{
    void *memory;
    TRY(error_allocate(&memory, (unsigned long)count, sizeof(struct own_fit) + sizeof(struct fit *),
                       "fits", error));
    struct own_fit *owns = memory;
    struct fit **fits = (struct fit **)(void *)(owns + count);
    for (int i = 0; i < count; i++) {
        fittings[i].predictor = NULL;
        fittings[i].error = (struct error){0};
        fits[i] = &owns[i].fit;
        fits[i]->status = begin(&owns[i], &fittings[i]);
    }
    const enum status status = fits_learn(fits, count, may_fail, error);
    for (int i = 0; i < count; i++) {
        if (status != STATUS_OK)
            fits[i]->status = status;
        end(&owns[i], &fittings[i]);
    }
    free(memory);
    return status;
}

enum status mlp_predictors_fit(struct mlp_fitting *fittings, int count, struct error *error)
{
    return fit_all(fittings, count, true, error);
}

static enum status fit(struct predictor **predictor, const struct dataset_rows *rows,
                       const struct fit_options *options, struct fit_report *reports,
                       struct error *error)
{
    struct mlp_fitting fitting = {.rows = rows, .options = options, .reports = reports};
    *predictor = NULL;
    TRY(fit_all(&fitting, 1, false, error));
    *predictor = fitting.predictor;
    if (fitting.status != STATUS_OK && error)
        *error = fitting.error;
    return fitting.status;
}

const struct predictor_type predictor_mlp = {
    .name = "mlp",
    .help = "feed-forward network trained on measured layers, with intervals",
    .fit = fit,
    .predict = mlp_predictor_predict,
    .free = mlp_predictor_free,
};
