/* The text form of a table: its columns, and cells as texts. */
#include "base/table_internal.h"

#include <math.h>
#include <string.h>

const struct cell *table_cell(const struct table *table, size_t row, int column)
{
    return &table->cells[row * (size_t)table->column_count + (size_t)column];
}

const char *table_title(const struct table_column *column)
{
    return column->title ? column->title : column->name;
}

const char *table_cell_text(char text[HUMAN_TEXT_SIZE], const struct cell *cell,
                            const struct table_column *column)
{
    if (cell->type == CELL_STRING)
        return cell->string;
    if (cell->type == CELL_NUMBER)
        return human_text(text, column->scale, cell->number, column->digits);
    if (column->scale != SCALE_NONE)
        return human_text(text, column->scale, (double)cell->integer, column->digits);
    snprintf(text, HUMAN_TEXT_SIZE, "%lld", (long long)cell->integer);
    return text;
}

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
    return a->type == CELL_INTEGER ? a->integer == b->integer : a->number == b->number;
}

/* Whether two cells of the column have different values; those without one do not count. */
static bool has_several_values(const struct table *table, int column)
{
    const struct cell *first = NULL;
    for (size_t row = 0; row < table_row_count(table); row++) {
        const struct cell *cell = table_cell(table, row, column);
        if (first && has_value(cell) && !is_equal(cell, first))
            return true;
        if (!first && has_value(cell))
            first = cell;
    }
    return false;
}

bool table_shows(const struct table *table, int column, bool is_text)
{
    const enum column_use use = table->columns[column].use;
    const size_t rows = table_row_count(table);
    bool has_values = rows == 0, counts = rows == 0;
    for (size_t row = 0; row < rows; row++) {
        has_values |= has_value(table_cell(table, row, column));
        counts |= is_counted(table_cell(table, row, column));
    }
    if (!has_values || use == COLUMN_RAW || (use == COLUMN_COUNTED && !counts))
        return false;
    return use != COLUMN_SEVERAL || !is_text || rows == 0 || has_several_values(table, column);
}
