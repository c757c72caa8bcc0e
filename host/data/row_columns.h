/* A row as cells of text: layer kind, features, measurement, and the measuring device in its own
 * columns, so that a table is self-contained. `export` writes them, `import` reads them. */
#ifndef EPOCHCAST_DATA_ROW_COLUMNS_H
#define EPOCHCAST_DATA_ROW_COLUMNS_H

#include "base/table.h"
#include "data/schema.h"

/* `device` is the device's name; the other columns of /devices/rows follow as `device_<column>`
 * (`device_count` as it is). */
struct row_column {
    char name[48];
    struct field field; /* offset in struct measurement, or in struct device_info: is_device */
    bool is_device;
};
enum { ROW_COLUMN_LIMIT = SCHEMA_FIELD_LIMIT + 32 };
#define ROW_COLUMN_LAYER   "layer"   /* the kind's name: the first column, not listed below */
#define ROW_COLUMN_LICENCE "licence" /* of the row's file: the last column, except in text form */
#define ROW_COLUMN_TIME    "median_ms"

/* The columns of `kind` in order; returns the count. */
int row_columns(struct row_column columns[ROW_COLUMN_LIMIT], enum layer_kind kind);

/* Rows of one kind of the files, as a stream: memory does not grow with them, except in text form,
 * which needs all rows to align columns. Doubles are printed so that they read back to the same
 * value. */
enum status export_rows(FILE *file, enum table_format form, const char *const *paths,
                        int path_count, enum layer_kind kind, struct error *error);

#endif
