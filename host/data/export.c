#include "base/json.h"
#include "data/row_columns.h"

#include "base/csv.h"
#include "data/dataset_reader.h"

#include <stdlib.h>
#include <string.h>

static struct row_column device_column(const struct field *field)
{
    static const char prefix[] = "device_";
    struct row_column column = {.field = *field, .is_device = true};
    const bool is_prefixed = strncmp(field->name, prefix, sizeof prefix - 1) == 0;
    if (strcmp(field->name, "name") == 0)
        snprintf(column.name, sizeof column.name, "device");
    else
        snprintf(column.name, sizeof column.name, "%s%s", is_prefixed ? "" : prefix, field->name);
    return column;
}

int row_columns(struct row_column columns[ROW_COLUMN_LIMIT], enum layer_kind kind)
{
    struct field fields[SCHEMA_FIELD_LIMIT];
    const int field_count = schema_row_fields(fields, kind);
    int count = 0;
    for (int i = 0; i < field_count; i++) {
        if (fields[i].offset == offsetof(struct measurement, device))
            continue; /* its number has no meaning outside the file */
        columns[count] = (struct row_column){.field = fields[i]};
        snprintf(columns[count++].name, sizeof columns->name, "%s", fields[i].name);
    }
    for (int i = 0; i < device_field_count; i++)
        columns[count++] = device_column(&device_fields[i]);
    return count;
}

/* One way to write a cell; `state` belongs to the form. */
struct cell_writer {
    void (*text)(void *state, const char *name, const char *value);
    void (*integer)(void *state, const char *name, int64_t value);
    void (*number)(void *state, const char *name, double value);
    void *state;
};

static void write_cell(const struct cell_writer *writer, const struct row_column *column,
                       const void *record)
{
    const struct field *field = &column->field;
    const char *at = (const char *)record + field->offset;
    switch (field->type) {
    case FIELD_TEXT:
        writer->text(writer->state, column->name, at);
        break;
    case FIELD_CHOICE:
        writer->text(writer->state, column->name, choice_name(field->choice, *(const int32_t *)at));
        break;
    case FIELD_INT32:
        writer->integer(writer->state, column->name, *(const int32_t *)at);
        break;
    case FIELD_INT64:
        writer->integer(writer->state, column->name, *(const int64_t *)at);
        break;
    case FIELD_DOUBLE:
        writer->number(writer->state, column->name, *(const double *)at);
        break;
    }
}

/* ---- the forms ---- */

static void csv_text(void *state, const char *name, const char *value)
{
    (void)name;
    fputc(',', state);
    csv_write_text(state, value);
}
static void csv_integer_cell(void *state, const char *name, int64_t value)
{
    (void)name;
    fprintf(state, ",%lld", (long long)value);
}
static void csv_number_cell(void *state, const char *name, double value)
{
    (void)name;
    fputc(',', state);
    csv_write_number(state, value);
}

static void json_text(void *state, const char *name, const char *value)
{
    json_string(state, name, value);
}
static void json_integer_cell(void *state, const char *name, int64_t value)
{
    json_integer(state, name, value);
}
static void json_number_cell(void *state, const char *name, double value)
{
    json_number(state, name, value);
}

static void table_text(void *state, const char *name, const char *value)
{
    (void)name;
    table_string(state, value);
}
static void table_integer_cell(void *state, const char *name, int64_t value)
{
    (void)name;
    table_integer(state, value);
}
static void table_number_cell(void *state, const char *name, double value)
{
    (void)name;
    table_number(state, value);
}

/* An export under way. */
struct export
{
    FILE *file;
    enum table_format form;
    enum layer_kind kind;
    struct row_column columns[ROW_COLUMN_LIMIT];
    int column_count;
    struct json json;
    struct table *table; /* text form */
    struct table_column headings[ROW_COLUMN_LIMIT + 1];
};

static struct cell_writer writer_of(struct export *export)
{
    if (export->form == TABLE_TEXT)
        return (struct cell_writer){table_text, table_integer_cell, table_number_cell,
                                    export->table};
    if (export->form == TABLE_CSV)
        return (struct cell_writer){csv_text, csv_integer_cell, csv_number_cell, export->file};
    return (struct cell_writer){json_text, json_integer_cell, json_number_cell, &export->json};
}

static void begin_row(struct export *export)
{
    const char *kind = layer_descriptors[export->kind]->name;
    if (export->form == TABLE_TEXT)
        table_string(export->table, kind);
    if (export->form == TABLE_CSV)
        csv_write_text(export->file, kind);
    if (export->form == TABLE_JSONL)
        json_begin(&export->json, export->file);
    if (export->form == TABLE_JSON || export->form == TABLE_JSONL) {
        json_open(&export->json, NULL, '{');
        json_string(&export->json, ROW_COLUMN_LAYER, kind);
    }
}

static void end_row(struct export *export)
{
    if (export->form == TABLE_CSV)
        fputc('\n', export->file);
    if (export->form == TABLE_JSON || export->form == TABLE_JSONL)
        json_close(&export->json, '}');
    if (export->form == TABLE_JSONL)
        json_end(&export->json);
}

/* People see the columns from the first on, as far as a line goes, and the times. */
static struct table_column heading_of(const struct row_column *column, int index)
{
    const bool is_time = strcmp(column->name, "median_ms") == 0;
    return (struct table_column){.name = column->name,
                                 .digits = 6,
                                 .spare = is_time ? 0 : index + 1,
                                 .use = column->is_device ? COLUMN_SEVERAL : COLUMN_VALUES};
}

static enum status begin_document(struct export *export, struct error *error)
{
    export->column_count = row_columns(export->columns, export->kind);
    if (export->form == TABLE_CSV) {
        fputs(ROW_COLUMN_LAYER, export->file);
        for (int i = 0; i < export->column_count; i++)
            fprintf(export->file, ",%s", export->columns[i].name);
        fputs("," ROW_COLUMN_LICENCE "\n", export->file);
    }
    if (export->form == TABLE_JSON) {
        json_begin(&export->json, export->file);
        json_open(&export->json, NULL, '{');
        json_open(&export->json, "rows", '[');
    }
    export->headings[0] = (struct table_column){.name = ROW_COLUMN_LAYER};
    for (int i = 0; i < export->column_count; i++)
        export->headings[i + 1] = heading_of(&export->columns[i], i);
    if (export->form == TABLE_TEXT)
        return table_create(&export->table, export->headings, export->column_count + 1, error);
    return STATUS_OK;
}

static enum status end_document(struct export *export, struct error *error)
{
    if (export->form == TABLE_TEXT)
        return table_print(export->table, export->file, TABLE_TEXT, error);
    if (export->form == TABLE_JSON) {
        json_close(&export->json, ']');
        json_close(&export->json, '}');
        json_end(&export->json);
    }
    return STATUS_OK;
}

static void export_row(struct export *export, const struct measurement *row,
                       const struct dataset_reader *reader)
{
    const struct device_info *device = &reader->devices[row->device];
    const struct cell_writer writer = writer_of(export);
    begin_row(export);
    for (int i = 0; i < export->column_count; i++)
        write_cell(&writer, &export->columns[i],
                   export->columns[i].is_device ? (const void *)device : row);
    if (export->form != TABLE_TEXT)
        writer.text(writer.state, ROW_COLUMN_LICENCE, reader->header.licence);
    end_row(export);
}

/* Only rows of this kind are read. */
static struct dataset_reader_options only(enum layer_kind kind)
{
    struct dataset_reader_options options = {.keeps_rounds = false};
    for (int other = 0; other < LAYER_KIND_COUNT; other++)
        options.skips[other] = other != (int)kind;
    return options;
}

static enum status export_file(struct export *export, const char *path, struct error *error)
{
    struct dataset_reader *reader;
    const struct dataset_reader_options options = only(export->kind);
    enum status status = dataset_reader_open(&reader, path, &options, error);
    for (size_t count = 1; status == STATUS_OK && count > 0;) {
        const struct measurement *rows;
        status = dataset_reader_next(reader, &rows, &count, error);
        for (size_t i = 0; status == STATUS_OK && i < count; i++)
            export_row(export, &rows[i], reader);
    }
    dataset_reader_close(reader);
    return status;
}

/* Reports faulty inputs before anything is printed. */
static enum status check_inputs(const char *const *paths, int path_count, enum layer_kind kind,
                                struct error *error)
{
    const struct dataset_reader_options options = only(kind);
    for (int i = 0; i < path_count; i++) {
        struct dataset_reader *reader;
        TRY(dataset_reader_open(&reader, paths[i], &options, error));
        dataset_reader_close(reader);
    }
    return STATUS_OK;
}

enum status export_rows(FILE *file, enum table_format form, const char *const *paths,
                        int path_count, enum layer_kind kind, struct error *error)
{
    struct export *export;
    TRY(check_inputs(paths, path_count, kind, error));
    TRY(ALLOCATE(&export, 1, "export", error));
    export->file = file;
    export->form = form;
    export->kind = kind;
    enum status status = begin_document(export, error);
    for (int i = 0; i < path_count && status == STATUS_OK; i++)
        status = export_file(export, paths[i], error);
    if (status == STATUS_OK)
        status = end_document(export, error);
    table_free(export->table);
    free(export);
    return status;
}
