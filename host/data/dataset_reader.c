#include "data/dataset_reader.h"

#include "bench/rounds.h"
#include "data/dataset_internal.h"
#include "data/dataset_reader_internal.h"
#include "data/hdf5_file.h"
#include "data/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rows ---- */

/* A row that never reached the disk: HDF5 returns its fill value, zeros. */
static bool is_unwritten(const struct measurement *row)
{
    return row->config.batch_size == 0 && row->sample_count == 0 && row->median_ms == 0 &&
           row->unix_time_s == 0;
}

static enum status check_row(bool *is_good, struct measurement *row, size_t index,
                             const struct dataset_reader *reader, struct error *error)
{
    char fault[DATASET_FAULT_SIZE], path[64];
    const enum layer_kind kind = reader->state->kind;
    dataset_row_rebuild(row, kind);
    dataset_clean_texts(row, measurement_fields, measurement_field_count);
    *is_good = !dataset_row_fault(fault, sizeof fault, row, reader->device_count);
    if (*is_good)
        return STATUS_OK;
    snprintf(path, sizeof path, "/%s/rows", schema_kind_name(reader->state->file, kind));
    return dataset_reader_fault(reader, path, index, fault, error);
}

/* Keeps the valid rows of the block. Zeros mark the end of the written rows: valid if nothing
 * follows. */
static enum status check_block(size_t *kept, size_t count, const struct dataset_reader *reader,
                               struct error *error)
{
    struct dataset_reader_state *state = reader->state;
    *kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct measurement *row = &state->block[i], hole = {.sample_count = 0};
        bool is_good;
        if (is_unwritten(row)) {
            state->hole = state->hole == SIZE_MAX ? state->next + i : state->hole;
            continue;
        }
        if (state->hole != SIZE_MAX)
            TRY(check_row(&is_good, &hole, state->hole, reader, error));
        state->hole = SIZE_MAX;
        TRY(check_row(&is_good, row, state->next + i, reader, error));
        if (is_good)
            state->block[(*kept)++] = *row;
    }
    return STATUS_OK;
}

static enum status read_block(size_t *kept, struct dataset_reader *reader, struct error *error)
{
    struct dataset_reader_state *state = reader->state;
    const struct stored_table *table = &state->tables[state->kind];
    const size_t left = table->count - state->next;
    const size_t count = left < table->block_rows ? left : table->block_rows;
    if (!state->block)
        TRY(ALLOCATE(&state->block, state->block_rows, "rows to read", error));
    if (!stored_table_read(table, state->next, count, state->block)) {
        char path[64];
        snprintf(path, sizeof path, "/%s/rows", schema_kind_name(state->file, state->kind));
        return stored_damaged(reader->path, path, "its rows cannot be read", error);
    }
    TRY(check_block(kept, count, reader, error));
    state->next += count;
    return STATUS_OK;
}

/* The next rows of the tables; *count is 0 at their end. */
static enum status next_stored(struct dataset_reader *reader, size_t *count, struct error *error)
{
    struct dataset_reader_state *state = reader->state;
    for (*count = 0; *count == 0;) {
        while (state->kind < LAYER_KIND_COUNT && state->next >= state->tables[state->kind].count) {
            stored_table_close(&state->tables[state->kind++]);
            state->next = 0;
            state->hole = SIZE_MAX;
        }
        if (state->kind == LAYER_KIND_COUNT)
            return STATUS_OK;
        TRY(read_block(count, reader, error));
    }
    return STATUS_OK;
}

/* ---- rounds of an unfinished sweep ---- */

static enum status join_rounds(struct dataset_reader *reader, struct error *error)
{
    struct dataset_reader_state *state = reader->state;
    TRY(ALLOCATE(&state->joined, reader->row_limit, "rows of an unfinished sweep", error));
    for (size_t count = 1; count > 0; state->joined_count += count) {
        TRY(next_stored(reader, &count, error));
        if (count > 0) /* memcpy would not allow an unallocated block */
            memcpy(state->joined + state->joined_count, state->block, count * sizeof *state->block);
    }
    rounds_combine(state->joined, &state->joined_count);
    state->next = 0;
    return STATUS_OK;
}

static size_t next_joined(const struct measurement **rows, struct dataset_reader_state *state)
{
    const size_t first = state->next;
    *rows = state->joined + first;
    while (state->next < state->joined_count &&
           state->joined[state->next].config.kind == state->joined[first].config.kind)
        state->next++;
    return state->next - first;
}

enum status dataset_reader_next(struct dataset_reader *reader, const struct measurement **rows,
                                size_t *count, struct error *error)
{
    struct dataset_reader_state *state = reader->state;
    *count = 0;
    if (!reader->is_growing || state->options.keeps_rounds) {
        TRY(next_stored(reader, count, error));
        *rows = state->block;
        return STATUS_OK;
    }
    if (!state->joined)
        TRY(join_rounds(reader, error));
    *count = next_joined(rows, state);
    return STATUS_OK;
}

/* ---- opening ---- */

static enum status read_through(void *payload, struct error *error)
{
    struct dataset_reader *reader = payload;
    TRY(dataset_reader_read_content(reader, error));
    for (size_t count = 1; count > 0;)
        TRY(next_stored(reader, &count, error));
    return STATUS_OK;
}

/* Our writers seal their files. Any other file (of a killed sweep, or from another program) is
 * first read in a child process, because HDF5 does not survive all damage. */
static enum status open_safely(struct dataset_reader *reader, struct error *error)
{
    TRY(hdf5_file_check(&reader->is_sealed, reader->path, error));
    if (!reader->is_sealed)
        TRY(trial_run(read_through, reader, reader->path, error));
    return dataset_reader_read_content(reader, error);
}

enum status dataset_reader_open(struct dataset_reader **out, const char *path,
                                const struct dataset_reader_options *options, struct error *error)
{
    struct dataset_reader *reader;
    *out = NULL;
    TRY(ALLOCATE(&reader, 1, "dataset reader", error));
    reader->path = path;
    enum status status = ALLOCATE(&reader->state, 1, "dataset reader", error);
    if (status == STATUS_OK) {
        reader->state->hole = SIZE_MAX;
        if (options)
            reader->state->options = *options;
        status = open_safely(reader, error);
    }
    if (status == STATUS_OK)
        *out = reader;
    else
        dataset_reader_close(reader);
    return status;
}

static void close_state(struct dataset_reader_state *state)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        stored_table_close(&state->tables[kind]);
    if (state->file > 0)
        H5Fclose(state->file);
    free(state->block);
    free(state->joined);
    free(state);
}

void dataset_reader_close(struct dataset_reader *reader)
{
    if (!reader)
        return;
    if (reader->state)
        close_state(reader->state);
    free(reader->devices);
    free(reader->canaries);
    free(reader);
}
