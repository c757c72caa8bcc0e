/* An output file that gets its name when it is complete. Until then it has none (O_TMPFILE), so
 * that not even SIGKILL leaves a remnant. If the file system does not support nameless files, or
 * the writer needs a name, it is `<path>.tmp-<pid>-<n>` next to its destination; it is removed on
 * failure, and after a SIGKILL by the next writer of the same destination. */
#ifndef EPOCHCAST_BASE_SCRATCH_FILE_H
#define EPOCHCAST_BASE_SCRATCH_FILE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct scratch_file {
    int descriptor; /* -1: none */
    char *path;     /* the destination */
    char *name;     /* its temporary name; "" while nameless or published */
};

/* STATUS_USAGE: `path` exists and overwrite is false. STATUS_FAILED: it is not a regular file, or
 * is being written. */
enum status scratch_file_check_destination(const char *path, bool overwrite, struct error *error);

/* STATUS_FAILED when another program writes the file at `path`: it holds HDF5's lock. */
enum status scratch_file_check_unused(const char *path, struct error *error);
/* Sets the error of scratch_file_check_unused. */
enum status scratch_file_in_use(const char *path, struct error *error);

/* Creates it in the directory of `path`; named: always with a temporary name. STATUS_FAILED with
 * the system's reason. Call scratch_file_close at the end, also after a failure. */
enum status scratch_file_create(struct scratch_file *scratch, const char *path, bool named,
                                struct error *error);

/* Removes the temporary name: the file lives as long as somebody has it open. */
void scratch_file_hide(struct scratch_file *scratch);

enum status scratch_file_write(struct scratch_file *scratch, const void *bytes, size_t size,
                               struct error *error);

/* Syncs it and gives it the destination's name, atomically. replace: overwrites an existing file;
 * otherwise an existing file is STATUS_FAILED. */
enum status scratch_file_publish(struct scratch_file *scratch, bool replace, struct error *error);

/* Closes it; removes it unless it was published. */
void scratch_file_close(struct scratch_file *scratch);

#endif
