#include "base/mapped_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status map_descriptor(struct mapped_file *file, int descriptor, const char *path,
                                  struct error *error)
{
    struct stat information;
    if (fstat(descriptor, &information) != 0)
        return FAIL(error, STATUS_BAD_FILE, "cannot read '%s': %s", path, strerror(errno));
    if (!S_ISREG(information.st_mode))
        return FAIL(error, STATUS_BAD_FILE, "cannot read '%s': not a regular file", path);
    if (information.st_size == 0) {
        *file = (struct mapped_file){.bytes = "", .size = 0};
        return STATUS_OK;
    }
    size_t size = (size_t)information.st_size;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED)
        return FAIL(error, STATUS_BAD_FILE, "cannot map '%s': %s", path, strerror(errno));
    *file = (struct mapped_file){.bytes = bytes, .size = size};
    return STATUS_OK;
}

enum status mapped_file_open(struct mapped_file *file, const char *path, struct error *error)
{
    *file = (struct mapped_file){.bytes = "", .size = 0};
    // O_NONBLOCK: opening a FIFO must not wait for a writer
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return FAIL(error, STATUS_BAD_FILE, "cannot open '%s': %s", path, strerror(errno));
    enum status status = map_descriptor(file, descriptor, path, error);
    close(descriptor);
    return status;
}

void mapped_file_close(struct mapped_file *file)
{
    if (file->size)
        munmap((void *)file->bytes, file->size);
    *file = (struct mapped_file){.bytes = "", .size = 0};
}
