/* Shared by the two files of the dataset reader. */
#ifndef EPOCHCAST_DATA_DATASET_READER_INTERNAL_H
#define EPOCHCAST_DATA_DATASET_READER_INTERNAL_H

#include "data/dataset_reader.h"
#include "data/stored_table.h"

enum { DATASET_FAULT_SIZE = 320 };

struct dataset_reader_state {
    struct dataset_reader_options options;
    hid_t file;
    double file_bytes;
    struct schema_columns device_columns; /* those that the file has */
    struct stored_table tables[LAYER_KIND_COUNT];
    enum layer_kind kind; /* being read */
    size_t next;          /* row of the kind's table, or of joined */
    size_t hole;          /* row that never reached the disk; SIZE_MAX: none yet */
    struct measurement *block;
    size_t block_rows;
    struct measurement *joined; /* of an unfinished sweep; NULL: rows come from the tables */
    size_t joined_count;
};

/* Reads header, devices and canaries; checks and opens the tables of rows. */
enum status dataset_reader_read_content(struct dataset_reader *reader, struct error *error);

/* Reports a faulty record: by options.fault, or as the error that ends the reading. */
enum status dataset_reader_fault(const struct dataset_reader *reader, const char *table, size_t row,
                                 const char *what, struct error *error);

#endif
