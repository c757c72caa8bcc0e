#include "base/table.h"
#include "base/choice.h"
#include "base/csv.h"
#include "base/html.h"
#include "base/json.h"
#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const format_names[] = {"table", "csv", "json", "jsonl"};
const struct choice choice_table_format = {.name = "format", .names = format_names, .count = 4};

enum cell_type { CELL_NUMBER, CELL_INTEGER, CELL_STRING };

struct cell {
    enum cell_type type;
    double number;
    int64_t integer;
    char *string;
};

struct table {
    const struct table_column *columns;
    int column_count;
    struct cell *cells; /* (rows, column_count), row-major */
    size_t cell_count, capacity;
    bool out_of_memory; /* reported by table_print */
};

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

/* The cell as text; strings are returned as they are, numbers are written into `text`. */
static const char *cell_text(char *text, size_t size, const struct cell *cell, int digits)
{
    if (cell->type == CELL_STRING)
        return cell->string;
    if (cell->type == CELL_INTEGER)
        snprintf(text, size, "%lld", (long long)cell->integer);
    else if (isfinite(cell->number))
        snprintf(text, size, "%.*g", digits ? digits : 4, cell->number);
    else
        snprintf(text, size, "-");
    return text;
}

static int column_width(const struct table *table, int column, size_t rows)
{
    size_t width = strlen(table->columns[column].name);
    char text[64];
    for (size_t row = 0; row < rows; row++) {
        const struct cell *cell = &table->cells[row * (size_t)table->column_count + (size_t)column];
        size_t length = strlen(cell_text(text, sizeof text, cell, table->columns[column].digits));
        width = length > width ? length : width;
    }
    return (int)width;
}

static void print_padded(FILE *file, const char *text, int width, bool left, bool last)
{
    if (left && last)
        fputs(text, file);
    else
        fprintf(file, left ? "%-*s" : "%*s", width, text);
    fputs(last ? "\n" : "  ", file);
}

static void print_text_table(const struct table *table, FILE *file, size_t rows, int *widths)
{
    int columns = table->column_count;
    char text[64];
    for (int column = 0; column < columns; column++) {
        widths[column] = column_width(table, column, rows);
        bool left = rows && table->cells[column].type == CELL_STRING;
        print_padded(file, table->columns[column].name, widths[column], left,
                     column + 1 == columns);
    }
    for (size_t i = 0; i < rows * (size_t)columns; i++) {
        int column = (int)(i % (size_t)columns);
        const struct cell *cell = &table->cells[i];
        print_padded(file, cell_text(text, sizeof text, cell, table->columns[column].digits),
                     widths[column], cell->type == CELL_STRING, column + 1 == columns);
    }
}

enum status table_print(const struct table *table, FILE *file, enum table_format format,
                        struct error *error)
{
    if (table->out_of_memory)
        return FAIL(error, STATUS_FAILED, "no memory for the output table");
    size_t rows = table_row_count(table);
    int *widths;
    TRY(ALLOCATE(&widths, (size_t)table->column_count, "table", error));
    if (format == TABLE_JSON)
        print_json(table, file);
    else if (format == TABLE_JSONL)
        print_jsonl(table, file, rows);
    else if (format == TABLE_CSV)
        print_csv(table, file, rows);
    else
        print_text_table(table, file, rows, widths);
    free(widths);
    return STATUS_OK;
}

static void print_html_cell(FILE *file, const struct cell *cell, int digits)
{
    char text[64];
    fputs(cell->type == CELL_STRING ? "<td>" : "<td class=\"number\">", file);
    html_text(file, cell_text(text, sizeof text, cell, digits));
    fputs("</td>", file);
}

enum status table_print_html(const struct table *table, FILE *file, struct error *error)
{
    if (table->out_of_memory)
        return FAIL(error, STATUS_FAILED, "no memory for the output table");
    fputs("<table>\n<thead><tr>", file);
    for (int column = 0; column < table->column_count; column++) {
        fputs("<th scope=\"col\">", file);
        html_text(file, table->columns[column].name);
        fputs("</th>", file);
    }
    fputs("</tr></thead>\n<tbody>\n", file);
    for (size_t i = 0; i < table->cell_count; i++) {
        const int column = (int)(i % (size_t)table->column_count);
        fputs(column == 0 ? "<tr>" : "", file);
        print_html_cell(file, &table->cells[i], table->columns[column].digits);
        fputs(column + 1 == table->column_count ? "</tr>\n" : "", file);
    }
    fputs("</tbody>\n</table>\n", file);
    return STATUS_OK;
}
