#include "base/table_internal.h"

#include "base/choice.h"
#include "base/csv.h"
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const format_names[] = {"table", "csv", "json", "jsonl"};
const struct choice choice_table_format = {.name = "format", .names = format_names, .count = 4};

enum status table_create(struct table **table, const struct table_column *columns, int count,
                         struct error *error)
{
    TRY(ALLOCATE(table, 1, "table", error));
    (*table)->columns = columns;
    (*table)->column_count = count;
    return STATUS_OK;
}

void table_free(struct table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i].string);
    free(table->cells);
    free(table);
}

static void add_cell(struct table *table, struct cell cell)
{
    if (table->cell_count == table->capacity) {
        size_t capacity = table->capacity ? 2 * table->capacity : 64;
        struct cell *cells = realloc(table->cells, capacity * sizeof *cells);
        if (!cells) {
            table->out_of_memory = true;
            free(cell.string);
            return;
        }
        table->cells = cells;
        table->capacity = capacity;
    }
    table->cells[table->cell_count++] = cell;
}

void table_number(struct table *table, double value)
{
    add_cell(table, (struct cell){.type = CELL_NUMBER, .number = value});
}

void table_integer(struct table *table, int64_t value)
{
    add_cell(table, (struct cell){.type = CELL_INTEGER, .integer = value});
}

void table_string(struct table *table, const char *value)
{
    char *copy = strdup(value);
    table->out_of_memory |= !copy;
    add_cell(table, (struct cell){.type = CELL_STRING, .string = copy});
}

static void print_json_row(struct json *json, const struct table *table, size_t row)
{
    json_open(json, NULL, '{');
    for (int column = 0; column < table->column_count; column++) {
        const struct cell *cell = &table->cells[row * (size_t)table->column_count + (size_t)column];
        const char *name = table->columns[column].name;
        if (cell->type == CELL_NUMBER)
            json_number(json, name, cell->number);
        else if (cell->type == CELL_INTEGER)
            json_integer(json, name, cell->integer);
        else
            json_string(json, name, cell->string);
    }
    json_close(json, '}');
}

size_t table_row_count(const struct table *table)
{
    return table->column_count ? table->cell_count / (size_t)table->column_count : 0;
}

void table_print_array(const struct table *table, struct json *json, const char *key)
{
    json_open(json, key, '[');
    for (size_t row = 0; row < table_row_count(table); row++)
        print_json_row(json, table, row);
    json_close(json, ']');
}

static void print_json(const struct table *table, FILE *file)
{
    struct json json;
    json_begin(&json, file);
    json_open(&json, NULL, '{');
    table_print_array(table, &json, "rows");
    json_close(&json, '}');
    json_end(&json);
}

static void print_jsonl(const struct table *table, FILE *file, size_t rows)
{
    for (size_t row = 0; row < rows; row++) {
        struct json json;
        json_begin(&json, file);
        print_json_row(&json, table, row);
        json_end(&json);
    }
}

static void print_csv_cell(FILE *file, const struct cell *cell)
{
    if (cell->type == CELL_INTEGER)
        fprintf(file, "%lld", (long long)cell->integer);
    else if (cell->type == CELL_STRING)
        csv_write_text(file, cell->string);
    else if (isfinite(cell->number))
        fprintf(file, "%.9g", cell->number);
}

static void print_csv(const struct table *table, FILE *file, size_t rows)
{
    int columns = table->column_count;
    for (int column = 0; column < columns; column++) {
        csv_write_text(file, table->columns[column].name);
        fputs(column + 1 < columns ? "," : "\n", file);
    }
    for (size_t i = 0; i < rows * (size_t)columns; i++) {
        print_csv_cell(file, &table->cells[i]);
        fputs((int)(i % (size_t)columns) + 1 < columns ? "," : "\n", file);
    }
}

enum status table_print(const struct table *table, FILE *file, enum table_format format,
                        struct error *error)
{
    if (table->out_of_memory)
        return FAIL(error, STATUS_FAILED, "no memory for the output table");
    if (format == TABLE_JSON)
        print_json(table, file);
    else if (format == TABLE_JSONL)
        print_jsonl(table, file, table_row_count(table));
    else if (format == TABLE_CSV)
        print_csv(table, file, table_row_count(table));
    else
        return table_print_text(table, file, error);
    return STATUS_OK;
}
