#include "bench/rounds.h"
#include "data/compact_file.h"
#include "data/dataset_internal.h"

#include <stdlib.h>

/* Reads a whole table: devices, canaries, the rows of a sweep. The caller frees. */
static enum status read_table(void **records, const struct rows_table *table, size_t size,
                              struct error *error)
{
    TRY(error_allocate(records, table->count, size, "rows to compress", error));
    if (table->count == 0 || rows_table_read(table, 0, table->count, *records))
        return STATUS_OK;
    free(*records);
    *records = NULL;
    return FAIL(error, STATUS_FAILED, "the rows written before cannot be read");
}

static enum status copy_devices(struct compact_file *to, const struct rows_table *from,
                                struct error *error)
{
    struct device_info *infos;
    TRY(read_table((void **)&infos, from, sizeof *infos, error));
    const enum status status = compact_file_set_devices(to, infos, from->count, error);
    free(infos);
    return status;
}

static enum status copy_canaries(struct compact_file *to, const struct rows_table *from,
                                 struct error *error)
{
    struct canary *canaries;
    TRY(read_table((void **)&canaries, from, sizeof *canaries, error));
    const enum status status = compact_file_set_canaries(to, canaries, from->count, error);
    free(canaries);
    return status;
}

static enum status copy_block(struct compact_file *to, const struct rows_table *from, hsize_t first,
                              hsize_t count, enum layer_kind kind, struct measurement *block,
                              struct error *error)
{
    if (!rows_table_read(from, first, count, block))
        return FAIL(error, STATUS_FAILED, "the rows written before cannot be read");
    for (hsize_t i = 0; i < count; i++)
        dataset_row_rebuild(&block[i], kind);
    return compact_file_append(to, block, count, error);
}

static enum status copy_rows(struct compact_file *to, const struct rows_table *from,
                             enum layer_kind kind, struct error *error)
{
    struct measurement *block;
    enum status status = ALLOCATE(&block, COMPACT_CHUNK, "rows to compress", error);
    for (hsize_t first = 0; first < from->count && status == STATUS_OK; first += COMPACT_CHUNK) {
        const hsize_t left = from->count - first;
        status = copy_block(to, from, first, left < COMPACT_CHUNK ? left : COMPACT_CHUNK, kind,
                            block, error);
    }
    free(block);
    return status;
}

/* A sweep's rows fit in memory: sorting brings the rounds of a config together. */
static enum status copy_joined(struct compact_file *to, const struct rows_table *from,
                               enum layer_kind kind, struct error *error)
{
    size_t count = from->count;
    struct measurement *rows;
    TRY(read_table((void **)&rows, from, sizeof *rows, error));
    for (size_t i = 0; i < count; i++)
        dataset_row_rebuild(&rows[i], kind);
    rounds_combine(rows, &count);
    const enum status status = compact_file_append(to, rows, count, error);
    free(rows);
    return status;
}

static enum status copy_tables(struct compact_file *to, const struct dataset *dataset,
                               struct error *error)
{
    const struct dataset_tables *from = &dataset->tables;
    TRY(copy_devices(to, &from->devices, error));
    TRY(copy_canaries(to, &from->canaries, error));
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        TRY((dataset->in_place ? copy_joined : copy_rows)(to, &from->rows[kind],
                                                          (enum layer_kind)kind, error));
    return STATUS_OK;
}

enum status dataset_finish(struct dataset *dataset, struct error *error)
{
    struct compact_file *compact;
    TRY(dataset_flush(dataset, error));
    enum status status = compact_file_create(&compact, dataset->scratch.path, &dataset->header,
                                             error);
    if (status == STATUS_OK)
        status = copy_tables(compact, dataset, error);
    if (status == STATUS_OK)
        status = compact_file_publish(compact, dataset->in_place || dataset->overwrite, error);
    compact_file_close(compact);
    dataset->is_finished = status == STATUS_OK;
    if (status != STATUS_OK && dataset->in_place)
        error_hint(error, "all rows are in '%s', uncompressed", dataset->scratch.path);
    return status;
}
