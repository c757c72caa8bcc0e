#include "base/mapped_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Linux maps a cached file's huge pages whole, 2 MiB at a touch: reading the heads of a large
 * file's parts would make all of it resident. Mapped one page off the huge-page boundaries, Linux
 * maps only the pages around the touched one. Returns MAP_FAILED if that is impossible. */
static void *map_by_pages(int descriptor, size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), huge_page = (size_t)2 << 20;
    const size_t length = (size + page - 1) / page * page;
    char *reserved = mmap(NULL, length + 2 * page, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED)
        return MAP_FAILED;
    char *place = reserved + ((uintptr_t)(reserved + page) % huge_page ? page : 0);
    void *bytes = mmap(place, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, descriptor, 0);
    if (bytes == MAP_FAILED) {
        munmap(reserved, length + 2 * page);
        return MAP_FAILED;
    }
    if (place > reserved)
        munmap(reserved, page);
    munmap(place + length, length + 2 * page - (size_t)(place - reserved) - length);
    return bytes;
}

static enum status check_regular(size_t *size, int descriptor, const char *path,
                                 struct error *error)
{
    struct stat information;
    if (fstat(descriptor, &information) != 0)
        return FAIL(error, STATUS_BAD_FILE, "cannot read '%s': %s", path, strerror(errno));
    if (!S_ISREG(information.st_mode))
        return FAIL(error, STATUS_BAD_FILE, "cannot read '%s': not a regular file", path);
    *size = (size_t)information.st_size;
    return STATUS_OK;
}

enum status regular_file_open(int *descriptor, size_t *size, const char *path, struct error *error)
{
    // O_NONBLOCK: opening a FIFO must not wait for a writer
    *descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*descriptor < 0)
        return FAIL(error, STATUS_BAD_FILE, "cannot open '%s': %s", path, strerror(errno));
    const enum status status = check_regular(size, *descriptor, path, error);
    if (status != STATUS_OK)
        close(*descriptor);
    return status;
}

static enum status map_descriptor(struct mapped_file *file, int descriptor, size_t size,
                                  const char *path, struct error *error)
{
    if (size == 0)
        return STATUS_OK;
    void *bytes = map_by_pages(descriptor, size);
    if (bytes == MAP_FAILED)
        return FAIL(error, STATUS_BAD_FILE, "cannot map '%s': %s", path, strerror(errno));
    *file = (struct mapped_file){.bytes = bytes, .size = size};
    return STATUS_OK;
}

enum status mapped_file_open(struct mapped_file *file, const char *path, struct error *error)
{
    *file = (struct mapped_file){.bytes = "", .size = 0};
    int descriptor;
    size_t size;
    TRY(regular_file_open(&descriptor, &size, path, error));
    enum status status = map_descriptor(file, descriptor, size, path, error);
    close(descriptor);
    return status;
}

void mapped_file_close(struct mapped_file *file)
{
    if (file->size)
        munmap((void *)file->bytes, file->size);
    *file = (struct mapped_file){.bytes = "", .size = 0};
}
