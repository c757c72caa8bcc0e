#include "data/hdf5_file.h"

#include "base/file_kind.h"
#include "base/mapped_file.h"
#include "data/file_seal.h"

#include <string.h>
#include <unistd.h>

enum { REASON_SIZE = 256 };

void hdf5_file_quiet(void)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static herr_t keep_innermost(unsigned depth, const H5E_error2_t *entry, void *payload)
{
    char *reason = payload;
    if (depth == 0 && entry->desc)
        snprintf(reason, REASON_SIZE, "%s", entry->desc);
    return 0;
}

static enum status damaged(const char *path, const char *how, struct error *error)
{
    FAIL(error, STATUS_BAD_FILE, "'%s' is damaged: %s", path, how);
    error_hint(error, "download or measure it again");
    return STATUS_BAD_FILE;
}

static enum status explain_open(const char *path, struct error *error)
{
    char reason[REASON_SIZE] = "no reason given";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, reason);
    if (strstr(reason, "lock file")) {
        FAIL(error, STATUS_BAD_FILE, "'%s' is being written by another program", path);
        error_hint(error, "wait until that program ends, or read a copy of the file");
        return STATUS_BAD_FILE;
    }
    reason[strcspn(reason, ":,")] = '\0'; /* the rest is HDF5's internals */
    return damaged(path, reason, error);
}

/* HDF5 looks for its signature at 0, 512, 1024, 2048, ... */
static bool has_signature(int descriptor, size_t size)
{
    static const char signature[] = "\211HDF\r\n\032\n";
    const size_t length = sizeof signature - 1;
    char bytes[sizeof signature];
    for (size_t at = 0; at + length <= size; at = at ? 2 * at : 512)
        if (pread(descriptor, bytes, length, (off_t)at) == (ssize_t)length &&
            memcmp(bytes, signature, length) == 0)
            return true;
    return false;
}

static enum status check_bytes(bool *is_sealed, const char *path, int descriptor, size_t size,
                               struct error *error)
{
    const enum file_seal seal = file_seal_check(descriptor, size);
    *is_sealed = seal == FILE_SEAL_GOOD;
    if (seal == FILE_SEAL_BROKEN)
        return damaged(path, "its checksum is that of other content", error);
    if (has_signature(descriptor, size))
        return STATUS_OK;
    return file_kind_refuse(path, "a dataset", error);
}

enum status hdf5_file_check(bool *is_sealed, const char *path, struct error *error)
{
    int descriptor;
    size_t size;
    *is_sealed = false;
    TRY(regular_file_open(&descriptor, &size, path, error));
    const enum status status = check_bytes(is_sealed, path, descriptor, size, error);
    close(descriptor);
    return status;
}

enum status hdf5_file_open(hid_t *file, const char *path, struct error *error)
{
    hdf5_file_quiet();
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    *file = H5I_INVALID_HID;
    if (H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0) /* damage leaves no handle behind */
        *file = H5Fopen(path, H5F_ACC_RDONLY, access);
    const enum status opened = *file >= 0 ? STATUS_OK : explain_open(path, error);
    H5Pclose(access);
    return opened;
}

hid_t hdf5_file_whole_type(hid_t type, bool is_whole)
{
    if (type >= 0 && is_whole)
        return type;
    if (type >= 0)
        H5Tclose(type);
    return H5I_INVALID_HID;
}

hid_t hdf5_file_text_type(size_t size, H5T_cset_t set)
{
    const hid_t type = H5Tcopy(H5T_C_S1); /* ends with NUL */
    return hdf5_file_whole_type(type, type >= 0 && H5Tset_size(type, size) >= 0 &&
                                          H5Tset_cset(type, set) >= 0);
}

static bool write_scalar(hid_t object, const char *name, hid_t type, const void *value)
{
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Sclose(space);
    if (attribute < 0)
        return false;
    const bool is_written = H5Awrite(attribute, type, value) >= 0;
    return H5Aclose(attribute) >= 0 && is_written;
}

bool hdf5_file_write_text(hid_t object, const char *name, const char *text)
{
    const hid_t type = hdf5_file_text_type(strlen(text) + 1, H5T_CSET_UTF8);
    const bool is_written = write_scalar(object, name, type, text);
    H5Tclose(type);
    return is_written;
}

bool hdf5_file_write_word(hid_t object, const char *name, uint64_t value)
{
    return write_scalar(object, name, H5T_NATIVE_UINT64, &value);
}

static bool is_scalar_of(hid_t attribute, H5T_class_t wanted)
{
    const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    const bool is_wanted = type >= 0 && space >= 0 && H5Tget_class(type) == wanted &&
                           H5Tis_variable_str(type) <= 0 &&
                           H5Sget_simple_extent_npoints(space) == 1;
    H5Sclose(space);
    H5Tclose(type);
    return is_wanted;
}

static bool read_scalar(void *value, hid_t object, const char *name, H5T_class_t wanted,
                        hid_t memory_type)
{
    if (H5Aexists(object, name) <= 0)
        return false;
    const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (attribute < 0)
        return false;
    const bool is_read = is_scalar_of(attribute, wanted) &&
                         H5Aread(attribute, memory_type, value) >= 0;
    H5Aclose(attribute);
    return is_read;
}

bool hdf5_file_read_word(uint64_t *value, hid_t object, const char *name)
{
    return read_scalar(value, object, name, H5T_INTEGER, H5T_NATIVE_UINT64);
}

bool hdf5_file_read_text(char *text, size_t size, hid_t object, const char *name)
{
    /* Tries both character sets: HDF5 does not convert between them. */
    static const H5T_cset_t sets[] = {H5T_CSET_UTF8, H5T_CSET_ASCII};
    bool is_read = false;
    for (size_t i = 0; i < sizeof sets / sizeof *sets && !is_read; i++) {
        const hid_t type = hdf5_file_text_type(size, sets[i]);
        is_read = read_scalar(text, object, name, H5T_STRING, type);
        H5Tclose(type);
    }
    text[is_read ? size - 1 : 0] = '\0';
    return is_read;
}
