/* Small HDF5 steps that writer and reader of datasets share. Errors of the library are reported
 * with their innermost reason; HDF5 itself prints nothing. */
#ifndef EPOCHCAST_DATA_HDF5_FILE_H
#define EPOCHCAST_DATA_HDF5_FILE_H

#include "base/error.h"

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stops HDF5 from printing its error stack. Cheap: call it before every use of a file. */
void hdf5_file_quiet(void);

/* Checks the bytes without HDF5. STATUS_BAD_FILE: no such file, not HDF5, or content that does not
 * match its seal (file_seal.h). */
enum status hdf5_file_check(bool *is_sealed, const char *path, struct error *error);
/* Opens for reading. STATUS_BAD_FILE, with different messages for a file that another program
 * writes and a damaged one. */
enum status hdf5_file_open(hid_t *file, const char *path, struct error *error);

/* `type` if all steps of making it went well, else negative, and `type` is closed. */
hid_t hdf5_file_whole_type(hid_t type, bool is_whole) __attribute__((warn_unused_result));
/* Text of `size` bytes, its end included; negative on failure. The caller closes. */
hid_t hdf5_file_text_type(size_t size, H5T_cset_t set);

/* Scalar attributes; text is of fixed length. False on failure; when reading, also if it is missing
 * or of another type. Text longer than `size` is cut. */
bool hdf5_file_write_text(hid_t object, const char *name, const char *text);
bool hdf5_file_write_word(hid_t object, const char *name, uint64_t value);
bool hdf5_file_read_text(char *text, size_t size, hid_t object, const char *name);
bool hdf5_file_read_word(uint64_t *value, hid_t object, const char *name);

#endif
