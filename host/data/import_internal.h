/* Shared by the dialects of imported files. */
#ifndef EPOCHCAST_DATA_IMPORT_INTERNAL_H
#define EPOCHCAST_DATA_IMPORT_INTERNAL_H

#include "base/csv.h"
#include "data/import.h"

/* begin: called after the header line was read; the caller frees *state, also after a failure. row:
 * overwrites the defaults of row and device with the values of the record. */
enum status justus_begin(void **state, const struct csv *csv, const struct import_options *options,
                         struct error *error);
enum status justus_row(struct measurement *row, struct device_info *device, void *state,
                       const struct csv *csv, struct error *error);
enum status columns_begin(void **state, const struct csv *csv, const struct import_options *options,
                          struct error *error);
enum status columns_row(struct measurement *row, struct device_info *device, void *state,
                        const struct csv *csv, struct error *error);

#endif
