/* Several datasets -> one. Row by row: the memory does not grow with the files, but for 11 bytes a
 * row that tell duplicates. */
#ifndef EPOCHCAST_DATA_MERGE_H
#define EPOCHCAST_DATA_MERGE_H

#include "base/term.h"
#include "data/dataset.h"

#include <signal.h>

struct merge_options {
    const char *path; /* of the result */
    bool overwrite;
    /* What the result says of itself: program, command line, libraries, created; licence and
     * citation: empty ones are those of the inputs. The rest comes from the inputs. */
    const struct dataset_header *header;
    struct progress *progress;                /* or NULL */
    const volatile sig_atomic_t *interrupted; /* or NULL; set: nothing is left behind */
};

struct merge_report {
    int64_t files, rows_read, duplicates, rows, canaries;
    int64_t devices;    /* with different fingerprints */
    int64_t unfinished; /* files of unfinished sweeps, of which the rounds were joined */
};

/* Devices with equal fingerprints become one, a measurement that is in several files is kept once
 * (row_hash), canaries are carried over. STATUS_BAD_FILE names the input and what differs: format
 * version, schema, damage. STATUS_USAGE: the result is one of the inputs, or exists and overwrite
 * is false. STATUS_FAILED: it cannot be written; nothing is left behind and no input is touched. */
enum status merge_files(struct merge_report *report, const char *const *paths, int path_count,
                        const struct merge_options *options, struct error *error);

/* One more input's header into the result's: seed, sampler, domain, protocol and the other texts
 * where all inputs agree; else joined, or "mixed" where the joined text is too long. index: of the
 * input; the first one's is taken over. */
void merge_header(struct dataset_header *all, const struct dataset_header *one, int index);
/* A line of the result's `sources`. */
void merge_source(struct dataset_header *all, const struct dataset_header *one, const char *path,
                  size_t row_count);
/* After the last one: shards that are together the whole sweep are no shard. */
void merge_shards(struct dataset_header *all, const struct dataset_header *const *headers,
                  int count);

#endif
