/* Read-only memory map of a regular file; opening one without mapping. */
#ifndef EPOCHCAST_BASE_MAPPED_FILE_H
#define EPOCHCAST_BASE_MAPPED_FILE_H

#include "base/error.h"

#include <stddef.h>

struct mapped_file {
    const char *bytes; /* not terminated; empty files map to "" */
    size_t size;
};

/* For reading; the caller closes. STATUS_BAD_FILE for a missing, unreadable or non-regular file. */
enum status regular_file_open(int *descriptor, size_t *size, const char *path, struct error *error);

/* STATUS_BAD_FILE for a missing, unreadable or non-regular file. */
enum status mapped_file_open(struct mapped_file *file, const char *path, struct error *error);
void mapped_file_close(struct mapped_file *file);

#endif
