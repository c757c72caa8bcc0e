/* The kind of a file, by its first bytes: never by its name. For messages, and so that no file is
 * replaced by one of another kind. */
#ifndef EPOCHCAST_BASE_FILE_KIND_H
#define EPOCHCAST_BASE_FILE_KIND_H

#include "base/error.h"

#include <stdbool.h>

/* Name, and its text after "is": "'x.h5' is a model". */
#define FILE_KIND_LIST(X)                                                                          \
    X(FILE_ABSENT, "missing")                                                                      \
    X(FILE_FOLDER, "a folder")                                                                     \
    X(FILE_PIPE, "a pipe")                                                                         \
    X(FILE_DEVICE, "a device")                                                                     \
    X(FILE_SOCKET, "a socket")                                                                     \
    X(FILE_UNREADABLE, "a file that cannot be read")                                               \
    X(FILE_EMPTY, "empty")                                                                         \
    X(FILE_DATASET, "a dataset")                                                                   \
    X(FILE_MODEL, "a model")                                                                       \
    X(FILE_HDF5, "an HDF5 file of another program")                                                \
    X(FILE_PAGE, "an HTML page")                                                                   \
    X(FILE_PICTURE, "a picture")                                                                   \
    X(FILE_JSON, "a JSON file")                                                                    \
    X(FILE_TABLE, "a CSV file")                                                                    \
    X(FILE_TEXT, "a text file")                                                                    \
    X(FILE_BINARY, "a file of an unknown kind")
#define FILE_KIND_NAME(name, text) name,
enum file_kind { FILE_KIND_LIST(FILE_KIND_NAME) FILE_KIND_COUNT };
#undef FILE_KIND_NAME

/* Follows symbolic links; does not wait for pipes. A dataset may be damaged or unfinished: only its
 * beginning is looked at. */
enum file_kind file_kind_of(const char *path);
const char *file_kind_text(enum file_kind kind);

/* Absent, or a file with bytes: not a folder, a pipe, a device, a socket. */
bool file_kind_is_regular(enum file_kind kind);

/* STATUS_BAD_FILE "'PATH' is a model, not WANTED" (wanted: "a dataset"), with the command that
 * takes or makes such a file as hint. */
enum status file_kind_refuse(const char *path, const char *wanted, struct error *error);

/* Both paths lead to the same existing file, over symbolic and hard links. */
bool file_is_same(const char *one, const char *other);

#endif
