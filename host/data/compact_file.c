#include "data/compact_file.h"

#include "data/dataset_internal.h"
#include "data/file_seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BLOCK_SIZE = 1 << 18 };

/* HDF5 1.10 opens files only by name, and an unlinked file cannot get a new name: HDF5 writes a
 * hidden file, which is copied to a nameless one when it is complete. */
struct compact_file {
    struct scratch_file scratch; /* hidden; its path is the destination */
    struct dataset_tables tables;
    struct measurement *pending[LAYER_KIND_COUNT]; /* (COMPACT_CHUNK) */
    size_t pending_count[LAYER_KIND_COUNT];
};

/* Headers and columns of new tables, index nodes, and the bytes that deflate may add to an
 * incompressible chunk. */
static const off_t base_reserve_bytes = 1 << 20;

static enum status cannot_write(const struct compact_file *compact, int cause, struct error *error)
{
    FAIL(error, STATUS_FAILED, "cannot write '%s': %s", compact->scratch.path,
         cause ? strerror(cause) : "HDF5 gives no reason");
    error_hint(error, "no partial file remains; free some space");
    return STATUS_FAILED;
}

static enum status reserve_space(struct compact_file *compact, size_t bytes, struct error *error)
{
    haddr_t used = 0;
    if (H5Fget_eoa(compact->tables.file, &used) < 0)
        return cannot_write(compact, 0, error);
    const int cause = posix_fallocate(compact->scratch.descriptor, (off_t)used,
                                      base_reserve_bytes + (off_t)bytes);
    return cause ? cannot_write(compact, cause, error) : STATUS_OK;
}

static enum status create_content(struct compact_file *compact, const struct dataset_header *header,
                                  struct error *error)
{
    static const bool no_kind[LAYER_KIND_COUNT];
    const int cause = posix_fallocate(compact->scratch.descriptor, 0, base_reserve_bytes);
    if (cause)
        return cannot_write(compact, cause, error);
    errno = 0;
    const bool is_made = dataset_tables_create(&compact->tables, compact->scratch.name, header,
                                               true, no_kind);
    const int reason = errno;
    scratch_file_hide(&compact->scratch);
    return is_made ? STATUS_OK : cannot_write(compact, reason, error);
}

enum status compact_file_create(struct compact_file **out, const char *path,
                                const struct dataset_header *header, struct error *error)
{
    struct compact_file *compact;
    *out = NULL;
    TRY(ALLOCATE(&compact, 1, "compact file", error));
    enum status status = scratch_file_create(&compact->scratch, path, true, error);
    if (status == STATUS_OK)
        status = create_content(compact, header, error);
    if (status == STATUS_OK)
        *out = compact;
    else
        compact_file_close(compact);
    return status;
}

static enum status write_rows(struct compact_file *compact, struct rows_table *table,
                              const void *rows, size_t count, size_t size, struct error *error)
{
    if (count == 0)
        return STATUS_OK;
    TRY(reserve_space(compact, count * size, error));
    errno = 0;
    return rows_table_append(table, count, rows) ? STATUS_OK : cannot_write(compact, errno, error);
}

static enum status write_pending(struct compact_file *compact, enum layer_kind kind,
                                 struct error *error)
{
    const size_t count = compact->pending_count[kind];
    compact->pending_count[kind] = 0;
    return write_rows(compact, &compact->tables.rows[kind], compact->pending[kind], count,
                      sizeof(struct measurement), error);
}

static enum status open_kind(struct compact_file *compact, enum layer_kind kind,
                             struct error *error)
{
    TRY(error_allocate((void **)&compact->pending[kind], COMPACT_CHUNK, sizeof(struct measurement),
                       "rows to compress", error));
    TRY(reserve_space(compact, 0, error));
    errno = 0;
    return dataset_tables_add_kind(&compact->tables, kind, true)
               ? STATUS_OK
               : cannot_write(compact, errno, error);
}

enum status compact_file_append(struct compact_file *compact, const struct measurement *rows,
                                size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        const enum layer_kind kind = rows[i].config.kind;
        if (!compact->pending[kind])
            TRY(open_kind(compact, kind, error));
        compact->pending[kind][compact->pending_count[kind]++] = rows[i];
        if (compact->pending_count[kind] == COMPACT_CHUNK)
            TRY(write_pending(compact, kind, error));
    }
    return STATUS_OK;
}

enum status compact_file_set_devices(struct compact_file *compact, const struct device_info *infos,
                                     size_t count, struct error *error)
{
    return write_rows(compact, &compact->tables.devices, infos, count, sizeof *infos, error);
}

enum status compact_file_set_canaries(struct compact_file *compact, const struct canary *canaries,
                                      size_t count, struct error *error)
{
    return write_rows(compact, &compact->tables.canaries, canaries, count, sizeof *canaries, error);
}

/* Frees the reserved but unused space, except room to close: HDF5 does not change the file's size
 * when it has written up to its end. */
static enum status release_reserve(struct compact_file *compact, struct error *error)
{
    haddr_t used = 0;
    const int descriptor = compact->scratch.descriptor;
    TRY(reserve_space(compact, 0, error));
    errno = 0;
    if (H5Fflush(compact->tables.file, H5F_SCOPE_LOCAL) < 0 ||
        H5Fget_eoa(compact->tables.file, &used) < 0 || ftruncate(descriptor, (off_t)used) != 0)
        return cannot_write(compact, errno, error);
    if (fallocate(descriptor, FALLOC_FL_KEEP_SIZE, (off_t)used, base_reserve_bytes) != 0 &&
        errno == ENOSPC)
        return cannot_write(compact, errno, error);
    return STATUS_OK;
}

static enum status end_tables(size_t *size, struct compact_file *compact, struct error *error)
{
    struct stat now;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        TRY(write_pending(compact, (enum layer_kind)kind, error));
    TRY(release_reserve(compact, error));
    errno = 0;
    if (!dataset_tables_close(&compact->tables) || fstat(compact->scratch.descriptor, &now) != 0)
        return cannot_write(compact, errno, error);
    *size = (size_t)now.st_size;
    return STATUS_OK;
}

static enum status copy_bytes(struct scratch_file *to, const struct compact_file *from, size_t size,
                              struct error *error)
{
    char *block;
    TRY(error_allocate((void **)&block, COPY_BLOCK_SIZE, 1, "bytes to copy", error));
    enum status status = STATUS_OK;
    for (size_t at = 0; at < size && status == STATUS_OK;) {
        const ssize_t count = pread(from->scratch.descriptor, block, COPY_BLOCK_SIZE, (off_t)at);
        status = count > 0 ? scratch_file_write(to, block, (size_t)count, error)
                           : cannot_write(from, errno, error);
        at += count > 0 ? (size_t)count : 0;
    }
    free(block);
    return status;
}

static enum status copy_and_publish(struct scratch_file *to, const struct compact_file *from,
                                    size_t size, bool replace, struct error *error)
{
    unsigned char seal[FILE_SEAL_SIZE];
    errno = 0;
    if (!file_seal_make(seal, from->scratch.descriptor, size))
        return cannot_write(from, errno, error);
    TRY(copy_bytes(to, from, size, error));
    TRY(scratch_file_write(to, seal, sizeof seal, error));
    return scratch_file_publish(to, replace, error);
}

enum status compact_file_publish(struct compact_file *compact, bool replace, struct error *error)
{
    size_t size;
    struct scratch_file whole;
    TRY(end_tables(&size, compact, error));
    enum status status = scratch_file_create(&whole, compact->scratch.path, false, error);
    if (status == STATUS_OK)
        status = copy_and_publish(&whole, compact, size, replace, error);
    scratch_file_close(&whole);
    return status;
}

void compact_file_close(struct compact_file *compact)
{
    if (!compact)
        return;
    dataset_tables_close(&compact->tables);
    scratch_file_close(&compact->scratch);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        free(compact->pending[kind]);
    free(compact);
}
