/* The text form: aligned, at most TABLE_WIDTH characters wide where that can be. */
#include "base/table_internal.h"
#include "base/term.h"

#include <stdlib.h>
#include <string.h>

enum { GAP = 2, TURNED_ROWS = 3, WRAP_MINIMUM = 24, CUT_LIMIT = 240 };

/* The columns that are shown, with their widths in characters. */
struct layout {
    int *columns, *widths; /* (count); one allocation */
    int count, total;      /* total: of a line */
};

/* ---- characters ---- */

static bool begins_character(char byte)
{
    return ((unsigned char)byte & 0xC0) != 0x80;
}

static int character_count(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += begins_character(*text);
    return count;
}

/* Bytes of the first `count` characters. */
static size_t byte_count(const char *text, int count)
{
    size_t at = 0;
    while (text[at] && (count > 0 || !begins_character(text[at])))
        count -= begins_character(text[at++]);
    return at;
}

/* "/encoder/la...er.11/Gelu": at most `width` characters of the text. */
static const char *cut(char kept[CUT_LIMIT], const char *text, int width)
{
    const int count = character_count(text);
    if (width < 8 || 4 * width >= CUT_LIMIT || count <= width)
        return text;
    const int front = (width - 3) / 2;
    snprintf(kept, CUT_LIMIT, "%.*s...%s", (int)byte_count(text, front), text,
             text + byte_count(text, count - (width - 3 - front)));
    return kept;
}

/* ---- the layout ---- */

/* Figures are never cut. */
static const char *text_of(char kept[CUT_LIMIT], const struct table *table, size_t row, int column)
{
    const struct table_column *own = &table->columns[column];
    const char *text = table_cell_text(kept, table_cell(table, row, column), own);
    return text == kept ? text : cut(kept, text, own->width);
}

static int column_width(const struct table *table, int column)
{
    int width = character_count(table_title(&table->columns[column]));
    char kept[CUT_LIMIT];
    for (size_t row = 0; row < table_row_count(table); row++) {
        const int own = character_count(text_of(kept, table, row, column));
        width = own > width ? own : width;
    }
    return width;
}

static enum status lay_out(struct layout *layout, const struct table *table, struct error *error)
{
    *layout = (struct layout){.total = -GAP};
    TRY(ALLOCATE(&layout->columns, 2 * (size_t)table->column_count, "table", error));
    layout->widths = layout->columns + table->column_count;
    for (int column = 0; column < table->column_count; column++) {
        if (!table_shows(table, column, true))
            continue;
        layout->widths[layout->count] = column_width(table, column);
        layout->total += layout->widths[layout->count] + GAP;
        layout->columns[layout->count++] = column;
    }
    return STATUS_OK;
}

static bool is_left(const struct table *table, int column)
{
    return table_row_count(table) && table_cell(table, 0, column)->type == CELL_STRING;
}

/* Texts of the last column may take several lines: narrows it as far as needed. */
static void narrow_last(struct layout *layout, const struct table *table)
{
    const int last = layout->count - 1;
    const int excess = layout->total - TABLE_WIDTH;
    if (excess <= 0 || !is_left(table, layout->columns[last]) ||
        layout->widths[last] - excess < WRAP_MINIMUM)
        return;
    layout->widths[last] -= excess;
    layout->total -= excess;
}

/* Leaves out the column that can be spared most, of equal ones the last; false: none can. */
static bool leave_out(struct layout *layout, const struct table *table)
{
    int which = -1, most = 1;
    for (int i = 0; i < layout->count; i++) {
        const int spare = table->columns[layout->columns[i]].spare;
        which = spare >= most ? i : which;
        most = spare >= most ? spare : most;
    }
    if (which < 0)
        return false;
    layout->total -= layout->widths[which] + GAP;
    layout->count--;
    for (int i = which; i < layout->count; i++) {
        layout->columns[i] = layout->columns[i + 1];
        layout->widths[i] = layout->widths[i + 1];
    }
    return true;
}

/* ---- lines ---- */

/* Of a line, blanks that nothing has followed yet: those at its end are not printed. */
static void print_padded(FILE *file, int *pending, const char *text, int width, bool left)
{
    const int blanks = width - character_count(text);
    *pending += left ? 0 : blanks;
    if (*text) {
        fprintf(file, "%*s%s", *pending, "", text);
        *pending = 0;
    }
    *pending += (left ? blanks : 0) + GAP;
}

/* Bytes of the text's first line: up to a blank or behind a comma, if it has any. */
static size_t line_length(const char *text, int width)
{
    const size_t most = byte_count(text, width);
    if (!text[most] || text[most] == ' ')
        return most;
    for (size_t i = most; i > 0; i--)
        if (text[i - 1] == ' ' || text[i - 1] == ',' || text[i - 1] == ';')
            return i;
    return most;
}

void table_print_wrapped(FILE *file, const char *text, int width, int indent)
{
    for (;;) {
        const size_t length = line_length(text, width);
        size_t shown = length;
        while (shown > 0 && text[shown - 1] == ' ')
            shown--;
        fprintf(file, "%.*s\n", (int)shown, text);
        text += length;
        text += strspn(text, " ");
        if (!*text)
            return;
        fprintf(file, "%*s", indent, "");
    }
}

static void print_heading(const struct table *table, FILE *file, const struct layout *layout)
{
    int pending = 0;
    fputs(term_style(file, TERM_HEADING), file);
    for (int i = 0; i < layout->count; i++)
        print_padded(file, &pending, table_title(&table->columns[layout->columns[i]]),
                     layout->widths[i], is_left(table, layout->columns[i]));
    fprintf(file, "%s\n", term_plain(file));
}

static void print_line(const struct table *table, FILE *file, const struct layout *layout,
                       size_t row)
{
    char kept[CUT_LIMIT];
    int pending = 0;
    for (int i = 0; i < layout->count; i++) {
        const bool left = table_cell(table, row, layout->columns[i])->type == CELL_STRING;
        const char *text = text_of(kept, table, row, layout->columns[i]);
        if (left && i + 1 == layout->count && *text) {
            fprintf(file, "%*s", pending, "");
            table_print_wrapped(file, text, layout->widths[i], layout->total - layout->widths[i]);
            return;
        }
        print_padded(file, &pending, text, layout->widths[i], left);
    }
    fputc('\n', file);
}

/* Names the columns that the text form could have but for its width; with many only their number.
 */
static void name_spare(const struct table *table, FILE *file, const struct layout *layout)
{
    enum { NAMED = 12, NAMES_SIZE = 600, INDENT = 11 };
    int names[NAMED], count = 0;
    char list[NAMES_SIZE];
    for (int column = 0; column < table->column_count; column++) {
        bool is_there = !table_shows(table, column, true);
        for (int i = 0; i < layout->count; i++)
            is_there |= layout->columns[i] == column;
        if (!is_there && count++ < NAMED)
            names[count - 1] = column;
    }
    size_t used = count > NAMED ? (size_t)snprintf(list, sizeof list, "%d columns", count) : 0;
    for (int i = 0; i < count && count <= NAMED; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%.30s", i ? ", " : "",
                                 table_title(&table->columns[names[i]]));
    snprintf(list + used, sizeof list - used, " (-o csv has all)");
    fputs("not shown: ", file);
    table_print_wrapped(file, list, TABLE_WIDTH - INDENT, INDENT);
}

/* ---- a line per column ---- */

/* The width of a row's values. */
static int row_width(const struct table *table, const struct layout *layout, size_t row)
{
    int width = 0;
    char kept[CUT_LIMIT];
    for (int i = 0; i < layout->count; i++) {
        const int own = character_count(text_of(kept, table, row, layout->columns[i]));
        width = own > width ? own : width;
    }
    return width;
}

static void print_turned(const struct table *table, FILE *file, const struct layout *layout)
{
    const size_t rows = table_row_count(table);
    int title_width = 0, widths[TURNED_ROWS];
    for (int i = 0; i < layout->count; i++) {
        const int own = character_count(table_title(&table->columns[layout->columns[i]]));
        title_width = own > title_width ? own : title_width;
    }
    for (size_t row = 0; row < rows; row++)
        widths[row] = row_width(table, layout, row);
    for (int i = 0; i < layout->count; i++) {
        const int column = layout->columns[i];
        char kept[CUT_LIMIT];
        int pending = 0;
        fputs(term_style(file, TERM_HEADING), file);
        print_padded(file, &pending, table_title(&table->columns[column]), title_width, true);
        fputs(term_plain(file), file);
        for (size_t row = 0; row < rows; row++)
            print_padded(file, &pending, text_of(kept, table, row, column), widths[row], true);
        fputc('\n', file);
    }
}

/* ---- the table ---- */

enum status table_print_text(const struct table *table, FILE *file, struct error *error)
{
    const size_t rows = table_row_count(table);
    struct layout layout;
    bool is_partial = false;
    TRY(lay_out(&layout, table, error));
    if (layout.count > 0)
        narrow_last(&layout, table);
    if (layout.total > TABLE_WIDTH && rows > 0 && rows <= TURNED_ROWS) {
        print_turned(table, file, &layout);
    } else if (layout.count > 0) {
        while (layout.total > TABLE_WIDTH && leave_out(&layout, table))
            is_partial = true;
        print_heading(table, file, &layout);
        for (size_t row = 0; row < rows; row++)
            print_line(table, file, &layout, row);
        if (is_partial)
            name_spare(table, file, &layout);
    }
    free(layout.columns);
    return STATUS_OK;
}
