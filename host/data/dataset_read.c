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

/* ---- block by block ---- */

/* Files that are read together. */
struct visit {
    struct dataset_rows *tables;
    const struct dataset_reader_options *options;
    const struct dataset_visitor *visitor;
    struct row_set seen;       /* rows so far */
    bool is_one;               /* file: nothing can be seen twice */
    struct measurement *fresh; /* (fresh_room) rows of a block that were not seen before */
    size_t fresh_room;
};

static enum status make_fresh_room(struct visit *visit, size_t count, struct error *error)
{
    if (count <= visit->fresh_room)
        return STATUS_OK;
    free(visit->fresh);
    visit->fresh_room = 0;
    TRY(ALLOCATE(&visit->fresh, count, "rows", error));
    visit->fresh_room = count;
    return STATUS_OK;
}

/* Leaves out rows that a file before had, too. */
static enum status keep_fresh(struct visit *visit, struct dataset_block *block, struct error *error)
{
    size_t kept = 0;
    TRY(make_fresh_room(visit, block->count, error));
    for (size_t i = 0; i < block->count; i++) {
        struct measurement row = block->rows[i];
        row.device = block->device_map[row.device];
        if (row_set_add(&visit->seen, row_hash(&row)))
            visit->fresh[kept++] = block->rows[i];
    }
    visit->tables->repeat_count += block->count - kept;
    block->rows = visit->fresh;
    block->count = kept;
    return STATUS_OK;
}

static enum status visit_blocks(struct visit *visit, struct dataset_reader *reader,
                                const int32_t *device_map, struct error *error)
{
    const struct dataset_visitor *visitor = visit->visitor;
    for (bool at_end = false; !at_end;) {
        struct dataset_block block = {.device_map = device_map};
        TRY(dataset_reader_next(reader, &block.rows, &block.count, error));
        at_end = block.count == 0;
        if (!visit->is_one)
            TRY(keep_fresh(visit, &block, error));
        if (block.count > 0)
            TRY(visitor->block(visitor->payload, visit->tables, &block, error));
    }
    return visitor->end ? visitor->end(visitor->payload, visit->tables, error) : STATUS_OK;
}

static enum status visit_rows(struct visit *visit, struct dataset_reader *reader,
                              const int32_t *device_map, struct error *error)
{
    const struct dataset_visitor *visitor = visit->visitor;
    if (!visit->is_one)
        TRY(row_set_reserve(&visit->seen, reader->row_limit, error));
    if (visitor->begin)
        TRY(visitor->begin(visitor->payload, visit->tables, reader->row_limit, error));
    return visit_blocks(visit, reader, device_map, error);
}

static enum status visit_file(struct visit *visit, const char *path, bool is_first,
                              struct error *error)
{
    struct dataset_reader *reader;
    int32_t *device_map = NULL;
    struct dataset_rows *tables = visit->tables;
    TRY(dataset_reader_open(&reader, path, visit->options, error));
    if (is_first)
        tables->header = reader->header;
    tables->is_growing |= reader->is_growing;
    enum status status = dataset_rows_add_tables(tables, &device_map, reader, error);
    if (status == STATUS_OK)
        status = visit_rows(visit, reader, device_map, error);
    free(device_map);
    dataset_reader_close(reader);
    return status;
}

static enum status visit_files(struct visit *visit, const char *const *paths, int path_count,
                               struct error *error)
{
    enum status status = STATUS_OK;
    *visit->tables = (struct dataset_rows){.count = 0};
    visit->is_one = path_count == 1;
    for (int i = 0; i < path_count && status == STATUS_OK; i++)
        status = visit_file(visit, paths[i], i == 0, error);
    row_set_free(&visit->seen);
    free(visit->fresh);
    if (status != STATUS_OK)
        dataset_rows_free(visit->tables);
    return status;
}

enum status dataset_visit(struct dataset_rows *tables, const char *const *paths, int path_count,
                          const struct dataset_visitor *visitor, struct error *error)
{
    struct dataset_reader_options options = {.keeps_rounds = false};
    if (visitor->skips)
        memcpy(options.skips, visitor->skips, sizeof options.skips);
    struct visit visit = {.tables = tables, .options = &options, .visitor = visitor};
    return visit_files(&visit, paths, path_count, error);
}

/* ---- into memory ---- */

static enum status make_room(void *payload, const struct dataset_rows *tables, size_t row_limit,
                             struct error *error)
{
    struct dataset_rows *all = payload;
    (void)tables;
    return grow((void **)&all->rows, all->count, row_limit, sizeof *all->rows, "rows", error);
}

static enum status keep_block(void *payload, const struct dataset_rows *tables,
                              const struct dataset_block *block, struct error *error)
{
    struct dataset_rows *all = payload;
    (void)tables;
    (void)error;
    for (size_t i = 0; i < block->count; i++) {
        struct measurement *row = &all->rows[all->count++];
        *row = block->rows[i];
        row->device = block->device_map[row->device];
    }
    return STATUS_OK;
}

static enum status read_files(struct dataset_rows *rows, const char *const *paths, int path_count,
                              bool keeps_rounds, struct error *error)
{
    const struct dataset_reader_options options = {.keeps_rounds = keeps_rounds};
    const struct dataset_visitor visitor = {
        .begin = make_room, .block = keep_block, .payload = rows};
    struct visit visit = {.tables = rows, .options = &options, .visitor = &visitor};
    return visit_files(&visit, paths, path_count, error);
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
