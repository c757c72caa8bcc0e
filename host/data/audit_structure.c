#include "data/audit_internal.h"

#include "data/dataset_internal.h"
#include "data/hdf5_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- root ---- */

static const char *const root_words[] = {"format_version", "growing", "seed"};
enum { ROOT_WORD_COUNT = sizeof root_words / sizeof *root_words };

static bool is_schema_hash(const char *name)
{
    static const char prefix[] = "schema_hash_";
    return strncmp(name, prefix, sizeof prefix - 1) == 0 &&
           layer_kind_find(name + sizeof prefix - 1) >= 0;
}

static bool is_root_attribute(const char *name)
{
    bool is_known = strcmp(name, "format") == 0 || is_schema_hash(name);
    for (int i = 0; i < ROOT_WORD_COUNT && !is_known; i++)
        is_known = strcmp(name, root_words[i]) == 0;
    for (int i = 0; i < header_text_count && !is_known; i++)
        is_known = strcmp(name, header_texts[i].name) == 0;
    return is_known;
}

static herr_t check_root_name(hid_t object, const char *name, const H5A_info_t *info, void *payload)
{
    (void)object, (void)info;
    if (!is_root_attribute(name))
        audit_violation(payload, "/", "attribute '%.60s' is not part of the format", name);
    return 0;
}

/* A file that an earlier version wrote knows nothing of later kinds, and has no rows of them. */
static void check_schema_hash(struct audit *audit, hid_t file, enum layer_kind kind)
{
    char name[64];
    uint64_t word;
    const char *kind_name = layer_descriptors[kind]->name;
    snprintf(name, sizeof name, "schema_hash_%s", kind_name);
    if (H5Aexists(file, name) == 0 && H5Lexists(file, kind_name, H5P_DEFAULT) == 0)
        return;
    if (!hdf5_file_read_word(&word, file, name))
        audit_violation(audit, "/", "attribute '%s' is missing or no integer", name);
    else if (word != schema_hash(kind))
        audit_violation(audit, "/", "attribute '%s' is that of other columns", name);
}

static void check_root_attributes(struct audit *audit, hid_t file)
{
    char text[4096];
    uint64_t word;
    for (int i = 0; i < ROOT_WORD_COUNT; i++)
        if (!hdf5_file_read_word(&word, file, root_words[i]))
            audit_violation(audit, "/", "attribute '%s' is missing or no integer", root_words[i]);
    for (int i = 0; i < header_text_count; i++)
        if (!hdf5_file_read_text(text, sizeof text, file, header_texts[i].name))
            audit_violation(audit, "/", "attribute '%s' is missing or no text",
                            header_texts[i].name);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        check_schema_hash(audit, file, (enum layer_kind)kind);
    hsize_t next = 0;
    H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, &next, check_root_name, audit);
}

static herr_t check_root_object(hid_t file, const char *name, const H5L_info_t *info, void *payload)
{
    (void)file, (void)info;
    const bool is_known = strcmp(name, "devices") == 0 || strcmp(name, "canary") == 0 ||
                          layer_kind_find(name) >= 0;
    if (!is_known)
        audit_violation(payload, "/", "object '%.60s' is not part of the format", name);
    return 0;
}

/* ---- tables ---- */

struct audited_table {
    char path[64];
    const struct field *fields;
    int field_count;
    hid_t packed_type;
};

/* By name: columns may stand in any order. */
static void check_member(struct audit *audit, const struct audited_table *table, hid_t stored,
                         const struct field *field)
{
    const int at = H5Tget_member_index(stored, field->name);
    if (at < 0) {
        audit_violation(audit, table->path, "column '%s' is missing", field->name);
        return;
    }
    const int wanted = H5Tget_member_index(table->packed_type, field->name);
    const hid_t a = H5Tget_member_type(stored, (unsigned)at),
                b = H5Tget_member_type(table->packed_type, (unsigned)wanted);
    if (H5Tequal(a, b) <= 0)
        audit_violation(audit, table->path, "column '%s' has another type or other names",
                        field->name);
    H5Tclose(a);
    H5Tclose(b);
}

static void check_text(struct audit *audit, const struct audited_table *table, hid_t dataset,
                       const char *column, const char *suffix, const char *wanted)
{
    char name[128], text[512];
    snprintf(name, sizeof name, "%s.%s", column, suffix);
    if (!hdf5_file_read_text(text, sizeof text, dataset, name))
        audit_violation(audit, table->path, "attribute '%s' is missing or no text", name);
    else if (wanted && strcmp(text, wanted) != 0)
        audit_violation(audit, table->path, "attribute '%s' is '%.60s', not '%.60s'", name, text,
                        wanted);
}

/* The words of a help text may change; units and names may not. */
static void check_column_texts(struct audit *audit, const struct audited_table *table,
                               hid_t dataset, const struct field *field)
{
    char names[512];
    check_text(audit, table, dataset, field->name, "unit", field->unit);
    check_text(audit, table, dataset, field->name, "help", NULL);
    if (!field->choice)
        return;
    dataset_join_names(names, sizeof names, field->choice);
    check_text(audit, table, dataset, field->name, "names", names);
}

static void check_storage(struct audit *audit, const struct audited_table *table, hid_t dataset,
                          bool is_growing)
{
    const hid_t creation = H5Dget_create_plist(dataset);
    const int count = H5Pget_nfilters(creation);
    if (is_growing && count != 0)
        audit_violation(audit, table->path, "compressed, but the file still grows");
    if (!is_growing && count != 2)
        audit_violation(audit, table->path, "not stored with shuffle and deflate");
    H5Pclose(creation);
}

static void check_table(struct audit *audit, hid_t file, const struct audited_table *table,
                        bool is_growing)
{
    const hid_t dataset = H5Dopen2(file, table->path, H5P_DEFAULT);
    const hid_t stored = dataset < 0 ? dataset : H5Dget_type(dataset);
    if (stored < 0) {
        audit_violation(audit, table->path, "missing or unreadable");
    } else {
        for (int i = 0; i < table->field_count; i++) {
            check_member(audit, table, stored, &table->fields[i]);
            check_column_texts(audit, table, dataset, &table->fields[i]);
        }
        if (H5Tget_nmembers(stored) > table->field_count)
            audit_violation(audit, table->path, "columns that are not part of the format");
        check_storage(audit, table, dataset, is_growing);
        H5Tclose(stored);
    }
    if (dataset >= 0)
        H5Dclose(dataset);
    H5Tclose(table->packed_type);
}

void audit_structure(struct audit *audit, hid_t file, bool is_growing)
{
    const struct audited_table devices = {"/devices/rows", device_fields, device_field_count,
                                          schema_device_type(true)};
    const struct audited_table canaries = {"/canary/rows", canary_fields, canary_field_count,
                                           schema_canary_type(true)};
    hsize_t next = 0;
    check_root_attributes(audit, file);
    H5Literate(file, H5_INDEX_NAME, H5_ITER_INC, &next, check_root_object, audit);
    check_table(audit, file, &devices, is_growing);
    check_table(audit, file, &canaries, is_growing);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct field fields[SCHEMA_FIELD_LIMIT];
        if (H5Lexists(file, layer_descriptors[kind]->name, H5P_DEFAULT) <= 0)
            continue;
        struct audited_table table = {
            .fields = fields,
            .field_count = schema_row_fields(fields, (enum layer_kind)kind),
            .packed_type = schema_row_type((enum layer_kind)kind, true)};
        snprintf(table.path, sizeof table.path, "/%s/rows", layer_descriptors[kind]->name);
        check_table(audit, file, &table, is_growing);
    }
}
