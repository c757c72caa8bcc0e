/* The meaning of a foreign CSV's columns. A text file with one line per epochcast column (the names
 * of `export -o csv`); lines that begin with # are comments:
 *
 *     layer        =  dense                     the same in every row
 *     batch_size   =  32
 *     inputs       <- in_features               the file's column
 *     median_ms    <- latency in us             another unit: ns, us, ms, s
 *     median_ms    <- latency * 0.001           or any factor
 *     use_bias     <- bias ? True=yes, False=no  other names; those that are not listed stay
 *     device       <- "gpu name"                quotes where a column's name holds blanks
 */
#ifndef EPOCHCAST_DATA_IMPORT_MAP_H
#define EPOCHCAST_DATA_IMPORT_MAP_H

#include "base/error.h"

enum { IMPORT_MAP_LIMIT = 128, IMPORT_RENAME_LIMIT = 512 };

struct import_rename {
    const char *from, *to;
};

/* One line. */
struct import_source {
    const char *target;   /* our column */
    const char *column;   /* theirs; NULL: constant */
    const char *constant; /* or NULL */
    double factor;        /* 1: unchanged */
    int first_rename, rename_count;
    int line;
};

struct import_map {
    char *path; /* for messages */
    char *text; /* the members point into it */
    struct import_source sources[IMPORT_MAP_LIMIT];
    int source_count;
    struct import_rename renames[IMPORT_RENAME_LIMIT];
    int rename_count;
};

/* STATUS_BAD_FILE names file and line: unknown or repeated target (with the nearest name), no
 * column, unknown unit, too long. */
enum status import_map_load(struct import_map **map, const char *path, struct error *error);
void import_map_free(struct import_map *map); /* NULL is allowed */

#endif
