/* The collections that imported rows come from: the column `source` of their devices. */
#ifndef EPOCHCAST_DATA_ROW_SOURCES_H
#define EPOCHCAST_DATA_ROW_SOURCES_H

#include "data/dataset.h"

/* `list`: names separated by commas, or NULL. A row without a source is in no list. */
bool row_source_is_listed(const char *list, const struct device_info *device);

/* STATUS_USAGE, with those that the devices have: a name of the list is no source of theirs. */
enum status row_sources_check(const char *list, const struct dataset_rows *rows,
                              struct error *error);

/* Drops the rows whose source is listed, with the check. */
enum status row_sources_exclude(struct dataset_rows *rows, const char *list, struct error *error);

#endif
