/* Foreign CSV files -> dataset. Formats are a table; `justus2018` is the published measurements of
 * Justus et al. 2018 (columns: see datasets/README.md; kind known from the columns). */
#ifndef EPOCHCAST_DATA_IMPORT_H
#define EPOCHCAST_DATA_IMPORT_H

#include "base/term.h"
#include "data/dataset.h"

extern const struct choice choice_import_format; /* "justus2018" */

/* Hardware features of the paper's six cards (paper.md: V100, P100, 1080Ti, M60, K80, K40), as
 * coded by its authors. STATUS_USAGE with the list for an unknown name. */
enum status import_known_device(struct device_info *info, const char *name, struct error *error);

/* Appends every row of `path`. STATUS_BAD_FILE names file, line and column: missing column, NaN,
 * negative or zero time, impossible config, no rows. */
enum status import_csv(struct dataset *dataset, int32_t device_row, int format, const char *path,
                       struct progress *progress, int64_t *row_count, struct error *error);

#endif
