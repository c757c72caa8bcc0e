/* Shared by the writer's and the reader's files of a dataset. */
#ifndef EPOCHCAST_DATA_DATASET_INTERNAL_H
#define EPOCHCAST_DATA_DATASET_INTERNAL_H

#include "base/scratch_file.h"
#include "data/dataset.h"
#include "data/schema.h"

enum { GROWING_CHUNK = 512, COMPACT_CHUNK = 8192, DEVICE_CHUNK = 16 };

/* A text attribute of the root and its place in struct dataset_header. */
struct header_text {
    const char *name;
    size_t offset, size;
};
extern const struct header_text header_texts[];
extern const int header_text_count;

/* An open compound table of a file being written. dataset 0: not open. */
struct rows_table {
    hid_t dataset, memory_type;
    hsize_t count;
};

/* All tables of a file: every kind has one while the file grows, so that a killed writer never
 * leaves the file's structure half changed. */
struct dataset_tables {
    hid_t file;
    struct rows_table devices, canaries, rows[LAYER_KIND_COUNT];
};

struct dataset {
    struct scratch_file scratch; /* published from the start when in_place */
    struct dataset_tables tables;
    struct dataset_header header;
    bool overwrite, in_place, is_failed, is_finished;
    struct measurement *buffer, *batch; /* (buffer_rows); batch: those of one kind */
    int buffered, buffer_rows;
    double flushed_s, synced_s;
};

/* Creates file and root attributes, and tables of the kinds with wanted[kind]. compact: large
 * chunks, shuffle + deflate. False: incomplete; the caller closes it. */
bool dataset_tables_create(struct dataset_tables *tables, const char *path,
                           const struct dataset_header *header, bool compact,
                           const bool wanted[LAYER_KIND_COUNT]);
bool dataset_tables_add_kind(struct dataset_tables *tables, enum layer_kind kind, bool compact);
bool dataset_tables_close(struct dataset_tables *tables);

/* "none,relu,tanh": for readers that show only an enum's numbers. */
void dataset_join_names(char *text, size_t size, const struct choice *choice);

bool rows_table_append(struct rows_table *table, hsize_t count, const void *rows);
bool rows_table_read(const struct rows_table *table, hsize_t first, hsize_t count, void *rows);

/* Checks a row just read: NULL, or its fault, written into `fault` of `size` bytes. */
const char *dataset_row_fault(char *fault, size_t size, const struct measurement *row,
                              size_t device_count);
const char *dataset_device_fault(char *fault, size_t size, const struct device_info *info);
const char *dataset_canary_fault(char *fault, size_t size, const struct canary *canary,
                                 size_t device_count);
/* HDF5 does not preserve bytes between the columns: rebuilds the config from its features, all else
 * zero, so that configs compare as bytes. */
void dataset_row_rebuild(struct measurement *row, enum layer_kind kind);
/* Terminates texts, and replaces control characters that could steer a terminal. */
void dataset_clean_texts(void *record, const struct field *fields, int count);

struct dataset_reader;
/* Row of rows->devices to which rows of the device are joined (bench/device_identity.h); added, and
 * numbered if its name is taken, when there is none. */
enum status dataset_rows_add_device(struct dataset_rows *rows, int32_t *index,
                                    const struct device_info *info, struct error *error);
/* Adds devices and canaries of a file. *device_map: row of its devices -> row of rows->devices; the
 * caller frees, also after a failure. */
enum status dataset_rows_add_tables(struct dataset_rows *rows, int32_t **device_map,
                                    const struct dataset_reader *reader, struct error *error);

#endif
