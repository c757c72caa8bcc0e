#include "base/machine.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/device_choice.h"
#include "cli/operands.h"
#include "cli/provenance.h"
#include "cli/train_advice.h"
#include "cli/train_notes.h"
#include "cli/train_options.h"
#include "cli/train_search.h"

#include "bench/backend.h"
#include "bench/device_identity.h"
#include "data/row_sources.h"
#include "evaluate/evaluate.h"
#include "predictors/mlp_options.h"
#include "predictors/rivals.h"
#include "predictors/training_facts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kind_filter {
    bool is_kept[LAYER_KIND_COUNT];
};

static enum status keep_kind(void *payload, const char *name, struct error *error)
{
    enum layer_kind kind;
    TRY(cli_layer_kind(&kind, name, error));
    ((struct kind_filter *)payload)->is_kept[kind] = true;
    return STATUS_OK;
}

static enum status filter_kinds(struct dataset_rows *rows, const struct settings *settings,
                                struct error *error)
{
    struct kind_filter filter = {{false}};
    size_t kept = 0;
    if (!settings->layer)
        return STATUS_OK;
    TRY(each_item(settings->layer, keep_kind, &filter, error));
    for (size_t i = 0; i < rows->count; i++)
        if (filter.is_kept[rows->rows[i].config.kind])
            rows->rows[kept++] = rows->rows[i];
    rows->count = kept;
    return STATUS_OK;
}

static enum status print_reports(const struct fit_report *reports, const char *engine,
                                 const struct settings *settings, struct error *error)
{
    static const struct table_column columns[] = {
        {.name = "layer"},
        {.name = "rows"},
        {.name = "epochs"},
        {.name = "seconds", .title = "time", .scale = SCALE_S},
        {.name = "engine", .spare = 2},
        {.name = "train_rmsle", .digits = 4, .title = "train RMSLE", .spare = 4},
        {.name = "test_rmsle", .digits = 4, .title = "test RMSLE", .spare = 3},
        {.name = "validation_rmse_ms", .title = "validation RMSE", .scale = SCALE_MS, .spare = 1},
        {.name = "validation_mape_percent", .title = "validation MAPE", .scale = SCALE_PERCENT},
        {.name = "held_out_rows", .use = COLUMN_RAW},
        {.name = "held_out_mape_percent", .title = "held-out MAPE", .scale = SCALE_PERCENT},
        {.name = "held_out_standard_error_percent", .title = "+-", .scale = SCALE_PERCENT},
        {.name = "fitted_mape_percent", .title = "fitted", .scale = SCALE_PERCENT},
        {.name = "nearest_mape_percent", .title = "nearest", .scale = SCALE_PERCENT}};
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        const struct fit_report *report = &reports[kind];
        if (report->rows == 0)
            continue;
        table_string(table, layer_descriptors[kind]->name);
        table_integer(table, (int64_t)report->rows);
        table_integer(table, report->epochs);
        table_number(table, report->seconds);
        table_string(table, engine);
        table_number(table, report->train_rmsle);
        table_number(table, report->test_rmsle);
        table_number(table, report->validation_rmse_ms);
        table_number(table, report->validation_mape_percent);
        const struct held_out_errors held_out = held_out_errors_known(&report->held_out);
        table_integer(table, (int64_t)held_out.count);
        table_number(table, held_out.mape_percent);
        table_number(table, held_out.standard_error_percent);
        for (int rival = 0; rival < RIVAL_COUNT; rival++)
            table_number(table, held_out_errors_known(&report->rivals[rival]).mape_percent);
    }
    if (settings->search <= 0)
        return cli_print_table(table, settings->format, error);
    enum status status = table_print(table, stderr, TABLE_TEXT, error); /* stdout: the ranking */
    table_free(table);
    return status;
}

/* A new predictor, one of a search's best recipe, or a fine-tuned --model. */
static enum status fit(struct model *model, struct fit_report *reports,
                       const struct dataset_rows *rows, struct mlp_options *wanted,
                       const struct fit_options *baseline, const struct settings *settings,
                       struct error *error)
{
    if (baseline)
        return baseline->type->fit(&model->predictor, rows, baseline, reports, error);
    if (settings->model) {
        TRY(model_load(model, settings->model, error));
        if (!model->predictor->type->tune)
            return FAIL(error, STATUS_USAGE, "'%s' holds '%s', which cannot be fine-tuned",
                        settings->model, model->predictor->type->name);
        return model->predictor->type->tune(model->predictor, rows, &wanted->base, reports, error);
    }
    if (settings->search > 0)
        TRY(train_search(wanted, rows, (int)settings->search, settings->format, error));
    return predictor_mlp.fit(&model->predictor, rows, &wanted->base, reports, error);
}

static enum status fit_and_save(struct fit_report *reports, const struct dataset_rows *rows,
                                struct mlp_options *wanted, const struct fit_options *baseline,
                                const struct settings *settings, struct error *error)
{
    struct progress progress;
    const struct train_progress watched = {.progress = &progress, .interrupted = &cli_interrupted};
    struct model model = {0};
    wanted->progress = &watched;
    cli_catch_signals("step", "no model was written");
    progress_begin(&progress, stderr, settings->quiet);
    enum status status = fit(&model, reports, rows, wanted, baseline, settings, error);
    progress_end(&progress);
    fill_model_provenance(model.provenance, sizeof model.provenance, settings);
    if (status == STATUS_OK)
        status = train_check_learnt(model.predictor, rows, error);
    if (status == STATUS_OK)
        status = rivals_judge(reports, model.predictor, rows, error);
    if (status == STATUS_OK)
        status = training_facts_learn(model.predictor, rows, reports, wanted->interval_level,
                                      error);
    if (status == STATUS_OK)
        status = predictor_validate(reports, model.predictor, rows, error);
    if (status == STATUS_OK)
        status = model_save(&model, settings->output, settings->overwrite, error);
    model_free(&model);
    return status;
}

/* The rows themselves are in memory already. */
static void note_memory(const struct dataset_rows *rows, const struct settings *settings)
{
    struct machine_memory memory;
    char text[NOTE_LIMIT];
    machine_memory_read(&memory, "");
    const int64_t rows_bytes = (int64_t)(rows->count * sizeof *rows->rows);
    const int64_t usable = memory.available_bytes > 0 ? memory.available_bytes + rows_bytes : 0;
    if (!settings->quiet && *train_memory_note(text, rows->count, train_memory_bytes(rows), usable))
        term_message(stderr, "%s", text);
}

static enum status train(struct mlp_options *wanted, const struct fit_options *baseline,
                         const struct settings *settings, struct error *error)
{
    struct fit_report reports[LAYER_KIND_COUNT] = {{0}};
    struct dataset_rows rows;
    if (!settings->output)
        return FAIL(error, STATUS_USAGE, "train needs -O MODEL.h5");
    TRY(dataset_read(&rows, settings->operands, settings->operand_count, error));
    note_repeats(&rows, settings);
    cli_note_threads(settings);
    if (!settings->quiet) {
        cli_note_namesakes(rows.devices, rows.device_count);
        cli_note_shared_cores(rows.devices, rows.device_count);
    }
    enum status status = train_check_caches(&rows, error);
    if (status == STATUS_OK)
        status = filter_kinds(&rows, settings, error);
    if (status == STATUS_OK)
        status = row_sources_exclude(&rows, settings->exclude_source, error);
    if (status == STATUS_OK && !baseline)
        note_memory(&rows, settings);
    if (status == STATUS_OK && !baseline)
        status = train_settle_engine(wanted, &rows, settings, error);
    if (status == STATUS_OK)
        status = fit_and_save(reports, &rows, wanted, baseline, settings, error);
    if (status == STATUS_OK && !settings->quiet)
        train_notes_print(&rows, reports, !baseline);
    if (status == STATUS_OK && !settings->quiet && !baseline)
        status = train_advise(&rows, reports, wanted, settings, error);
    dataset_rows_free(&rows);
    TRY(status);
    return print_reports(reports, baseline ? trainer_host.name : wanted->trainer->name, settings,
                         error);
}

static enum status run(const struct settings *settings, struct error *error)
{
    const struct predictor_type *type;
    struct mlp_options wanted;
    struct fit_options *baseline = NULL;
    TRY(predictor_choose(&type, settings->predictor ? settings->predictor : "mlp", error));
    enum status status = type == &predictor_mlp
                             ? train_mlp_options(&wanted, settings, error)
                             : train_baseline_options(&baseline, type, settings, error);
    if (status == STATUS_OK && baseline)
        status = mlp_options_preset(&wanted, "default", error);
    if (status == STATUS_OK)
        status = train(&wanted, baseline, settings, error);
    free(baseline);
    return status;
}

static const char *const takes[] = {"output",
                                    "overwrite",
                                    "preset",
                                    "engine",
                                    "ensemble",
                                    "seed",
                                    "epochs",
                                    "batch-size",
                                    "hidden",
                                    "l2",
                                    "dropout",
                                    "learning-rate",
                                    "weight-decay",
                                    "threads",
                                    "layer",
                                    "fine-tune",
                                    "interval",
                                    "search",
                                    "model",
                                    "predictor",
                                    "fit",
                                    "exclude-source",
                                    NULL};
static const struct option_help helps[] = {
    {"layer", "KINDS", "layer kinds to train, separated by commas (default: all)"},
    {"output", "MODEL.h5", "model to write"},
    {"threads", "N", "processor threads of training on the host (default: all cores)"},
    {"epochs", "N", "epochs of training the MLP (default: by kind and number of rows)"},
    {"model", "MODEL.h5", "model to fine-tune; needs --fine-tune"},
    {NULL, NULL, NULL}};
const struct command command_train = {
    .name = "train",
    .summary = "train a model of layer times on datasets",
    .operands = "DATA.h5... -O MODEL.h5",
    .examples = "  epochcast train cpu.h5 -O model.h5\n"
                "  epochcast train cpu.h5 --ensemble 5 -O model.h5\n"
                "  epochcast train v100.h5 p100.h5 k80.h5 --fine-tune V100 -O v100-model.h5\n"
                "  epochcast train k80.h5 --model all.h5 --fine-tune K80 -O k80-model.h5\n"
                "  epochcast train cpu.h5 --search 30 -O model.h5\n"
                "  epochcast train v100.h5 p100.h5 --predictor ceilings -O unseen.h5\n"
                "  epochcast train v100.h5 --preset paper -O paper.h5\n",
    .options = takes,
    .helps = helps,
    .operand_minimum = 1,
    .operand_maximum = OPERAND_LIMIT,
    .writes = FILE_MODEL,
    .run = run,
};
