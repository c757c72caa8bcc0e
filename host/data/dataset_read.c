#include "data/dataset_internal.h"
#include "data/hdf5_file.h"
#include "data/rounds.h"
#include "data/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEVICE_LIMIT = 4096, CHUNK_LIMIT = 65536, FAULT_SIZE = 320 };
static const double deflate_ratio_limit = 1032; /* zlib's own bound */
static const uint64_t row_limit = 1000000000;

/* One file being read. */
struct source {
    const char *path;
    hid_t file;
    double file_bytes;
    int32_t *device_map; /* (device_count), row of /devices/rows -> device of the collection */
    size_t device_count;
};

/* What a file is read for. */
struct request {
    struct dataset_rows *rows;
    const char *path;
    bool is_first, keeps_rounds;
};

/* A table to be read, and what it should look like. */
struct table_source {
    const char *path;
    hid_t memory_type, packed_type;
    size_t record_size;
    size_t row_limit;
};

static enum status damaged(const struct source *source, const char *path, const char *what,
                           struct error *error)
{
    FAIL(error, STATUS_BAD_FILE, "'%s': %s: %s", source->path, path, what);
    error_hint(error, "the file is damaged, or was not written by epochcast");
    return STATUS_BAD_FILE;
}

/* ---- format and header ---- */

static enum status check_format(const struct source *source, struct error *error)
{
    char format[64], written_by[64];
    uint64_t version = 0;
    if (!hdf5_file_read_text(format, sizeof format, source->file, "format") ||
        strcmp(format, SCHEMA_FORMAT_NAME) != 0) {
        FAIL(error, STATUS_BAD_FILE, "'%s' is an HDF5 file, but not an epochcast dataset",
             source->path);
        error_hint(error, "'epochcast show' tells what a file is");
        return STATUS_BAD_FILE;
    }
    if (!hdf5_file_read_word(&version, source->file, "format_version"))
        return damaged(source, "format_version", "unreadable", error);
    if (version == SCHEMA_VERSION)
        return STATUS_OK;
    hdf5_file_read_text(written_by, sizeof written_by, source->file, "program_version");
    FAIL(error, STATUS_BAD_FILE, "'%s' has format version %llu; this program reads version %d",
         source->path, (unsigned long long)version, SCHEMA_VERSION);
    error_hint(error, "use the program that wrote it ('%s'), or measure again", written_by);
    return STATUS_BAD_FILE;
}

static enum status check_schema(const struct source *source, enum layer_kind kind,
                                struct error *error)
{
    char name[64], written_by[64];
    uint64_t hash = 0;
    snprintf(name, sizeof name, "schema_hash_%s", layer_descriptors[kind]->name);
    if (!hdf5_file_read_word(&hash, source->file, name))
        return damaged(source, name, "missing or unreadable", error);
    if (hash == schema_hash(kind))
        return STATUS_OK;
    hdf5_file_read_text(written_by, sizeof written_by, source->file, "program_version");
    FAIL(error, STATUS_BAD_FILE,
         "'%s': the columns of %s are those of another version (schema %016llx, expected %016llx)",
         source->path, layer_descriptors[kind]->name, (unsigned long long)hash,
         (unsigned long long)schema_hash(kind));
    error_hint(error, "use the program that wrote it ('%s') to export it, or measure again",
               written_by);
    return STATUS_BAD_FILE;
}

static void read_header(struct dataset_header *header, hid_t file)
{
    hdf5_file_read_word(&header->seed, file, "seed");
    for (int i = 0; i < header_text_count; i++)
        hdf5_file_read_text((char *)header + header_texts[i].offset, header_texts[i].size, file,
                            header_texts[i].name);
}

/* ---- tables, as strangers may have written them ---- */

static bool member_fits(hid_t stored, hid_t wanted, unsigned index)
{
    char *name = H5Tget_member_name(wanted, index);
    const int at = name ? H5Tget_member_index(stored, name) : -1;
    H5free_memory(name);
    if (at < 0)
        return false;
    const hid_t a = H5Tget_member_type(stored, (unsigned)at), b = H5Tget_member_type(wanted, index);
    const H5T_class_t class = H5Tget_class(b);
    const bool fits = H5Tget_class(a) == class && H5Tget_size(a) == H5Tget_size(b) &&
                      (class == H5T_STRING ? H5Tis_variable_str(a) == 0
                                           : class == H5T_ENUM || H5Tequal(a, b) > 0);
    H5Tclose(a);
    H5Tclose(b);
    return fits;
}

static const char *type_fault(hid_t dataset, hid_t wanted)
{
    const hid_t stored = H5Dget_type(dataset);
    bool fits = stored >= 0 && H5Tget_class(stored) == H5T_COMPOUND &&
                H5Tget_size(stored) == H5Tget_size(wanted);
    const int count = H5Tget_nmembers(wanted);
    for (int i = 0; i < count && fits; i++)
        fits = member_fits(stored, wanted, (unsigned)i);
    H5Tclose(stored);
    return fits ? NULL : "its columns are not those of this program";
}

/* Filters are named, not trusted: an unknown one would make HDF5 look for a plug-in to load. */
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

static const char *layout_fault(hid_t dataset)
{
    hsize_t chunk = 0;
    const hid_t creation = H5Dget_create_plist(dataset);
    const bool is_good = creation >= 0 && H5Pget_layout(creation) == H5D_CHUNKED &&
                         H5Pget_chunk(creation, 1, &chunk) == 1 && chunk > 0 &&
                         chunk <= CHUNK_LIMIT && knows_filters(creation);
    H5Pclose(creation);
    return is_good ? NULL : "its storage is not that of a dataset";
}

/* Rows that the table claims, bounded by what its bytes can hold before anything is allocated. */
static const char *count_rows(size_t *count, const struct source *source, hid_t dataset,
                              const struct table_source *table)
{
    const hid_t space = H5Dget_space(dataset);
    const int rank = H5Sget_simple_extent_ndims(space);
    const hssize_t points = H5Sget_simple_extent_npoints(space);
    H5Sclose(space);
    if (rank != 1 || points < 0 || (uint64_t)points > row_limit)
        return "it has no plain list of rows";
    const double stored = (double)H5Dget_storage_size(dataset);
    const double limit = (stored < source->file_bytes ? stored : source->file_bytes) *
                         deflate_ratio_limit;
    if ((double)points * (double)H5Tget_size(table->packed_type) > limit)
        return "it claims more rows than the file can hold";
    if ((size_t)points > table->row_limit)
        return "it has too many rows";
    *count = (size_t)points;
    return NULL;
}

static enum status read_open_table(void **records, size_t *count, const struct source *source,
                                   hid_t dataset, const struct table_source *table,
                                   struct error *error)
{
    const char *fault = type_fault(dataset, table->packed_type);
    fault = fault ? fault : layout_fault(dataset);
    fault = fault ? fault : count_rows(count, source, dataset, table);
    if (fault)
        return damaged(source, table->path, fault, error);
    TRY(error_allocate(records, *count, table->record_size, table->path, error));
    if (*count == 0 ||
        H5Dread(dataset, table->memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *records) >= 0)
        return STATUS_OK;
    free(*records);
    *records = NULL;
    return damaged(source, table->path, "its rows cannot be read", error);
}

/* True for objects in the file itself: links to other files are not followed. */
static bool is_hard_link(hid_t file, const char *path)
{
    H5L_info_t info;
    return H5Lexists(file, path, H5P_DEFAULT) > 0 &&
           H5Lget_info(file, path, &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_HARD;
}

/* Fresh array of all records; the caller frees. Closes the table's types. */
static enum status read_table(void **records, size_t *count, const struct source *source,
                              const struct table_source *table, struct error *error)
{
    *records = NULL;
    *count = 0;
    const hid_t dataset = is_hard_link(source->file, table->path)
                              ? H5Dopen2(source->file, table->path, H5P_DEFAULT)
                              : H5I_INVALID_HID;
    enum status status;
    if (dataset >= 0) {
        status = read_open_table(records, count, source, dataset, table, error);
        H5Dclose(dataset);
    } else {
        status = damaged(source, table->path, "missing or unreadable", error);
    }
    H5Tclose(table->memory_type);
    H5Tclose(table->packed_type);
    return status;
}

/* ---- rows ---- */

/* What HDF5 gives for a row that never reached the disk: its fill value, zeros. */
static bool is_unwritten(const struct measurement *row)
{
    return row->config.batch_size == 0 && row->sample_count == 0 && row->median_ms == 0 &&
           row->unix_time_s == 0;
}

static enum status take_rows(struct dataset_rows *all, const struct measurement *rows, size_t count,
                             enum layer_kind kind, const struct source *source, struct error *error)
{
    struct measurement *grown = realloc(all->rows, (all->count + count + 1) * sizeof *grown);
    if (!grown)
        return FAIL(error, STATUS_FAILED, "no memory for %zu rows", all->count + count);
    all->rows = grown;
    while (count > 0 && is_unwritten(&rows[count - 1]))
        count--;
    for (size_t i = 0; i < count; i++) {
        struct measurement *row = &grown[all->count];
        char fault[FAULT_SIZE];
        *row = rows[i];
        dataset_row_rebuild(row, kind);
        dataset_clean_texts(row, measurement_fields, measurement_field_count);
        if (dataset_row_fault(fault, sizeof fault, row, source->device_count)) {
            FAIL(error, STATUS_BAD_FILE, "'%s': /%s/rows, row %zu: %s", source->path,
                 layer_descriptors[kind]->name, i, fault);
            error_hint(error, "the file is damaged, or of another program version");
            return STATUS_BAD_FILE;
        }
        row->device = source->device_map[row->device];
        all->count++;
    }
    return STATUS_OK;
}

static enum status read_kind(struct dataset_rows *all, const struct source *source,
                             enum layer_kind kind, struct error *error)
{
    char group[48], path[64];
    snprintf(group, sizeof group, "/%s", layer_descriptors[kind]->name);
    snprintf(path, sizeof path, "%s/rows", group);
    if (H5Lexists(source->file, group, H5P_DEFAULT) == 0)
        return STATUS_OK;
    if (!is_hard_link(source->file, group))
        return damaged(source, group, "unreadable", error);
    TRY(check_schema(source, kind, error));
    const struct table_source table = {.path = path,
                                       .memory_type = schema_row_type(kind, false),
                                       .packed_type = schema_row_type(kind, true),
                                       .record_size = sizeof(struct measurement),
                                       .row_limit = row_limit};
    void *rows;
    size_t count;
    TRY(read_table(&rows, &count, source, &table, error));
    const enum status status = take_rows(all, rows, count, kind, source, error);
    free(rows);
    return status;
}

/* ---- devices ---- */

/* Devices with equal fingerprints are one. */
static enum status take_device(int32_t *index, struct dataset_rows *all,
                               const struct device_info *info, struct error *error)
{
    const uint64_t fingerprint = device_fingerprint(info);
    for (*index = 0; *index < all->device_count; ++*index)
        if (device_fingerprint(&all->devices[*index]) == fingerprint)
            return STATUS_OK;
    const size_t count = (size_t)all->device_count + 1;
    struct device_info *grown = realloc(all->devices, count * sizeof *grown);
    if (!grown)
        return FAIL(error, STATUS_FAILED, "no memory for %zu devices", count);
    all->devices = grown;
    all->devices[all->device_count++] = *info;
    return STATUS_OK;
}

static enum status take_devices(struct dataset_rows *all, struct source *source,
                                struct device_info *infos, struct error *error)
{
    TRY(error_allocate((void **)&source->device_map, source->device_count,
                       sizeof *source->device_map, "devices", error));
    for (size_t i = 0; i < source->device_count; i++) {
        char fault[FAULT_SIZE];
        dataset_clean_texts(&infos[i], device_fields, device_field_count);
        if (dataset_device_fault(fault, sizeof fault, &infos[i]))
            return damaged(source, "/devices/rows", fault, error);
        TRY(take_device(&source->device_map[i], all, &infos[i], error));
    }
    return STATUS_OK;
}

static enum status read_devices(struct dataset_rows *all, struct source *source,
                                struct error *error)
{
    if (!is_hard_link(source->file, "/devices"))
        return damaged(source, "/devices", "missing or unreadable", error);
    const struct table_source table = {.path = "/devices/rows",
                                       .memory_type = schema_device_type(false),
                                       .packed_type = schema_device_type(true),
                                       .record_size = sizeof(struct device_info),
                                       .row_limit = DEVICE_LIMIT};
    void *infos;
    TRY(read_table(&infos, &source->device_count, source, &table, error));
    const enum status status = take_devices(all, source, infos, error);
    free(infos);
    return status;
}

/* ---- canaries ---- */

static enum status take_canaries(struct dataset_rows *all, const struct source *source,
                                 const struct canary *canaries, size_t count, struct error *error)
{
    struct canary *grown = realloc(all->canaries, (all->canary_count + count + 1) * sizeof *grown);
    if (!grown)
        return FAIL(error, STATUS_FAILED, "no memory for %zu canaries", count);
    all->canaries = grown;
    for (size_t i = 0; i < count && canaries[i].unix_time_s != 0; i++) { /* 0: never written */
        char fault[FAULT_SIZE];
        struct canary *canary = &grown[all->canary_count];
        *canary = canaries[i];
        if (dataset_canary_fault(fault, sizeof fault, canary, source->device_count))
            return damaged(source, "/canary/rows", fault, error);
        canary->device = source->device_map[canary->device];
        all->canary_count++;
    }
    return STATUS_OK;
}

static enum status read_canaries(struct dataset_rows *all, const struct source *source,
                                 struct error *error)
{
    if (!is_hard_link(source->file, "/canary"))
        return damaged(source, "/canary", "missing or unreadable", error);
    const struct table_source table = {.path = "/canary/rows",
                                       .memory_type = schema_canary_type(false),
                                       .packed_type = schema_canary_type(true),
                                       .record_size = sizeof(struct canary),
                                       .row_limit = row_limit};
    void *canaries;
    size_t count;
    TRY(read_table(&canaries, &count, source, &table, error));
    const enum status status = take_canaries(all, source, canaries, count, error);
    free(canaries);
    return status;
}

/* ---- files ---- */

static enum status read_content(struct dataset_rows *all, struct source *source,
                                const struct request *request, struct error *error)
{
    uint64_t is_growing;
    const size_t first = all->count;
    TRY(check_format(source, error));
    if (request->is_first)
        read_header(&all->header, source->file);
    if (!hdf5_file_read_word(&is_growing, source->file, "growing"))
        return damaged(source, "growing", "missing or unreadable", error);
    TRY(read_devices(all, source, error));
    TRY(read_canaries(all, source, error));
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        TRY(read_kind(all, source, (enum layer_kind)kind, error));
    size_t count = all->count - first;
    if (is_growing && !request->keeps_rounds)
        rounds_combine(all->rows + first, &count);
    all->count = first + count;
    all->is_growing |= is_growing != 0;
    return STATUS_OK;
}

static enum status read_file(void *payload, struct error *error)
{
    const struct request *request = payload;
    struct source source = {.path = request->path};
    struct stat now;
    TRY(hdf5_file_open(&source.file, source.path, error));
    source.file_bytes = stat(source.path, &now) == 0 ? (double)now.st_size : 0;
    const enum status status = read_content(request->rows, &source, request, error);
    H5Fclose(source.file);
    free(source.device_map);
    return status;
}

/* A sealed file is what a writer of ours wrote. Any other (a killed sweep's, a stranger's) is tried
 * in a child first, because HDF5 does not survive all damage. */
static enum status read_safely(struct request *request, struct error *error)
{
    bool is_sealed;
    TRY(hdf5_file_check(&is_sealed, request->path, error));
    if (!is_sealed)
        TRY(trial_run(read_file, request, request->path, error));
    return read_file(request, error);
}

static enum status read_files(struct dataset_rows *rows, const char *const *paths, int path_count,
                              bool keeps_rounds, struct error *error)
{
    *rows = (struct dataset_rows){.count = 0};
    for (int i = 0; i < path_count; i++) {
        struct request request = {
            .rows = rows, .path = paths[i], .is_first = i == 0, .keeps_rounds = keeps_rounds};
        const enum status status = read_safely(&request, error);
        if (status != STATUS_OK) {
            dataset_rows_free(rows);
            return status;
        }
    }
    return STATUS_OK;
}

enum status dataset_read(struct dataset_rows *rows, const char *const *paths, int path_count,
                         struct error *error)
{
    return read_files(rows, paths, path_count, false, error);
}

enum status dataset_read_rounds(struct dataset_rows *rows, const char *path, struct error *error)
{
    return read_files(rows, &path, 1, true, error);
}

void dataset_rows_free(struct dataset_rows *rows)
{
    free(rows->rows);
    free(rows->devices);
    free(rows->canaries);
    *rows = (struct dataset_rows){.count = 0};
}
