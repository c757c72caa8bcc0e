#include "base/machine.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/device_choice.h"
#include "cli/operands.h"
#include "cli/provenance.h"
#include "cli/train_advice.h"
#include "cli/train_notes.h"
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

static enum status apply_hidden(struct mlp_options *wanted, const struct settings *settings,
                                struct error *error)
{
    int count;
    if (!settings->hidden)
        return STATUS_OK;
    TRY(parse_int_list(wanted->hidden, MLP_LAYER_LIMIT - 1, &count, true, NULL, "--hidden",
                       settings->hidden, error));
    wanted->hidden_count = count;
    wanted->several_hidden_count = 0; // asked for exactly
    return STATUS_OK;
}

static bool is_engine(const struct settings *settings, const char *name)
{
    return strcmp(settings->engine ? settings->engine : "auto", name) == 0;
}

static enum status apply_engine(struct mlp_options *wanted, const struct settings *settings,
                                struct error *error)
{
    wanted->trainer = &trainer_host;
    if (is_engine(settings, "auto") || is_engine(settings, "host"))
        return STATUS_OK;
    if (is_engine(settings, "cuda"))
        return backend_find("cuda")->trainer(&wanted->trainer, 0, error);
    FAIL(error, STATUS_USAGE, "unknown engine '%.40s'", settings->engine);
    return HINT(error, STATUS_USAGE, "--engine host trains on this machine's processor");
}

/* True when every row was measured on a GPU of this machine's kind. */
static bool is_measured_here(const struct dataset_rows *rows)
{
    const struct backend *cuda = backend_find("cuda");
    const struct device_options small = {.arena_bytes = 1 << 20};
    struct device *device;
    struct device_info info;
    for (int i = 0; i < rows->device_count; i++)
        if (strcmp(rows->devices[i].backend, "cuda") != 0)
            return false;
    if (rows->device_count == 0 || !cuda || device_open(&device, "cuda", &small, NULL) != STATUS_OK)
        return false;
    bool is_known = device->backend->describe(device, false, &info, NULL) == STATUS_OK;
    device_close(device);
    for (int i = 0; is_known && i < rows->device_count; i++)
        is_known = strcmp(rows->devices[i].name, info.name) == 0;
    return is_known;
}

/* auto: the GPU that the rows were measured on, if this machine has it; else the host. */
static enum status settle_engine(struct mlp_options *wanted, const struct dataset_rows *rows,
                                 const struct settings *settings, struct error *error)
{
    if (!is_engine(settings, "auto") || !is_measured_here(rows))
        return STATUS_OK;
    return backend_find("cuda")->trainer(&wanted->trainer, 0, error);
}

static void apply_number(float *target, double value)
{
    if (!isnan(value))
        *target = (float)value;
}

/* --fit NAME=VALUE, of any type. */
static enum status apply_fit(struct fit_options *options, const struct settings *settings,
                             struct error *error)
{
    const struct predictor_type *type = options->type;
    for (int i = 0; i < settings->fit.count; i++) {
        char name[64];
        const char *text = settings->fit.list[i], *value = strchr(text, '=');
        if (!value || (size_t)(value - text) >= sizeof name)
            return FAIL(error, STATUS_USAGE, "--fit: '%.60s' is not NAME=VALUE", text);
        snprintf(name, sizeof name, "%.*s", (int)(value - text), text);
        TRY(members_parse(options, type->options, type->option_count, name, value + 1, error));
    }
    return STATUS_OK;
}

static enum status make_options(struct mlp_options *wanted, const struct settings *settings,
                                struct error *error)
{
    TRY(mlp_options_preset(wanted, settings->preset ? settings->preset : "default", error));
    TRY(apply_hidden(wanted, settings, error));
    TRY(apply_engine(wanted, settings, error));
    apply_number(&wanted->train.learning_rate, settings->learning_rate);
    apply_number(&wanted->train.dropout, settings->dropout);
    apply_number(&wanted->train.l2, settings->l2);
    apply_number(&wanted->train.weight_decay, settings->weight_decay);
    if (settings->epochs > 0) {
        wanted->train.epochs = (int32_t)settings->epochs;
        wanted->minimum_steps = 0; // asked for exactly
        if (settings->model)
            wanted->tune_epochs = (int32_t)settings->epochs;
    }
    if (settings->batch_size > 0)
        wanted->train.batch_size = (int32_t)settings->batch_size;
    if (settings->ensemble > 0)
        wanted->ensemble = (int32_t)settings->ensemble;
    if (!isnan(settings->interval_percent))
        wanted->interval_level = settings->interval_percent / 100;
    if (settings->fine_tune)
        snprintf(wanted->fine_tune, sizeof wanted->fine_tune, "%s", settings->fine_tune);
    if (settings->threads > 0)
        wanted->threads = (int)settings->threads;
    wanted->seed = (uint64_t)settings->seed;
    return apply_fit(&wanted->base, settings, error);
}

/* A given option that only `mlp` takes; NULL: none. */
static const char *mlp_option_of(const struct settings *settings)
{
    const struct {
        bool is_given;
        const char *name;
    } given[] = {{settings->preset, "preset"},
                 {settings->engine, "engine"},
                 {settings->ensemble > 0, "ensemble"},
                 {settings->epochs > 0, "epochs"},
                 {settings->batch_size > 0, "batch-size"},
                 {settings->hidden, "hidden"},
                 {!isnan(settings->l2), "l2"},
                 {!isnan(settings->dropout), "dropout"},
                 {!isnan(settings->learning_rate), "learning-rate"},
                 {!isnan(settings->weight_decay), "weight-decay"},
                 {settings->fine_tune, "fine-tune"},
                 {!isnan(settings->interval_percent), "interval"},
                 {settings->search > 0, "search"},
                 {settings->model, "model"}};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (given[i].is_given)
            return given[i].name;
    return NULL;
}

/* Options of a baseline; the caller frees them. */
static enum status make_baseline_options(struct fit_options **wanted,
                                         const struct predictor_type *type,
                                         const struct settings *settings, struct error *error)
{
    const char *given = mlp_option_of(settings);
    if (given)
        return FAIL(error, STATUS_USAGE, "'%s' takes no --%s: that is of mlp", type->name, given);
    TRY(fit_options_create(wanted, type, error));
    return apply_fit(*wanted, settings, error);
}

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
        status = settle_engine(wanted, &rows, settings, error);
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
                             ? make_options(&wanted, settings, error)
                             : make_baseline_options(&baseline, type, settings, error);
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
