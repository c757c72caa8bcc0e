#include "cli/cli.h"

#include "cli/option_rules.h"
#include "data/row_columns.h"
#include "predictors/encoded_rows.h"

static enum status export_encoded(const struct settings *settings, enum layer_kind kind,
                                  struct error *error)
{
    struct dataset_rows rows;
    if (option_is_given(settings, "format") && settings->format != TABLE_CSV)
        return FAIL(error, STATUS_USAGE, "--encoded prints csv alone");
    TRY(dataset_read(&rows, settings->operands, settings->operand_count, error));
    const enum status status = encoded_rows_write(stdout, &rows, kind, error);
    dataset_rows_free(&rows);
    return status;
}

static enum status run(const struct settings *settings, struct error *error)
{
    enum layer_kind kind;
    if (!settings->layer)
        return FAIL(error, STATUS_USAGE, "export needs --layer KIND: kinds have different columns");
    TRY(cli_layer_kind(&kind, settings->layer, error));
    if (settings->encoded)
        return export_encoded(settings, kind, error);
    return export_rows(stdout, (enum table_format)settings->format, settings->operands,
                       settings->operand_count, kind, error);
}

static const char *const takes[] = {"layer", "encoded", NULL};
static const struct option_help helps[] = {
    {"layer", "KIND", "layer kind to print; each kind has columns of its own"}, {NULL, NULL, NULL}};
const struct command command_export = {
    .name = "export",
    .summary = "print rows of a dataset as csv, json or jsonl",
    .operands = "DATA.h5... --layer KIND",
    .examples = "  epochcast export cpu.h5 --layer conv2d -o csv >conv2d.csv\n"
                "  epochcast export cpu.h5 --layer dense -o jsonl\n"
                "  epochcast export cpu.h5 --layer dense --encoded >columns.csv\n",
    .options = takes,
    .helps = helps,
    .operand_minimum = 1,
    .operand_maximum = OPERAND_LIMIT,
    .run = run,
};
