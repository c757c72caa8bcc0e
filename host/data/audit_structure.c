#include "data/audit_internal.h"

#include "data/dataset_internal.h"
#include "data/hdf5_file.h"
#include "data/stored_columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- root ---- */

static const char *const root_words[] = {"format_version", "growing", "seed"};
enum { ROOT_WORD_COUNT = sizeof root_words / sizeof *root_words, STORED_NAME_LIMIT = 64 };

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

/* Finds the columns of a stored table that fit; false: no table. */
static bool find_columns(struct stored_columns *columns, hid_t file, const char *path,
                         const struct schema_columns *wanted)
{
    struct column_fault fault;
    const hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    if (dataset < 0)
        return false;
    const hid_t stored = H5Dget_type(dataset);
    const bool fits = stored_columns_match(columns, &fault, stored, wanted);
    H5Tclose(stored);
    H5Dclose(dataset);
    return fits;
}

/* Hash of the columns in the file; false if it has no table of the kind. */
static bool expected_hash(uint64_t *hash, hid_t file, enum layer_kind kind)
{
    char path[64];
    struct stored_columns rows, devices;
    const struct schema_columns wanted = schema_row_columns(kind), known = schema_device_columns();
    const char *kind_name = schema_kind_name(file, kind);
    snprintf(path, sizeof path, "/%s/rows", kind_name);
    if (H5Lexists(file, kind_name, H5P_DEFAULT) == 0 || !find_columns(&rows, file, path, &wanted) ||
        !find_columns(&devices, file, "/devices/rows", &known))
        return false;
    *hash = schema_hash_of(kind_name, &rows.found, &devices.found);
    return true;
}

/* A file of an earlier version has no hash of later kinds, and no rows of them. */
static void check_schema_hash(struct audit *audit, hid_t file, enum layer_kind kind)
{
    char name[64];
    uint64_t word, expected;
    const char *kind_name = schema_kind_name(file, kind);
    snprintf(name, sizeof name, "schema_hash_%s", kind_name);
    if (H5Aexists(file, name) == 0 && H5Lexists(file, kind_name, H5P_DEFAULT) == 0)
        return;
    if (!hdf5_file_read_word(&word, file, name))
        audit_violation(audit, "/", "attribute '%s' is missing or not an integer", name);
    else if (expected_hash(&expected, file, kind) && word != expected)
        audit_violation(audit, "/", "attribute '%s' does not match the columns", name);
}

static void check_root_attributes(struct audit *audit, hid_t file)
{
    char text[4096];
    uint64_t word;
    for (int i = 0; i < ROOT_WORD_COUNT; i++)
        if (!hdf5_file_read_word(&word, file, root_words[i]))
            audit_violation(audit, "/", "attribute '%s' is missing or not an integer",
                            root_words[i]);
    for (int i = 0; i < header_text_count; i++)
        if (!hdf5_file_read_text(text, sizeof text, file, header_texts[i].name))
            audit_violation(audit, "/", "attribute '%s' is missing or not a text",
                            header_texts[i].name);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        check_schema_hash(audit, file, (enum layer_kind)kind);
    hsize_t next = 0;
    if (H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, &next, check_root_name, audit) < 0)
        audit_violation(audit, "/", "its attributes cannot be listed");
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
    struct schema_columns columns;
};

static void check_text(struct audit *audit, const struct audited_table *table, hid_t dataset,
                       const char *column, const char *suffix, const char *wanted)
{
    char name[128], text[512];
    snprintf(name, sizeof name, "%s.%s", column, suffix);
    if (!hdf5_file_read_text(text, sizeof text, dataset, name))
        audit_violation(audit, table->path, "attribute '%s' is missing or not a text", name);
    else if (wanted && strcmp(text, wanted) != 0)
        audit_violation(audit, table->path, "attribute '%s' is '%.60s', not '%.60s'", name, text,
                        wanted);
}

/* The names in the file's type, by value: an earlier program may have fewer. */
static void stored_names(char *text, size_t size, hid_t stored, const char *column)
{
    const int at = H5Tget_member_index(stored, column);
    const hid_t type = H5Tget_member_type(stored, (unsigned)at);
    const char *names[STORED_NAME_LIMIT];
    char copies[STORED_NAME_LIMIT][64];
    struct choice choice = {.names = names};
    for (int32_t value = 0; value < STORED_NAME_LIMIT; value++, choice.count++) {
        names[value] = copies[value];
        if (H5Tenum_nameof(type, &value, copies[value], sizeof *copies) < 0)
            break;
    }
    dataset_join_names(text, size, &choice);
    H5Tclose(type);
}

/* By name: columns may come in any order, later ones may be missing. Help texts may change; units
 * and names may not. */
static void check_column(struct audit *audit, const struct audited_table *table, hid_t dataset,
                         hid_t stored, const struct field *field)
{
    char names[512];
    struct column_fault fault;
    if (!stored_column_fits(&fault, stored, field)) {
        audit_violation(audit, table->path, "%s", fault.text);
        return;
    }
    if (H5Tget_member_index(stored, field->name) < 0)
        return;
    check_text(audit, table, dataset, field->name, "unit", field->unit);
    check_text(audit, table, dataset, field->name, "help", NULL);
    if (!field->choice)
        return;
    stored_names(names, sizeof names, stored, field->name);
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
        for (int i = 0; i < table->columns.count; i++)
            check_column(audit, table, dataset, stored, &table->columns.fields[i]);
        if (H5Tget_nmembers(stored) > table->columns.count)
            audit_violation(audit, table->path, "has columns that are not part of the format");
        check_storage(audit, table, dataset, is_growing);
        H5Tclose(stored);
    }
    if (dataset >= 0)
        H5Dclose(dataset);
}

void audit_structure(struct audit *audit, hid_t file, bool is_growing)
{
    const struct audited_table devices = {"/devices/rows", schema_device_columns()};
    const struct audited_table canaries = {"/canary/rows", schema_canary_columns()};
    hsize_t next = 0;
    check_root_attributes(audit, file);
    if (H5Literate(file, H5_INDEX_NAME, H5_ITER_INC, &next, check_root_object, audit) < 0)
        audit_violation(audit, "/", "its objects cannot be listed");
    check_table(audit, file, &devices, is_growing);
    check_table(audit, file, &canaries, is_growing);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        const char *kind_name = schema_kind_name(file, (enum layer_kind)kind);
        if (H5Lexists(file, kind_name, H5P_DEFAULT) == 0)
            continue;
        struct audited_table table = {.columns = schema_row_columns((enum layer_kind)kind)};
        snprintf(table.path, sizeof table.path, "/%s/rows", kind_name);
        check_table(audit, file, &table, is_growing);
    }
}
