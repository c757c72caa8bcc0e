/* Fitting the `mlp` predictor: encode the rows of each kind, standardise on the training rows,
 * train every net of every kind in one call of the trainer, calibrate the intervals on the test
 * rows.
 */
#include "model/predictor_mlp_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct encode_hardware row_hardware(const struct fit *fit, const struct measurement *row)
{
    return mlp_hardware(fit->predictor, &fit->rows->devices[row->device]);
}

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

/* ---- inputs and targets ---- */

static enum status sides_create(struct kind_fit *kind_fit, int columns, struct error *error)
{
    const size_t *count = kind_fit->selection.count;
    const size_t rows = count[SPLIT_TRAIN] + count[SPLIT_TEST];
    void *inputs, *targets;
    TRY(error_allocate(&inputs, rows, (unsigned long)columns * sizeof(float), "inputs", error));
    kind_fit->inputs[0] = inputs;
    kind_fit->inputs[1] = kind_fit->inputs[0] + count[SPLIT_TRAIN] * (size_t)columns;
    TRY(error_allocate(&targets, rows, sizeof(float), "targets", error));
    kind_fit->targets[0] = targets;
    kind_fit->targets[1] = kind_fit->targets[0] + count[SPLIT_TRAIN];
    return STATUS_OK;
}

static void side_encode(struct fit *fit, struct kind_fit *kind_fit, int side, int columns)
{
    const struct mlp_predictor *predictor = fit->predictor;
    const size_t count = kind_fit->selection.count[fit_sides[side]];
    for (size_t i = 0; i < count; i++) {
        const struct measurement *row = fit_row(fit, kind_fit, fit_sides[side], i);
        const struct encode_hardware hardware = row_hardware(fit, row);
        encode_row(kind_fit->inputs[side] + i * (size_t)columns, (enum encoding)predictor->encoding,
                   &row->config, predictor->with_hardware, &hardware);
        kind_fit->targets[side][i] = (float)(log1p(row->median_ms *
                                                   fit->options->target_units_per_ms) -
                                             fit_row_offset(fit, row));
    }
}

static void learn_ranges(struct fit *fit, const struct kind_fit *kind_fit, struct mlp_kind *kind)
{
    double fastest_ms = INFINITY;
    ranges_begin(kind->ranges, kind_fit->kind);
    for (size_t i = 0; i < kind_fit->selection.count[SPLIT_TRAIN]; i++) {
        const struct measurement *row = fit_row(fit, kind_fit, SPLIT_TRAIN, i);
        const struct encode_hardware hardware = row_hardware(fit, row);
        ranges_add(kind->ranges, &row->config, &hardware);
        fastest_ms = fmin(fastest_ms, row->median_ms);
    }
    kind->floor_ms = fastest_ms / 2;
}

static void learn_limit(const struct fit *fit, const struct kind_fit *kind_fit,
                        struct mlp_kind *kind)
{
    double highest = -INFINITY;
    for (size_t i = 0; i < kind_fit->selection.count[SPLIT_TRAIN]; i++)
        highest = fmax(highest, (double)kind_fit->targets[0][i]);
    kind->output_limit = fit->options->output_margin > 0
                             ? highest + log(fit->options->output_margin)
                             : OUTPUT_UNLIMITED;
}

static enum status kind_encode(struct fit *fit, struct kind_fit *kind_fit, struct error *error)
{
    struct mlp_kind *kind = &fit->predictor->kinds[kind_fit->kind];
    if (kind->net_count == 0)
        kind->relative_to_roofline = fit->options->output == MLP_OUTPUT_LOG &&
                                     kind_fit->selection.count[SPLIT_TRAIN] <=
                                         (size_t)fit->options->roofline_rows;
    const int columns = encode_column_count((enum encoding)fit->predictor->encoding, kind_fit->kind,
                                            fit->predictor->with_hardware);
    TRY(sides_create(kind_fit, columns, error));
    for (int side = 0; side < SIDE_COUNT; side++)
        side_encode(fit, kind_fit, side, columns);
    const size_t *count = kind_fit->selection.count;
    if (kind->net_count == 0) /* fine-tuning keeps what its nets were trained with */
        scaler_fit(&kind->scaler, kind_fit->inputs[0], count[SPLIT_TRAIN], columns,
                   fit->options->input_limit);
    for (int side = 0; side < SIDE_COUNT; side++)
        scaler_apply(&kind->scaler, kind_fit->inputs[side], count[fit_sides[side]]);
    learn_ranges(fit, kind_fit, kind);
    learn_limit(fit, kind_fit, kind);
    kind_fit->data = (struct train_data){
        .inputs = columns,
        .train_rows = count[SPLIT_TRAIN],
        .test_rows = count[SPLIT_TEST],
        .train_inputs = kind_fit->inputs[0],
        .train_targets = kind_fit->targets[0],
        .test_inputs = kind_fit->inputs[1],
        .test_targets = kind_fit->targets[1],
    };
    return STATUS_OK;
}

/* ---- training ---- */

static void widen_for_devices(struct fit_options *options)
{
    if (options->several_hidden_count == 0)
        return;
    memcpy(options->hidden, options->several_hidden, sizeof options->hidden);
    options->hidden_count = options->several_hidden_count;
}

static struct mlp_shape shape_of(const struct fit_options *options, int inputs)
{
    struct mlp_shape shape = {.layer_count = options->hidden_count + 1,
                              .output = options->output,
                              .output_bias = options->output_bias,
                              .activation = options->activation};
    shape.widths[0] = inputs;
    for (int i = 0; i < options->hidden_count; i++)
        shape.widths[i + 1] = options->hidden[i];
    shape.widths[shape.layer_count] = 1;
    return shape;
}

static int32_t epochs_of(const struct fit_options *options, size_t train_rows)
{
    const int64_t batch_size = options->train.batch_size;
    const int64_t batches = ((int64_t)train_rows + batch_size - 1) / batch_size;
    const int64_t needed = (options->minimum_steps + batches - 1) / batches;
    return needed > options->train.epochs ? (int32_t)needed : options->train.epochs;
}

static enum status jobs_add(struct fit *fit, struct kind_fit *kind_fit, struct error *error)
{
    struct mlp_kind *kind = &fit->predictor->kinds[kind_fit->kind];
    if (kind->net_count == 0)
        kind->shape = shape_of(fit->options, kind_fit->data.inputs);
    TRY(mlp_shape_check(&kind->shape, error));
    kind_fit->first_job = fit->job_count;
    const size_t size = mlp_parameter_count(&kind->shape);
    for (size_t net = 0; net < (size_t)fit->options->ensemble; net++) {
        struct train_job *job = &fit->jobs[fit->job_count++];
        *job = (struct train_job){.shape = kind->shape,
                                  .options = fit->options->train,
                                  .seed = fit->options->seed + net,
                                  .initial = kind->net_count > 0 ? kind->parameters + net * size
                                                                 : NULL,
                                  .data = &kind_fit->data};
        job->options.epochs = epochs_of(fit->options, kind_fit->data.train_rows);
    }
    return STATUS_OK;
}

static enum status keep_parameters(struct mlp_kind *kind, const struct train_result *results,
                                   int net_count, struct error *error)
{
    const size_t count = mlp_parameter_count(&kind->shape);
    void *memory;
    TRY(error_allocate(&memory, (unsigned long)net_count * count, sizeof(float), "parameters",
                       error));
    free(kind->parameters);
    kind->parameters = memory;
    kind->net_count = net_count;
    for (int net = 0; net < net_count; net++)
        memcpy(kind->parameters + (size_t)net * count, results[net].parameters,
               count * sizeof(float));
    return STATUS_OK;
}

/* ---- the whole ---- */

static bool is_known(const struct kind_fit *kind_fit)
{
    return kind_fit->data.train_rows > 0;
}

static struct fit_report report_of(const struct fit *fit, const struct kind_fit *kind_fit)
{
    const struct train_result *results = fit->results + kind_fit->first_job;
    const int net_count = fit->options->ensemble;
    struct fit_report report = {.kind = (int32_t)kind_fit->kind,
                                .rows = kind_fit->data.train_rows,
                                .calibration_rows = fit_calibration_rows(kind_fit),
                                .epochs = results[0].epochs,
                                .validation_rmse_ms = NAN,
                                .validation_mape_percent = NAN};
    for (int net = 0; net < net_count; net++) {
        report.train_rmsle += results[net].train_rmsle / net_count;
        report.test_rmsle += results[net].test_rmsle / net_count;
    }
    return report;
}

static void add_seconds(struct fit_report *report, const struct fit *fit,
                        const struct kind_fit *kind_fit)
{
    for (int net = 0; net < fit->options->ensemble; net++)
        report->seconds += fit->results[kind_fit->first_job + net].seconds;
}

enum status fit_prepare(struct fit *fit, struct error *error)
{
    void *jobs, *results;
    const unsigned long limit = LAYER_KIND_COUNT * (unsigned long)fit->options->ensemble;
    TRY(error_allocate(&jobs, limit, sizeof *fit->jobs, "training jobs", error));
    fit->jobs = jobs;
    TRY(error_allocate(&results, limit, sizeof *fit->results, "training results", error));
    fit->results = results;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct kind_fit *kind_fit = &fit->kinds[kind];
        kind_fit->kind = (enum layer_kind)kind;
        TRY(row_selection_create(&kind_fit->selection, fit->rows, kind_fit->kind, error));
        if (kind_fit->selection.count[SPLIT_TRAIN] == 0)
            continue;
        TRY(kind_encode(fit, kind_fit, error));
        TRY(jobs_add(fit, kind_fit, error));
    }
    return STATUS_OK;
}

static void free_results(struct fit *fit)
{
    for (int job = 0; job < fit->job_count; job++)
        train_result_free(&fit->results[job]);
}

/* Runs the jobs; the nets' new parameters replace those of the predictor. */
static enum status run_jobs(struct fit *fit, struct error *error)
{
    const struct fit_options *options = fit->options;
    free_results(fit);
    TRY(options->trainer->fit(fit->results, fit->jobs, fit->job_count, options->threads,
                              options->progress, error));
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        if (is_known(&fit->kinds[kind]))
            TRY(keep_parameters(&fit->predictor->kinds[kind],
                                fit->results + fit->kinds[kind].first_job, options->ensemble,
                                error));
    return STATUS_OK;
}

/* The kind's jobs once more, from what they have learnt: a few slow epochs, test rows included. */
static void continue_jobs(struct fit *fit, struct kind_fit *kind_fit)
{
    const struct fit_options *options = fit->options;
    struct mlp_kind *kind = &fit->predictor->kinds[kind_fit->kind];
    const size_t size = mlp_parameter_count(&kind->shape);
    kind_fit->data.train_rows += kind_fit->data.test_rows; /* they stand behind one another */
    kind_fit->data.test_rows = 0;
    kind->calibrated = kind->parameters;
    kind->parameters = NULL;
    for (int net = 0; net < options->ensemble; net++) {
        struct train_job *job = &fit->jobs[kind_fit->first_job + net];
        job->initial = kind->calibrated + (size_t)net * size;
        job->options.learning_rate *= options->last_rate;
        job->options.epochs = (int32_t)ceilf(options->last_share * (float)job->options.epochs);
        job->options.keep_best = 0;
    }
}

enum status fit_learn(struct fit *fit, struct fit_report *reports, struct error *error)
{
    struct fit_report own[LAYER_KIND_COUNT];
    if (!reports)
        reports = own;
    TRY(run_jobs(fit, error));
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct kind_fit *kind_fit = &fit->kinds[kind];
        if (!is_known(kind_fit))
            continue;
        reports[kind] = report_of(fit, kind_fit);
        add_seconds(&reports[kind], fit, kind_fit);
        TRY(fit_calibrate(fit, kind_fit, error));
    }
    if (!(fit->options->last_share > 0))
        return STATUS_OK;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        if (is_known(&fit->kinds[kind]))
            continue_jobs(fit, &fit->kinds[kind]);
    TRY(run_jobs(fit, error));
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        if (is_known(&fit->kinds[kind]))
            add_seconds(&reports[kind], fit, &fit->kinds[kind]);
    return STATUS_OK;
}

void fit_release(struct fit *fit)
{
    free_results(fit);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        row_selection_free(&fit->kinds[kind].selection);
        free(fit->kinds[kind].inputs[0]);
        free(fit->kinds[kind].targets[0]);
    }
    free(fit->jobs);
    free(fit->results);
}

/* A predictor that knows its devices and options, and nothing else yet. */
static enum status predictor_begin(struct mlp_predictor **predictor,
                                   const struct dataset_rows *rows,
                                   const struct fit_options *options, struct error *error)
{
    void *memory;
    TRY(error_allocate(&memory, 1, sizeof **predictor, "predictor", error));
    *predictor = memory;
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

enum status mlp_predictor_fit(struct predictor **out, const struct dataset_rows *rows,
                              const struct fit_options *options, struct fit_report *reports,
                              struct error *error)
{
    *out = NULL;
    TRY(options_check(options, error));
    if (reports)
        for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
            reports[kind] = (struct fit_report){.kind = kind};
    struct fit_options own = *options;
    if (own.fine_tune[0])
        own.last_share = 0; /* that of the tuning follows */
    struct fit fit = {.rows = rows, .options = &own};
    enum status status = predictor_begin(&fit.predictor, rows, options, error);
    if (status == STATUS_OK) {
        struct mlp_predictor *predictor = fit.predictor;
        predictor->with_hardware = hardware_differs(predictor->devices, predictor->device_count);
        if (predictor->with_hardware)
            widen_for_devices(&own);
        status = fit_prepare(&fit, error);
    }
    if (status == STATUS_OK)
        status = fit_learn(&fit, reports, error);
    fit_release(&fit);
    if (status == STATUS_OK && own.fine_tune[0])
        status = predictor_mlp_tune(&fit.predictor->base, rows, options, reports, error);
    if (status == STATUS_OK)
        *out = &fit.predictor->base;
    else
        mlp_predictor_free((struct predictor *)fit.predictor);
    return status;
}
