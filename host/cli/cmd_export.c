#include "cli/cli.h"

#include "data/row_columns.h"

static enum status run(const struct settings *settings, struct error *error)
{
    enum layer_kind kind;
    if (!settings->layer)
        return FAIL(error, STATUS_USAGE, "export needs --layer KIND: kinds have different columns");
    TRY(cli_layer_kind(&kind, settings->layer, error));
    return export_rows(stdout, (enum table_format)settings->format, settings->operands,
                       settings->operand_count, kind, error);
}

static const char *const takes[] = {"layer", NULL};
static const struct option_help helps[] = {
    {"layer", "KIND", "layer kind to print; each kind has columns of its own"}, {NULL, NULL, NULL}};
const struct command command_export = {
    .name = "export",
    .summary = "print rows of a dataset as csv, json or jsonl",
    .operands = "DATA.h5... --layer KIND",
    .examples = "  epochcast export cpu.h5 --layer conv2d -o csv >conv2d.csv\n"
                "  epochcast export cpu.h5 --layer dense -o jsonl\n",
    .options = takes,
    .helps = helps,
    .operand_minimum = 1,
    .operand_maximum = OPERAND_LIMIT,
    .run = run,
};
