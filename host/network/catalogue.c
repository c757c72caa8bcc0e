/* Where networks are found: files, and the catalogue's folders. */
#include "base/text.h"
#include "network/network.h"
#include "network/wire.h"

#include "base/file_kind.h"
#include "base/mapped_file.h"
#include "base/own_place.h"
#include "version.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FOLDER_COUNT = 4, PATH_LIMIT = 4096, NAME_LIMIT = 64, CATALOGUE_LIMIT = 4096 };

struct folders {
    const char *at[FOLDER_COUNT]; /* in the order of precedence; the first may be NULL or empty */
    char installed[OWN_PLACE_SIZE + 64], built[OWN_PLACE_SIZE + 64];
};

static void folders_of(struct folders *folders)
{
    char own[OWN_PLACE_SIZE];
    const bool is_library = own_folder(own);
    snprintf(folders->installed, sizeof folders->installed, "%s/%s", own,
             is_library ? EPOCHCAST_NETWORKS_FROM_LIBRARY : EPOCHCAST_NETWORKS_FROM_PROGRAM);
    /* A link that the build makes: no path of the sources is in the program. */
    snprintf(folders->built, sizeof folders->built, "%s/epochcast-networks", own);
    folders->at[0] = getenv("EPOCHCAST_NETWORKS");
    folders->at[1] = folders->installed;
    folders->at[2] = folders->built;
    folders->at[3] = EPOCHCAST_INSTALLED_NETWORKS;
}

static bool is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static bool has_suffix(const char *text, const char *suffix)
{
    const size_t length = strlen(text), suffix_length = strlen(suffix);
    return length > suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

/* ---- names ---- */

struct name_list {
    char (*names)[NAME_LIMIT];
    int count;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void add_folder(struct name_list *list, const char *folder)
{
    DIR *directory = folder && *folder ? opendir(folder) : NULL;
    if (!directory)
        return; /* no such folder, no names */
    for (const struct dirent *entry; (entry = readdir(directory));) {
        const size_t length = strlen(entry->d_name);
        if (!has_suffix(entry->d_name, ".csv") || entry->d_name[0] == '.' ||
            length - 4 >= NAME_LIMIT || list->count == CATALOGUE_LIMIT)
            continue;
        char *name = list->names[list->count++];
        memcpy(name, entry->d_name, length - 4);
        name[length - 4] = '\0';
    }
    closedir(directory);
}

static void sort_unique(struct name_list *list)
{
    qsort(list->names, (size_t)list->count, sizeof *list->names, compare_names);
    int kept = 0;
    for (int i = 0; i < list->count; i++)
        if (i == 0 || strcmp(list->names[i], list->names[kept - 1]) != 0)
            memmove(list->names[kept++], list->names[i], NAME_LIMIT);
    list->count = kept;
}

/* Pointers and texts in one block, so that one free() does. */
static enum status flatten(char ***names, const struct name_list *list, struct error *error)
{
    const size_t count = (size_t)list->count;
    void *block;
    TRY(error_allocate(&block, count + 1, sizeof(char *) + NAME_LIMIT, "catalogue", error));
    *names = block;
    char *text = (char *)(*names + count + 1);
    if (count)
        memcpy(text, list->names, count * NAME_LIMIT);
    for (size_t i = 0; i < count; i++)
        (*names)[i] = text + i * NAME_LIMIT;
    return STATUS_OK;
}

enum status network_catalogue(char ***names, int *count, struct error *error)
{
    struct folders folders;
    struct name_list list = {.count = 0};
    void *block;
    TRY(error_allocate(&block, CATALOGUE_LIMIT, NAME_LIMIT, "catalogue", error));
    list.names = block;
    folders_of(&folders);
    for (int i = 0; i < FOLDER_COUNT; i++)
        add_folder(&list, folders.at[i]);
    sort_unique(&list);
    *count = list.count;
    const enum status status = flatten(names, &list, error);
    free(list.names);
    return status;
}

/* ---- loading ---- */

static enum status unknown_network(const char *text, struct error *error)
{
    char **names, all[384] = "";
    int count;
    TRY(network_catalogue(&names, &count, error));
    FAIL(error, STATUS_USAGE, "no network is called '%.64s'", text);
    for (int i = 0; i < count; i++)
        text_list_add(all, sizeof all, ", ", "%s", names[i]);
    const char *nearest = nearest_name((const char *const *)names, count, text);
    if (nearest)
        error_hint(error, "did you mean '%s'? known: %s; or give a layer CSV or an ONNX file",
                   nearest, all);
    else
        error_hint(error, "known: %s; or give a layer CSV or an ONNX file", count ? all : "none");
    free(names);
    return STATUS_USAGE;
}

/* ModelProto: a version (field 1) and a graph (field 7); no text begins so. */
static bool is_onnx_content(const char *path, const struct mapped_file *file)
{
    struct wire wire = wire_file(path, file->bytes, file->size);
    bool has_version = false, has_graph = false;
    for (struct wire_field field; wire_next(&wire, &field);) {
        has_version |= field.number == 1 && field.type == WIRE_VARINT;
        has_graph |= field.number == 7 && field.type == WIRE_BYTES;
    }
    return has_version && has_graph;
}

static enum status load_file(struct network *network, const char *path,
                             struct dimension_sizes *sizes, struct error *error)
{
    struct mapped_file file;
    const enum file_kind kind = file_kind_of(path);
    if (kind == FILE_DATASET || kind == FILE_MODEL || kind == FILE_HDF5 || kind == FILE_PAGE ||
        kind == FILE_PICTURE || kind == FILE_JSON)
        return file_kind_refuse(path, "a network", error);
    TRY(mapped_file_open(&file, path, error));
    const bool is_onnx = has_suffix(path, ".onnx") || is_onnx_content(path, &file);
    const enum status status = is_onnx ? network_read_onnx(network, sizes, path, file.bytes,
                                                           file.size, error)
                                       : network_parse(network, path, file.bytes, file.size, error);
    mapped_file_close(&file);
    return status;
}

enum status network_load(struct network *network, const char *text, struct error *error)
{
    return network_load_sized(network, text, NULL, error);
}

enum status network_load_sized(struct network *network, const char *text,
                               struct dimension_sizes *sizes, struct error *error)
{
    *network = (struct network){.layers = NULL};
    if (strpbrk(text, "/.") || is_file(text))
        return load_file(network, text, sizes, error);
    struct folders folders;
    folders_of(&folders);
    for (int i = 0; i < FOLDER_COUNT; i++) {
        char path[PATH_LIMIT];
        if (!folders.at[i] || !*folders.at[i])
            continue;
        const int length = snprintf(path, sizeof path, "%s/%s.csv", folders.at[i], text);
        if (length < PATH_LIMIT && is_file(path))
            return load_file(network, path, sizes, error);
    }
    return unknown_network(text, error);
}

enum status network_load_with(struct network *network, const char *text, const char *const *sizes,
                              int size_count, struct error *error)
{
    struct dimension_sizes given = {.count = 0};
    for (int i = 0; i < size_count; i++)
        TRY(dimension_sizes_add(&given, sizes[i], error));
    TRY(network_load_sized(network, text, &given, error));
    const enum status status = dimension_sizes_check(&given, error);
    if (status != STATUS_OK)
        network_free(network);
    return status;
}
