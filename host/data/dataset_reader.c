#include "data/dataset_reader.h"

#include "bench/rounds.h"
#include "data/dataset_internal.h"
#include "data/hdf5_file.h"
#include "data/stored_table.h"
#include "data/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEVICE_LIMIT = 4096, FAULT_SIZE = 320 };
static const size_t any_count = SIZE_MAX;

struct dataset_reader_state {
    struct dataset_reader_options options;
    hid_t file;
    double file_bytes;
    struct stored_table tables[LAYER_KIND_COUNT];
    enum layer_kind kind; /* being read */
    size_t next;          /* row of the kind's table, or of joined */
    size_t hole;          /* row that never reached the disk; SIZE_MAX: none yet */
    struct measurement *block;
    size_t block_rows;
    struct measurement *joined; /* of an unfinished sweep; NULL: rows come from the tables */
    size_t joined_count;
};

/* ---- format and header ---- */

static enum status check_format(const struct dataset_reader *reader, struct error *error)
{
    const hid_t file = reader->state->file;
    char format[64], written_by[64];
    uint64_t version = 0;
    if (!hdf5_file_read_text(format, sizeof format, file, "format") ||
        strcmp(format, SCHEMA_FORMAT_NAME) != 0) {
        FAIL(error, STATUS_BAD_FILE, "'%s' is an HDF5 file, but not an epochcast dataset",
             reader->path);
        error_hint(error, "'epochcast show' tells what a file is");
        return STATUS_BAD_FILE;
    }
    if (!hdf5_file_read_word(&version, file, "format_version"))
        return stored_damaged(reader->path, "format_version", "unreadable", error);
    if (version == SCHEMA_VERSION)
        return STATUS_OK;
    hdf5_file_read_text(written_by, sizeof written_by, file, "program_version");
    FAIL(error, STATUS_BAD_FILE, "'%s' has format version %llu; this program reads version %d",
         reader->path, (unsigned long long)version, SCHEMA_VERSION);
    error_hint(error, "use the program that wrote it ('%s'), or measure again", written_by);
    return STATUS_BAD_FILE;
}

static enum status check_schema(const struct dataset_reader *reader, enum layer_kind kind,
                                struct error *error)
{
    const hid_t file = reader->state->file;
    char name[64], written_by[64];
    uint64_t hash = 0;
    snprintf(name, sizeof name, "schema_hash_%s", layer_descriptors[kind]->name);
    if (!hdf5_file_read_word(&hash, file, name))
        return stored_damaged(reader->path, name, "missing or unreadable", error);
    if (hash == schema_hash(kind))
        return STATUS_OK;
    hdf5_file_read_text(written_by, sizeof written_by, file, "program_version");
    FAIL(error, STATUS_BAD_FILE,
         "'%s': the columns of %s are those of another version (schema %016llx, expected %016llx)",
         reader->path, layer_descriptors[kind]->name, (unsigned long long)hash,
         (unsigned long long)schema_hash(kind));
    error_hint(error, "use the program that wrote it ('%s') to export it, or measure again",
               written_by);
    return STATUS_BAD_FILE;
}

static enum status read_header(struct dataset_reader *reader, struct error *error)
{
    const hid_t file = reader->state->file;
    uint64_t is_growing;
    TRY(check_format(reader, error));
    hdf5_file_read_word(&reader->header.seed, file, "seed");
    for (int i = 0; i < header_text_count; i++)
        hdf5_file_read_text((char *)&reader->header + header_texts[i].offset, header_texts[i].size,
                            file, header_texts[i].name);
    if (!hdf5_file_read_word(&is_growing, file, "growing"))
        return stored_damaged(reader->path, "growing", "missing or unreadable", error);
    reader->is_growing = is_growing != 0;
    return STATUS_OK;
}

/* ---- devices and canaries: read whole ---- */

static struct stored_table_plan plan_of(const struct dataset_reader *reader, const char *path,
                                        hid_t memory_type, hid_t packed_type, size_t row_limit)
{
    return (struct stored_table_plan){.file_path = reader->path,
                                      .path = path,
                                      .file_bytes = reader->state->file_bytes,
                                      .memory_type = memory_type,
                                      .packed_type = packed_type,
                                      .row_limit = row_limit};
}

/* Fresh array of all records of a table; the caller frees. */
static enum status read_whole(void **records, size_t *count, const struct dataset_reader *reader,
                              const struct stored_table_plan *plan, size_t size,
                              struct error *error)
{
    struct stored_table table;
    TRY(stored_table_open(&table, reader->state->file, plan, error));
    enum status status = error_allocate(records, table.count, size, plan->path, error);
    if (status == STATUS_OK && table.count > 0 &&
        !stored_table_read(&table, 0, table.count, *records))
        status = stored_damaged(plan->file_path, plan->path, "its rows cannot be read", error);
    *count = status == STATUS_OK ? table.count : 0;
    stored_table_close(&table);
    return status;
}

static enum status read_devices(struct dataset_reader *reader, struct error *error)
{
    if (!stored_is_hard_link(reader->state->file, "/devices"))
        return stored_damaged(reader->path, "/devices", "missing or unreadable", error);
    const struct stored_table_plan plan = plan_of(
        reader, "/devices/rows", schema_device_type(false), schema_device_type(true), DEVICE_LIMIT);
    TRY(read_whole((void **)&reader->devices, &reader->device_count, reader, &plan,
                   sizeof *reader->devices, error));
    for (size_t i = 0; i < reader->device_count; i++) {
        char fault[FAULT_SIZE];
        dataset_clean_texts(&reader->devices[i], device_fields, device_field_count);
        if (dataset_device_fault(fault, sizeof fault, &reader->devices[i]))
            return stored_damaged(reader->path, "/devices/rows", fault, error);
    }
    return STATUS_OK;
}

/* A faulty record: told, or the error that ends the reading. */
static enum status report_fault(const struct dataset_reader *reader, const char *table, size_t row,
                                const char *what, struct error *error)
{
    const struct dataset_reader_options *options = &reader->state->options;
    if (options->fault) {
        options->fault(options->payload, table, row, what);
        return STATUS_OK;
    }
    FAIL(error, STATUS_BAD_FILE, "'%s': %s, row %zu: %s", reader->path, table, row, what);
    error_hint(error, "the file is damaged, or of another program version");
    return STATUS_BAD_FILE;
}

/* The end of the table may be rows that never reached the disk: zeros. */
static enum status take_canaries(struct dataset_reader *reader, size_t count, struct error *error)
{
    while (count > 0 && reader->canaries[count - 1].unix_time_s == 0)
        count--;
    reader->canary_count = 0;
    for (size_t i = 0; i < count; i++) {
        char fault[FAULT_SIZE];
        const struct canary *canary = &reader->canaries[i];
        if (dataset_canary_fault(fault, sizeof fault, canary, reader->device_count))
            TRY(report_fault(reader, "/canary/rows", i, fault, error));
        else
            reader->canaries[reader->canary_count++] = *canary;
    }
    return STATUS_OK;
}

static enum status read_canaries(struct dataset_reader *reader, struct error *error)
{
    size_t count;
    if (!stored_is_hard_link(reader->state->file, "/canary"))
        return stored_damaged(reader->path, "/canary", "missing or unreadable", error);
    const struct stored_table_plan plan = plan_of(reader, "/canary/rows", schema_canary_type(false),
                                                  schema_canary_type(true), any_count);
    TRY(read_whole((void **)&reader->canaries, &count, reader, &plan, sizeof *reader->canaries,
                   error));
    return take_canaries(reader, count, error);
}

/* ---- rows ---- */

static enum status open_kind(struct dataset_reader *reader, enum layer_kind kind,
                             struct error *error)
{
    char group[48], path[64];
    struct dataset_reader_state *state = reader->state;
    struct stored_table *table = &state->tables[kind];
    snprintf(group, sizeof group, "/%s", layer_descriptors[kind]->name);
    snprintf(path, sizeof path, "%s/rows", group);
    if (H5Lexists(state->file, group, H5P_DEFAULT) == 0)
        return STATUS_OK;
    if (!stored_is_hard_link(state->file, group))
        return stored_damaged(reader->path, group, "unreadable", error);
    TRY(check_schema(reader, kind, error));
    const struct stored_table_plan plan = plan_of(reader, path, schema_row_type(kind, false),
                                                  schema_row_type(kind, true), any_count);
    TRY(stored_table_open(table, state->file, &plan, error));
    reader->row_limit += table->count;
    state->block_rows = table->block_rows > state->block_rows ? table->block_rows
                                                              : state->block_rows;
    return STATUS_OK;
}

/* What HDF5 gives for a row that never reached the disk: its fill value, zeros. */
static bool is_unwritten(const struct measurement *row)
{
    return row->config.batch_size == 0 && row->sample_count == 0 && row->median_ms == 0 &&
           row->unix_time_s == 0;
}

static enum status check_row(bool *is_good, struct measurement *row, size_t index,
                             const struct dataset_reader *reader, struct error *error)
{
    char fault[FAULT_SIZE], path[64];
    const enum layer_kind kind = reader->state->kind;
    dataset_row_rebuild(row, kind);
    dataset_clean_texts(row, measurement_fields, measurement_field_count);
    *is_good = !dataset_row_fault(fault, sizeof fault, row, reader->device_count);
    if (*is_good)
        return STATUS_OK;
    snprintf(path, sizeof path, "/%s/rows", layer_descriptors[kind]->name);
    return report_fault(reader, path, index, fault, error);
}

/* Keeps the good ones of the block's rows. Zeros are the end of what was written: good if nothing
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
        snprintf(path, sizeof path, "/%s/rows", layer_descriptors[state->kind]->name);
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
            state->kind++;
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

static enum status open_content(struct dataset_reader *reader, struct error *error)
{
    struct stat now;
    struct dataset_reader_state *state = reader->state;
    TRY(hdf5_file_open(&state->file, reader->path, error));
    state->file_bytes = stat(reader->path, &now) == 0 ? (double)now.st_size : 0;
    TRY(read_header(reader, error));
    TRY(read_devices(reader, error));
    TRY(read_canaries(reader, error));
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        TRY(open_kind(reader, (enum layer_kind)kind, error));
    return STATUS_OK;
}

static enum status read_through(void *payload, struct error *error)
{
    struct dataset_reader *reader = payload;
    TRY(open_content(reader, error));
    for (size_t count = 1; count > 0;)
        TRY(next_stored(reader, &count, error));
    return STATUS_OK;
}

/* A sealed file is what a writer of ours wrote. Any other (a killed sweep's, a stranger's) is read
 * in a child first, because HDF5 does not survive all damage. */
static enum status open_safely(struct dataset_reader *reader, struct error *error)
{
    TRY(hdf5_file_check(&reader->is_sealed, reader->path, error));
    if (!reader->is_sealed)
        TRY(trial_run(read_through, reader, reader->path, error));
    return open_content(reader, error);
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
