/* Files of other programs that were given in place of a CSV file, by their first bytes. For the
 * kinds that this program reads and writes: file_kind.h. */
#ifndef EPOCHCAST_BASE_FOREIGN_FILE_H
#define EPOCHCAST_BASE_FOREIGN_FILE_H

#include <stddef.h>

struct foreign_file {
    const char *name; /* "a ZIP archive" */
    const char *hint; /* the way to a CSV file */
};

/* NULL: none of those known; may be a text. */
const struct foreign_file *foreign_file_of(const char *bytes, size_t size);

#endif
