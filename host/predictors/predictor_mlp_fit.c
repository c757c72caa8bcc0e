/* Preparing a fit of the `mlp` predictor: encode the rows of each kind, standardise on the training
 * rows, list the nets; predictor_mlp_learn.c trains them.
 */
#include "predictors/predictor_mlp_fit.h"

#include <math.h>
#include <stdlib.h>

static struct encode_hardware row_hardware(const struct fit *fit, const struct measurement *row)
{
    return mlp_hardware(fit->predictor, &fit->rows->devices[row->device]);
}

/* ---- inputs and targets ---- */

/* Columns that are the same in all training rows tell nothing, and cost as much as others. */
static void drop_constant_columns(struct fit *fit, const struct kind_fit *kind_fit,
                                  struct encode_plan *plan)
{
    float first[ENCODE_COLUMN_LIMIT], next[ENCODE_COLUMN_LIMIT];
    bool is_constant[ENCODE_COLUMN_LIMIT];
    for (size_t i = 0; i < kind_fit->selection.count[SPLIT_TRAIN]; i++) {
        const struct measurement *row = fit_row(fit, kind_fit, SPLIT_TRAIN, i);
        const struct encode_hardware hardware = row_hardware(fit, row);
        encode_plan_row(i == 0 ? first : next, plan, &row->config, &hardware, NULL);
        for (int column = 0; column < plan->count; column++)
            is_constant[column] = i == 0 || (is_constant[column] && next[column] == first[column]);
    }
    encode_plan_drop(plan, is_constant);
}

static void plan_create(struct fit *fit, const struct kind_fit *kind_fit, struct encode_plan *plan)
{
    const struct mlp_options *options = fit->options;
    const size_t rows = kind_fit->selection.count[SPLIT_TRAIN];
    struct encode_layout layout = mlp_layout(fit->predictor, kind_fit->kind);
    layout.with_steps = options->encoding == ENCODING_PHYSICAL &&
                        rows >= (size_t)options->step_rows;
    encode_plan_whole(plan, &layout);
    if (options->encoding == ENCODING_PHYSICAL)
        drop_constant_columns(fit, kind_fit, plan);
}

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

static void side_encode(struct fit *fit, struct kind_fit *kind_fit, int side)
{
    const struct encode_plan *plan = &fit->predictor->kinds[kind_fit->kind].plan;
    const size_t count = kind_fit->selection.count[fit_sides[side]];
    for (size_t i = 0; i < count; i++) {
        const struct measurement *row = fit_row(fit, kind_fit, fit_sides[side], i);
        const struct encode_hardware hardware = row_hardware(fit, row);
        encode_plan_row(kind_fit->inputs[side] + i * (size_t)plan->count, plan, &row->config,
                        &hardware, NULL);
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
    if (kind->net_count == 0) /* fine-tuning keeps what its nets were trained with */
        plan_create(fit, kind_fit, &kind->plan);
    const int columns = kind->plan.count;
    TRY(sides_create(kind_fit, columns, error));
    for (int side = 0; side < SIDE_COUNT; side++)
        side_encode(fit, kind_fit, side);
    const size_t *count = kind_fit->selection.count;
    if (kind->net_count == 0)
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

static struct mlp_shape shape_of(const struct mlp_options *options, int inputs)
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

static int32_t epochs_of(const struct mlp_options *options, size_t train_rows)
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

/* ---- the whole ---- */

enum status fit_prepare(struct fit *fit, struct error *error)
{
    const unsigned long limit = LAYER_KIND_COUNT * (unsigned long)fit->options->ensemble;
    TRY(ALLOCATE(&fit->jobs, limit, "training jobs", error));
    TRY(ALLOCATE(&fit->results, limit, "training results", error));
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

void fit_release(struct fit *fit)
{
    for (int job = 0; job < fit->job_count; job++)
        train_result_free(&fit->results[job]);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        row_selection_free(&fit->kinds[kind].selection);
        free(fit->kinds[kind].inputs[0]);
        free(fit->kinds[kind].targets[0]);
    }
    free(fit->jobs);
    free(fit->results);
}
