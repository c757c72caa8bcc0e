/* Reads all rows of files into memory, with dataset_reader. */
#include "bench/device_identity.h"
#include "data/dataset_internal.h"
#include "data/dataset_reader.h"
#include "data/row_set.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for `more` records behind `count`. */
static enum status grow(void **records, size_t count, size_t more, size_t size, const char *what,
                        struct error *error)
{
    void *grown = realloc(*records, (count + more + 1) * size);
    if (!grown)
        return FAIL(error, STATUS_FAILED, "no memory for %zu %s", count + more, what);
    *records = grown;
    return STATUS_OK;
}

enum status dataset_rows_add_device(struct dataset_rows *all, int32_t *index,
                                    const struct device_info *info, struct error *error)
{
    *index = device_find_joined(all->devices, all->device_count, info);
    if (*index >= 0) {
        device_complete(&all->devices[*index], info);
        return STATUS_OK;
    }
    struct device_info named = *info;
    device_number(&named, all->devices, all->device_count);
    TRY(grow((void **)&all->devices, (size_t)all->device_count, 1, sizeof *info, "devices", error));
    *index = all->device_count++;
    all->devices[*index] = named;
    return STATUS_OK;
}

/* The fastest times of a device's canaries; infinite: it has none. */
static struct canary fastest(const struct canary *canaries, size_t count, int32_t device)
{
    struct canary best = {.gemm_ms = INFINITY, .copy_ms = INFINITY};
    for (size_t i = 0; i < count; i++) {
        if (canaries[i].device != device)
            continue;
        best.gemm_ms = fmin(best.gemm_ms, canaries[i].gemm_ms);
        best.copy_ms = fmin(best.copy_ms, canaries[i].copy_ms);
    }
    return best;
}

static bool is_near(double a, double b)
{
    return isfinite(a) && isfinite(b) && fmax(a, b) <= DEVICE_RATE_TOLERANCE * fmin(a, b);
}

/* Row of all->devices that the reader's device is although their rates differ: one of them was
 * measured at a busy moment, for the canaries, which go on throughout a sweep, agree. -1: none. */
static int32_t find_by_canaries(const struct dataset_rows *all, const struct dataset_reader *reader,
                                int32_t device)
{
    const int found = device_find(all->devices, all->device_count, &reader->devices[device]);
    const struct canary here = fastest(reader->canaries, reader->canary_count, device),
                        there = fastest(all->canaries, all->canary_count, found);
    return is_near(here.gemm_ms, there.gemm_ms) && is_near(here.copy_ms, there.copy_ms) ? found
                                                                                        : -1;
}

static enum status add_device_of(struct dataset_rows *all, int32_t *index,
                                 const struct dataset_reader *reader, int32_t device,
                                 struct error *error)
{
    const struct device_info *info = &reader->devices[device];
    *index = find_by_canaries(all, reader, device);
    if (*index < 0)
        return dataset_rows_add_device(all, index, info, error);
    device_complete(&all->devices[*index], info);
    return STATUS_OK;
}

enum status dataset_rows_add_tables(struct dataset_rows *all, int32_t **device_map,
                                    const struct dataset_reader *reader, struct error *error)
{
    TRY(ALLOCATE(device_map, reader->device_count, "devices", error));
    for (size_t i = 0; i < reader->device_count; i++)
        TRY(add_device_of(all, &(*device_map)[i], reader, (int32_t)i, error));
    TRY(grow((void **)&all->canaries, all->canary_count, reader->canary_count,
             sizeof *all->canaries, "canaries", error));
    for (size_t i = 0; i < reader->canary_count; i++) {
        struct canary *canary = &all->canaries[all->canary_count++];
        *canary = reader->canaries[i];
        canary->device = (*device_map)[canary->device];
    }
    return STATUS_OK;
}

/* Files that are read together. */
struct reading {
    struct dataset_rows *all;
    struct dataset_reader_options options;
    struct row_set *seen; /* their rows so far; NULL: there is only one file */
};

static void add_row(const struct reading *reading, const struct measurement *row, int32_t device)
{
    struct dataset_rows *all = reading->all;
    struct measurement *added = &all->rows[all->count];
    *added = *row;
    added->device = device;
    if (reading->seen && !row_set_add(reading->seen, row_hash(added)))
        all->repeat_count++;
    else
        all->count++;
}

static enum status add_rows(const struct reading *reading, struct dataset_reader *reader,
                            const int32_t *device_map, struct error *error)
{
    const struct measurement *rows;
    struct dataset_rows *all = reading->all;
    TRY(grow((void **)&all->rows, all->count, reader->row_limit, sizeof *rows, "rows", error));
    if (reading->seen)
        TRY(row_set_reserve(reading->seen, reader->row_limit, error));
    for (size_t count = 1; count > 0;) {
        TRY(dataset_reader_next(reader, &rows, &count, error));
        for (size_t i = 0; i < count; i++)
            add_row(reading, &rows[i], device_map[rows[i].device]);
    }
    return STATUS_OK;
}

static enum status read_file(const struct reading *reading, const char *path, bool is_first,
                             struct error *error)
{
    struct dataset_reader *reader;
    struct dataset_rows *all = reading->all;
    int32_t *device_map = NULL;
    TRY(dataset_reader_open(&reader, path, &reading->options, error));
    if (is_first)
        all->header = reader->header;
    all->is_growing |= reader->is_growing;
    enum status status = dataset_rows_add_tables(all, &device_map, reader, error);
    if (status == STATUS_OK)
        status = add_rows(reading, reader, device_map, error);
    free(device_map);
    dataset_reader_close(reader);
    return status;
}

static enum status read_files(struct dataset_rows *rows, const char *const *paths, int path_count,
                              bool keeps_rounds, struct error *error)
{
    struct row_set seen = {.count = 0};
    const struct reading reading = {.all = rows,
                                    .options = {.keeps_rounds = keeps_rounds},
                                    .seen = path_count > 1 ? &seen : NULL};
    enum status status = STATUS_OK;
    *rows = (struct dataset_rows){.count = 0};
    for (int i = 0; i < path_count && status == STATUS_OK; i++)
        status = read_file(&reading, paths[i], i == 0, error);
    row_set_free(&seen);
    if (status != STATUS_OK)
        dataset_rows_free(rows);
    return status;
}

enum status dataset_read(struct dataset_rows *rows, const char *const *paths, int path_count,
                         struct error *error)
{
    return read_files(rows, paths, path_count, false, error);
}

enum status dataset_read_rounds(struct dataset_rows *rows, const char *path, struct error *error)
{
    return read_files(rows, &path, 1, true, error);
}

void dataset_rows_free(struct dataset_rows *rows)
{
    free(rows->rows);
    free(rows->devices);
    free(rows->canaries);
    *rows = (struct dataset_rows){.count = 0};
}
