#include "cli/cli.h"

#include "data/dataset.h"
#include "data/schema.h"
#include "layers/describe.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMN_LIMIT = 96 };

static int list_columns(struct table_column *columns, enum layer_kind kind)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    int count = 0;
    for (int i = 0; i < descriptor->feature_count; i++)
        columns[count++] = (struct table_column){.name = descriptor->features[i].name};
    for (int i = 0; i < measurement_field_count; i++)
        columns[count++] = (struct table_column){.name = measurement_fields[i].name, .digits = 6};
    return count;
}

static void add_feature(struct table *table, const struct layer_config *config,
                        const struct feature *feature)
{
    int32_t value = layer_get(config, feature);
    if (feature->choice)
        table_string(table, choice_name(feature->choice, value));
    else
        table_integer(table, value);
}

/* The device column carries the name: its number means nothing outside the file. */
static void add_field(struct table *table, const struct measurement *row, const struct field *field,
                      const struct device_info *devices)
{
    const char *at = (const char *)row + field->offset;
    if (field->offset == offsetof(struct measurement, device))
        table_string(table, devices[row->device].name);
    else if (field->type == FIELD_TEXT)
        table_string(table, at);
    else if (field->type == FIELD_CHOICE)
        table_string(table, choice_name(field->choice, *(const int32_t *)at));
    else if (field->type == FIELD_INT32)
        table_integer(table, *(const int32_t *)at);
    else if (field->type == FIELD_INT64)
        table_integer(table, *(const int64_t *)at);
    else
        table_number(table, *(const double *)at);
}

static enum status export_kind(const struct dataset_rows *rows, enum layer_kind kind,
                               const struct settings *settings, struct error *error)
{
    struct table_column columns[COLUMN_LIMIT];
    struct table *table;
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    TRY(table_create(&table, columns, list_columns(columns, kind), error));
    for (size_t r = 0; r < rows->count; r++) {
        const struct measurement *row = &rows->rows[r];
        if (row->config.kind != kind)
            continue;
        for (int i = 0; i < descriptor->feature_count; i++)
            add_feature(table, &row->config, &descriptor->features[i]);
        for (int i = 0; i < measurement_field_count; i++)
            add_field(table, row, &measurement_fields[i], rows->devices);
    }
    return cli_print_table(table, settings, error);
}

static enum status run(const struct settings *settings, struct error *error)
{
    struct dataset_rows rows;
    enum layer_kind kind;
    if (!settings->layer)
        return FAIL(error, STATUS_USAGE, "export needs --layer KIND: kinds have different columns");
    TRY(cli_layer_kind(&kind, settings->layer, error));
    TRY(dataset_read(&rows, settings->operands, settings->operand_count, error));
    enum status status = export_kind(&rows, kind, settings, error);
    dataset_rows_free(&rows);
    return status;
}

static const char *const takes[] = {"layer", NULL};
const struct command command_export = {
    .name = "export",
    .summary = "rows of a dataset as csv, json or jsonl",
    .operands = "DATA.h5... --layer KIND",
    .examples = "  epochcast export cpu.h5 --layer conv2d -o csv >conv2d.csv\n",
    .options = takes,
    .operand_minimum = 1,
    .operand_maximum = OPERAND_LIMIT,
    .run = run,
};
