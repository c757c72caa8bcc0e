/* Weights in files beside the model: they are looked for, never opened. */
#include "network/onnx_tensor.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TENSOR_EXTERNAL = 13, ENTRY_KEY = 1, ENTRY_VALUE = 2, PATH_LIMIT = 4096 };

struct entry {
    struct slice location;
    double offset, length; /* bytes; length -1: not given; -2: no number */
};

static double number_of(struct slice text)
{
    char digits[24];
    if (text.size == 0 || text.size >= sizeof digits)
        return -2;
    memcpy(digits, text.bytes, text.size);
    digits[text.size] = '\0';
    return digits[strspn(digits, "0123456789")] ? -2 : strtod(digits, NULL);
}

static void read_pair(struct entry *entry, const struct wire *tensor, struct slice message)
{
    struct wire wire = wire_inside(tensor, message);
    struct slice key = {"", 0}, value = {"", 0};
    for (struct wire_field field; wire_next(&wire, &field);)
        if (field.number == ENTRY_KEY && field.type == WIRE_BYTES)
            key = field.bytes;
        else if (field.number == ENTRY_VALUE && field.type == WIRE_BYTES)
            value = field.bytes;
    if (slice_equals(key, "location"))
        entry->location = value;
    else if (slice_equals(key, "offset"))
        entry->offset = number_of(value);
    else if (slice_equals(key, "length"))
        entry->length = number_of(value);
}

static struct entry read_entry(const struct onnx_source *source, struct slice message)
{
    struct entry entry = {.location = {"", 0}, .offset = 0, .length = -1};
    struct wire tensor = wire_inside(&source->file, message);
    for (struct wire_field field; wire_next(&tensor, &field);)
        if (field.number == TENSOR_EXTERNAL && field.type == WIRE_BYTES)
            read_pair(&entry, &tensor, field.bytes);
    return entry;
}

/* Folder of `path` with its links resolved, and `location` in it likewise: the file's real place
 * must lie below the folder. */
static bool is_inside(const char *folder, const char *file)
{
    char real_folder[PATH_MAX], real_file[PATH_MAX];
    if (!realpath(folder, real_folder) || !realpath(file, real_file))
        return false;
    const size_t length = strcmp(real_folder, "/") == 0 ? 0 : strlen(real_folder);
    return strncmp(real_folder, real_file, length) == 0 && real_file[length] == '/';
}

/* The same for the folder that the model itself lies in when `path` is a link, as in the caches of
 * model hubs. */
static bool is_beside_model(const char *path, const char *file)
{
    char real_path[PATH_MAX];
    if (!realpath(path, real_path))
        return false;
    char *slash = strrchr(real_path, '/');
    *slash = '\0';
    return is_inside(slash == real_path ? "/" : real_path, file);
}

static enum status external_error(const struct onnx_source *source, const struct onnx_value *value,
                                  struct slice location, const char *what, struct error *error)
{
    FAIL(error, STATUS_BAD_FILE, "%s: tensor '%.*s': external data '%.*s' %s",
         onnx_path(source->path).text, onnx_shown(value->name), value->name.bytes,
         onnx_shown(location), location.bytes, what);
    return HINT(error, STATUS_BAD_FILE,
                "keep the model's data files in its folder, as they were exported");
}

/* Finds the file and keeps its size: models have hundreds of tensors in one file. */
static enum status find_file(struct onnx_source *source, const struct onnx_value *value,
                             struct slice location, struct error *error)
{
    const char *slash = strrchr(source->path, '/');
    char folder[PATH_LIMIT], file[2 * PATH_LIMIT];
    struct stat info;
    const int length = slash ? (int)(slash - source->path) + 1 : 2;
    if (location.size == 0 || memchr(location.bytes, '\0', location.size) ||
        location.bytes[0] == '/' || (size_t)length + location.size >= PATH_LIMIT)
        return external_error(source, value, location, "is not a path within the folder", error);
    snprintf(folder, sizeof folder, "%.*s", length, slash ? source->path : "./");
    snprintf(file, sizeof file, "%s%.*s", folder, (int)location.size, location.bytes);
    if (stat(file, &info) != 0)
        return external_error(source, value, location, strerror(errno), error);
    if (!is_inside(folder, file) && !is_beside_model(source->path, file))
        return external_error(source, value, location, "lies outside of its folder", error);
    if (!S_ISREG(info.st_mode))
        return external_error(source, value, location, "is not a regular file", error);
    source->external_location = location;
    source->external_bytes = (double)info.st_size;
    return STATUS_OK;
}

enum status onnx_external_check(struct onnx_source *source, const struct onnx_value *value,
                                struct slice message, double byte_count, struct error *error)
{
    const struct entry entry = read_entry(source, message);
    if (!entry.location.size || !slices_equal(entry.location, source->external_location))
        TRY(find_file(source, value, entry.location, error));
    if (entry.offset < 0 || (entry.length != -1 && entry.length != byte_count) ||
        entry.offset + byte_count > source->external_bytes)
        return external_error(source, value, entry.location, "does not have the size of the tensor",
                              error);
    return STATUS_OK;
}
