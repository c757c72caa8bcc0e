#include "data/stored_columns.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Names are not trusted: removes control characters that could steer a terminal. */
static bool fail(struct column_fault *fault, bool is_newer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool fail(struct column_fault *fault, bool is_newer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    for (char *at = fault->text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 127)
            *at = '?';
    fault->is_newer = is_newer;
    return false;
}

/* HDF5 1.14 converts lists in another order wrongly: a name has to have the number that it has
 * here. */
static bool name_fits(struct column_fault *fault, hid_t member, unsigned index, const char *name,
                      const struct field *field)
{
    const int32_t wanted = choice_find(field->choice, name);
    int32_t value = -1;
    if (wanted < 0)
        return fail(fault, true,
                    "column '%s' has the name '%.60s', which this program does not know",
                    field->name, name);
    if (H5Tget_nmembers(member) < field->choice->count &&
        (H5Tget_member_value(member, index, &value) < 0 || value != wanted))
        return fail(fault, false, "column '%s' gives '%.60s' the number %d instead of %d",
                    field->name, name, (int)value, (int)wanted);
    return true;
}

static bool names_fit(struct column_fault *fault, hid_t member, const struct field *field)
{
    const int count = H5Tget_nmembers(member);
    bool fits = count >= 0 || fail(fault, false, "column '%s' has unreadable names", field->name);
    for (int i = 0; i < count && fits; i++) {
        char *name = H5Tget_member_name(member, (unsigned)i);
        fits = name_fits(fault, member, (unsigned)i, name ? name : "", field);
        H5free_memory(name);
    }
    return fits;
}

static bool type_fits(hid_t member, const struct field *field)
{
    const hid_t wanted = schema_field_type(field);
    const H5T_class_t class = H5Tget_class(wanted);
    bool fits = H5Tget_class(member) == class && H5Tget_size(member) == H5Tget_size(wanted);
    if (class == H5T_STRING)
        fits = fits && H5Tis_variable_str(member) == 0;
    else if (class != H5T_ENUM)
        fits = fits && H5Tequal(member, wanted) > 0;
    H5Tclose(wanted);
    return fits;
}

bool stored_column_fits(struct column_fault *fault, hid_t stored, const struct field *field)
{
    const int at = H5Tget_member_index(stored, field->name);
    if (at < 0)
        return field->since > 1 || fail(fault, false, "column '%s' is missing", field->name);
    const hid_t member = H5Tget_member_type(stored, (unsigned)at);
    const bool fits = type_fits(member, field)
                          ? !field->choice || names_fit(fault, member, field)
                          : fail(fault, false, "column '%s' has another type", field->name);
    H5Tclose(member);
    return fits;
}

static bool is_known(const struct schema_columns *wanted, const char *name)
{
    for (int i = 0; i < wanted->count && name; i++)
        if (strcmp(wanted->fields[i].name, name) == 0)
            return true;
    return false;
}

static bool knows_all(struct column_fault *fault, hid_t stored, const struct schema_columns *wanted)
{
    const int count = H5Tget_nmembers(stored);
    bool knows = count >= 0 || fail(fault, false, "its columns are unreadable");
    for (int i = 0; i < count && knows; i++) {
        char *name = H5Tget_member_name(stored, (unsigned)i);
        knows = is_known(wanted, name) ||
                fail(fault, true, "this program does not know the column '%.60s'",
                     name ? name : "");
        H5free_memory(name);
    }
    return knows;
}

/* True when the columns fill the row: no other bytes. */
static bool is_packed(hid_t stored, const struct schema_columns *found)
{
    const hid_t packed = schema_columns_type(found, true);
    const bool is = packed >= 0 && H5Tget_size(stored) == H5Tget_size(packed);
    H5Tclose(packed);
    return is;
}

static void add(struct schema_columns *columns, const struct field *field)
{
    columns->fields[columns->count++] = *field;
}

bool stored_columns_match(struct stored_columns *columns, struct column_fault *fault, hid_t stored,
                          const struct schema_columns *wanted)
{
    static const char other[] = "its columns are not those of this program";
    *columns = (struct stored_columns){.found = {.record_size = wanted->record_size},
                                       .missing = {.record_size = wanted->record_size}};
    if (stored < 0 || H5Tget_class(stored) != H5T_COMPOUND)
        return fail(fault, false, "%s", other);
    if (!knows_all(fault, stored, wanted))
        return false;
    for (int i = 0; i < wanted->count; i++) {
        const struct field *field = &wanted->fields[i];
        if (!stored_column_fits(fault, stored, field))
            return false;
        const bool is_found = H5Tget_member_index(stored, field->name) >= 0;
        add(is_found ? &columns->found : &columns->missing, field);
    }
    return is_packed(stored, &columns->found) || fail(fault, false, "%s", other);
}

static void fill(char *record, const struct field *field)
{
    char *at = record + field->offset;
    switch (field->type) {
    case FIELD_INT32:
    case FIELD_CHOICE:
        *(int32_t *)at = field->missing;
        break;
    case FIELD_INT64:
        *(int64_t *)at = field->missing;
        break;
    case FIELD_DOUBLE:
        *(double *)at = NAN;
        break;
    case FIELD_TEXT:
        memset(at, 0, field->size);
        break;
    }
}

void stored_columns_fill(void *records, size_t count, const struct stored_columns *columns)
{
    const struct schema_columns *missing = &columns->missing;
    for (int i = 0; i < missing->count; i++)
        for (size_t row = 0; row < count; row++)
            fill((char *)records + row * missing->record_size, &missing->fields[i]);
}
