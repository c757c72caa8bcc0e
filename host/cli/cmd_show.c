/* Shows a file or a name: dataset, model, network, the layer table, the catalogues. */
#include "cli/cli.h"
#include "cli/network_selection.h"
#include "cli/option_rules.h"
#include "cli/plot_option.h"
#include "cli/show.h"

#include "layers/describe.h"
#include "layers/layer.h"
#include "network/network.h"
#include "pictures/draw.h"

#include <stdlib.h>
#include <string.h>

static void add_feature_row(struct table *table, const char *layer, const struct feature *feature)
{
    char low[32], high[32];
    describe_value(low, sizeof low, feature, feature->minimum);
    describe_value(high, sizeof high, feature, feature->maximum);
    table_string(table, layer);
    table_string(table, feature->name);
    table_string(table, unit_name(feature->unit));
    table_string(table, low);
    table_string(table, high);
    table_string(table, feature->help);
}

static enum status show_layers(enum table_format format, struct error *error)
{
    static const struct table_column columns[] = {{.name = "layer"},   {.name = "feature"},
                                                  {.name = "unit"},    {.name = "minimum"},
                                                  {.name = "maximum"}, {.name = "help"}};
    struct table *table;
    TRY(table_create(&table, columns, sizeof columns / sizeof *columns, error));
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        for (int i = 0; i < layer_descriptors[kind]->feature_count; i++)
            add_feature_row(table, layer_descriptors[kind]->name,
                            &layer_descriptors[kind]->features[i]);
    return cli_print_table(table, format, error);
}

static bool names_network(const char *what)
{
    return strcmp(what, "layers") != 0 && strcmp(what, "networks") != 0 &&
           strcmp(what, "devices") != 0 && !name_is_hdf5(what);
}

static enum status plot_rows(const char *path, const struct settings *settings, struct error *error)
{
    struct dataset_rows rows;
    struct picture picture;
    TRY(dataset_read(&rows, &path, 1, error));
    enum status status = plot_begin(&picture, settings, error);
    if (status == STATUS_OK) {
        draw_dataset(&picture, &rows);
        status = plot_end(&picture, STATUS_OK, settings, error);
    }
    dataset_rows_free(&rows);
    return status;
}

static enum status show(const char *what, const struct settings *settings, struct error *error)
{
    if (settings->check)
        return show_check(what, settings->format, error);
    if (names_network(what))
        return show_network(what, settings, error);
    if (strcmp(what, "layers") == 0)
        return show_layers(settings->format, error);
    if (strcmp(what, "networks") == 0)
        return show_catalogue(settings->format, error);
    if (strcmp(what, "devices") == 0)
        return show_devices(settings->format, error);
    if (file_is_model(what))
        return show_model(what, settings->format, error);
    TRY(show_dataset(what, settings->format, error));
    return settings->plot ? plot_rows(what, settings, error) : STATUS_OK;
}

/* Those of a forecast are for a network and need the model. */
static enum status check_forecast_options(const char *what, const struct settings *settings,
                                          struct error *error)
{
    static const char *const names[] = {"device", "batch", "pass", "optimizer", "precision", NULL};
    const char *given = option_first_given(settings, names);
    if (given && !settings->model) {
        FAIL(error, STATUS_USAGE, "--%s requires --model", given);
        return HINT(error, STATUS_USAGE, "add --model MODEL.h5");
    }
    if (settings->model && (settings->check || !names_network(what)))
        return FAIL(error, STATUS_USAGE, "--model requires a network");
    return STATUS_OK;
}

static enum status run(const struct settings *settings, struct error *error)
{
    const char *what = settings->operands[0];
    if (settings->plot && (!name_is_hdf5(what) || file_is_model(what))) {
        FAIL(error, STATUS_USAGE, "--plot needs a dataset; '%.200s' is not one", what);
        return HINT(error, STATUS_USAGE,
                    "use 'predict --plot' for networks, 'evaluate --plot' for models");
    }
    const bool has_sizes = settings->dimension.count > 0 || settings->batch_axis ||
                           settings->batch_in_file;
    if (has_sizes && (settings->check || !names_network(what)))
        return FAIL(error, STATUS_USAGE, "%s requires an ONNX model",
                    settings->dimension.count > 0 ? "--dimension"
                    : settings->batch_axis        ? "--batch-axis"
                                                  : "--batch-in-file");
    TRY(check_forecast_options(what, settings, error));
    TRY(plot_check(settings, error));
    return show(what, settings, error);
}

static const char *const takes[] = {
    "all",   "check", "plot",      "dimension", "batch-axis", "batch-in-file", "model", "device",
    "batch", "pass",  "optimizer", "precision", NULL};
static const struct option_help helps[] = {
    {"model", "MODEL.h5",
     "of a network: the share of the model's forecast that the roofline gives, and of which "
     "layers"},
    {"device", "NAMES", "devices of the model, separated by commas; all (default: the first)"},
    {NULL, NULL, NULL}};
const struct command command_show = {
    .name = "show",
    .summary = "show a dataset, a model, a network, the layer kinds or the catalogues",
    .operands = "DATA.h5|MODEL.h5|NETWORK|layers|networks|devices",
    .examples =
        "  epochcast show cpu.h5\n  epochcast show --check cpu.h5\n"
        "  epochcast show cpu.h5 --plot cpu.svg\n"
        "  epochcast show model.h5\n  epochcast show vgg16\n  epochcast show bert_base --all\n"
        "  epochcast show vgg16 -o csv >vgg16.csv\n  epochcast show net.onnx\n"
        "  epochcast show bert.onnx --dimension sequence=128\n"
        "  epochcast show speech.onnx --batch-axis frames:1\n"
        "  epochcast show bert_base --model model.h5 --batch 4\n"
        "  epochcast show layers\n  epochcast show devices\n",
    .options = takes,
    .helps = helps,
    .operand_minimum = 1,
    .operand_maximum = 1,
    .run = run,
};
