#include "base/mapped_file.h"
#include "data/dataset_internal.h"
#include "data/trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFLATE_RATIO_LIMIT = 1100, DEVICE_LIMIT = 4096 };
static const uint64_t row_limit = 1000000000;

/* One file being read. */
struct source {
    const char *path;
    hid_t file;
    int32_t device_map[DEVICE_LIMIT];
    size_t device_count;
};

static enum status bad(const struct source *source, const char *what, struct error *error)
{
    FAIL(error, STATUS_BAD_FILE, "'%s': %s", source->path, what);
    return error_hint(error,
                      "'epochcast show' tells what a file is; sweep or import writes datasets"),
           STATUS_BAD_FILE;
}

static bool read_word(uint64_t *value, hid_t object, const char *name)
{
    if (H5Aexists(object, name) <= 0)
        return false;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    hid_t space = H5Aget_space(attribute);
    bool is_ok = H5Sget_simple_extent_npoints(space) == 1 &&
                 H5Aread(attribute, H5T_NATIVE_UINT64, value) >= 0;
    H5Sclose(space);
    H5Aclose(attribute);
    return is_ok;
}

/* A fixed-length text attribute; what does not fit is cut. */
static bool read_text(char *text, size_t size, hid_t object, const char *name)
{
    text[0] = '\0';
    if (H5Aexists(object, name) <= 0)
        return false;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    hid_t wanted = H5Tcopy(H5T_C_S1);
    H5Tset_size(wanted, size);
    bool is_ok = H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
                 H5Sget_simple_extent_npoints(space) == 1 && H5Aread(attribute, wanted, text) >= 0;
    text[size - 1] = '\0';
    H5Tclose(wanted);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return is_ok;
}

static enum status check_format(const struct source *source, struct error *error)
{
    char format[64], message[160];
    uint64_t version = 0;
    if (!read_text(format, sizeof format, source->file, "format") ||
        strcmp(format, SCHEMA_FORMAT_NAME) != 0)
        return bad(source, "not an epochcast dataset", error);
    if (!read_word(&version, source->file, "format_version") || version != SCHEMA_VERSION) {
        snprintf(message, sizeof message, "format version %llu, this program reads version %d",
                 (unsigned long long)version, SCHEMA_VERSION);
        return bad(source, message, error);
    }
    return STATUS_OK;
}

static enum status check_schema(const struct source *source, enum layer_kind kind,
                                struct error *error)
{
    char name[64];
    uint64_t hash = 0;
    snprintf(name, sizeof name, "schema_hash_%s", layer_descriptors[kind]->name);
    if (read_word(&hash, source->file, name) && hash == schema_hash(kind))
        return STATUS_OK;
    FAIL(error, STATUS_BAD_FILE, "'%s': the columns of %s are those of another version",
         source->path, layer_descriptors[kind]->name);
    return error_hint(error, "export it to CSV with the program version that wrote it"),
           STATUS_BAD_FILE;
}

/* Rows of a table, bounded by what its bytes in the file can hold, before anything is allocated. */
static enum status count_rows(size_t *count, const struct source *source, hid_t table,
                              size_t row_bytes, struct error *error)
{
    hid_t space = H5Dget_space(table);
    hssize_t points = H5Sget_simple_extent_npoints(space);
    int rank = H5Sget_simple_extent_ndims(space);
    H5Sclose(space);
    double stored = (double)H5Dget_storage_size(table);
    if (rank != 1 || points < 0 || (uint64_t)points > row_limit ||
        (double)points * (double)row_bytes > stored * DEFLATE_RATIO_LIMIT)
        return bad(source, "a table claims more rows than the file holds", error);
    *count = (size_t)points;
    return STATUS_OK;
}

static bool has_fixed_layout(hid_t table)
{
    hid_t type = H5Dget_type(table);
    bool is_fixed = H5Tget_class(type) == H5T_COMPOUND && H5Tdetect_class(type, H5T_VLEN) <= 0 &&
                    H5Tdetect_class(type, H5T_REFERENCE) <= 0;
    H5Tclose(type);
    return is_fixed;
}

/* Reads a whole table into a fresh array of `size`-byte elements; a missing table has no rows. */
static enum status read_table(void **elements, size_t *count, const struct source *source,
                              const char *path, hid_t memory_type, hid_t packed_type, size_t size,
                              struct error *error)
{
    *elements = NULL;
    *count = 0;
    hid_t table = H5Dopen2(source->file, path, H5P_DEFAULT);
    if (table < 0)
        return bad(source, "a table cannot be opened", error);
    enum status status = has_fixed_layout(table)
                             ? count_rows(count, source, table, H5Tget_size(packed_type), error)
                             : bad(source, "a table is no compound of fixed size", error);
    if (status == STATUS_OK)
        status = error_allocate(elements, *count, size, path, error);
    if (status == STATUS_OK && *count &&
        H5Dread(table, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *elements) < 0)
        status = bad(source, "a table cannot be read: damaged or cut short", error);
    H5Dclose(table);
    if (status != STATUS_OK) {
        free(*elements);
        *elements = NULL;
    }
    return status;
}

static bool is_time(double value)
{
    return isfinite(value) && value > 0;
}

static const char *row_fault(const struct measurement *row, const struct source *source)
{
    const struct layer_descriptor *descriptor = layer_descriptors[row->config.kind];
    for (int i = 0; i < descriptor->feature_count; i++) {
        const struct feature *feature = &descriptor->features[i];
        int32_t value = layer_get(&row->config, feature);
        if (value < feature->minimum || value > feature->maximum)
            return feature->name;
    }
    if (row->outcome < 0 || row->outcome >= OUTCOME_COUNT)
        return "outcome";
    if (row->stratum < 0 || row->stratum >= choice_stratum.count)
        return "stratum";
    if (row->device < 0 || (size_t)row->device >= source->device_count)
        return "device";
    if (measurement_is_timed(row) && !is_time(row->median_ms))
        return "median_ms";
    return layer_is_valid(&row->config) ? NULL : "shape";
}

/* What HDF5 gives for a row that a full disk kept from being written: its fill value, zeros. */
static bool is_unwritten(const struct measurement *row)
{
    return row->config.batch_size == 0 && row->sample_count == 0 && row->median_ms == 0 &&
           row->unix_time_s == 0;
}

/* Moves checked rows to the end of the collection. */
static enum status take_rows(struct dataset_rows *all, struct measurement *rows, size_t count,
                             enum layer_kind kind, const struct source *source, struct error *error)
{
    struct measurement *grown = realloc(all->rows, (all->count + count + 1) * sizeof *grown);
    if (!grown)
        return FAIL(error, STATUS_FAILED, "no memory for %zu rows", all->count + count);
    all->rows = grown;
    while (count && is_unwritten(&rows[count - 1]))
        count--;
    for (size_t i = 0; i < count; i++) {
        struct measurement *row = &rows[i];
        row->config.kind = kind;
        row->algorithm[sizeof row->algorithm - 1] = '\0';
        const char *fault = row_fault(row, source);
        if (fault) {
            FAIL(error, STATUS_BAD_FILE, "'%s': %s row %zu: bad value of '%s'", source->path,
                 layer_descriptors[kind]->name, i, fault);
            return error_hint(error, "the file is damaged, or was not written by epochcast"),
                   STATUS_BAD_FILE;
        }
        row->device = source->device_map[row->device];
        all->rows[all->count++] = *row;
    }
    return STATUS_OK;
}

static enum status read_kind(struct dataset_rows *all, const struct source *source,
                             enum layer_kind kind, struct error *error)
{
    char group[48], path[64];
    snprintf(group, sizeof group, "/%s", layer_descriptors[kind]->name);
    snprintf(path, sizeof path, "%s/rows", group);
    if (H5Lexists(source->file, group, H5P_DEFAULT) <= 0)
        return STATUS_OK;
    TRY(check_schema(source, kind, error));
    void *rows;
    size_t count;
    hid_t memory = schema_row_type(kind, false), packed = schema_row_type(kind, true);
    enum status status = read_table(&rows, &count, source, path, memory, packed,
                                    sizeof(struct measurement), error);
    H5Tclose(packed);
    H5Tclose(memory);
    TRY(status);
    status = take_rows(all, rows, count, kind, source, error);
    free(rows);
    return status;
}

/* Devices with equal fingerprints are one. */
static enum status take_device(int32_t *index, struct dataset_rows *all,
                               const struct device_info *info, struct error *error)
{
    for (*index = 0; *index < all->device_count; ++*index)
        if (device_fingerprint(&all->devices[*index]) == device_fingerprint(info))
            return STATUS_OK;
    struct device_info *grown = realloc(all->devices,
                                        ((size_t)all->device_count + 1) * sizeof *grown);
    if (!grown)
        return FAIL(error, STATUS_FAILED, "no memory for devices");
    all->devices = grown;
    all->devices[all->device_count++] = *info;
    return STATUS_OK;
}

static void terminate_texts(struct device_info *info)
{
    for (int i = 0; i < device_field_count; i++)
        if (device_fields[i].type == FIELD_TEXT)
            ((char *)info)[device_fields[i].offset + device_fields[i].size - 1] = '\0';
}

static enum status read_devices(struct dataset_rows *all, struct source *source,
                                struct error *error)
{
    void *memory_block;
    if (H5Lexists(source->file, "/devices", H5P_DEFAULT) <= 0)
        return bad(source, "it has no devices", error);
    hid_t memory = schema_device_type(false), packed = schema_device_type(true);
    enum status status = read_table(&memory_block, &source->device_count, source, DEVICES_TABLE,
                                    memory, packed, sizeof(struct device_info), error);
    H5Tclose(packed);
    H5Tclose(memory);
    TRY(status);
    struct device_info *infos = memory_block;
    if (source->device_count > DEVICE_LIMIT)
        status = bad(source, "too many devices", error);
    for (size_t i = 0; status == STATUS_OK && i < source->device_count; i++) {
        terminate_texts(&infos[i]);
        status = take_device(&source->device_map[i], all, &infos[i], error);
    }
    free(infos);
    return status;
}

static void read_header(struct dataset_header *header, hid_t file)
{
    read_word(&header->seed, file, "seed");
    for (int i = 0; i < header_text_count; i++)
        read_text((char *)header + header_texts[i].offset, header_texts[i].size, file,
                  header_texts[i].name);
}

static enum status read_content(struct dataset_rows *all, struct source *source, bool is_first,
                                struct error *error)
{
    TRY(check_format(source, error));
    if (is_first)
        read_header(&all->header, source->file);
    TRY(read_devices(all, source, error));
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        TRY(read_kind(all, source, (enum layer_kind)kind, error));
    return STATUS_OK;
}

static enum status read_file(struct dataset_rows *all, const char *path, bool is_first,
                             struct error *error)
{
    struct mapped_file probe; // the system's own words for missing and unreadable files
    TRY(mapped_file_open(&probe, path, error));
    mapped_file_close(&probe);
    struct source *source;
    TRY(error_allocate((void **)&source, 1, sizeof *source, "file", error));
    source->path = path;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    source->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    enum status status = source->file < 0
                             ? bad(source, "not a readable HDF5 file (or one being written)", error)
                             : read_content(all, source, is_first, error);
    if (source->file >= 0)
        H5Fclose(source->file);
    free(source);
    return status;
}

/* What dataset_read was asked for. */
struct request {
    const char *const *paths;
    int path_count;
    struct dataset_rows *rows;
};

static enum status read_all(void *payload, struct error *error)
{
    const struct request *request = payload;
    *request->rows = (struct dataset_rows){.count = 0};
    for (int i = 0; i < request->path_count; i++)
        TRY(read_file(request->rows, request->paths[i], i == 0, error));
    return STATUS_OK;
}

enum status dataset_read(struct dataset_rows *rows, const char *const *paths, int path_count,
                         struct error *error)
{
    struct request request = {.paths = paths, .path_count = path_count, .rows = rows};
    *rows = (struct dataset_rows){.count = 0};
    for (int i = 0; i < path_count; i++) {
        struct request one = {.paths = paths + i, .path_count = 1, .rows = rows};
        TRY(trial_run(read_all, &one, paths[i], error));
    }
    enum status status = read_all(&request, error);
    if (status != STATUS_OK)
        dataset_rows_free(rows);
    return status;
}

void dataset_rows_free(struct dataset_rows *rows)
{
    free(rows->rows);
    free(rows->devices);
    *rows = (struct dataset_rows){.count = 0};
}
