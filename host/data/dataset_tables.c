#include "data/dataset_internal.h"
#include "data/hdf5_file.h"

#include <stdio.h>

#define HEADER_TEXT(member)                                                                        \
    {                                                                                              \
        .name = #member, .offset = offsetof(struct dataset_header, member),                        \
        .size = sizeof((struct dataset_header *)0)->member                                         \
    }
const struct header_text header_texts[] = {
    HEADER_TEXT(program_version), HEADER_TEXT(command_line), HEADER_TEXT(libraries),
    HEADER_TEXT(licence),         HEADER_TEXT(citation),     HEADER_TEXT(created),
    HEADER_TEXT(sampler),         HEADER_TEXT(domain),       HEADER_TEXT(protocol),
    HEADER_TEXT(shard),           HEADER_TEXT(sources),
};
const int header_text_count = sizeof header_texts / sizeof *header_texts;

static bool write_header(hid_t file, const struct dataset_header *header, bool is_growing)
{
    bool is_ok = hdf5_file_write_text(file, "format", SCHEMA_FORMAT_NAME) &&
                 hdf5_file_write_word(file, "format_version", SCHEMA_VERSION) &&
                 hdf5_file_write_word(file, "growing", is_growing) &&
                 hdf5_file_write_word(file, "seed", header->seed);
    for (int i = 0; i < header_text_count && is_ok; i++)
        is_ok = hdf5_file_write_text(file, header_texts[i].name,
                                     (const char *)header + header_texts[i].offset);
    for (int kind = 0; kind < LAYER_KIND_COUNT && is_ok; kind++) {
        char name[64];
        snprintf(name, sizeof name, "schema_hash_%s", layer_descriptors[kind]->name);
        is_ok = hdf5_file_write_word(file, name, schema_hash((enum layer_kind)kind));
    }
    return is_ok;
}

void dataset_join_names(char *text, size_t size, const struct choice *choice)
{
    size_t length = 0;
    for (int i = 0; i < choice->count && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%s", i ? "," : "",
                                   choice->names[i]);
}

static bool describe_column(hid_t dataset, const struct field *field)
{
    char name[96], names[512];
    snprintf(name, sizeof name, "%s.unit", field->name);
    bool is_ok = hdf5_file_write_text(dataset, name, field->unit);
    snprintf(name, sizeof name, "%s.help", field->name);
    is_ok = is_ok && hdf5_file_write_text(dataset, name, field->help);
    if (!field->choice)
        return is_ok;
    snprintf(name, sizeof name, "%s.names", field->name);
    dataset_join_names(names, sizeof names, field->choice);
    return is_ok && hdf5_file_write_text(dataset, name, names);
}

static hid_t create_dataset(hid_t file, const char *path, hid_t type, hsize_t chunk, bool compact)
{
    const hsize_t none = 0, unlimited = H5S_UNLIMITED;
    const hid_t space = H5Screate_simple(1, &none, &unlimited);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE), links = H5Pcreate(H5P_LINK_CREATE);
    const bool is_ok = H5Pset_chunk(creation, 1, &chunk) >= 0 &&
                       H5Pset_create_intermediate_group(links, 1) >= 0 &&
                       (!compact ||
                        (H5Pset_shuffle(creation) >= 0 && H5Pset_deflate(creation, 4) >= 0));
    const hid_t dataset = is_ok ? H5Dcreate2(file, path, type, space, links, creation, H5P_DEFAULT)
                                : H5I_INVALID_HID;
    H5Pclose(links);
    H5Pclose(creation);
    H5Sclose(space);
    return dataset;
}

static bool create_table(struct rows_table *table, hid_t file, const char *group,
                         const struct schema_columns *columns, hsize_t chunk, bool compact)
{
    char path[64];
    const hid_t packed_type = schema_columns_type(columns, true);
    snprintf(path, sizeof path, "/%s/rows", group);
    *table = (struct rows_table){.dataset = create_dataset(file, path, packed_type, chunk, compact),
                                 .memory_type = schema_columns_type(columns, false)};
    H5Tclose(packed_type);
    bool is_ok = table->dataset >= 0 && table->memory_type >= 0;
    for (int i = 0; i < columns->count && is_ok; i++)
        is_ok = describe_column(table->dataset, &columns->fields[i]);
    return is_ok;
}

bool dataset_tables_add_kind(struct dataset_tables *tables, enum layer_kind kind, bool compact)
{
    const struct schema_columns columns = schema_row_columns(kind);
    return create_table(&tables->rows[kind], tables->file, layer_descriptors[kind]->name, &columns,
                        compact ? COMPACT_CHUNK : GROWING_CHUNK, compact);
}

static bool create_canaries(struct dataset_tables *tables, bool compact)
{
    const struct schema_columns columns = schema_canary_columns();
    return create_table(&tables->canaries, tables->file, "canary", &columns, GROWING_CHUNK,
                        compact);
}

static bool create_devices(struct dataset_tables *tables, bool compact)
{
    const struct schema_columns columns = schema_device_columns();
    return create_table(&tables->devices, tables->file, "devices", &columns, DEVICE_CHUNK, compact);
}

/* Room for 262,144 rows before an index node splits: a kill during a split would hide rows. */
static hid_t create_growing_file(const char *path)
{
    const hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    const hid_t file = H5Pset_istore_k(creation, 256) >= 0
                           ? H5Fcreate(path, H5F_ACC_TRUNC, creation, H5P_DEFAULT)
                           : H5I_INVALID_HID;
    H5Pclose(creation);
    return file;
}

bool dataset_tables_create(struct dataset_tables *tables, const char *path,
                           const struct dataset_header *header, bool compact,
                           const bool wanted[LAYER_KIND_COUNT])
{
    *tables = (struct dataset_tables){.file = 0};
    hdf5_file_quiet();
    tables->file = compact ? H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)
                           : create_growing_file(path);
    bool is_ok = tables->file >= 0 && write_header(tables->file, header, !compact) &&
                 create_devices(tables, compact) && create_canaries(tables, compact);
    for (int kind = 0; kind < LAYER_KIND_COUNT && is_ok; kind++)
        if (wanted[kind])
            is_ok = dataset_tables_add_kind(tables, (enum layer_kind)kind, compact);
    return is_ok;
}

static bool close_table(struct rows_table *table)
{
    const bool is_ok = table->dataset <= 0 || H5Dclose(table->dataset) >= 0;
    if (table->memory_type > 0)
        H5Tclose(table->memory_type);
    *table = (struct rows_table){.dataset = 0};
    return is_ok;
}

bool dataset_tables_close(struct dataset_tables *tables)
{
    bool is_ok = close_table(&tables->devices);
    is_ok = close_table(&tables->canaries) && is_ok;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        is_ok = close_table(&tables->rows[kind]) && is_ok;
    if (tables->file > 0)
        is_ok = H5Fclose(tables->file) >= 0 && is_ok;
    tables->file = 0;
    return is_ok;
}

static hid_t select_rows(const struct rows_table *table, hsize_t first, hsize_t count)
{
    const hid_t space = H5Dget_space(table->dataset);
    if (H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, NULL, &count, NULL) >= 0)
        return space;
    H5Sclose(space);
    return H5I_INVALID_HID;
}

bool rows_table_append(struct rows_table *table, hsize_t count, const void *rows)
{
    const hsize_t before = table->count, total = before + count;
    if (H5Dset_extent(table->dataset, &total) < 0)
        return false;
    const hid_t memory = H5Screate_simple(1, &count, NULL);
    const hid_t space = select_rows(table, before, count);
    const bool is_ok = memory >= 0 && space >= 0 &&
                       H5Dwrite(table->dataset, table->memory_type, memory, space, H5P_DEFAULT,
                                rows) >= 0;
    H5Sclose(space);
    H5Sclose(memory);
    if (is_ok)
        table->count = total;
    else
        H5Dset_extent(table->dataset, &before); /* no rows of zeros */
    return is_ok;
}

bool rows_table_read(const struct rows_table *table, hsize_t first, hsize_t count, void *rows)
{
    const hid_t memory = H5Screate_simple(1, &count, NULL);
    const hid_t space = select_rows(table, first, count);
    const bool is_ok = memory >= 0 && space >= 0 &&
                       H5Dread(table->dataset, table->memory_type, memory, space, H5P_DEFAULT,
                               rows) >= 0;
    H5Sclose(space);
    H5Sclose(memory);
    return is_ok;
}
