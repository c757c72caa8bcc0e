/* The finished form of a dataset: whole chunks with shuffle and deflate, a seal at the end, renamed
 * into place. Written block by block, so that a file of any size needs a few megabytes of memory;
 * its disk space is reserved before each block, so that HDF5 never fails half-way. */
#ifndef EPOCHCAST_DATA_COMPACT_FILE_H
#define EPOCHCAST_DATA_COMPACT_FILE_H

#include "data/dataset.h"

struct compact_file;

/* Creates it next to `path`; publishing renames it to `path`. STATUS_FAILED with the system's
 * reason. */
enum status compact_file_create(struct compact_file **compact, const char *path,
                                const struct dataset_header *header, struct error *error);
/* Appends rows of any kinds; the first row of a kind creates its table. */
enum status compact_file_append(struct compact_file *compact, const struct measurement *rows,
                                size_t count, struct error *error);
/* Call each once. */
enum status compact_file_set_devices(struct compact_file *compact, const struct device_info *infos,
                                     size_t count, struct error *error);
enum status compact_file_set_canaries(struct compact_file *compact, const struct canary *canaries,
                                      size_t count, struct error *error);
/* Ends, seals, syncs and names the file. replace: overwrites an existing file; otherwise an
 * existing file is STATUS_FAILED. The caller still closes the file. */
enum status compact_file_publish(struct compact_file *compact, bool replace, struct error *error);
/* Closes the file; removes it unless it was published. NULL is allowed. */
void compact_file_close(struct compact_file *compact);

#endif
