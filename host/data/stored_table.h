/* A table of a dataset file that is not trusted: its claims are checked before anything is
 * allocated or read. */
#ifndef EPOCHCAST_DATA_STORED_TABLE_H
#define EPOCHCAST_DATA_STORED_TABLE_H

#include "base/error.h"
#include "data/stored_chunks.h"
#include "data/stored_columns.h"

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>

struct stored_table {
    hid_t dataset, memory_type; /* dataset 0: not open */
    size_t count;               /* rows, bounded by the number of stored bytes */
    size_t block_rows;          /* whole chunks: reading such blocks inflates each chunk once */
    struct stored_columns columns;
    struct stored_chunks *chunks; /* NULL: HDF5 unpacks the rows */
};

/* The expected form of a table. */
struct stored_table_plan {
    const char *file_path, *path; /* of the file, for messages; "/dense/rows" */
    const char *written_by;       /* program version */
    double file_bytes;
    const struct schema_columns *columns;
    size_t row_limit;
};

/* STATUS_BAD_FILE: not in the file itself (links to other files are not followed), unknown columns
 * or names of choices, storage or filters that datasets do not use, more rows than the file can
 * hold. */
enum status stored_table_open(struct stored_table *table, hid_t file,
                              const struct stored_table_plan *plan, struct error *error);
/* Reads rows; columns that the file lacks are filled. */
bool stored_table_read(const struct stored_table *table, size_t first, size_t count, void *rows);
void stored_table_close(struct stored_table *table);

/* True for objects in the file itself. */
bool stored_is_hard_link(hid_t file, const char *path);

/* STATUS_BAD_FILE: "'file': path: fault". */
enum status stored_damaged(const char *file_path, const char *path, const char *what,
                           struct error *error);

#endif
