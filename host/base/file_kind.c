#include "base/file_kind.h"

#include <ctype.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* HDF5 writes a dataset's format name within the first kilobytes. */
enum { HEAD_SIZE = 1 << 16 };

struct head {
    unsigned char bytes[HEAD_SIZE];
    size_t size;
};

static const char *const texts[] = {
#define FILE_KIND_TEXT(name, text) text,
    FILE_KIND_LIST(FILE_KIND_TEXT)
#undef FILE_KIND_TEXT
};

const char *file_kind_text(enum file_kind kind)
{
    return texts[kind];
}

bool file_kind_is_regular(enum file_kind kind)
{
    return kind == FILE_ABSENT || kind >= FILE_UNREADABLE;
}

/* ---- contents ---- */

static bool begins(const struct head *head, const char *text)
{
    const size_t length = strlen(text);
    return head->size >= length && memcmp(head->bytes, text, length) == 0;
}

static bool holds(const struct head *head, const char *text)
{
    return memmem(head->bytes, head->size, text, strlen(text)) != NULL;
}

static size_t skip_blanks(const struct head *head)
{
    size_t at = begins(head, "\xEF\xBB\xBF") ? 3 : 0;
    while (at < head->size && isspace(head->bytes[at]))
        at++;
    return at;
}

/* Behind blanks and a byte order mark, in small or capital letters. */
static bool text_begins(const struct head *head, const char *text)
{
    const size_t at = skip_blanks(head), length = strlen(text);
    return head->size - at >= length &&
           strncasecmp((const char *)head->bytes + at, text, length) == 0;
}

static bool is_hdf5(const struct head *head)
{
    return begins(head, "\x89HDF\r\n\x1a\n");
}

static bool is_dataset(const struct head *head)
{
    return is_hdf5(head) && holds(head, "epochcast dataset");
}

static bool is_model(const struct head *head)
{
    return begins(head, "epochcast model");
}

static bool is_page(const struct head *head)
{
    return text_begins(head, "<!doctype html") || text_begins(head, "<html");
}

static bool is_picture(const struct head *head)
{
    return begins(head, "\x89PNG\r\n\x1a\n") || (text_begins(head, "<") && holds(head, "<svg"));
}

static bool is_text(const struct head *head)
{
    return memchr(head->bytes, '\0', head->size) == NULL;
}

static bool is_json(const struct head *head)
{
    return is_text(head) && (text_begins(head, "{") || text_begins(head, "["));
}

/* Its first line has several fields. */
static bool is_table(const struct head *head)
{
    const unsigned char *end = memchr(head->bytes, '\n', head->size);
    const size_t length = end ? (size_t)(end - head->bytes) : head->size;
    for (size_t i = 0; i < length; i++)
        if (strchr(",;\t", head->bytes[i]))
            return is_text(head);
    return false;
}

/* The first that holds: special kinds before general ones. */
static const struct {
    enum file_kind kind;
    bool (*holds)(const struct head *head);
} signs[] = {{FILE_DATASET, is_dataset}, {FILE_HDF5, is_hdf5},       {FILE_MODEL, is_model},
             {FILE_PAGE, is_page},       {FILE_PICTURE, is_picture}, {FILE_JSON, is_json},
             {FILE_TABLE, is_table},     {FILE_TEXT, is_text}};

static enum file_kind kind_of_contents(const struct head *head)
{
    if (head->size == 0)
        return FILE_EMPTY;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (signs[i].holds(head))
            return signs[i].kind;
    return FILE_BINARY;
}

/* ---- files ---- */

static enum file_kind kind_of_mode(mode_t mode)
{
    if (S_ISDIR(mode))
        return FILE_FOLDER;
    if (S_ISFIFO(mode))
        return FILE_PIPE;
    return S_ISSOCK(mode) ? FILE_SOCKET : FILE_DEVICE;
}

enum file_kind file_kind_of(const char *path)
{
    struct stat found;
    struct head head;
    if (stat(path, &found) != 0)
        return FILE_ABSENT;
    if (!S_ISREG(found.st_mode))
        return kind_of_mode(found.st_mode);
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return FILE_UNREADABLE;
    const ssize_t size = pread(descriptor, head.bytes, sizeof head.bytes, 0);
    close(descriptor);
    head.size = size > 0 ? (size_t)size : 0;
    return size < 0 ? FILE_UNREADABLE : kind_of_contents(&head);
}

bool file_is_same(const char *one, const char *other)
{
    struct stat here, there;
    return stat(one, &here) == 0 && stat(other, &there) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
}

/* ---- messages ---- */

/* For a file that was given in place of another. */
static const char *hint_of(enum file_kind kind)
{
    switch (kind) {
    case FILE_DATASET:
        return "a dataset goes to 'epochcast train DATA.h5 -O MODEL.h5', or to show, evaluate, "
               "merge, "
               "export, report";
    case FILE_MODEL:
        return "a model goes to '--model MODEL.h5' of predict and verify, or to show, evaluate, "
               "report";
    case FILE_JSON:
        return "the JSON of 'epochcast verify' goes to 'epochcast report'";
    case FILE_TABLE:
        return "'epochcast import' makes datasets of CSV files";
    default:
        return "'epochcast sweep' writes datasets, 'epochcast train' models";
    }
}

enum status file_kind_refuse(const char *path, const char *wanted, struct error *error)
{
    const enum file_kind kind = file_kind_of(path);
    FAIL(error, STATUS_BAD_FILE, "'%s' is %s, not %s", path, file_kind_text(kind), wanted);
    return HINT(error, STATUS_BAD_FILE, "%s", hint_of(kind));
}
