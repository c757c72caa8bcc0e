/* Whatever bytes a dataset file holds: dataset_read and dataset_audit return OK or STATUS_BAD_FILE
 * and leak nothing. The audit may refuse what can be read: it reads more. The file has a name of
 * its own: HDF5 opens no descriptors. */
#include "data/audit.h"
#include "data/dataset.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void ignore(void *payload, const char *where, const char *what)
{
    (void)payload, (void)where, (void)what;
}

static void write_file(const char *path, const uint8_t *bytes, size_t size)
{
    const int file = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size || close(file) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/dev/shm/epochcast-fuzz-%ld", (long)getpid());
    write_file(path, bytes, size);
    const char *const paths[] = {path};
    struct error error = {.status = STATUS_OK};
    struct dataset_rows rows;
    struct audit_report report;
    const enum status status = dataset_read(&rows, paths, 1, &error);
    if (status != STATUS_OK && status != STATUS_BAD_FILE)
        abort();
    if (status == STATUS_OK)
        dataset_rows_free(&rows);
    else if (rows.rows || rows.devices)
        abort();
    const enum status audited = dataset_audit(&report, path, ignore, NULL, &error);
    if (audited != STATUS_OK && audited != STATUS_BAD_FILE)
        abort();
    unlink(path);
    return 0;
}
