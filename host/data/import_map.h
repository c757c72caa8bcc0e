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
 *     elements     <- width * height * 0.5      times other columns and factors
 *     padding      <- pad zeros                 zeros on each side: 0 valid, (kernel - 1) / 2 same
 *     keep         <- op ? conv, conv_relu      rows with other values are left out
 *     keep         <- width = height            rows whose two columns differ are left out
 *     skip         <- status ? failed           rows with these values are left out
 *     hardware     =  catalogue                 devices are those of the catalogue, which gives
 *                                               the figures that the file does not
 *
 * There may be any number of lines for keep and skip.
 */
#ifndef EPOCHCAST_DATA_IMPORT_MAP_H
#define EPOCHCAST_DATA_IMPORT_MAP_H

#include "base/error.h"

#include <stdbool.h>

enum { IMPORT_MAP_LIMIT = 128, IMPORT_RENAME_LIMIT = 512, IMPORT_FACTOR_LIMIT = 4 };

struct import_rename {
    const char *from, *to; /* to: NULL for a value of keep and skip */
};

enum import_use { IMPORT_VALUE, IMPORT_KEEP, IMPORT_SKIP };

/* One line. */
struct import_source {
    const char *target;   /* our column */
    const char *column;   /* theirs; NULL: constant */
    const char *constant; /* or NULL */
    enum import_use use;
    const char *equals;                       /* of keep: the other column; or NULL */
    double factor;                            /* 1: unchanged */
    const char *factors[IMPORT_FACTOR_LIMIT]; /* columns */
    int factor_count;
    bool is_zeros; /* of padding */
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
    bool has_catalogue; /* hardware = catalogue */
};

/* STATUS_BAD_FILE names file and line: unknown or repeated target (with the nearest name), no
 * column, unknown unit, too long. */
enum status import_map_load(struct import_map **map, const char *path, struct error *error);
void import_map_free(struct import_map *map); /* NULL is allowed */

#endif
