/* Does a dataset keep every promise of the format (datasets/README.md)? More than readers need:
 * they pass over an attribute or a column text that is gone, and end at the first faulty row. */
#ifndef EPOCHCAST_DATA_AUDIT_H
#define EPOCHCAST_DATA_AUDIT_H

#include "base/error.h"

#include <stdint.h>

struct audit_report {
    int64_t rows, devices, canaries, violations;
};

/* Calls tell for every violation: where ("/dense/rows, row 17", "/", "/dense/rows"), and what.
 * STATUS_OK with and without violations; STATUS_BAD_FILE when the file cannot be read at all, as
 * dataset_read. */
enum status dataset_audit(struct audit_report *report, const char *path,
                          void (*tell)(void *payload, const char *where, const char *what),
                          void *payload, struct error *error);

#endif
