#include "data/dataset.h"

#include "base/term.h"
#include "data/dataset_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER_ROWS = 50, GROWING_CHUNK = 512, COMPACT_CHUNK = 8192, PATH_EXTRA = 40 };
static const double flush_interval_s = 1, sync_interval_s = 5;

/* A growing compound table. */
struct rows_table {
    hid_t dataset, memory_type;
    hsize_t count;
};

struct dataset {
    hid_t file;
    char *path, *growing_path; /* equal texts when in place */
    bool in_place;
    struct dataset_header header;
    struct rows_table tables[LAYER_KIND_COUNT], devices; /* dataset 0: not there yet */
    struct measurement buffer[BUFFER_ROWS];
    int buffered;
    double flushed_s, synced_s;
};

#define HEADER_TEXT(member)                                                                        \
    {                                                                                              \
#member, offsetof(struct dataset_header, member),                                          \
            sizeof((struct dataset_header *)0)->member                                             \
    }
const struct header_text header_texts[] = {
    HEADER_TEXT(program_version), HEADER_TEXT(command_line), HEADER_TEXT(libraries),
    HEADER_TEXT(licence),         HEADER_TEXT(citation),     HEADER_TEXT(created),
    HEADER_TEXT(sampler),         HEADER_TEXT(domain),
};
const int header_text_count = sizeof header_texts / sizeof *header_texts;

static enum status cannot(const char *what, const char *path, struct error *error)
{
    int cause = errno;
    FAIL(error, STATUS_FAILED, "cannot %s '%s': %s", what, path,
         cause ? strerror(cause) : "HDF5 gives no reason");
    return error_hint(error, "check the directory, its permissions and the free space"),
           STATUS_FAILED;
}

static void write_text(hid_t object, const char *name, const char *text)
{
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, strlen(text) + 1);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, type, text);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
}

static void write_word(hid_t object, const char *name, uint64_t value)
{
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(object, name, H5T_NATIVE_UINT64, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, H5T_NATIVE_UINT64, &value);
    H5Aclose(attribute);
    H5Sclose(space);
}

static void write_header(hid_t file, const struct dataset_header *header)
{
    write_text(file, "format", SCHEMA_FORMAT_NAME);
    write_word(file, "format_version", SCHEMA_VERSION);
    write_word(file, "seed", header->seed);
    for (int i = 0; i < header_text_count; i++)
        write_text(file, header_texts[i].name, (const char *)header + header_texts[i].offset);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        char name[64];
        snprintf(name, sizeof name, "schema_hash_%s", layer_descriptors[kind]->name);
        write_word(file, name, schema_hash((enum layer_kind)kind));
    }
}

static void describe_column(hid_t dataset, const char *name, const char *unit, const char *help)
{
    char attribute[96];
    snprintf(attribute, sizeof attribute, "%s.unit", name);
    write_text(dataset, attribute, unit);
    snprintf(attribute, sizeof attribute, "%s.help", name);
    write_text(dataset, attribute, help);
}

static void describe_fields(hid_t dataset, const struct field *fields, int count)
{
    for (int i = 0; i < count; i++)
        describe_column(dataset, fields[i].name, fields[i].unit, fields[i].help);
}

static const char *unit_name(enum unit unit)
{
    static const char *const names[] = {"1", "rows", "pixels", "channels", "neurons"};
    return names[unit];
}

static void describe_rows(hid_t dataset, enum layer_kind kind)
{
    const struct layer_descriptor *descriptor = layer_descriptors[kind];
    for (int i = 0; i < descriptor->feature_count; i++)
        describe_column(dataset, descriptor->features[i].name,
                        unit_name(descriptor->features[i].unit), descriptor->features[i].help);
    describe_fields(dataset, measurement_fields, measurement_field_count);
}

/* compact: big chunks, shuffle + deflate; else small plain chunks (recompressed partial chunks lose
 * rows when the writer is killed). */
static hid_t create_table(hid_t file, const char *path, hid_t file_type, bool compact)
{
    hsize_t none = 0, unlimited = H5S_UNLIMITED, chunk = compact ? COMPACT_CHUNK : GROWING_CHUNK;
    hid_t space = H5Screate_simple(1, &none, &unlimited);
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE), links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_chunk(creation, 1, &chunk);
    if (compact) {
        H5Pset_shuffle(creation);
        H5Pset_deflate(creation, 4);
    }
    H5Pset_create_intermediate_group(links, 1);
    hid_t dataset = H5Dcreate2(file, path, file_type, space, links, creation, H5P_DEFAULT);
    H5Pclose(links);
    H5Pclose(creation);
    H5Sclose(space);
    return dataset;
}

static void rows_path(char *path, size_t size, enum layer_kind kind)
{
    snprintf(path, size, "/%s/rows", layer_descriptors[kind]->name);
}

static bool open_rows(struct rows_table *table, hid_t file, enum layer_kind kind, bool compact)
{
    char path[64];
    hid_t packed = schema_row_type(kind, true);
    rows_path(path, sizeof path, kind);
    table->memory_type = schema_row_type(kind, false);
    table->dataset = create_table(file, path, packed, compact);
    H5Tclose(packed);
    if (table->dataset >= 0)
        describe_rows(table->dataset, kind);
    return table->dataset >= 0;
}

static bool open_devices(struct rows_table *table, hid_t file, bool compact)
{
    hid_t packed = schema_device_type(true);
    table->memory_type = schema_device_type(false);
    table->dataset = create_table(file, DEVICES_TABLE, packed, compact);
    H5Tclose(packed);
    if (table->dataset >= 0)
        describe_fields(table->dataset, device_fields, device_field_count);
    return table->dataset >= 0;
}

static void close_table(struct rows_table *table)
{
    if (table->dataset > 0)
        H5Dclose(table->dataset);
    if (table->memory_type > 0)
        H5Tclose(table->memory_type);
    *table = (struct rows_table){.dataset = 0};
}

static bool transfer_rows(struct rows_table *table, hsize_t first, hsize_t count, void *rows,
                          bool write)
{
    hid_t memory = H5Screate_simple(1, &count, NULL), space = H5Dget_space(table->dataset);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, NULL, &count, NULL);
    herr_t result = write ? H5Dwrite(table->dataset, table->memory_type, memory, space, H5P_DEFAULT,
                                     rows)
                          : H5Dread(table->dataset, table->memory_type, memory, space, H5P_DEFAULT,
                                    rows);
    H5Sclose(space);
    H5Sclose(memory);
    return result >= 0;
}

static bool append_rows(struct rows_table *table, hsize_t count, const void *rows)
{
    hsize_t total = table->count + count;
    if (H5Dset_extent(table->dataset, &total) < 0 ||
        !transfer_rows(table, table->count, count, (void *)rows, true))
        return false;
    table->count = total;
    return true;
}

static enum status open_file(struct dataset *dataset, bool overwrite, struct error *error)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); // errors are ours to print
    errno = 0;
    bool replace = overwrite || !dataset->in_place;
    dataset->file = H5Fcreate(dataset->growing_path, replace ? H5F_ACC_TRUNC : H5F_ACC_EXCL,
                              H5P_DEFAULT, H5P_DEFAULT);
    if (dataset->file < 0)
        return cannot("create", dataset->growing_path, error);
    write_header(dataset->file, &dataset->header);
    if (!open_devices(&dataset->devices, dataset->file, false))
        return cannot("write", dataset->growing_path, error);
    return STATUS_OK;
}

static enum status name_files(struct dataset *dataset, const char *path, struct error *error)
{
    size_t size = strlen(path) + PATH_EXTRA;
    TRY(error_allocate((void **)&dataset->path, size, 1, "path", error));
    TRY(error_allocate((void **)&dataset->growing_path, size, 1, "path", error));
    snprintf(dataset->path, size, "%s", path);
    if (dataset->in_place)
        snprintf(dataset->growing_path, size, "%s", path);
    else
        snprintf(dataset->growing_path, size, "%s.partial-%ld", path, (long)getpid());
    return STATUS_OK;
}

enum status dataset_create(struct dataset **out, const char *path,
                           const struct dataset_header *header, bool overwrite, bool in_place,
                           struct error *error)
{
    *out = NULL;
    if (!overwrite && access(path, F_OK) == 0) {
        FAIL(error, STATUS_USAGE, "'%s' exists", path);
        return error_hint(error, "--overwrite replaces it"), STATUS_USAGE;
    }
    struct dataset *dataset;
    TRY(error_allocate((void **)&dataset, 1, sizeof *dataset, "dataset", error));
    dataset->header = *header;
    dataset->in_place = in_place;
    enum status status = name_files(dataset, path, error);
    if (status == STATUS_OK)
        status = open_file(dataset, overwrite, error);
    if (status != STATUS_OK) {
        dataset_close(dataset);
        return status;
    }
    dataset->flushed_s = dataset->synced_s = monotonic_s();
    *out = dataset;
    return STATUS_OK;
}

/* A power cut must not lose what was flushed long ago: HDF5's flush stops at the kernel. */
static bool sync_file(hid_t file)
{
    int *descriptor;
    return H5Fget_vfd_handle(file, H5P_DEFAULT, (void **)&descriptor) >= 0 &&
           fsync(*descriptor) == 0;
}

static bool write_buffer(struct dataset *dataset)
{
    for (int i = 0; i < dataset->buffered;) {
        enum layer_kind kind = dataset->buffer[i].config.kind;
        struct rows_table *table = &dataset->tables[kind];
        int end = i + 1;
        while (end < dataset->buffered && dataset->buffer[end].config.kind == kind)
            end++;
        if (table->dataset <= 0 && !open_rows(table, dataset->file, kind, false))
            return false;
        if (!append_rows(table, (hsize_t)(end - i), &dataset->buffer[i]))
            return false;
        i = end;
    }
    dataset->buffered = 0;
    return true;
}

enum status dataset_flush(struct dataset *dataset, struct error *error)
{
    double now = monotonic_s();
    errno = 0;
    if (!write_buffer(dataset) || H5Fflush(dataset->file, H5F_SCOPE_LOCAL) < 0)
        return cannot("write", dataset->growing_path, error);
    dataset->flushed_s = now;
    if (now - dataset->synced_s >= sync_interval_s) {
        if (!sync_file(dataset->file))
            return cannot("sync", dataset->growing_path, error);
        dataset->synced_s = now;
    }
    return STATUS_OK;
}

enum status dataset_add_device(struct dataset *dataset, const struct device_info *info,
                               int32_t *device, struct error *error)
{
    *device = (int32_t)dataset->devices.count;
    errno = 0;
    if (!append_rows(&dataset->devices, 1, info))
        return cannot("write", dataset->growing_path, error);
    return STATUS_OK;
}

/* Neighbouring rows of one kind are written together, so the buffer is kept sorted by kind. */
static void insert_sorted(struct dataset *dataset, const struct measurement *row)
{
    int at = dataset->buffered++;
    for (; at > 0 && dataset->buffer[at - 1].config.kind > row->config.kind; at--)
        dataset->buffer[at] = dataset->buffer[at - 1];
    dataset->buffer[at] = *row;
}

enum status dataset_append(struct dataset *dataset, const struct measurement *row,
                           struct error *error)
{
    if (dataset->buffered == BUFFER_ROWS)
        return FAIL(error, STATUS_FAILED, "'%s': an earlier write failed", dataset->growing_path);
    insert_sorted(dataset, row);
    if (dataset->buffered < BUFFER_ROWS && monotonic_s() - dataset->flushed_s < flush_interval_s)
        return STATUS_OK;
    return dataset_flush(dataset, error);
}

static bool copy_rows(struct rows_table *to, struct rows_table *from, void *block)
{
    for (hsize_t first = 0; first < from->count; first += COMPACT_CHUNK) {
        hsize_t left = from->count - first, count = left < COMPACT_CHUNK ? left : COMPACT_CHUNK;
        if (!transfer_rows(from, first, count, block, false) || !append_rows(to, count, block))
            return false;
    }
    return true;
}

static bool copy_tables(hid_t file, struct dataset *dataset, void *block)
{
    struct rows_table compact = {.dataset = 0};
    bool is_ok = open_devices(&compact, file, true) &&
                 copy_rows(&compact, &dataset->devices, block);
    close_table(&compact);
    for (int kind = 0; is_ok && kind < LAYER_KIND_COUNT; kind++) {
        if (dataset->tables[kind].dataset <= 0)
            continue;
        is_ok = open_rows(&compact, file, (enum layer_kind)kind, true) &&
                copy_rows(&compact, &dataset->tables[kind], block);
        close_table(&compact);
    }
    return is_ok;
}

static enum status write_compact(const char *path, struct dataset *dataset, void *block,
                                 struct error *error)
{
    errno = 0;
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (file < 0)
        return cannot("create", path, error);
    write_header(file, &dataset->header);
    bool is_ok = copy_tables(file, dataset, block) && H5Fflush(file, H5F_SCOPE_LOCAL) >= 0 &&
                 sync_file(file);
    is_ok = H5Fclose(file) >= 0 && is_ok;
    return is_ok ? STATUS_OK : cannot("write", path, error);
}

enum status dataset_finish(struct dataset *dataset, struct error *error)
{
    TRY(dataset_flush(dataset, error));
    size_t size = strlen(dataset->path) + PATH_EXTRA;
    char *compact_path;
    void *block;
    TRY(error_allocate((void **)&compact_path, size, 1, "path", error));
    snprintf(compact_path, size, "%s.compact-%ld", dataset->path, (long)getpid());
    enum status status = error_allocate(&block, COMPACT_CHUNK, sizeof(struct measurement), "rows",
                                        error);
    if (status == STATUS_OK)
        status = write_compact(compact_path, dataset, block, error);
    if (status == STATUS_OK && rename(compact_path, dataset->path) != 0)
        status = cannot("rename to", dataset->path, error);
    if (status != STATUS_OK)
        unlink(compact_path);
    free(block);
    free(compact_path);
    return status;
}

void dataset_close(struct dataset *dataset)
{
    if (!dataset)
        return;
    if (dataset->file > 0) {
        write_buffer(dataset);
        for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
            close_table(&dataset->tables[kind]);
        close_table(&dataset->devices);
        H5Fclose(dataset->file);
        if (!dataset->in_place)
            unlink(dataset->growing_path);
    }
    free(dataset->path);
    free(dataset->growing_path);
    free(dataset);
}
