/* Small HDF5 steps that writer and reader of datasets share. A failure of the library is told by
 * its own innermost reason; HDF5 prints nothing itself. */
#ifndef EPOCHCAST_DATA_HDF5_FILE_H
#define EPOCHCAST_DATA_HDF5_FILE_H

#include "base/error.h"

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stops HDF5 from printing its error stack. Cheap: call it before every use of a file. */
void hdf5_file_quiet(void);

/* Looks at the bytes without HDF5. STATUS_BAD_FILE: no such file, not HDF5, or not the content that
 * was sealed (file_seal.h). */
enum status hdf5_file_check(bool *is_sealed, const char *path, struct error *error);
/* Opens for reading. STATUS_BAD_FILE tells apart: open for writing elsewhere, damaged. */
enum status hdf5_file_open(hid_t *file, const char *path, struct error *error);

/* Scalar attributes; text is of fixed length. False on failure; reading: also when it is missing or
 * of another type. Longer text than `size` is cut. */
bool hdf5_file_write_text(hid_t object, const char *name, const char *text);
bool hdf5_file_write_word(hid_t object, const char *name, uint64_t value);
bool hdf5_file_read_text(char *text, size_t size, hid_t object, const char *name);
bool hdf5_file_read_word(uint64_t *value, hid_t object, const char *name);

#endif
