/* CSV files -> dataset. Dialects are a table: `epochcast` is the output of `export -o csv`,
 * `justus2018` the published measurements of Justus et al. 2018. A map (import_map.h) gives the
 * meaning of the columns of any other file. datasets/README.md describes all three. */
#ifndef EPOCHCAST_DATA_IMPORT_H
#define EPOCHCAST_DATA_IMPORT_H

#include "base/term.h"
#include "data/dataset.h"
#include "data/import_map.h"

enum import_dialect { IMPORT_AUTO, IMPORT_JUSTUS2018, IMPORT_EPOCHCAST };
extern const struct choice choice_import_dialect; /* "auto" recognises a file by its columns */

struct import_options {
    int32_t dialect;              /* enum import_dialect */
    const struct import_map *map; /* or NULL: the columns have the dialect's names */
    /* Device of rows without a device name; or NULL. One of the paper's six, or any other name,
     * without further properties. */
    const char *device_name;
    struct progress *progress; /* or NULL */
};

/* Hardware features of the paper's six cards (paper.md: V100, P100, 1080Ti, M60, K80, K40), as
 * coded by its authors. STATUS_USAGE, with the list, for an unknown name. */
enum status import_known_device(struct device_info *info, const char *name, struct error *error);

/* The dialect that matches the file's columns. STATUS_BAD_FILE: unreadable or empty. */
enum status import_dialect_of(int32_t *dialect, const char *path, struct error *error);

/* The files of one dataset. Devices of equal fingerprints are one. */
struct importer;
enum status importer_create(struct importer **importer, struct dataset *dataset,
                            const struct import_options *options, struct error *error);
void importer_free(struct importer *importer); /* NULL is allowed */

/* Appends every row of `path`. STATUS_BAD_FILE names file, line and column: missing column, not a
 * number, invalid time, impossible config, no rows; what the file is, if it is no text.
 * STATUS_USAGE: an unknown device. */
enum status importer_read(struct importer *importer, const char *path, int64_t *row_count,
                          struct error *error);
/* Rows of files with a map that are not in the dataset: left out by its conditions, of no layer
 * kind, of sizes that no layer has, without a time. The first of them is named in `first`, or "".
 */
struct import_left_out {
    int64_t by_rule, of_no_kind, of_size, without_time;
    char first[400]; /* file, line and fault of the first row of impossible size */
};
const struct import_left_out *importer_left_out(const struct importer *importer);
int importer_device_count(const struct importer *importer);
/* Licence of the rows read so far, as their files tell: a column or a map's line `licence`; that of
 * the published files of justus2018; "" when none does. Several are joined with " AND ". */
const char *importer_licence(const struct importer *importer);

#endif
