#include "base/scratch_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_EXTRA = 48, NAME_ATTEMPTS = 100 };

static enum status refuse(const char *what, const char *path, struct error *error)
{
    const int cause = errno;
    FAIL(error, STATUS_FAILED, "cannot %s '%s': %s", what, path, strerror(cause));
    return HINT(error, STATUS_FAILED, "check the directory, its permissions and the free space");
}

enum status scratch_file_check_unused(const char *path, struct error *error)
{
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return STATUS_OK;
    const bool is_locked = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(descriptor);
    return is_locked ? scratch_file_in_use(path, error) : STATUS_OK;
}

enum status scratch_file_in_use(const char *path, struct error *error)
{
    FAIL(error, STATUS_FAILED, "'%s' is being written by another program", path);
    return HINT(error, STATUS_FAILED, "choose another name, or wait until that program ends");
}

enum status scratch_file_check_destination(const char *path, bool overwrite, struct error *error)
{
    struct stat existing;
    if (stat(path, &existing) != 0)
        return STATUS_OK;
    if (!S_ISREG(existing.st_mode))
        return FAIL(error, STATUS_FAILED, "cannot write '%s': not a regular file", path);
    if (!overwrite) {
        FAIL(error, STATUS_USAGE, "'%s' exists", path);
        return HINT(error, STATUS_USAGE, "choose another name, or add --overwrite");
    }
    return scratch_file_check_unused(path, error);
}

/* The directory part of `path`, into a buffer of its size + 2. */
static void directory_of(char *directory, const char *path)
{
    const char *slash = strrchr(path, '/');
    const size_t length = slash ? (size_t)(slash - path) + 1 : 1;
    memcpy(directory, slash ? path : ".", length);
    directory[length] = '\0';
}

static size_t room_for(const char *path)
{
    return strlen(path) + NAME_EXTRA;
}

static void propose_name(struct scratch_file *scratch, int attempt)
{
    snprintf(scratch->name, room_for(scratch->path), "%s.tmp-%ld-%d", scratch->path, (long)getpid(),
             attempt);
}

/* ---- remnants of killed writers ---- */

/* The process is gone, and none on another machine holds HDF5's lock. */
static bool is_remnant(int directory, const char *name, long process)
{
    if (process <= 0 || kill((pid_t)process, 0) == 0 || errno != ESRCH)
        return false;
    const int descriptor = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    const bool is_unused = flock(descriptor, LOCK_EX | LOCK_NB) == 0;
    close(descriptor);
    return is_unused;
}

/* Only a killed writer of the same destination leaves its temporary file behind. */
static void remove_remnants(struct scratch_file *scratch)
{
    const char *slash = strrchr(scratch->path, '/');
    const char *own = slash ? slash + 1 : scratch->path;
    const size_t length = strlen(own);
    directory_of(scratch->name, scratch->path);
    DIR *directory = opendir(scratch->name);
    scratch->name[0] = '\0';
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        long process;
        int attempt, end = 0;
        if (strncmp(entry->d_name, own, length) == 0 &&
            sscanf(entry->d_name + length, ".tmp-%ld-%d%n", &process, &attempt, &end) == 2 &&
            entry->d_name[length + (size_t)end] == '\0' &&
            is_remnant(dirfd(directory), entry->d_name, process))
            unlinkat(dirfd(directory), entry->d_name, 0);
    }
    if (directory)
        closedir(directory);
}

/* ---- names ---- */

static int create_named(struct scratch_file *scratch)
{
    int descriptor = -1;
    for (int i = 0; i < NAME_ATTEMPTS && descriptor < 0 && (i == 0 || errno == EEXIST); i++) {
        propose_name(scratch, i);
        descriptor = open(scratch->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    if (descriptor < 0)
        scratch->name[0] = '\0';
    return descriptor;
}

static int create_nameless(struct scratch_file *scratch)
{
    directory_of(scratch->name, scratch->path);
    const int descriptor = open(scratch->name, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    scratch->name[0] = '\0';
    return descriptor;
}

enum status scratch_file_create(struct scratch_file *scratch, const char *path, bool named,
                                struct error *error)
{
    *scratch = (struct scratch_file){.descriptor = -1};
    TRY(ALLOCATE(&scratch->path, room_for(path), "path", error));
    TRY(ALLOCATE(&scratch->name, room_for(path), "path", error));
    snprintf(scratch->path, room_for(path), "%s", path);
    remove_remnants(scratch);
    if (!named)
        scratch->descriptor = create_nameless(scratch);
    if (scratch->descriptor < 0)
        scratch->descriptor = create_named(scratch);
    return scratch->descriptor < 0 ? refuse("create", path, error) : STATUS_OK;
}

void scratch_file_hide(struct scratch_file *scratch)
{
    if (*scratch->name)
        unlink(scratch->name);
    scratch->name[0] = '\0';
}

enum status scratch_file_write(struct scratch_file *scratch, const void *bytes, size_t size,
                               struct error *error)
{
    const char *next = bytes;
    while (size > 0) {
        const ssize_t written = write(scratch->descriptor, next, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return refuse("write", scratch->path, error);
        next += written;
        size -= (size_t)written;
    }
    return STATUS_OK;
}

static bool give_temporary_name(struct scratch_file *scratch)
{
    char nameless[64];
    if (*scratch->name)
        return true;
    snprintf(nameless, sizeof nameless, "/proc/self/fd/%d", scratch->descriptor);
    for (int i = 0; i < NAME_ATTEMPTS; i++) {
        propose_name(scratch, i);
        if (linkat(AT_FDCWD, nameless, AT_FDCWD, scratch->name, AT_SYMLINK_FOLLOW) == 0)
            return true;
        if (errno != EEXIST)
            break;
    }
    scratch->name[0] = '\0';
    return false;
}

static bool move_into_place(const struct scratch_file *scratch, bool replace)
{
    if (replace)
        return rename(scratch->name, scratch->path) == 0;
    if (renameat2(AT_FDCWD, scratch->name, AT_FDCWD, scratch->path, RENAME_NOREPLACE) == 0)
        return true;
    /* Network file systems do not support the flag. */
    return errno == EINVAL && access(scratch->path, F_OK) != 0 &&
           rename(scratch->name, scratch->path) == 0;
}

/* Makes the new name survive a power cut; a file system that cannot has already reported it. */
static void sync_directory(struct scratch_file *scratch)
{
    directory_of(scratch->name, scratch->path);
    const int directory = open(scratch->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    scratch->name[0] = '\0';
    if (directory < 0)
        return;
    fsync(directory);
    close(directory);
}

enum status scratch_file_publish(struct scratch_file *scratch, bool replace, struct error *error)
{
    if (fsync(scratch->descriptor) != 0)
        return refuse("write", scratch->path, error);
    if (!give_temporary_name(scratch) || !move_into_place(scratch, replace))
        return refuse("create", scratch->path, error);
    sync_directory(scratch);
    return STATUS_OK;
}

void scratch_file_close(struct scratch_file *scratch)
{
    if (scratch->name)
        scratch_file_hide(scratch);
    if (scratch->descriptor >= 0)
        close(scratch->descriptor);
    free(scratch->name);
    free(scratch->path);
    *scratch = (struct scratch_file){.descriptor = -1};
}
