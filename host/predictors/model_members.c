#include "predictors/model_members.h"

#include "data/hdf5_file.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum status model_bad_value(const struct model_place *place, const char *name, struct error *error)
{
    FAIL(error, STATUS_BAD_FILE, "impossible value of '%s%s' in '%s'", place->prefix, name,
         place->path);
    return HINT(error, STATUS_BAD_FILE, "train the model again");
}

/* ---- members ---- */

enum { NUMBER_LIMIT = 256 }; /* of one member */

/* Numbers travel side by side, a bool as an int32_t. */
union numbers {
    int32_t int32[NUMBER_LIMIT];
    uint64_t uint64[NUMBER_LIMIT];
    float float32[NUMBER_LIMIT];
    double float64[NUMBER_LIMIT];
};

static hid_t type_of(enum member_type type)
{
    const hid_t types[] = {[MEMBER_INT32] = H5T_NATIVE_INT32, [MEMBER_UINT64] = H5T_NATIVE_UINT64,
                           [MEMBER_FLOAT] = H5T_NATIVE_FLOAT, [MEMBER_DOUBLE] = H5T_NATIVE_DOUBLE,
                           [MEMBER_BOOL] = H5T_NATIVE_INT32,  [MEMBER_CHOICE] = H5T_NATIVE_INT32,
                           [MEMBER_TEXT] = H5I_INVALID_HID,   [MEMBER_WIDTHS] = H5T_NATIVE_INT32};
    return types[type];
}

static size_t count_of(const struct member *member)
{
    return member->count > 0 ? member->count : 1;
}

static void gather(union numbers *numbers, void *object, const struct member *member)
{
    const size_t size = member_size(member->type);
    for (size_t i = 0; i < count_of(member); i++) {
        const void *at = member_at(object, member, i);
        if (member->type == MEMBER_BOOL)
            numbers->int32[i] = *(const bool *)at;
        else
            memcpy((char *)numbers + i * size, at, size);
    }
}

static void scatter(void *object, const union numbers *numbers, const struct member *member)
{
    const size_t size = member_size(member->type);
    for (size_t i = 0; i < count_of(member); i++) {
        void *at = member_at(object, member, i);
        if (member->type == MEMBER_BOOL)
            *(bool *)at = numbers->int32[i] != 0;
        else
            memcpy(at, (const char *)numbers + i * size, size);
    }
}

static enum status member_write(const struct model_place *place, void *object,
                                const struct member *member, struct error *error)
{
    union numbers numbers;
    const void *at = member_at(object, member, 0);
    if (member->type == MEMBER_TEXT)
        return write_text(place, member->name, at, error);
    if (member->type == MEMBER_CHOICE)
        return write_text(place, member->name, choice_name(member->choice, *(const int32_t *)at),
                          error);
    gather(&numbers, object, member);
    return write_numbers(place, member->name, type_of(member->type), &numbers, count_of(member),
                         error);
}

enum status members_write(const struct model_place *place, const void *object,
                          const struct member *members, int count, struct error *error)
{
    for (int i = 0; i < count; i++)
        TRY(member_write(place, (void *)(uintptr_t)object, &members[i], error));
    return STATUS_OK;
}

static enum status member_read(const struct model_place *place, void *object,
                               const struct member *member, struct error *error)
{
    union numbers numbers;
    char text[32];
    if (member->type == MEMBER_TEXT)
        return read_text(place, member->name, member_at(object, member, 0), member->count, error);
    if (member->type == MEMBER_CHOICE) {
        TRY(read_text(place, member->name, text, sizeof text, error));
        *(int32_t *)member_at(object, member, 0) = choice_find(member->choice, text);
        return STATUS_OK;
    }
    TRY(read_numbers(place, member->name, type_of(member->type), &numbers, count_of(member),
                     error));
    scatter(object, &numbers, member);
    return STATUS_OK;
}

enum status members_read(const struct model_place *place, void *object,
                         const struct member *members, int count, struct error *error)
{
    for (int i = 0; i < count; i++) {
        TRY(member_read(place, object, &members[i], error));
        if (members_fault(object, &members[i], 1))
            return model_bad_value(place, members[i].name, error);
    }
    return STATUS_OK;
}

/* ---- groups ---- */

static enum status group_begin(struct model_group *group, const struct model_place *parent,
                               const char *name, hid_t id, const char *verb, enum status status,
                               struct error *error)
{
    *group = (struct model_group){.place = *parent};
    snprintf(group->prefix, sizeof group->prefix, "%s%s/", parent->prefix, name);
    group->place.id = id;
    group->place.prefix = group->prefix;
    if (id >= 0)
        return STATUS_OK;
    return FAIL(error, status, "cannot %s group '%s%s' in '%s'", verb, parent->prefix, name,
                parent->path);
}

enum status model_group_create(struct model_group *group, const struct model_place *parent,
                               const char *name, struct error *error)
{
    const hid_t id = H5Gcreate2(parent->id, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    return group_begin(group, parent, name, id, "write", STATUS_FAILED, error);
}

enum status model_group_open(struct model_group *group, const struct model_place *parent,
                             const char *name, struct error *error)
{
    const hid_t id = H5Gopen2(parent->id, name, H5P_DEFAULT);
    return group_begin(group, parent, name, id, "read", STATUS_BAD_FILE, error);
}

bool model_group_exists(const struct model_place *parent, const char *name)
{
    return H5Lexists(parent->id, name, H5P_DEFAULT) != 0; /* if that fails, opening it says so */
}

void model_group_close(struct model_group *group)
{
    H5Gclose(group->place.id);
}

/* ---- columns ---- */

bool model_insert_text(hid_t compound, const char *name, size_t offset, size_t size)
{
    const hid_t text = hdf5_file_text_type(size, H5T_CSET_ASCII);
    const bool is_ok = text >= 0 && H5Tinsert(compound, name, offset, text) >= 0;
    if (text >= 0)
        H5Tclose(text);
    return is_ok;
}

/* One input column: its name, and how it is standardised. */
struct column {
    char name[64];
    double mean, inverse_scale;
};

static hid_t column_type(void)
{
    const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(struct column));
    const bool is_whole = type >= 0 &&
                          model_insert_text(type, "name", offsetof(struct column, name),
                                            sizeof(((struct column *)0)->name)) &&
                          H5Tinsert(type, "mean", offsetof(struct column, mean),
                                    H5T_NATIVE_DOUBLE) >= 0 &&
                          H5Tinsert(type, "inverse_scale", offsetof(struct column, inverse_scale),
                                    H5T_NATIVE_DOUBLE) >= 0;
    return hdf5_file_whole_type(type, is_whole);
}

enum status model_columns_write(const struct model_place *place, const struct encode_plan *plan,
                                const double *means, const double *inverse_scales,
                                struct error *error)
{
    struct column columns[ENCODE_COLUMN_LIMIT] = {0};
    const char *names[ENCODE_COLUMN_LIMIT];
    encode_plan_names(names, plan);
    for (int i = 0; i < plan->count; i++) {
        assert(strlen(names[i]) < sizeof columns[i].name);
        strncpy(columns[i].name, names[i], sizeof columns[i].name - 1);
        columns[i].mean = means[i];
        columns[i].inverse_scale = inverse_scales[i];
    }
    const hid_t type = column_type();
    const enum status status = write_array(place, "columns", type, type, columns, 0,
                                           (size_t)plan->count, error);
    H5Tclose(type);
    return status;
}

enum status model_unknown_name(const struct model_place *place, const char *what, const char *name,
                               const char *list, struct error *error)
{
    FAIL(error, STATUS_BAD_FILE, "%s '%.63s' of '%s%s' in '%s' is not known to this program", what,
         name, place->prefix, list, place->path);
    return HINT(error, STATUS_BAD_FILE,
                "the model is from another version: use that one, or train the model again");
}

static enum status read_columns(const struct model_place *place, struct column *columns,
                                size_t *count, struct error *error)
{
    TRY(read_array_count(place, "columns", count, ENCODE_COLUMN_LIMIT, error));
    const hid_t type = column_type();
    const enum status status = read_array(place, "columns", type, columns, 0, *count, error);
    H5Tclose(type);
    return status;
}

enum status model_columns_read(const struct model_place *place, struct encode_plan *plan,
                               const struct encode_layout *layout, double *means,
                               double *inverse_scales, struct error *error)
{
    struct column columns[ENCODE_COLUMN_LIMIT] = {0};
    const char *names[ENCODE_COLUMN_LIMIT];
    size_t count;
    TRY(read_columns(place, columns, &count, error));
    for (size_t i = 0; i < count; i++) {
        columns[i].name[sizeof columns[i].name - 1] = '\0';
        names[i] = columns[i].name;
        means[i] = columns[i].mean;
        inverse_scales[i] = columns[i].inverse_scale;
        if (!isfinite(means[i]) || !isfinite(inverse_scales[i]))
            return model_bad_value(place, "columns", error);
    }
    const int unknown = encode_plan_create(plan, layout, names, (int)count);
    return unknown < 0 ? STATUS_OK
                       : model_unknown_name(place, "column", names[unknown], "columns", error);
}

enum status model_floats_read(const struct model_place *place, const char *name, float *values,
                              size_t rows, size_t count, struct error *error)
{
    TRY(read_array(place, name, H5T_NATIVE_FLOAT, values, rows, count, error));
    for (size_t i = 0; i < (rows > 0 ? rows : 1) * count; i++)
        if (!isfinite(values[i]))
            return model_bad_value(place, name, error);
    return STATUS_OK;
}
