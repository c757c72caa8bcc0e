/* The nets of a kind as jobs of the trainer, each with the rows that it learns from. */
#include "predictors/predictor_mlp_fit.h"

#include <string.h>

/* ---- rows ---- */

static struct train_data split_data(const struct kind_fit *kind_fit, int32_t columns)
{
    const size_t width = (size_t)columns, train = kind_fit->train_count;
    const bool has_heads = kind_fit->offsets != NULL;
    return (struct train_data){
        .inputs = columns,
        .train_rows = train,
        .test_rows = kind_fit->count - train,
        .train_inputs = kind_fit->inputs,
        .train_targets = kind_fit->targets,
        .train_offsets = kind_fit->offsets,
        .test_inputs = kind_fit->inputs + train * width,
        .test_targets = kind_fit->targets + train,
        .test_offsets = has_heads ? kind_fit->offsets + train * CEILING_HEADS : NULL,
    };
}

/* Copies of the rows that `net` learns from, in one allocation that train_inputs owns. */
static enum status fold_data(struct train_data *data, const struct mlp_kind *kind,
                             const struct kind_fit *kind_fit, size_t net, struct error *error)
{
    const size_t columns = (size_t)kind->plan.count;
    const size_t heads = kind->ceilings ? CEILING_HEADS : 0;
    float *inputs;
    TRY(ALLOCATE(&inputs, kind_fit->count * (columns + heads + 1), "rows of a fold", error));
    float *const offsets = inputs + kind_fit->count * columns;
    float *const targets = offsets + kind_fit->count * heads;
    size_t rows = 0;
    for (size_t i = 0; i < kind_fit->count; i++) {
        if (!fit_learns_from(kind_fit, net, i))
            continue;
        memcpy(inputs + rows * columns, kind_fit->inputs + i * columns, columns * sizeof(float));
        if (heads > 0)
            mlp_anchor(offsets + rows * heads, kind, net, kind_fit->anchors[i],
                       kind_fit->log_ceilings + i * heads);
        targets[rows++] = kind_fit->targets[i];
    }
    *data = (struct train_data){.inputs = kind->plan.count,
                                .train_rows = rows,
                                .train_inputs = inputs,
                                .train_targets = targets,
                                .train_offsets = heads > 0 ? offsets : NULL};
    return STATUS_OK;
}

static enum status make_data(struct kind_fit *kind_fit, const struct mlp_kind *kind,
                             struct error *error)
{
    const size_t count = kind_fit->folds ? (size_t)kind_fit->net_count : 1;
    TRY(ALLOCATE(&kind_fit->data, count, "rows", error));
    if (!kind_fit->folds) {
        kind_fit->data[0] = split_data(kind_fit, kind->plan.count);
        return STATUS_OK;
    }
    for (size_t net = 0; net < count; net++)
        TRY(fold_data(&kind_fit->data[net], kind, kind_fit, net, error));
    return STATUS_OK;
}

/* ---- jobs ---- */

static int32_t epochs_of(const struct mlp_options *options, enum layer_kind kind, size_t rows)
{
    const int32_t epochs = mlp_recipe_of(options, kind).epochs;
    const int64_t batch_size = options->train.batch_size;
    const int64_t batches = ((int64_t)rows + batch_size - 1) / batch_size;
    const int64_t needed = (options->minimum_steps + batches - 1) / batches;
    return needed > epochs ? (int32_t)needed : epochs;
}

enum status fit_untrained(float **parameters, const struct mlp_shape *shape, int32_t net_count,
                          uint64_t seed, struct error *error)
{
    const size_t size = mlp_parameter_count(shape);
    TRY(ALLOCATE(parameters, (size_t)net_count * size, "parameters", error));
    for (size_t net = 0; net < (size_t)net_count; net++)
        mlp_initialise(*parameters + net * size, shape, seed + net);
    return STATUS_OK;
}

/* Without heads there are no ceilings to fall back on. */
static enum status keep_untrained(struct mlp_kind *kind, const struct kind_fit *kind_fit,
                                  const struct mlp_options *options, struct error *error)
{
    const char *name = layer_descriptors[kind_fit->kind]->name;
    if (kind->net_count > 0)
        return STATUS_OK;
    if (!kind->ceilings) {
        FAIL(error, STATUS_FAILED, "too few different rows of %s for nets with output %s: %zu",
             name, choice_mlp_output.names[kind->shape.output], kind_fit->count);
        return HINT(error, STATUS_FAILED,
                    "measure more with 'epochcast sweep --layer %s', or train with output %s", name,
                    choice_mlp_output.names[MLP_OUTPUT_SUM]);
    }
    TRY(fit_untrained(&kind->parameters, &kind->shape, kind_fit->net_count, options->seed, error));
    kind->net_count = kind_fit->net_count;
    return STATUS_OK;
}

static size_t fewest_rows(const struct kind_fit *kind_fit)
{
    size_t fewest = kind_fit->data[0].train_rows;
    for (int32_t net = 1; net < kind_fit->net_count && kind_fit->folds; net++)
        if (kind_fit->data[net].train_rows < fewest)
            fewest = kind_fit->data[net].train_rows;
    return fewest;
}

enum status fit_add_jobs(struct fit *fit, struct kind_fit *kind_fit, struct error *error)
{
    const struct mlp_options *options = fit->options;
    struct mlp_kind *kind = &fit->predictor->kinds[kind_fit->kind];
    kind->shape.widths[0] = kind->plan.count;
    TRY(mlp_shape_check(&kind->shape, error));
    TRY(make_data(kind_fit, kind, error));
    kind_fit->is_done = kind_fit->folds != NULL;
    if (fit_keeps_nets(fit, kind_fit))
        return STATUS_OK;
    if (kind_fit->folds && (kind_fit->count < NET_ROWS_MINIMUM || fewest_rows(kind_fit) == 0))
        return keep_untrained(kind, kind_fit, options, error);
    kind_fit->first_job = fit->job_count;
    kind_fit->job_count = kind_fit->net_count;
    const size_t size = mlp_parameter_count(&kind->shape);
    for (size_t net = 0; net < (size_t)kind_fit->net_count; net++) {
        struct train_job *job = &fit->jobs[fit->job_count++];
        *job = (struct train_job){.shape = kind->shape,
                                  .options = options->train,
                                  .seed = options->seed + net,
                                  .initial = kind->net_count > 0 ? kind->parameters + net * size
                                                                 : NULL,
                                  .data = &kind_fit->data[kind_fit->folds ? net : 0]};
        job->options.epochs = epochs_of(options, kind_fit->kind, job->data->train_rows);
        if (kind_fit->folds)
            job->options.keep_best = 0;
    }
    return STATUS_OK;
}
