/* Whatever bytes a CSV file of measurements holds: importing it succeeds, or is STATUS_BAD_FILE or
 * STATUS_USAGE with a message. The rows of many files go into one dataset. */
#include "data/import.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void write_file(const char *path, const uint8_t *bytes, size_t size)
{
    const int file = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size || close(file) != 0)
        abort();
}

/* A fresh one after 1000 files; it never gets a name. */
static struct dataset *open_dataset(const char *csv_path)
{
    static struct dataset *dataset;
    static int file_count;
    char path[80];
    const struct dataset_header header = {.seed = 0};
    if (file_count++ % 1000 != 0)
        return dataset;
    dataset_close(dataset);
    snprintf(path, sizeof path, "%s.h5", csv_path);
    if (dataset_create(&dataset, path, &header, true, false, NULL) != STATUS_OK)
        abort();
    return dataset;
}

static enum status import(const char *path, struct error *error)
{
    struct importer *importer;
    struct import_options options = {.device_name = "V100"};
    int64_t count;
    TRY(import_dialect_of(&options.dialect, path, error));
    TRY(importer_create(&importer, open_dataset(path), &options, error));
    const enum status status = importer_read(importer, path, &count, error);
    importer_free(importer);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[64];
    struct error error = {.status = STATUS_OK};
    snprintf(path, sizeof path, "/dev/shm/epochcast-fuzz-%ld.csv", (long)getpid());
    write_file(path, bytes, size);
    const enum status status = import(path, &error);
    if (status != STATUS_OK &&
        ((status != STATUS_BAD_FILE && status != STATUS_USAGE) || !error.message[0]))
        abort();
    unlink(path);
    return 0;
}
