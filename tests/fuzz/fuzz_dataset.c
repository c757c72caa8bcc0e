/* Whatever bytes a dataset file holds: dataset_read returns OK or STATUS_BAD_FILE and leaks
 * nothing. */
#include "data/dataset.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[64];
    int file = memfd_create("dataset", 0);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    const char *const paths[] = {path};
    struct error error = {.status = STATUS_OK};
    struct dataset_rows rows;
    enum status status = dataset_read(&rows, paths, 1, &error);
    if (status != STATUS_OK && status != STATUS_BAD_FILE)
        abort();
    if (status == STATUS_OK)
        dataset_rows_free(&rows);
    else if (rows.rows || rows.devices)
        abort();
    close(file);
    return 0;
}
