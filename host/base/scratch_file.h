/* An output file that gets its name when it is whole. Until then it has none (O_TMPFILE), so that
 * not even SIGKILL leaves a remnant; where the file system knows no nameless files, or the writer
 * needs a name, it is `<path>.tmp-<pid>-<n>` beside its destination, removed on failure,
 * and after a SIGKILL by the next writer of the same destination.
 */
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

/* STATUS_USAGE: `path` exists and overwrite is false; STATUS_FAILED: it is no regular file, or is
 * being written. */
enum status scratch_file_check_destination(const char *path, bool overwrite, struct error *error);

/* STATUS_FAILED when another program writes the file at `path`: it holds HDF5's lock. */
enum status scratch_file_check_unused(const char *path, struct error *error);
/* That error. */
enum status scratch_file_in_use(const char *path, struct error *error);

/* In the directory of `path`; named: with a temporary name in any case. STATUS_FAILED with the
 * system's reason. Ends with scratch_file_close, after a failure too. */
enum status scratch_file_create(struct scratch_file *scratch, const char *path, bool named,
                                struct error *error);

/* Takes the temporary name away: the file lives as long as somebody has it open. */
void scratch_file_hide(struct scratch_file *scratch);

enum status scratch_file_write(struct scratch_file *scratch, const void *bytes, size_t size,
                               struct error *error);

/* Syncs it and gives it the destination's name, atomically. replace: in place of a file of that
 * name; else STATUS_FAILED when there is one. */
enum status scratch_file_publish(struct scratch_file *scratch, bool replace, struct error *error);

/* Removes what was not published. */
void scratch_file_close(struct scratch_file *scratch);

#endif
