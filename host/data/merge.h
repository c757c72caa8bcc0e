/* Several datasets -> one. Row by row: memory does not grow with the files, except for 11 bytes per
 * row to find duplicates. */
#ifndef EPOCHCAST_DATA_MERGE_H
#define EPOCHCAST_DATA_MERGE_H

#include "base/term.h"
#include "data/dataset.h"

#include <signal.h>

struct merge_options {
    const char *path; /* of the result */
    bool overwrite;
    /* Header of the result: program, command line, libraries, created; an empty licence or citation
     * is that of the inputs. The rest comes from the inputs. */
    const struct dataset_header *header;
    void (*note)(const char *text);           /* told of devices of one name; or NULL */
    struct progress *progress;                /* or NULL */
    const volatile sig_atomic_t *interrupted; /* or NULL; set: nothing is left behind */
};

struct merge_report {
    int64_t files, rows_read, duplicates, rows, canaries;
    int64_t devices;    /* of the result */
    int64_t unfinished; /* files of unfinished sweeps; their rounds were joined */
};

/* Devices that are the same become one (bench/device_identity.h), a measurement in several files is
 * kept once (row_hash), canaries are copied. STATUS_BAD_FILE names the input and the difference:
 * format version, schema, damage. STATUS_USAGE: the result is one of the inputs, or exists and
 * overwrite is false. STATUS_FAILED: it cannot be written; no partial file remains and no input
 * changes. */
enum status merge_files(struct merge_report *report, const char *const *paths, int path_count,
                        const struct merge_options *options, struct error *error);

/* One more input's header into the result's: seed, sampler, domain, protocol and the other texts
 * where all inputs agree; else joined, or "mixed" where the joined text is too long. index: of the
 * input; the first input's header is copied. */
void merge_header(struct dataset_header *all, const struct dataset_header *one, int index);
/* Adds a line to the result's `sources`. */
void merge_source(struct dataset_header *all, const struct dataset_header *one, const char *path,
                  size_t row_count);
/* After the last input: shards that together are the whole sweep become a sweep without shard. */
void merge_shards(struct dataset_header *all, const struct dataset_header *const *headers,
                  int count);

/* Joins the licence of more rows ("": unknown) to a header's, in the syntax of SPDX. */
void merge_licence(struct dataset_header *all, const char *licence);

#endif
