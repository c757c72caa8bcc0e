#include "data/dataset_internal.h"
#include "data/file_seal.h"
#include "data/rounds.h"

#include <stdlib.h>

static bool copy_table(struct rows_table *to, const struct rows_table *from, void *block)
{
    for (hsize_t first = 0; first < from->count; first += COMPACT_CHUNK) {
        const hsize_t left = from->count - first;
        const hsize_t count = left < COMPACT_CHUNK ? left : COMPACT_CHUNK;
        if (!rows_table_read(from, first, count, block) || !rows_table_append(to, count, block))
            return false;
    }
    return true;
}

/* A sweep's rows fit in memory: rounds of a config are found by sorting. */
static bool copy_joined(struct rows_table *to, const struct rows_table *from, enum layer_kind kind)
{
    size_t count = from->count;
    struct measurement *rows = count ? calloc(count, sizeof *rows) : NULL;
    bool is_ok = count == 0 || (rows && rows_table_read(from, 0, count, rows));
    for (size_t i = 0; i < count && is_ok; i++)
        dataset_row_rebuild(&rows[i], kind);
    if (is_ok)
        rounds_combine(rows, &count);
    is_ok = is_ok && (count == 0 || rows_table_append(to, count, rows));
    free(rows);
    return is_ok;
}

static bool copy_tables(struct dataset_tables *to, const struct dataset_tables *from,
                        bool join_rounds, void *block)
{
    bool is_ok = copy_table(&to->devices, &from->devices, block) &&
                 copy_table(&to->canaries, &from->canaries, block);
    for (int kind = 0; kind < LAYER_KIND_COUNT && is_ok; kind++)
        is_ok = join_rounds ? copy_joined(&to->rows[kind], &from->rows[kind], (enum layer_kind)kind)
                            : copy_table(&to->rows[kind], &from->rows[kind], block);
    return is_ok;
}

static enum status fill_compact(struct dataset_tables *compact, const struct dataset *dataset,
                                struct error *error)
{
    bool wanted[LAYER_KIND_COUNT];
    const size_t block_size = sizeof(struct measurement) > sizeof(struct device_info)
                                  ? sizeof(struct measurement)
                                  : sizeof(struct device_info);
    void *block;
    TRY(error_allocate(&block, COMPACT_CHUNK, block_size, "rows to compress", error));
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        wanted[kind] = dataset->tables.rows[kind].count > 0;
    const bool is_ok = dataset_tables_create(compact, NULL, &dataset->header, true, wanted) &&
                       copy_tables(compact, &dataset->tables, dataset->in_place, block);
    free(block);
    return is_ok ? STATUS_OK
                 : FAIL(error, STATUS_FAILED, "cannot compress the rows of '%s'",
                        dataset->scratch.path);
}

static enum status write_and_publish(const void *bytes, size_t size, const struct dataset *dataset,
                                     struct error *error)
{
    struct scratch_file scratch;
    unsigned char seal[FILE_SEAL_SIZE];
    file_seal_make(seal, bytes, size);
    enum status status = scratch_file_create(&scratch, dataset->scratch.path, false, error);
    if (status == STATUS_OK)
        status = scratch_file_write(&scratch, bytes, size, error);
    if (status == STATUS_OK)
        status = scratch_file_write(&scratch, seal, sizeof seal, error);
    if (status == STATUS_OK)
        status = scratch_file_publish(&scratch, dataset->in_place || dataset->overwrite, error);
    scratch_file_close(&scratch);
    return status;
}

static enum status publish(const struct dataset_tables *compact, const struct dataset *dataset,
                           struct error *error)
{
    void *bytes;
    size_t size;
    enum status status = dataset_tables_image(&bytes, &size, compact, error);
    if (status == STATUS_OK)
        status = write_and_publish(bytes, size, dataset, error);
    free(bytes);
    return status;
}

enum status dataset_finish(struct dataset *dataset, struct error *error)
{
    TRY(dataset_flush(dataset, error));
    struct dataset_tables compact = {.file = 0};
    enum status status = fill_compact(&compact, dataset, error);
    if (status == STATUS_OK)
        status = publish(&compact, dataset, error);
    dataset_tables_close(&compact);
    dataset->is_finished = status == STATUS_OK;
    if (status != STATUS_OK && dataset->in_place)
        error_hint(error, "all rows are in '%s', uncompressed", dataset->scratch.path);
    return status;
}
