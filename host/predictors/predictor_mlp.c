/* The `mlp` predictor: per layer kind a small feed-forward network on the encoded config (Justus et
 * al. 2018, arXiv 1811.11880, section 3), or the mean of several. This file is the entry: it fits,
 * several predictors side by side, in the order tune -> learn -> calibrate -> forecast, none of
 * which calls back.
 */
#include "predictors/predictor_mlp_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void widen_for_devices(struct mlp_options *options)
{
    if (options->several_hidden_count == 0)
        return;
    memcpy(options->hidden, options->several_hidden, sizeof options->hidden);
    options->hidden_count = options->several_hidden_count;
}

/* A predictor that knows its devices and options, and nothing else yet. */
static enum status predictor_begin(struct mlp_predictor **predictor,
                                   const struct dataset_rows *rows,
                                   const struct mlp_options *options, struct error *error)
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
    return training_devices(&(*predictor)->base.devices, &(*predictor)->base.device_count, rows,
                            error);
}

/* A fit and the options it goes by. */
struct own_fit {
    struct fit fit;
    struct mlp_options options;
};

static enum status begin(struct own_fit *own, struct mlp_fitting *fitting)
{
    struct error *error = &fitting->error;
    own->options = *fitting->options;
    own->fit = (struct fit){.rows = fitting->rows,
                            .options = &own->options,
                            .reports = fitting->reports,
                            .error = error};
    const struct fit_options *checked = &fitting->options->base;
    TRY(fit_options_check(&checked, &predictor_mlp, error));
    if (fitting->reports)
        for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
            fitting->reports[kind] = (struct fit_report){.kind = kind};
    if (own->options.fine_tune[0])
        own->options.last_share = 0; /* that of the tuning follows */
    TRY(predictor_begin(&own->fit.predictor, fitting->rows, fitting->options, error));
    struct mlp_predictor *predictor = own->fit.predictor;
    predictor->with_hardware = hardware_differs(predictor->base.devices,
                                                predictor->base.device_count);
    if (predictor->with_hardware)
        widen_for_devices(&own->options);
    return fit_prepare(&own->fit, error);
}

static void end(struct own_fit *own, struct mlp_fitting *fitting)
{
    struct fit *fit = &own->fit;
    fit_release(fit);
    if (fit->status == STATUS_OK && own->options.fine_tune[0])
        fit->status = mlp_predictor_tune(&fit->predictor->base, fitting->rows,
                                         &fitting->options->base, fitting->reports,
                                         &fitting->error);
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
    *predictor = NULL;
    TRY(fit_options_check(&options, &predictor_mlp, error));
    struct mlp_fitting fitting = {
        .rows = rows, .options = (const struct mlp_options *)options, .reports = reports};
    TRY(fit_all(&fitting, 1, false, error));
    *predictor = fitting.predictor;
    if (fitting.status != STATUS_OK && error)
        *error = fitting.error;
    return fitting.status;
}

static bool mlp_predictor_knows(const struct predictor *predictor, enum layer_kind kind)
{
    return ((const struct mlp_predictor *)predictor)->kinds[kind].net_count > 0;
}

static uint64_t mlp_predictor_seen(const struct predictor *predictor, enum layer_kind kind,
                                   int feature)
{
    return ((const struct mlp_predictor *)predictor)->kinds[kind].ranges[feature].seen;
}

const struct predictor_type predictor_mlp = {
    .name = "mlp",
    .help = "feed-forward network trained on measured layers, with intervals",
    .options = mlp_option_table,
    .option_count = MLP_OPTION_COUNT,
    .standard = &mlp_options_standard.base,
    .options_size = sizeof(struct mlp_options),
    .fit = fit,
    .predict = mlp_predictor_predict,
    .tune = mlp_predictor_tune,
    .knows = mlp_predictor_knows,
    .seen = mlp_predictor_seen,
    .save = mlp_predictor_save,
    .load = mlp_predictor_load,
    .free = mlp_predictor_free,
};
