/* Preparing a fit of the `mlp` predictor: encode the rows of each kind, standardise on the rows
 * that are learnt from, fit the ceilings, list the nets; predictor_mlp_learn.c trains them.
 */
#include "predictors/predictor_mlp_fit.h"

#include "data/split.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static_assert(SPLIT_TRAIN == 0 && SPLIT_TEST == 1, "row_selection: test rows follow train rows");

static struct encode_hardware row_hardware(const struct fit *fit, const struct measurement *row)
{
    return mlp_hardware(fit->predictor, fit_device(fit, row));
}

/* Rows whose errors tell when to stop, or, with folds, all. */
static size_t learnt_count(const struct kind_fit *kind_fit)
{
    return kind_fit->folds ? kind_fit->count : kind_fit->train_count;
}

/* ---- inputs and targets ---- */

/* Columns that are the same in all rows that are learnt from tell nothing, and cost as much as
 * others. */
static void drop_constant_columns(struct fit *fit, const struct kind_fit *kind_fit,
                                  struct encode_plan *plan)
{
    float first[ENCODE_COLUMN_LIMIT], next[ENCODE_COLUMN_LIMIT];
    bool is_constant[ENCODE_COLUMN_LIMIT];
    for (size_t i = 0; i < learnt_count(kind_fit); i++) {
        const struct measurement *row = fit_row(fit, kind_fit, i);
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
    struct encode_layout layout = mlp_layout(fit->predictor, kind_fit->kind);
    layout.with_steps = options->encoding == ENCODING_PHYSICAL &&
                        learnt_count(kind_fit) >= (size_t)options->step_rows;
    encode_plan_whole(plan, &layout);
    if (options->encoding == ENCODING_PHYSICAL)
        drop_constant_columns(fit, kind_fit, plan);
}

static enum status rows_create(struct kind_fit *kind_fit, int columns, bool has_heads,
                               struct error *error)
{
    const size_t count = kind_fit->count;
    void *inputs;
    TRY(error_allocate(&inputs, count, (unsigned long)columns * sizeof(float), "inputs", error));
    kind_fit->inputs = inputs;
    TRY(ALLOCATE(&kind_fit->targets, count, "targets", error));
    if (!has_heads)
        return STATUS_OK;
    TRY(ALLOCATE(&kind_fit->log_ceilings, count * CEILING_HEADS, "ceilings", error));
    return ALLOCATE(&kind_fit->anchors, count, "ceilings", error);
}

static void kind_encode_row(struct fit *fit, struct kind_fit *kind_fit, size_t index)
{
    const struct mlp_kind *kind = &fit->predictor->kinds[kind_fit->kind];
    const struct measurement *row = fit_row(fit, kind_fit, index);
    const struct device_info *device = fit_device(fit, row);
    const struct encode_hardware hardware = row_hardware(fit, row);
    encode_plan_row(kind_fit->inputs + index * (size_t)kind->plan.count, &kind->plan, &row->config,
                    &hardware, NULL);
    if (kind_fit->anchors) {
        kind_fit->targets[index] = (float)log(row->median_ms);
        kind_fit->anchors[index] = mlp_anchor_of(fit->predictor, device);
        fitted_ceilings_config_row(kind_fit->log_ceilings + index * CEILING_HEADS, &row->config,
                                   device);
        return;
    }
    kind_fit->targets[index] = (float)(log1p(row->median_ms * fit->options->target_units_per_ms) -
                                       mlp_offset(fit->predictor, &row->config, device));
}

/* A few rows do not tell how fast the fastest layer is: their ceilings do. */
static const double least_ms = 1e-6;

static void learn_ranges(struct fit *fit, const struct kind_fit *kind_fit, struct mlp_kind *kind)
{
    double fastest_ms = INFINITY;
    ranges_begin(kind->ranges, kind_fit->kind);
    for (size_t i = 0; i < learnt_count(kind_fit); i++) {
        const struct measurement *row = fit_row(fit, kind_fit, i);
        const struct encode_hardware hardware = row_hardware(fit, row);
        ranges_add(kind->ranges, &row->config, &hardware);
        fastest_ms = fmin(fastest_ms, row->median_ms);
    }
    const bool tell_fastest = !kind_fit->anchors || kind_fit->count >= NET_ROWS_MINIMUM;
    kind->floor_ms = tell_fastest ? fastest_ms / 2 : least_ms;
}

static void learn_limit(const struct fit *fit, const struct kind_fit *kind_fit,
                        struct mlp_kind *kind)
{
    double highest = -INFINITY;
    for (size_t i = 0; i < learnt_count(kind_fit); i++)
        highest = fmax(highest, (double)kind_fit->targets[i]);
    kind->output_limit = fit->options->output_margin > 0
                             ? highest + log(fit->options->output_margin)
                             : OUTPUT_UNLIMITED;
}

static enum status kind_encode(struct fit *fit, struct kind_fit *kind_fit, struct error *error)
{
    struct mlp_kind *kind = &fit->predictor->kinds[kind_fit->kind];
    if (kind->net_count == 0) /* fine-tuning keeps what its nets were trained with */
        plan_create(fit, kind_fit, &kind->plan);
    const int columns = kind->plan.count;
    TRY(rows_create(kind_fit, columns, fit_has_heads(fit, kind_fit), error));
    for (size_t i = 0; i < kind_fit->count; i++)
        kind_encode_row(fit, kind_fit, i);
    if (kind->net_count == 0)
        scaler_fit(&kind->scaler, kind_fit->inputs, learnt_count(kind_fit), columns,
                   fit->options->input_limit);
    scaler_apply(&kind->scaler, kind_fit->inputs, kind_fit->count);
    learn_ranges(fit, kind_fit, kind);
    learn_limit(fit, kind_fit, kind);
    return STATUS_OK;
}

/* ---- nets and folds ---- */

static struct mlp_shape shape_of(const struct mlp_options *options, enum layer_kind kind)
{
    const struct mlp_recipe recipe = mlp_recipe_of(options, kind);
    struct mlp_shape shape = {.layer_count = recipe.hidden_count + 1,
                              .output = options->output,
                              .output_bias = options->output_bias,
                              .activation = options->activation};
    for (int i = 0; i < recipe.hidden_count; i++)
        shape.widths[i + 1] = recipe.hidden[i];
    shape.widths[shape.layer_count] = options->output == MLP_OUTPUT_SUM ? CEILING_HEADS : 1;
    return shape;
}

/* Few rows are all learnt from, each by all nets but one. */
static bool wants_folds(const struct fit *fit, const struct kind_fit *kind_fit)
{
    const struct mlp_options *options = fit->options;
    const struct mlp_kind *kind = &fit->predictor->kinds[kind_fit->kind];
    if (kind->net_count > 0)
        return kind->fold_count > 0;
    return options->folds > 1 && kind_fit->count <= (size_t)options->fold_rows;
}

static enum status choose_nets(struct fit *fit, struct kind_fit *kind_fit, struct error *error)
{
    const struct mlp_options *options = fit->options;
    struct mlp_kind *kind = &fit->predictor->kinds[kind_fit->kind];
    const bool has_folds = wants_folds(fit, kind_fit);
    kind_fit->net_count = options->ensemble;
    if (kind->net_count > 0)
        kind_fit->net_count = kind->net_count;
    else if (has_folds && options->folds > options->ensemble)
        kind_fit->net_count = options->folds;
    kind->fold_count = has_folds ? kind_fit->net_count : 0;
    if (kind->net_count == 0)
        kind->shape = shape_of(options, kind_fit->kind);
    if (!has_folds)
        return STATUS_OK;
    TRY(ALLOCATE(&kind_fit->folds, kind_fit->count, "folds", error));
    for (size_t i = 0; i < kind_fit->count; i++)
        kind_fit->folds[i] = fold_of(&fit_row(fit, kind_fit, i)->config, kind_fit->net_count);
    return STATUS_OK;
}

/* ---- the whole ---- */

static enum status kind_prepare(struct fit *fit, struct kind_fit *kind_fit, struct error *error)
{
    TRY(row_selection_create(&kind_fit->selection, fit->rows, kind_fit->kind, error));
    kind_fit->train_count = kind_fit->selection.count[SPLIT_TRAIN];
    kind_fit->count = kind_fit->train_count + kind_fit->selection.count[SPLIT_TEST];
    if (kind_fit->count == 0)
        return STATUS_OK;
    TRY(choose_nets(fit, kind_fit, error));
    if (!kind_fit->folds && !fit_keeps_nets(fit, kind_fit))
        TRY(row_selection_check(&kind_fit->selection, kind_fit->kind, error));
    if (!kind_fit->folds && kind_fit->train_count == 0) { /* test rows alone are not learnt from */
        kind_fit->count = 0;
        return STATUS_OK;
    }
    TRY(kind_encode(fit, kind_fit, error));
    if (fit_has_heads(fit, kind_fit))
        TRY(fit_anchor(fit, kind_fit, error));
    return fit_add_jobs(fit, kind_fit, error);
}

static int32_t most_nets(const struct fit *fit)
{
    int32_t most = fit->options->ensemble > fit->options->folds ? fit->options->ensemble
                                                                : fit->options->folds;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        if (fit->predictor->kinds[kind].net_count > most)
            most = fit->predictor->kinds[kind].net_count;
    return most;
}

enum status fit_prepare(struct fit *fit, struct error *error)
{
    const unsigned long limit = LAYER_KIND_COUNT * (unsigned long)most_nets(fit);
    TRY(ALLOCATE(&fit->jobs, limit, "training jobs", error));
    TRY(ALLOCATE(&fit->results, limit, "training results", error));
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        fit->kinds[kind].kind = (enum layer_kind)kind;
        TRY(kind_prepare(fit, &fit->kinds[kind], error));
    }
    return STATUS_OK;
}

static void kind_release(struct kind_fit *kind_fit)
{
    for (int32_t fold = 0; fold < kind_fit->net_count && kind_fit->folds && kind_fit->data; fold++)
        free((void *)(uintptr_t)kind_fit->data[fold].train_inputs);
    row_selection_free(&kind_fit->selection);
    free(kind_fit->inputs);
    free(kind_fit->targets);
    free(kind_fit->log_ceilings);
    free(kind_fit->anchors);
    free(kind_fit->offsets);
    free(kind_fit->folds);
    free(kind_fit->data);
}

void fit_release(struct fit *fit)
{
    for (int job = 0; job < fit->job_count; job++)
        train_result_free(&fit->results[job]);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        kind_release(&fit->kinds[kind]);
    free(fit->jobs);
    free(fit->results);
}
