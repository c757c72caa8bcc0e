/* Checks a dataset against every rule of the format (datasets/README.md). Stricter than readers:
 * those ignore a missing attribute or column text, and stop at the first faulty row. */
#ifndef EPOCHCAST_DATA_AUDIT_H
#define EPOCHCAST_DATA_AUDIT_H

#include "base/error.h"

#include <stdint.h>

struct audit_report {
    int64_t rows, devices, canaries, violations;
};

/* Calls tell for every violation, with its place ("/dense/rows, row 17", "/", "/dense/rows") and a
 * description. STATUS_OK with and without violations; STATUS_BAD_FILE when the file cannot be read
 * at all, as dataset_read. */
enum status dataset_audit(struct audit_report *report, const char *path,
                          void (*tell)(void *payload, const char *where, const char *what),
                          void *payload, struct error *error);

#endif
