/* A dataset file: datasets/README.md is the format, field by field. While it grows: default libver,
 * no compression, flushed every second or 50 rows, fsync every few seconds, so that a killed writer
 * loses no flushed row. dataset_finish writes the compressed copy and renames it into place.
 */
#ifndef EPOCHCAST_DATA_DATASET_H
#define EPOCHCAST_DATA_DATASET_H

#include "bench/canary.h"
#include "bench/measure.h"

#include <stddef.h>

/* Root attributes. Empty strings are written too. */
struct dataset_header {
    char program_version[64];
    char command_line[1024];
    char libraries[256]; /* "HDF5 1.10.8, oneDNN 2.6.3" */
    char licence[64];    /* of the data, SPDX: "CC-BY-4.0" */
    char citation[256];
    char created[32]; /* ISO 8601, UTC */
    char sampler[64]; /* "sobol32-scrambled stratified v2" or "import justus2018" */
    uint64_t seed;
    char domain[4096];  /* the sweep's --set texts and limits, one per line */
    char protocol[256]; /* "rounds 3, warm-up until settled or 5 ms, cap 100 ms, ..." */
    char shard[32];     /* "2/8": every eighth draw, beginning with the second; "" or "1/1": all */
    char sources[4096]; /* of a merged file: one line per input */
};

struct dataset;

/* Creates `path` for appending. STATUS_USAGE when it exists and overwrite is false. The rows are
 * written to `path` itself when in_place (a sweep: visible while it grows), else to a temporary
 * file, which dataset_finish renames, and dataset_close removes if it was not finished (an import:
 * complete or not at all). */
enum status dataset_create(struct dataset **dataset, const char *path,
                           const struct dataset_header *header, bool overwrite, bool in_place,
                           struct error *error);
enum status dataset_add_device(struct dataset *dataset, const struct device_info *info,
                               int32_t *device, struct error *error);
/* For a licence that only the rows tell; before dataset_finish. */
void dataset_set_licence(struct dataset *dataset, const char *licence);
enum status dataset_append(struct dataset *dataset, const struct measurement *row,
                           struct error *error);
enum status dataset_add_canary(struct dataset *dataset, const struct canary *canary,
                               struct error *error);
enum status dataset_flush(struct dataset *dataset, struct error *error);
/* Joins the rounds of a sweep to one row per config (rounds.h) and compacts: shuffle + deflate copy
 * next to the file, fsync, rename. The caller still closes the dataset. */
enum status dataset_finish(struct dataset *dataset, struct error *error);
void dataset_close(struct dataset *dataset); /* NULL is allowed */

/* All rows of one or several files in memory; devices that are the same are one, others have
 * different names (bench/device_identity.h); the rounds of an unfinished sweep are joined. */
struct dataset_rows {
    struct measurement *rows; /* .device indexes devices below */
    size_t count;
    struct device_info *devices;
    int device_count;
    struct canary *canaries; /* .device indexes devices */
    size_t canary_count;
    struct dataset_header header; /* of the first file */
    bool is_growing;              /* at least one file is that of an unfinished sweep */
    size_t repeat_count;          /* rows left out: a file before had the same measurement */
};
/* STATUS_BAD_FILE: missing, not HDF5, another format, version or schema, truncated, corrupt (bounds
 * of every feature and choice are checked), more rows than the file's size can hold. */
enum status dataset_read(struct dataset_rows *rows, const char *const *paths, int path_count,
                         struct error *error);
/* Reads one file without joining rounds. */
enum status dataset_read_rounds(struct dataset_rows *rows, const char *path, struct error *error);
void dataset_rows_free(struct dataset_rows *rows);

/* Rows of one kind of one file. */
struct dataset_block {
    const struct measurement *rows; /* valid during the call */
    size_t count;
    const int32_t *device_map; /* .device of a row -> row of the tables' devices */
};
struct dataset_visitor {
    /* Called for each file, before its blocks, with an upper bound of its rows; may be NULL. */
    enum status (*begin)(void *payload, const struct dataset_rows *tables, size_t row_limit,
                         struct error *error);
    enum status (*block)(void *payload, const struct dataset_rows *tables,
                         const struct dataset_block *block, struct error *error);
    /* Called after the last block of each file; may be NULL. */
    enum status (*end)(void *payload, const struct dataset_rows *tables, struct error *error);
    void *payload;
    const bool *skips; /* (LAYER_KIND_COUNT) kinds whose rows are not read; NULL: none */
};
/* As dataset_read, but hands the rows to the visitor, block by block: a file of any size needs a
 * few megabytes, several files 11 bytes more per row. tables: all but the rows, of the files so
 * far; freed after an error. */
enum status dataset_visit(struct dataset_rows *tables, const char *const *paths, int path_count,
                          const struct dataset_visitor *visitor, struct error *error);

/* Continues the unfinished sweep `path`; `done` was just read from it (dataset_read_rounds). Its
 * rows and devices are copied to a new file that takes its place, so that nothing is written into
 * the file of a killed writer. STATUS_FAILED when another program writes it. */
enum status dataset_resume(struct dataset **dataset, const char *path,
                           const struct dataset_rows *done, struct error *error);

#endif
