/* Reads the chunks of a compact table on several cores: HDF5, whose library is not for threads,
 * hands out the packed bytes; threads inflate them, undo the shuffle and place the columns. */
#ifndef EPOCHCAST_DATA_STORED_CHUNKS_H
#define EPOCHCAST_DATA_STORED_CHUNKS_H

#include "base/error.h"
#include "data/schema.h"

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>

enum { STORED_CHUNKS_AT_ONCE = 4 };

struct stored_chunks;

/* *chunks is NULL where the table has another form than ours (filters other than shuffle and
 * deflate, columns that are not byte for byte those of `columns`) or no rows: H5Dread reads it. */
enum status stored_chunks_open(struct stored_chunks **chunks, hid_t dataset, size_t rows,
                               const struct schema_columns *columns, struct error *error);
/* Chunks that one call reads at the same time, at most STORED_CHUNKS_AT_ONCE. */
size_t stored_chunks_at_once(const struct stored_chunks *chunks);
/* Reads `count` rows from row `first` on into records of columns->record_size bytes. False: not the
 * beginning of a chunk, a chunk of another form (or damaged), or no memory; H5Dread tells which. */
bool stored_chunks_read(struct stored_chunks *chunks, size_t first, size_t count, void *rows);
void stored_chunks_close(struct stored_chunks *chunks); /* NULL is allowed */

#endif
