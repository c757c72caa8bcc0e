#include "base/text.h"
#include "cli/cli.h"
#include "cli/evaluate_hold_out.h"
#include "cli/evaluation_table.h"
#include "cli/operands.h"
#include "cli/plot_option.h"

#include "evaluate/row_source.h"
#include "layers/sample.h"
#include "pictures/draw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rows ---- */

enum { BATCH_SIZE_LIMIT = 4096 };

/* The rows selected by --layer and --batch. */
struct row_filter {
    struct row_source *source;
    int32_t batch_sizes[BATCH_SIZE_LIMIT];
    int batch_count; /* 0: every size */
};

static int asked_split(const struct settings *settings)
{
    return settings->split < SPLIT_COUNT ? settings->split : -1;
}

static enum status keep_kind(void *payload, const char *name, struct error *error)
{
    enum layer_kind kind;
    TRY(cli_layer_kind(&kind, name, error));
    ((struct row_filter *)payload)->source->skips[kind] = false;
    return STATUS_OK;
}

static bool filter_keeps(const void *payload, const struct layer_config *config)
{
    const struct row_filter *filter = payload;
    for (int i = 0; i < filter->batch_count; i++)
        if (filter->batch_sizes[i] == config->batch_size)
            return true;
    return filter->batch_count == 0;
}

/* The datasets are the operands from `first` on. filter: must stay as long as the source. */
static enum status make_source(struct row_source *source, struct row_filter *filter, int first,
                               const struct settings *settings, struct error *error)
{
    *source = (struct row_source){.paths = settings->operands + first,
                                  .path_count = settings->operand_count - first,
                                  .keeps = filter_keeps,
                                  .filter = filter,
                                  .excluded = settings->exclude_source,
                                  .split = asked_split(settings)};
    filter->source = source;
    filter->batch_count = 0;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        source->skips[kind] = settings->layer != NULL;
    if (settings->layer)
        TRY(each_item(settings->layer, keep_kind, filter, error));
    if (settings->batch)
        TRY(parse_int_list(filter->batch_sizes, BATCH_SIZE_LIMIT, &filter->batch_count, true, NULL,
                           "--batch", settings->batch, error));
    return STATUS_OK;
}

/* Baselines and nets for devices that are held out have yet to be fitted: on rows of all splits. */
static enum status read_rows(struct dataset_rows *rows, int first, const struct settings *settings,
                             struct error *error)
{
    struct row_source source;
    struct row_filter filter;
    TRY(make_source(&source, &filter, first, settings, error));
    TRY(row_source_read(rows, &source, settings->baselines || settings->hold_out_device, error));
    note_repeats(rows, settings);
    return STATUS_OK;
}

/* ---- a model and baselines ---- */

/* Contents of the picture, besides the rows. */
struct drawn {
    struct evaluated_list points;
    struct evaluation errors;
    struct residuals slices;
    char *keys; /* texts of the slices' keys */
};

static void drawn_free(struct drawn *drawn)
{
    evaluated_free(&drawn->points);
    evaluation_free(&drawn->errors);
    residuals_free(&drawn->slices);
    free(drawn->keys);
}

/* Keeps the model's forecasts for the picture, if one is drawn. */
static enum status collect(struct evaluated_list *points, const struct predictor *predictor,
                           const struct dataset_rows *rows, const struct settings *settings,
                           struct error *error)
{
    struct row_forecasts forecasts;
    if (!settings->plot)
        return STATUS_OK;
    TRY(row_forecasts_create(&forecasts, predictor, rows, asked_split(settings), error));
    const enum status status = evaluated_add(points, predictor->type->name, -1, &forecasts, rows,
                                             error);
    row_forecasts_free(&forecasts);
    return status;
}

static enum status add_baseline(struct evaluation *all, const struct predictor_type *type,
                                const struct dataset_rows *rows, const struct settings *settings,
                                struct error *error)
{
    struct predictor *predictor;
    struct evaluation evaluation;
    TRY(type->fit(&predictor, rows, NULL, NULL, error));
    const enum status status = evaluate_predictor_by(&evaluation, predictor, rows,
                                                     asked_split(settings),
                                                     (enum evaluation_by)settings->group, error);
    type->free(predictor);
    TRY(status);
    return evaluation_join(all, &evaluation, error);
}

static void note_uncovered(const struct evaluation *evaluation)
{
    if (evaluation->uncovered > 0)
        term_message(
            stderr,
            "note: %zu row%s left out: the model does not know their layer kind or device\n",
            evaluation->uncovered, evaluation->uncovered == 1 ? "" : "s");
}

/* Fills *all, which evaluation_free releases, also after a failure. */
static enum status print_errors(struct evaluation *all, const struct predictor *predictor,
                                const struct dataset_rows *rows, const struct settings *settings,
                                struct error *error)
{
    TRY(evaluate_predictor_by(all, predictor, rows, asked_split(settings),
                              (enum evaluation_by)settings->group, error));
    note_uncovered(all);
    for (int i = 0; i < choice_baseline.count; i++)
        if (settings->baselines >> i & 1)
            TRY(add_baseline(all, predictor_find(choice_baseline.names[i]), rows, settings, error));
    return print_evaluation(all, false, settings->format, error);
}

/* The errors of the model alone need no row twice: the rows are not kept. */
static bool can_stream(const struct settings *settings)
{
    return !settings->baselines && !settings->by && !settings->forecasts && !settings->plot &&
           settings->group != EVALUATION_SUM;
}

static enum status stream_errors(const struct predictor *predictor, const struct settings *settings,
                                 struct error *error)
{
    struct row_source source;
    struct row_filter filter;
    struct evaluation evaluation;
    TRY(make_source(&source, &filter, 1, settings, error));
    TRY(row_source_evaluate(&evaluation, predictor, &source, (enum evaluation_by)settings->group,
                            error));
    note_repeats(&(struct dataset_rows){.repeat_count = evaluation.repeat_count}, settings);
    note_uncovered(&evaluation);
    const enum status status = print_evaluation(&evaluation, false, settings->format, error);
    evaluation_free(&evaluation);
    return status;
}

/* ---- row by row, and slices of rows ---- */

enum { KEY_LIMIT = 32 };

/* Splits `text` into a list: its commas are overwritten. */
static enum status split_keys(const char **keys, int *count, char *text, struct error *error)
{
    *count = 0;
    for (char *key; (key = strsep(&text, ","));) {
        if (*count == KEY_LIMIT)
            return FAIL(error, STATUS_USAGE, "--by: more than %d keys", KEY_LIMIT);
        keys[(*count)++] = key;
    }
    return STATUS_OK;
}

/* Leaves the slices in *drawn. */
static enum status print_slices(struct drawn *drawn, const struct row_forecasts *forecasts,
                                const struct settings *settings, struct error *error)
{
    const char *keys[KEY_LIMIT];
    int count;
    drawn->keys = strdup(settings->by);
    if (!drawn->keys)
        return FAIL(error, STATUS_FAILED, "no memory");
    TRY(split_keys(keys, &count, drawn->keys, error));
    TRY(residuals_create(&drawn->slices, forecasts, keys, count, error));
    return print_residuals(&drawn->slices, settings->format, error);
}

static enum status print_rows(struct drawn *drawn, const struct predictor *predictor,
                              const struct dataset_rows *rows, const struct settings *settings,
                              struct error *error)
{
    struct row_forecasts forecasts;
    TRY(row_forecasts_create(&forecasts, predictor, rows, asked_split(settings), error));
    const enum status status = settings->by
                                   ? print_slices(drawn, &forecasts, settings, error)
                                   : print_forecasts(&forecasts, rows, settings->format, error);
    row_forecasts_free(&forecasts);
    return status;
}

/* ---- the command ---- */

static enum status plot_drawn(const struct drawn *drawn, bool is_calibrated,
                              const struct dataset_rows *rows, const char *what,
                              const struct settings *settings, struct error *error)
{
    struct picture picture;
    const struct evaluation_drawing drawing = {.points = &drawn->points,
                                               .errors = &drawn->errors,
                                               .is_calibrated = is_calibrated,
                                               .slices = &drawn->slices,
                                               .rows = rows,
                                               .what = what};
    if (!settings->plot)
        return STATUS_OK;
    TRY(plot_begin(&picture, settings, error));
    return plot_end(&picture, draw_evaluation(&picture, &drawing, error), settings, error);
}

/* "rows of the test split, forecast by mlp" */
static void name_split(char *text, size_t size, const char *more, const struct settings *settings)
{
    const bool has_split = asked_split(settings) >= 0;
    snprintf(text, size, "rows%s%s%s, %.120s", has_split ? " of the " : "",
             has_split ? choice_name(&choice_split, settings->split) : "",
             has_split ? " split" : "", more);
}

static enum status evaluate_rows(const struct model *model, struct drawn *drawn,
                                 const struct dataset_rows *rows, const struct settings *settings,
                                 struct error *error)
{
    char what[256], forecaster[64];
    TRY(collect(&drawn->points, model->predictor, rows, settings, error));
    TRY(settings->by || settings->forecasts
            ? print_rows(drawn, model->predictor, rows, settings, error)
            : print_errors(&drawn->errors, model->predictor, rows, settings, error));
    snprintf(forecaster, sizeof forecaster, "forecast by %.40s", model->predictor->type->name);
    name_split(what, sizeof what, forecaster, settings);
    return plot_drawn(drawn, false, rows, what, settings, error);
}

static enum status evaluate_model(const struct model *model, const struct settings *settings,
                                  struct error *error)
{
    struct dataset_rows rows;
    struct drawn drawn = {.points.count = 0};
    if (can_stream(settings))
        return stream_errors(model->predictor, settings, error);
    TRY(read_rows(&rows, 1, settings, error));
    const enum status status = evaluate_rows(model, &drawn, &rows, settings, error);
    drawn_free(&drawn);
    dataset_rows_free(&rows);
    return status;
}

static enum status plot_held_out(const struct drawn *drawn, const struct dataset_rows *rows,
                                 const struct settings *settings, struct error *error)
{
    char what[256], device[128];
    const bool is_one = strcmp(settings->hold_out_device, "all") != 0;
    snprintf(device, sizeof device, "%.80s not seen in training",
             is_one ? settings->hold_out_device : "each device");
    name_split(what, sizeof what, device, settings);
    return plot_drawn(drawn, settings->calibrate_rows != NULL, rows, what, settings, error);
}

static enum status evaluate_without_model(const struct settings *settings, struct error *error)
{
    struct dataset_rows rows;
    struct drawn drawn = {.points.count = 0};
    TRY(read_rows(&rows, 0, settings, error));
    enum status status = evaluate_held_out(&drawn.errors, settings->plot ? &drawn.points : NULL,
                                           &rows, settings, error);
    if (status == STATUS_OK)
        status = print_evaluation(&drawn.errors, true, settings->format, error);
    if (status == STATUS_OK)
        status = plot_held_out(&drawn, &rows, settings, error);
    drawn_free(&drawn);
    dataset_rows_free(&rows);
    return status;
}

static enum status run(const struct settings *settings, struct error *error)
{
    struct model model;
    TRY(plot_check(settings, error));
    if (settings->hold_out_device)
        return evaluate_without_model(settings, error);
    if (settings->operand_count < 2)
        return FAIL(error, STATUS_USAGE, "evaluate needs MODEL.h5 and DATA.h5");
    TRY(model_load(&model, settings->operands[0], error));
    enum status status = evaluate_model(&model, settings, error);
    model_free(&model);
    return status;
}

static const char *const takes[] = {"split",
                                    "baselines",
                                    "by",
                                    "group",
                                    "forecasts",
                                    "layer",
                                    "batch",
                                    "hold-out-device",
                                    "calibrate-rows",
                                    "preset",
                                    "epochs",
                                    "ensemble",
                                    "seed",
                                    "threads",
                                    "plot",
                                    "exclude-source",
                                    NULL};
static const struct option_help helps[] = {
    {"batch", "LIST", "only rows of these batch sizes: 1,2,4 or '1..64*2' (default: all)"},
    {"threads", "N", "processor threads of training for --hold-out-device (default: all cores)"},
    {"layer", "KINDS", "layer kinds to evaluate, separated by commas (default: all)"},
    {"epochs", "N", "epochs of training for --hold-out-device"},
    {NULL, NULL, NULL}};
const struct command command_evaluate = {
    .name = "evaluate",
    .summary = "report the errors of a model on measured rows it was not trained on",
    .operands = "[MODEL.h5] DATA.h5...",
    .examples =
        "  epochcast evaluate model.h5 cpu.h5 --baselines\n"
        "  epochcast evaluate model.h5 cpu.h5 --baselines linear,paleo --split all -o json\n"
        "  epochcast evaluate model.h5 cpu.h5 --baselines linear,paleo --plot errors.svg\n"
        "  epochcast evaluate model.h5 cpu.h5 --group decade\n"
        "  epochcast evaluate model.h5 cpu.h5 --by decade,kernel_size\n"
        "  epochcast evaluate a.h5 b.h5 --hold-out-device all --calibrate-rows 0,50,200\n",
    .options = takes,
    .helps = helps,
    .operand_minimum = 1,
    .operand_maximum = OPERAND_LIMIT,
    .apart = 1,
    .run = run,
};
