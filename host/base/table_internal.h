/* Contents of a table, for its printers. */
#ifndef EPOCHCAST_BASE_TABLE_INTERNAL_H
#define EPOCHCAST_BASE_TABLE_INTERNAL_H

#include "base/table.h"

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

const struct cell *table_cell(const struct table *table, size_t row, int column);

/* For people: a column's heading; whether they see it, in text form or on a page (a table without
 * rows shows what it could have); the cell as text, where a string is returned as it is and a
 * number is written into `text`. */
const char *table_title(const struct table_column *column);
bool table_shows(const struct table *table, int column, bool is_text);
const char *table_cell_text(char text[HUMAN_TEXT_SIZE], const struct cell *cell,
                            const struct table_column *column);

enum status table_print_text(const struct table *table, FILE *file, struct error *error);

#endif
