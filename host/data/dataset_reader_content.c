/* Opening a dataset: reads everything except the rows. */
#include "data/dataset_reader_internal.h"

#include "base/file_kind.h"
#include "data/dataset_internal.h"
#include "data/hdf5_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { DEVICE_LIMIT = 4096 };
static const size_t any_count = SIZE_MAX;

/* ---- format and header ---- */

static enum status check_format(const struct dataset_reader *reader, struct error *error)
{
    const hid_t file = reader->state->file;
    char format[64], written_by[64];
    uint64_t version = 0;
    if (!hdf5_file_read_text(format, sizeof format, file, "format") ||
        strcmp(format, SCHEMA_FORMAT_NAME) != 0)
        return file_kind_refuse(reader->path, "a dataset", error);
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

static enum status read_header(struct dataset_reader *reader, struct error *error)
{
    const hid_t file = reader->state->file;
    uint64_t is_growing;
    TRY(check_format(reader, error));
    if (!hdf5_file_read_word(&reader->header.seed, file, "seed") && H5Aexists(file, "seed") != 0)
        return stored_damaged(reader->path, "seed", "unreadable", error);
    for (int i = 0; i < header_text_count; i++) {
        const char *name = header_texts[i].name;
        if (!hdf5_file_read_text((char *)&reader->header + header_texts[i].offset,
                                 header_texts[i].size, file, name) &&
            H5Aexists(file, name) != 0)
            return stored_damaged(reader->path, name, "unreadable", error);
    }
    if (!hdf5_file_read_word(&is_growing, file, "growing"))
        return stored_damaged(reader->path, "growing", "missing or unreadable", error);
    reader->is_growing = is_growing != 0;
    return STATUS_OK;
}

/* ---- devices and canaries: read whole ---- */

static struct stored_table_plan plan_of(const struct dataset_reader *reader, const char *path,
                                        const struct schema_columns *columns, size_t row_limit)
{
    return (struct stored_table_plan){.file_path = reader->path,
                                      .path = path,
                                      .file_bytes = reader->state->file_bytes,
                                      .written_by = reader->header.program_version,
                                      .columns = columns,
                                      .row_limit = row_limit};
}

/* Reads all records of a table into a new array; the caller frees. *found: the columns that the
 * file has. */
static enum status read_whole(void **records, size_t *count, struct schema_columns *found,
                              const struct dataset_reader *reader,
                              const struct stored_table_plan *plan, struct error *error)
{
    struct stored_table table;
    TRY(stored_table_open(&table, reader->state->file, plan, error));
    enum status status = error_allocate(records, table.count, plan->columns->record_size,
                                        plan->path, error);
    if (status == STATUS_OK && table.count > 0 &&
        !stored_table_read(&table, 0, table.count, *records))
        status = stored_damaged(plan->file_path, plan->path, "its rows cannot be read", error);
    *count = status == STATUS_OK ? table.count : 0;
    *found = table.columns.found;
    stored_table_close(&table);
    return status;
}

/* Before devices had a column for it, only the protocol told that caches were flushed. */
static bool is_old_and_cold(const struct dataset_reader *reader)
{
    for (int i = 0; i < reader->state->device_columns.count; i++)
        if (strcmp(reader->state->device_columns.fields[i].name, "cache") == 0)
            return false;
    return strstr(reader->header.protocol, "cache cold") != NULL;
}

static enum status read_devices(struct dataset_reader *reader, struct error *error)
{
    if (!stored_is_hard_link(reader->state->file, "/devices"))
        return stored_damaged(reader->path, "/devices", "missing or unreadable", error);
    const struct schema_columns columns = schema_device_columns();
    const struct stored_table_plan plan = plan_of(reader, "/devices/rows", &columns, DEVICE_LIMIT);
    TRY(read_whole((void **)&reader->devices, &reader->device_count, &reader->state->device_columns,
                   reader, &plan, error));
    const bool is_cold = is_old_and_cold(reader);
    for (size_t i = 0; i < reader->device_count; i++) {
        char fault[DATASET_FAULT_SIZE];
        dataset_clean_texts(&reader->devices[i], device_fields, device_field_count);
        if (is_cold)
            reader->devices[i].cache = CACHE_COLD;
        if (dataset_device_fault(fault, sizeof fault, &reader->devices[i]))
            return stored_damaged(reader->path, "/devices/rows", fault, error);
    }
    return STATUS_OK;
}

enum status dataset_reader_fault(const struct dataset_reader *reader, const char *table, size_t row,
                                 const char *what, struct error *error)
{
    const struct dataset_reader_options *options = &reader->state->options;
    if (options->fault) {
        options->fault(options->payload, table, row, what);
        return STATUS_OK;
    }
    FAIL(error, STATUS_BAD_FILE, "'%s': %s, row %zu: %s", reader->path, table, row, what);
    error_hint(error, "the file is damaged, or another program version wrote it");
    return STATUS_BAD_FILE;
}

/* The last rows of the table may never have reached the disk: zeros. */
static enum status take_canaries(struct dataset_reader *reader, size_t count, struct error *error)
{
    while (count > 0 && reader->canaries[count - 1].unix_time_s == 0)
        count--;
    reader->canary_count = 0;
    for (size_t i = 0; i < count; i++) {
        char fault[DATASET_FAULT_SIZE];
        const struct canary *canary = &reader->canaries[i];
        if (dataset_canary_fault(fault, sizeof fault, canary, reader->device_count))
            TRY(dataset_reader_fault(reader, "/canary/rows", i, fault, error));
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
    struct schema_columns found;
    const struct schema_columns columns = schema_canary_columns();
    const struct stored_table_plan plan = plan_of(reader, "/canary/rows", &columns, any_count);
    TRY(read_whole((void **)&reader->canaries, &count, &found, reader, &plan, error));
    return take_canaries(reader, count, error);
}

/* ---- tables of rows: opened ---- */

/* Names have been checked before: compares types and units, by the hash over the file's columns. */
static enum status check_schema(const struct dataset_reader *reader, enum layer_kind kind,
                                struct error *error)
{
    char name[64];
    uint64_t hash = 0;
    const struct dataset_reader_state *state = reader->state;
    const char *kind_name = schema_kind_name(state->file, kind);
    const uint64_t expected = schema_hash_of(kind_name, &state->tables[kind].columns.found,
                                             &state->device_columns);
    snprintf(name, sizeof name, "schema_hash_%s", kind_name);
    if (!hdf5_file_read_word(&hash, state->file, name))
        return stored_damaged(reader->path, name, "missing or unreadable", error);
    if (hash == expected)
        return STATUS_OK;
    FAIL(error, STATUS_BAD_FILE,
         "'%s': the columns of %s belong to another version (schema %016llx, expected %016llx)",
         reader->path, kind_name, (unsigned long long)hash, (unsigned long long)expected);
    error_hint(error, "use the program that wrote it ('%s') to export it, or measure again",
               reader->header.program_version);
    return STATUS_BAD_FILE;
}

static enum status open_kind(struct dataset_reader *reader, enum layer_kind kind,
                             struct error *error)
{
    char group[48], path[64];
    struct dataset_reader_state *state = reader->state;
    struct stored_table *table = &state->tables[kind];
    snprintf(group, sizeof group, "/%s", schema_kind_name(state->file, kind));
    snprintf(path, sizeof path, "%s/rows", group);
    if (H5Lexists(state->file, group, H5P_DEFAULT) == 0)
        return STATUS_OK;
    if (!stored_is_hard_link(state->file, group))
        return stored_damaged(reader->path, group, "unreadable", error);
    const struct schema_columns columns = schema_row_columns(kind);
    const struct stored_table_plan plan = plan_of(reader, path, &columns, any_count);
    TRY(stored_table_open(table, state->file, &plan, error));
    TRY(check_schema(reader, kind, error));
    if (state->options.skips[kind]) {
        stored_table_close(table);
        return STATUS_OK;
    }
    reader->row_limit += table->count;
    state->block_rows = table->block_rows > state->block_rows ? table->block_rows
                                                              : state->block_rows;
    return STATUS_OK;
}

enum status dataset_reader_read_content(struct dataset_reader *reader, struct error *error)
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
