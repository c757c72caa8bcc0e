/* The two halves of an audit. */
#ifndef EPOCHCAST_DATA_AUDIT_INTERNAL_H
#define EPOCHCAST_DATA_AUDIT_INTERNAL_H

#include "data/audit.h"

#include <hdf5.h>
#include <stdbool.h>

struct audit {
    const char *path;
    void (*tell)(void *payload, const char *where, const char *what);
    void *payload;
    struct audit_report report;
};

void audit_violation(struct audit *audit, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Root attributes, objects, columns and their texts, storage. */
void audit_structure(struct audit *audit, hid_t file, bool is_growing);

#endif
