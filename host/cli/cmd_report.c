/* All pictures and tables of some files on one page. */
#include "cli/cli.h"
#include "cli/forecast_request.h"
#include "cli/operands.h"
#include "cli/option_rules.h"
#include "cli/provenance.h"
#include "cli/report_chapters.h"
#include "cli/show.h"
#include "step/verification_file.h"

#include "base/scratch_file.h"
#include "pictures/gnuplot.h"

#include <stdlib.h>

static const char default_batch_sizes[] = "1..32*2";

/* Operands by their type; borrowed. */
struct contents {
    const char *datasets[OPERAND_LIMIT], *models[OPERAND_LIMIT], *networks[OPERAND_LIMIT],
        *verifications[OPERAND_LIMIT];
    int dataset_count, model_count, network_count, verification_count;
};

static void sort_operands(struct contents *contents, const struct settings *settings)
{
    *contents = (struct contents){.dataset_count = 0};
    for (int i = 0; i < settings->operand_count; i++) {
        const char *name = settings->operands[i];
        if (!name_is_hdf5(name) && file_is_json(name))
            contents->verifications[contents->verification_count++] = name;
        else if (!name_is_hdf5(name))
            contents->networks[contents->network_count++] = name;
        else if (file_is_model(name))
            contents->models[contents->model_count++] = name;
        else
            contents->datasets[contents->dataset_count++] = name;
    }
}

static enum status check(const struct contents *contents, const struct settings *settings,
                         struct error *error)
{
    if (!settings->output)
        return FAIL(error, STATUS_USAGE, "report needs -O FILE.html");
    if (contents->network_count > 0 && contents->model_count == 0) {
        FAIL(error, STATUS_USAGE, "no model was given to forecast '%.200s'", contents->networks[0]);
        return HINT(error, STATUS_USAGE, "add a MODEL.h5");
    }
    static const char *const of_networks[] = {
        "device",    "batch",      "pass",          "optimizer",    "precision",
        "dimension", "batch-axis", "batch-in-file", "dataset-size", NULL};
    const char *given = option_first_given(settings, of_networks);
    if (given && contents->network_count == 0)
        return FAIL(error, STATUS_USAGE, "--%s requires a NETWORK", given);
    if (option_is_given(settings, "split") &&
        (contents->dataset_count == 0 || contents->model_count == 0))
        return FAIL(error, STATUS_USAGE, "--split requires a MODEL.h5 and a DATA.h5");
    return gnuplot_check(error);
}

static enum status put_models(struct page *page, const struct contents *contents,
                              const struct settings *settings, struct error *error)
{
    struct dataset_rows rows;
    enum status status = STATUS_OK;
    const int split = settings->split < SPLIT_COUNT ? settings->split : -1;
    const bool is_measured = contents->dataset_count > 0 && contents->model_count > 0;
    if (is_measured) {
        TRY(dataset_read(&rows, contents->datasets, contents->dataset_count, error));
        note_repeats(&rows, settings);
    }
    for (int i = 0; status == STATUS_OK && i < contents->model_count; i++)
        status = report_model(page, contents->models[i], is_measured ? &rows : NULL, split, error);
    if (is_measured)
        dataset_rows_free(&rows);
    return status;
}

static enum status put_network(struct page *page, const char *network, const char *model,
                               struct dimension_sizes *sizes, const struct settings *settings,
                               struct error *error)
{
    struct forecast_request request;
    struct settings asked = *settings;
    const struct report_texts texts = {model, settings->price_per_hour, settings->watts};
    asked.operands[0] = network;
    asked.model = model;
    asked.batch = settings->batch ? settings->batch : default_batch_sizes;
    TRY(forecast_request_load(&request, sizes, &asked, error));
    const enum status status = report_network(page, &request, &texts, error);
    forecast_request_free(&request);
    return status;
}

/* Every network by every model. */
static enum status put_networks(struct page *page, const struct contents *contents,
                                const struct settings *settings, struct error *error)
{
    struct dimension_sizes sizes;
    TRY(read_dimensions(&sizes, settings, error));
    for (int i = 0; i < contents->network_count; i++)
        for (int j = 0; j < contents->model_count; j++)
            TRY(put_network(page, contents->networks[i], contents->models[j], &sizes, settings,
                            error));
    return dimension_sizes_check(&sizes, error);
}

static enum status put_chapters(struct page *page, const struct contents *contents,
                                const struct settings *settings, struct error *error)
{
    for (int i = 0; i < contents->dataset_count; i++)
        TRY(report_dataset(page, contents->datasets[i], error));
    TRY(put_models(page, contents, settings, error));
    TRY(put_networks(page, contents, settings, error));
    for (int i = 0; i < contents->verification_count; i++)
        TRY(report_verification(page, contents->verifications[i], error));
    return STATUS_OK;
}

static enum status put_page(FILE *file, const struct contents *contents,
                            const struct settings *settings, struct error *error)
{
    struct page page;
    struct dataset_header header;
    fill_header(&header, settings);
    page_begin(&page, file, "epochcast report");
    page_text(&page, "written by", header.program_version);
    page_text(&page, "created", header.created);
    page_text(&page, "command", header.command_line);
    TRY(put_chapters(&page, contents, settings, error));
    page_end(&page);
    if (fflush(file) != 0 || ferror(file))
        return FAIL(error, STATUS_FAILED, "no memory for the report");
    return STATUS_OK;
}

static enum status write_page(struct scratch_file *destination, const struct contents *contents,
                              const struct settings *settings, struct error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (!file)
        return FAIL(error, STATUS_FAILED, "no memory for the report");
    enum status status = put_page(file, contents, settings, error);
    fclose(file);
    if (status == STATUS_OK)
        status = scratch_file_write(destination, text, size, error);
    if (status == STATUS_OK)
        status = scratch_file_publish(destination, settings->overwrite, error);
    free(text);
    return status;
}

static enum status run(const struct settings *settings, struct error *error)
{
    struct contents contents;
    struct scratch_file file;
    sort_operands(&contents, settings);
    TRY(check(&contents, settings, error));
    enum status status = scratch_file_create(&file, settings->output, false, error);
    if (status == STATUS_OK)
        status = write_page(&file, &contents, settings, error);
    scratch_file_close(&file);
    return status;
}

static const char *const takes[] = {
    "output",        "overwrite", "split",        "device",         "batch",
    "pass",          "optimizer", "precision",    "dimension",      "batch-axis",
    "batch-in-file", "epochs",    "dataset-size", "price-per-hour", "watts",
    "price-per-kwh", NULL};
static const struct option_help helps[] = {
    {"device", "NAME",
     "device of the model; a backend (cpu, cuda) means its device (default: the first)"},
    {"output", "PAGE.html", "page to write"},
    {"split", "SPLIT", "rows that judge a model (default: validation)"},
    {NULL, NULL, NULL}};
const struct command command_report = {
    .name = "report",
    .summary = "write one HTML page of tables and pictures: datasets, models, networks, results",
    .operands = "DATA.h5|MODEL.h5|NETWORK|VERIFIED.json... -O FILE.html",
    .examples = "  epochcast report cpu.h5 model.h5 vgg16 resnet50 -O report.html\n"
                "  epochcast report model.h5 net.onnx --batch '1..64*2' --optimizer sgd,adam \\\n"
                "      -O net.html --overwrite\n"
                "  epochcast report model.h5 vgg16 --dataset-size 1281167 --epochs 90 \\\n"
                "      --price-per-hour 3.06 -O vgg16.html\n"
                "  epochcast report model.h5 vgg16 verified.json -O vgg16.html\n",
    .options = takes,
    .helps = helps,
    .operand_minimum = 1,
    .operand_maximum = OPERAND_LIMIT,
    .writes = FILE_PAGE,
    .run = run,
};
