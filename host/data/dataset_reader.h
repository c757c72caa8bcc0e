/* One dataset file, block by block, every row checked; the basis of dataset_read, merge, export,
 * show and check. A file of any size needs a few megabytes; only the rounds of an unfinished sweep
 * are joined in memory. */
#ifndef EPOCHCAST_DATA_DATASET_READER_H
#define EPOCHCAST_DATA_DATASET_READER_H

#include "data/dataset.h"

struct dataset_reader_options {
    bool keeps_rounds;            /* rounds of an unfinished sweep are not joined */
    bool skips[LAYER_KIND_COUNT]; /* kinds whose rows are not read */
    /* NULL: the first faulty row is an error. Otherwise called for each faulty row ("/dense/rows",
     * 17, "median_ms = -1"), which is left out; reading continues. */
    void (*fault)(void *payload, const char *table, size_t row, const char *what);
    void *payload;
};

/* Callers read only the members above the line. */
struct dataset_reader {
    const char *path; /* borrowed */
    struct dataset_header header;
    bool is_growing, is_sealed;
    struct device_info *devices;
    size_t device_count;
    struct canary *canaries; /* .device: row of devices */
    size_t canary_count;
    size_t row_limit; /* upper bound of the rows of all kinds that are read */
    /* ---- */
    struct dataset_reader_state *state;
};

/* options: NULL for the defaults. STATUS_BAD_FILE: missing, not HDF5, another format, version or
 * schema, truncated, corrupt, more rows than the file's size can hold. A file without a seal is
 * first read completely in a child process. *reader is NULL on error. */
enum status dataset_reader_open(struct dataset_reader **reader, const char *path,
                                const struct dataset_reader_options *options, struct error *error);

/* The next rows, all of one kind, valid until the next call; *count is 0 at the end. .device is a
 * row of reader->devices. */
enum status dataset_reader_next(struct dataset_reader *reader, const struct measurement **rows,
                                size_t *count, struct error *error);

void dataset_reader_close(struct dataset_reader *reader); /* NULL is allowed */

#endif
