#include "data/stored_table.h"

#include <stdint.h>

enum { CHUNK_LIMIT = 65536, BLOCK_ROWS = 8192 };
static const double deflate_ratio_limit = 1032; /* zlib's bound */
static const uint64_t row_limit = 1000000000;

enum status stored_damaged(const char *file_path, const char *path, const char *what,
                           struct error *error)
{
    FAIL(error, STATUS_BAD_FILE, "'%s': %s: %s", file_path, path, what);
    error_hint(error, "the file is damaged, or was not written by epochcast");
    return STATUS_BAD_FILE;
}

bool stored_is_hard_link(hid_t file, const char *path)
{
    H5L_info_t info;
    return H5Lexists(file, path, H5P_DEFAULT) > 0 &&
           H5Lget_info(file, path, &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_HARD;
}

static enum status match_columns(struct stored_table *table, const struct stored_table_plan *plan,
                                 struct error *error)
{
    struct column_fault fault;
    const hid_t stored = H5Dget_type(table->dataset);
    const bool fits = stored_columns_match(&table->columns, &fault, stored, plan->columns);
    H5Tclose(stored);
    if (fits) {
        table->memory_type = schema_columns_type(&table->columns.found, false);
        return table->memory_type >= 0
                   ? STATUS_OK
                   : stored_damaged(plan->file_path, plan->path, "unreadable columns", error);
    }
    stored_damaged(plan->file_path, plan->path, fault.text, error);
    return fault.is_newer ? HINT(error, STATUS_BAD_FILE,
                                 "'%s' wrote the file: read it with that program or a later one",
                                 plan->written_by)
                          : STATUS_BAD_FILE;
}

/* Only known filters are allowed: an unknown one would make HDF5 load a plug-in. */
static bool knows_filters(hid_t creation)
{
    const int count = H5Pget_nfilters(creation);
    for (int i = 0; i < count; i++) {
        size_t value_count = 0;
        const H5Z_filter_t filter = H5Pget_filter2(creation, (unsigned)i, NULL, &value_count, NULL,
                                                   0, NULL, NULL);
        if (filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_DEFLATE &&
            filter != H5Z_FILTER_FLETCHER32)
            return false;
    }
    return count >= 0 && count <= 3;
}

static const char *layout_fault(struct stored_table *table)
{
    hsize_t chunk = 0;
    const hid_t creation = H5Dget_create_plist(table->dataset);
    const bool is_good = creation >= 0 && H5Pget_layout(creation) == H5D_CHUNKED &&
                         H5Pget_chunk(creation, 1, &chunk) == 1 && chunk > 0 &&
                         chunk <= CHUNK_LIMIT && knows_filters(creation);
    H5Pclose(creation);
    if (!is_good)
        return "its storage is not that of a dataset";
    table->block_rows = chunk * (chunk < BLOCK_ROWS ? BLOCK_ROWS / chunk : 1);
    return NULL;
}

/* Bytes of a row in the file. */
static double row_bytes(const struct stored_table *table)
{
    const hid_t stored = H5Dget_type(table->dataset);
    const double bytes = (double)H5Tget_size(stored);
    H5Tclose(stored);
    return bytes;
}

/* Number of rows in the table, checked against its bytes before anything is allocated. */
static const char *count_rows(struct stored_table *table, const struct stored_table_plan *plan)
{
    const hid_t space = H5Dget_space(table->dataset);
    const int rank = H5Sget_simple_extent_ndims(space);
    const hssize_t points = H5Sget_simple_extent_npoints(space);
    H5Sclose(space);
    if (rank != 1 || points < 0 || (uint64_t)points > row_limit)
        return "it has no plain list of rows";
    const double stored = (double)H5Dget_storage_size(table->dataset);
    const double limit = (stored < plan->file_bytes ? stored : plan->file_bytes) *
                         deflate_ratio_limit;
    const double bytes = row_bytes(table);
    if (bytes <= 0 || (double)points * bytes > limit)
        return "it claims more rows than the file can hold";
    if ((size_t)points > plan->row_limit)
        return "it has too many rows";
    table->count = (size_t)points;
    return NULL;
}

static enum status open_checked(struct stored_table *table, hid_t file,
                                const struct stored_table_plan *plan, struct error *error)
{
    if (stored_is_hard_link(file, plan->path))
        table->dataset = H5Dopen2(file, plan->path, H5P_DEFAULT);
    if (table->dataset <= 0)
        return stored_damaged(plan->file_path, plan->path, "missing or unreadable", error);
    TRY(match_columns(table, plan, error));
    const char *fault = layout_fault(table);
    fault = fault ? fault : count_rows(table, plan);
    if (fault)
        return stored_damaged(plan->file_path, plan->path, fault, error);
    TRY(stored_chunks_open(&table->chunks, table->dataset, table->count, &table->columns.found,
                           error));
    if (table->chunks)
        table->block_rows *= stored_chunks_at_once(table->chunks);
    return STATUS_OK;
}

enum status stored_table_open(struct stored_table *table, hid_t file,
                              const struct stored_table_plan *plan, struct error *error)
{
    *table = (struct stored_table){.dataset = 0};
    const enum status status = open_checked(table, file, plan, error);
    if (status != STATUS_OK)
        stored_table_close(table);
    return status;
}

static bool read_by_hdf5(const struct stored_table *table, size_t first, size_t count, void *rows)
{
    const hsize_t start = first, length = count;
    const hid_t memory = H5Screate_simple(1, &length, NULL), space = H5Dget_space(table->dataset);
    const bool is_ok = memory >= 0 && space >= 0 &&
                       H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &length, NULL) >=
                           0 &&
                       H5Dread(table->dataset, table->memory_type, memory, space, H5P_DEFAULT,
                               rows) >= 0;
    H5Sclose(space);
    H5Sclose(memory);
    return is_ok;
}

bool stored_table_read(const struct stored_table *table, size_t first, size_t count, void *rows)
{
    const bool is_ok = (table->chunks && stored_chunks_read(table->chunks, first, count, rows)) ||
                       read_by_hdf5(table, first, count, rows);
    if (is_ok)
        stored_columns_fill(rows, count, &table->columns);
    return is_ok;
}

void stored_table_close(struct stored_table *table)
{
    stored_chunks_close(table->chunks);
    if (table->dataset > 0)
        H5Dclose(table->dataset);
    if (table->memory_type > 0)
        H5Tclose(table->memory_type);
    *table = (struct stored_table){.dataset = 0};
}
