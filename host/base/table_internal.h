/* What a table holds; for its printers. */
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

/* Aligned text. */
enum status table_print_text(const struct table *table, FILE *file, struct error *error);

#endif
