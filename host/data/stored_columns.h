/* The columns of a table in a file, matched by name with those that this program knows: a file of
 * an earlier program may lack later columns and later names of choices. */
#ifndef EPOCHCAST_DATA_STORED_COLUMNS_H
#define EPOCHCAST_DATA_STORED_COLUMNS_H

#include "data/schema.h"

struct stored_columns {
    struct schema_columns found, missing; /* in the program's order */
};

struct column_fault {
    char text[160]; /* "column 'x' is missing" */
    bool is_newer;  /* a later program may have added it: an unknown column or name */
};

/* False: *fault describes the fault of column `field`: another type, unknown names, or missing
 * though every file has it. */
bool stored_column_fits(struct column_fault *fault, hid_t stored, const struct field *field);

/* False: *fault names the first column that does not fit, or that the program does not know.
 * stored: the compound type in the file. */
bool stored_columns_match(struct stored_columns *columns, struct column_fault *fault, hid_t stored,
                          const struct schema_columns *wanted);

/* Sets the columns that the file lacks in `count` records. */
void stored_columns_fill(void *records, size_t count, const struct stored_columns *columns);

#endif
