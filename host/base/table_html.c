#include "base/html.h"
#include "base/table_internal.h"

#include <stdlib.h>

static void print_html_cell(FILE *file, const struct cell *cell, const struct table_column *column)
{
    char text[HUMAN_TEXT_SIZE];
    fputs(cell->type == CELL_STRING ? "<td>" : "<td class=\"number\">", file);
    html_text(file, table_cell_text(text, cell, column));
    fputs("</td>", file);
}

static void print_html(const struct table *table, FILE *file, const bool *shown)
{
    fputs("<table>\n<thead><tr>", file);
    for (int column = 0; column < table->column_count; column++) {
        if (!shown[column])
            continue;
        fputs("<th scope=\"col\">", file);
        html_text(file, table_title(&table->columns[column]));
        fputs("</th>", file);
    }
    fputs("</tr></thead>\n<tbody>\n", file);
    for (size_t row = 0; row < table_row_count(table); row++) {
        fputs("<tr>", file);
        for (int column = 0; column < table->column_count; column++)
            if (shown[column])
                print_html_cell(file, table_cell(table, row, column), &table->columns[column]);
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
        shown[column] = table_shows(table, column, false);
    print_html(table, file, shown);
    free(shown);
    return STATUS_OK;
}

void table_each_column(const struct table *table,
                       void (*each)(void *payload, const char *name, const char *title),
                       void *payload)
{
    for (int column = 0; column < table->column_count; column++)
        if (table_shows(table, column, false))
            each(payload, table->columns[column].name, table_title(&table->columns[column]));
}
