#include "predictors/model_hdf5.h"

#include "data/hdf5_file.h"

#include <stdbool.h>
#include <string.h>

struct hdf5_silence hdf5_silence_begin(void)
{
    struct hdf5_silence silence = {0};
    H5Eget_auto2(H5E_DEFAULT, &silence.handler, &silence.payload);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return silence;
}

void hdf5_silence_end(const struct hdf5_silence *silence)
{
    H5Eset_auto2(H5E_DEFAULT, silence->handler, silence->payload);
}

static enum status cannot_write(const struct model_place *place, const char *name,
                                struct error *error)
{
    FAIL(error, STATUS_FAILED, "cannot write '%s%s' to '%s'", place->prefix, name, place->path);
    return HINT(error, STATUS_FAILED, "is the disk full?");
}

static enum status cannot_read(const struct model_place *place, const char *name, const char *why,
                               struct error *error)
{
    FAIL(error, STATUS_BAD_FILE, "cannot read '%s%s' in '%s': %s", place->prefix, name, place->path,
         why);
    return HINT(error, STATUS_BAD_FILE, "train the model again");
}

/* ---- writing ---- */

enum status write_text(const struct model_place *place, const char *name, const char *text,
                       struct error *error)
{
    const hid_t type = hdf5_file_text_type(strlen(text) + 1, H5T_CSET_UTF8);
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t attribute = H5Acreate2(place->id, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    const bool written = attribute >= 0 && H5Awrite(attribute, type, text) >= 0;
    const bool closed = attribute >= 0 && H5Aclose(attribute) >= 0;
    H5Sclose(space);
    H5Tclose(type);
    return written && closed ? STATUS_OK : cannot_write(place, name, error);
}

enum status write_numbers(const struct model_place *place, const char *name, hid_t type,
                          const void *values, size_t count, struct error *error)
{
    const hsize_t size = count;
    const hid_t space = count == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &size, NULL);
    const hid_t attribute = H5Acreate2(place->id, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    const bool written = attribute >= 0 && H5Awrite(attribute, type, values) >= 0;
    const bool closed = attribute >= 0 && H5Aclose(attribute) >= 0;
    H5Sclose(space);
    return written && closed ? STATUS_OK : cannot_write(place, name, error);
}

enum status write_array(const struct model_place *place, const char *name, hid_t file_type,
                        hid_t memory_type, const void *values, size_t rows, size_t count,
                        struct error *error)
{
    const hsize_t matrix[2] = {rows, count}, vector[1] = {count};
    const hid_t space = H5Screate_simple(rows > 0 ? 2 : 1, rows > 0 ? matrix : vector, NULL);
    const hid_t dataset = H5Dcreate2(place->id, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT,
                                     H5P_DEFAULT);
    const bool written = dataset >= 0 &&
                         H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
    const bool closed = dataset >= 0 && H5Dclose(dataset) >= 0;
    H5Sclose(space);
    return written && closed ? STATUS_OK : cannot_write(place, name, error);
}

/* ---- reading ---- */

static bool shape_is(hid_t space, size_t rows, size_t count)
{
    hsize_t sizes[2] = {0};
    const int rank = H5Sget_simple_extent_ndims(space);
    if (rank != (rows > 0 ? 2 : 1) || H5Sget_simple_extent_dims(space, sizes, NULL) < 0)
        return false;
    return rows > 0 ? sizes[0] == rows && sizes[1] == count : sizes[0] == count;
}

static bool classes_match(hid_t stored, hid_t wanted)
{
    const H5T_class_t a = H5Tget_class(stored), b = H5Tget_class(wanted);
    return a == b || (a == H5T_INTEGER && b == H5T_FLOAT);
}

static const char *text_attribute_read(hid_t attribute, char *text, size_t size)
{
    const hid_t stored = H5Aget_type(attribute), space = H5Aget_space(attribute);
    const char *problem = NULL;
    hid_t type = H5I_INVALID_HID;
    if (stored < 0 || H5Tget_class(stored) != H5T_STRING || H5Tis_variable_str(stored) != 0)
        problem = "not a text of fixed length";
    else if (H5Sget_simple_extent_npoints(space) != 1)
        problem = "not a single text";
    else {
        type = H5Tcopy(stored); /* keeps the character set */
        if (H5Tset_size(type, size) < 0 || H5Tset_strpad(type, H5T_STR_NULLTERM) < 0 ||
            H5Aread(attribute, type, text) < 0)
            problem = "unreadable";
        text[size - 1] = '\0';
    }
    if (type >= 0)
        H5Tclose(type);
    if (stored >= 0)
        H5Tclose(stored);
    if (space >= 0)
        H5Sclose(space);
    return problem;
}

enum status read_text(const struct model_place *place, const char *name, char *text, size_t size,
                      struct error *error)
{
    const hid_t attribute = H5Aopen(place->id, name, H5P_DEFAULT);
    if (attribute < 0)
        return cannot_read(place, name, "no such attribute", error);
    const char *problem = text_attribute_read(attribute, text, size);
    H5Aclose(attribute);
    return problem ? cannot_read(place, name, problem, error) : STATUS_OK;
}

enum status read_numbers(const struct model_place *place, const char *name, hid_t type,
                         void *values, size_t count, struct error *error)
{
    const hid_t attribute = H5Aopen(place->id, name, H5P_DEFAULT);
    if (attribute < 0)
        return cannot_read(place, name, "no such attribute", error);
    const hid_t stored = H5Aget_type(attribute), space = H5Aget_space(attribute);
    const char *problem = NULL;
    if (stored < 0 || !classes_match(stored, type))
        problem = "not a number";
    else if (space < 0 || H5Sget_simple_extent_npoints(space) != (hssize_t)count)
        problem = "wrong number of values";
    else if (H5Aread(attribute, type, values) < 0)
        problem = "unreadable";
    if (stored >= 0)
        H5Tclose(stored);
    if (space >= 0)
        H5Sclose(space);
    H5Aclose(attribute);
    return problem ? cannot_read(place, name, problem, error) : STATUS_OK;
}

/* Closes space. */
static enum status space_count(const struct model_place *place, const char *name, hid_t space,
                               size_t *count, size_t limit, struct error *error)
{
    const hssize_t points = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    if (space >= 0)
        H5Sclose(space);
    if (points < 1 || (size_t)points > limit)
        return cannot_read(place, name, "wrong number of values", error);
    *count = (size_t)points;
    return STATUS_OK;
}

enum status read_attribute_count(const struct model_place *place, const char *name, size_t *count,
                                 size_t limit, struct error *error)
{
    const hid_t attribute = H5Aopen(place->id, name, H5P_DEFAULT);
    if (attribute < 0)
        return cannot_read(place, name, "no such attribute", error);
    const hid_t space = H5Aget_space(attribute);
    H5Aclose(attribute);
    return space_count(place, name, space, count, limit, error);
}

enum status read_array_count(const struct model_place *place, const char *name, size_t *count,
                             size_t limit, struct error *error)
{
    const hid_t dataset = H5Dopen2(place->id, name, H5P_DEFAULT);
    if (dataset < 0)
        return cannot_read(place, name, "no such dataset", error);
    const hid_t space = H5Dget_space(dataset);
    H5Dclose(dataset);
    return space_count(place, name, space, count, limit, error);
}

/* Models are stored uncompressed, so that no array can be larger than its file. */
static const char *dataset_read_checked(hid_t dataset, hid_t memory_type, void *values, size_t rows,
                                        size_t count, size_t file_bytes)
{
    const hid_t stored = H5Dget_type(dataset), space = H5Dget_space(dataset);
    const char *problem = NULL;
    if (stored < 0 || !classes_match(stored, memory_type))
        problem = "values of another type";
    else if (space < 0 || !shape_is(space, rows, count))
        problem = "another shape than expected";
    else if (H5Tget_size(stored) * count * (rows > 0 ? rows : 1) > file_bytes)
        problem = "more values than the file can hold";
    else if (H5Dread(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        problem = "unreadable";
    if (stored >= 0)
        H5Tclose(stored);
    if (space >= 0)
        H5Sclose(space);
    return problem;
}

enum status read_array(const struct model_place *place, const char *name, hid_t memory_type,
                       void *values, size_t rows, size_t count, struct error *error)
{
    const hid_t dataset = H5Dopen2(place->id, name, H5P_DEFAULT);
    if (dataset < 0)
        return cannot_read(place, name, "no such dataset", error);
    const char *problem = dataset_read_checked(dataset, memory_type, values, rows, count,
                                               place->file_bytes);
    H5Dclose(dataset);
    return problem ? cannot_read(place, name, problem, error) : STATUS_OK;
}
