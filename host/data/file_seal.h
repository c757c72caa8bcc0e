/* A checksum behind the last byte of a finished file. HDF5 itself notices little: a flipped bit can
 * change a time unseen, or crash the library. Readers that do not know the seal do not see it: HDF5
 * ends before it. A file that still grows has none. Files are read in blocks: they may be larger
 * than the memory.
 */
#ifndef EPOCHCAST_DATA_FILE_SEAL_H
#define EPOCHCAST_DATA_FILE_SEAL_H

#include <stdbool.h>
#include <stddef.h>

/* "epochend", then size and hash of the bytes before, little-endian, 8 bytes each. */
enum { FILE_SEAL_SIZE = 24 };

/* The seal of the first `size` bytes of an open file. False: they cannot be read (errno). */
bool file_seal_make(unsigned char seal[FILE_SEAL_SIZE], int descriptor, size_t size);

/* none: the file grows, or another program wrote it; broken: it is not as it was written, or cannot
 * be read. */
enum file_seal { FILE_SEAL_NONE, FILE_SEAL_GOOD, FILE_SEAL_BROKEN };
enum file_seal file_seal_check(int descriptor, size_t size);

#endif
