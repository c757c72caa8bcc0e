/* The forms for people: aligned text, and HTML. */
#include "base/html.h"
#include "base/table_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2, TURNED_ROWS = 3, CELL_TEXT_SIZE = HUMAN_TEXT_SIZE };

static const struct cell *cell_at(const struct table *table, size_t row, int column)
{
    return &table->cells[row * (size_t)table->column_count + (size_t)column];
}

static const char *title_of(const struct table_column *column)
{
    return column->title ? column->title : column->name;
}

/* The cell as text; strings are returned as they are, numbers are written into `text`. */
static const char *cell_text(char text[CELL_TEXT_SIZE], const struct cell *cell,
                             const struct table_column *column)
{
    if (cell->type == CELL_STRING)
        return cell->string;
    if (cell->type == CELL_NUMBER)
        return human_text(text, column->scale, cell->number, column->digits);
    if (column->scale != SCALE_NONE)
        return human_text(text, column->scale, (double)cell->integer, column->digits);
    snprintf(text, CELL_TEXT_SIZE, "%lld", (long long)cell->integer);
    return text;
}

/* ---- which columns ---- */

static bool has_value(const struct cell *cell)
{
    if (cell->type == CELL_STRING)
        return *cell->string && strcmp(cell->string, "-") != 0;
    return cell->type == CELL_INTEGER || isfinite(cell->number);
}

static bool is_counted(const struct cell *cell)
{
    return cell->type == CELL_NUMBER ? isfinite(cell->number) && cell->number != 0
                                     : cell->type == CELL_INTEGER && cell->integer != 0;
}

static bool is_equal(const struct cell *a, const struct cell *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == CELL_STRING)
        return strcmp(a->string, b->string) == 0;
    return a->type == CELL_INTEGER
               ? a->integer == b->integer
               : a->number == b->number || (isnan(a->number) && isnan(b->number));
}

/* Whether people see the column; a table without rows shows what it could have. */
static bool is_shown(const struct table *table, int column, bool is_text)
{
    const enum column_use use = table->columns[column].use;
    const size_t rows = table_row_count(table);
    bool has_values = rows == 0, differs = rows == 0 || !is_text, counts = rows == 0;
    for (size_t row = 0; row < rows; row++) {
        const struct cell *cell = cell_at(table, row, column);
        has_values |= has_value(cell);
        counts |= is_counted(cell);
        differs |= !is_equal(cell, cell_at(table, 0, column));
    }
    return has_values && use != COLUMN_RAW && (use != COLUMN_SEVERAL || differs) &&
           (use != COLUMN_COUNTED || counts);
}

/* ---- text ---- */

/* The columns that are shown, with their widths in characters. */
struct layout {
    int *columns, *widths; /* (count); one allocation */
    int count;
    int total; /* of a line */
};

/* Characters of UTF-8. */
static int character_count(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static int column_width(const struct table *table, int column)
{
    int width = character_count(title_of(&table->columns[column]));
    char text[CELL_TEXT_SIZE];
    for (size_t row = 0; row < table_row_count(table); row++) {
        const int own = character_count(
            cell_text(text, cell_at(table, row, column), &table->columns[column]));
        width = own > width ? own : width;
    }
    return width;
}

static enum status lay_out(struct layout *layout, const struct table *table, struct error *error)
{
    *layout = (struct layout){.count = 0};
    TRY(ALLOCATE(&layout->columns, 2 * (size_t)table->column_count, "table", error));
    layout->widths = layout->columns + table->column_count;
    for (int column = 0; column < table->column_count; column++) {
        if (!is_shown(table, column, true))
            continue;
        layout->widths[layout->count] = column_width(table, column);
        layout->total += layout->widths[layout->count] + (layout->count ? GAP : 0);
        layout->columns[layout->count++] = column;
    }
    return STATUS_OK;
}

/* Blanks after a text that ends the line are left out. */
static void print_padded(FILE *file, const char *text, int width, bool left, bool last)
{
    const int blanks = width - character_count(text);
    if (left)
        fprintf(file, "%s%*s", text, last ? 0 : blanks, "");
    else
        fprintf(file, "%*s%s", blanks, "", text);
    fprintf(file, last ? "\n" : "%*s", GAP, "");
}

static bool is_left(const struct table *table, int column)
{
    return table_row_count(table) && cell_at(table, 0, column)->type == CELL_STRING;
}

static void print_lines(const struct table *table, FILE *file, const struct layout *layout)
{
    char text[CELL_TEXT_SIZE];
    for (int i = 0; i < layout->count; i++)
        print_padded(file, title_of(&table->columns[layout->columns[i]]), layout->widths[i],
                     is_left(table, layout->columns[i]), i + 1 == layout->count);
    for (size_t row = 0; row < table_row_count(table); row++)
        for (int i = 0; i < layout->count; i++) {
            const int column = layout->columns[i];
            const struct cell *cell = cell_at(table, row, column);
            print_padded(file, cell_text(text, cell, &table->columns[column]), layout->widths[i],
                         cell->type == CELL_STRING, i + 1 == layout->count);
        }
}

/* The width of a row's values in a turned table. */
static int row_width(const struct table *table, const struct layout *layout, size_t row)
{
    int width = 0;
    char text[CELL_TEXT_SIZE];
    for (int i = 0; i < layout->count; i++) {
        const int own = character_count(cell_text(text, cell_at(table, row, layout->columns[i]),
                                                  &table->columns[layout->columns[i]]));
        width = own > width ? own : width;
    }
    return width;
}

/* A line per column. */
static void print_turned(const struct table *table, FILE *file, const struct layout *layout)
{
    const size_t rows = table_row_count(table);
    int title_width = 0, widths[TURNED_ROWS];
    for (int i = 0; i < layout->count; i++) {
        const int own = character_count(title_of(&table->columns[layout->columns[i]]));
        title_width = own > title_width ? own : title_width;
    }
    for (size_t row = 0; row < rows; row++)
        widths[row] = row_width(table, layout, row);
    for (int i = 0; i < layout->count; i++) {
        const int column = layout->columns[i];
        char text[CELL_TEXT_SIZE];
        print_padded(file, title_of(&table->columns[column]), title_width, true, false);
        for (size_t row = 0; row < rows; row++)
            print_padded(file,
                         cell_text(text, cell_at(table, row, column), &table->columns[column]),
                         widths[row], true, row + 1 == rows);
    }
}

enum status table_print_text(const struct table *table, FILE *file, struct error *error)
{
    const size_t rows = table_row_count(table);
    struct layout layout;
    TRY(lay_out(&layout, table, error));
    if (layout.total > TABLE_WIDTH && rows > 0 && rows <= TURNED_ROWS)
        print_turned(table, file, &layout);
    else if (layout.count > 0)
        print_lines(table, file, &layout);
    free(layout.columns);
    return STATUS_OK;
}

/* ---- HTML ---- */

static void print_html_cell(FILE *file, const struct cell *cell, const struct table_column *column)
{
    char text[CELL_TEXT_SIZE];
    fputs(cell->type == CELL_STRING ? "<td>" : "<td class=\"number\">", file);
    html_text(file, cell_text(text, cell, column));
    fputs("</td>", file);
}

static void print_html(const struct table *table, FILE *file, const bool *shown)
{
    fputs("<table>\n<thead><tr>", file);
    for (int column = 0; column < table->column_count; column++) {
        if (!shown[column])
            continue;
        fputs("<th scope=\"col\">", file);
        html_text(file, title_of(&table->columns[column]));
        fputs("</th>", file);
    }
    fputs("</tr></thead>\n<tbody>\n", file);
    for (size_t row = 0; row < table_row_count(table); row++) {
        fputs("<tr>", file);
        for (int column = 0; column < table->column_count; column++)
            if (shown[column])
                print_html_cell(file, cell_at(table, row, column), &table->columns[column]);
        fputs("</tr>\n", file);
    }
    fputs("</tbody>\n</table>\n", file);
}

enum status table_print_html(const struct table *table, FILE *file, struct error *error)
{
    bool *shown;
    if (table->out_of_memory)
        return FAIL(error, STATUS_FAILED, "no memory for the output table");
    TRY(ALLOCATE(&shown, (size_t)table->column_count, "table", error));
    for (int column = 0; column < table->column_count; column++)
        shown[column] = is_shown(table, column, false);
    print_html(table, file, shown);
    free(shown);
    return STATUS_OK;
}
