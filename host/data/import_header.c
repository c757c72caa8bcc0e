/* The header line of an imported file: whether it is one, and which columns it lacks. */
#include "base/text.h"
#include "data/import_internal.h"
#include "data/row_columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void header_settle_names(struct csv *csv)
{
    for (int i = 0; i < csv->field_count; i++)
        for (char *at = csv->field[i]; *at; at++) {
            if (*at >= 'A' && *at <= 'Z')
                *at = (char)(*at - 'A' + 'a');
            else if (*at == ' ' || *at == '-')
                *at = '_';
        }
    const int licence = csv_find(csv, "license");
    if (licence >= 0)
        memcpy(csv->field[licence], ROW_COLUMN_LICENCE, sizeof ROW_COLUMN_LICENCE);
}

static bool is_number(const char *text)
{
    char *end;
    strtod(text, &end);
    return end != text && !*end;
}

enum status header_check(const struct csv *csv, struct error *error)
{
    for (int i = 0; i < csv->field_count; i++) {
        if (!is_number(csv->field[i]))
            continue;
        FAIL(error, STATUS_BAD_FILE, "%s:%d: no header: '%.40s' is no name of a column", csv->path,
             csv->line, csv->field[i]);
        const char gap = csv->separator;
        return HINT(error, STATUS_BAD_FILE,
                    "write the columns' names into a first line: layer%cbatch_size%c...%cmedian_ms",
                    gap, gap, gap);
    }
    return STATUS_OK;
}

/* ---- columns of a dataset ---- */

enum { NAME_LIMIT = LAYER_KIND_COUNT * ROW_COLUMN_LIMIT + 2 };

/* Every column that a row may have, kinds one after another. */
static int list_columns(const char *names[NAME_LIMIT],
                        struct row_column columns[LAYER_KIND_COUNT][ROW_COLUMN_LIMIT])
{
    int count = 0;
    names[count++] = ROW_COLUMN_LAYER;
    names[count++] = ROW_COLUMN_LICENCE;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        const int column_count = row_columns(columns[kind], (enum layer_kind)kind);
        for (int i = 0; i < column_count; i++)
            names[count++] = columns[kind][i].name;
    }
    return count;
}

bool import_column_exists(const char *name)
{
    struct row_column columns[LAYER_KIND_COUNT][ROW_COLUMN_LIMIT];
    const char *names[NAME_LIMIT];
    const int count = list_columns(names, columns);
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

enum status import_column_hint(const char *name, const char *otherwise, struct error *error)
{
    struct row_column columns[LAYER_KIND_COUNT][ROW_COLUMN_LIMIT];
    const char *names[NAME_LIMIT];
    const char *nearest = nearest_name(names, list_columns(names, columns), name);
    if (nearest)
        return HINT(error, STATUS_BAD_FILE, "did you mean '%s'? otherwise: %s", nearest, otherwise);
    return HINT(error, STATUS_BAD_FILE, "%s", otherwise);
}

/* ---- columns that are missing ---- */

void missing_add(struct missing_columns *missing, const char *name)
{
    for (int i = 0; i < missing->count; i++)
        if (strcmp(missing->names[i], name) == 0)
            return;
    if (missing->count < MISSING_LIMIT)
        missing->names[missing->count++] = name;
}

/* "'a', 'b'", cut at the size. */
static void list_names(char *text, size_t size, const char *const *names, int count)
{
    text[0] = '\0';
    for (int i = 0; i < count; i++)
        text_list_add(text, size, ", ", "'%.40s'", names[i]);
}

enum status missing_report(const struct missing_columns *missing, const char *path,
                           const char *const *header, int header_count, struct error *error)
{
    char names[300], found[300];
    if (missing->count == 0)
        return STATUS_OK;
    list_names(names, sizeof names, missing->names, missing->count);
    FAIL(error, STATUS_BAD_FILE, "%s: column%s %s %s missing", path, missing->count > 1 ? "s" : "",
         names, missing->count > 1 ? "are" : "is");
    for (int i = 0; i < missing->count; i++) {
        const char *nearest = nearest_name(header, header_count, missing->names[i]);
        if (nearest)
            return HINT(error, STATUS_BAD_FILE,
                        "is it the file's '%.60s'? rename it to '%s', or give --map FILE", nearest,
                        missing->names[i]);
    }
    list_names(found, sizeof found, header, header_count);
    return HINT(
        error, STATUS_BAD_FILE,
        "the file has %s; datasets/README.md tells what is needed, --map FILE gives columns "
        "other names",
        found);
}
