/* What the formats of imported files share. */
#ifndef EPOCHCAST_DATA_IMPORT_INTERNAL_H
#define EPOCHCAST_DATA_IMPORT_INTERNAL_H

#include "base/csv.h"
#include "data/import.h"

/* begin: after the header line was read; *state is freed by the caller, after a failure too. row:
 * fills what the record says over a row and a device of defaults. */
enum status justus_begin(void **state, const struct csv *csv, const struct import_options *options,
                         struct error *error);
enum status justus_row(struct measurement *row, struct device_info *device, void *state,
                       const struct csv *csv, struct error *error);
enum status columns_begin(void **state, const struct csv *csv, const struct import_options *options,
                          struct error *error);
enum status columns_row(struct measurement *row, struct device_info *device, void *state,
                        const struct csv *csv, struct error *error);

#endif
