/* CSV files -> dataset. Formats are a table: `epochcast` is what `export -o csv` writes,
 * `justus2018` the published measurements of Justus et al. 2018; a map (import_map.h) tells what
 * the columns of any other file mean. datasets/README.md describes all three.
 */
#ifndef EPOCHCAST_DATA_IMPORT_H
#define EPOCHCAST_DATA_IMPORT_H

#include "base/term.h"
#include "data/dataset.h"
#include "data/import_map.h"

enum import_dialect { IMPORT_AUTO, IMPORT_JUSTUS2018, IMPORT_EPOCHCAST };
extern const struct choice choice_import_dialect; /* "auto" knows a file by its columns */

struct import_options {
    int32_t dialect;              /* enum import_dialect */
    const struct import_map *map; /* or NULL: the columns have the dialect's names */
    /* Device of the rows that name none; or NULL. One of the paper's six, or any name: nothing else
     * is known of it then. */
    const char *device_name;
    struct progress *progress; /* or NULL */
};

/* Hardware features of the paper's six cards (paper.md: V100, P100, 1080Ti, M60, K80, K40), as
 * coded by its authors. STATUS_USAGE with the list for an unknown name. */
enum status import_known_device(struct device_info *info, const char *name, struct error *error);

/* Which of the dialects the file's columns are those of. STATUS_BAD_FILE: unreadable or empty. */
enum status import_dialect_of(int32_t *dialect, const char *path, struct error *error);

/* The files of one dataset. Devices of equal fingerprints are one. */
struct importer;
enum status importer_create(struct importer **importer, struct dataset *dataset,
                            const struct import_options *options, struct error *error);
void importer_free(struct importer *importer); /* NULL is allowed */

/* Appends every row of `path`. STATUS_BAD_FILE names file, line and column: missing column, not a
 * number, time that is none, impossible config, no rows. STATUS_USAGE: an unknown device. */
enum status importer_read(struct importer *importer, const char *path, int64_t *row_count,
                          struct error *error);
int importer_device_count(const struct importer *importer);

#endif
