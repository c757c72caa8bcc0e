#include "data/dataset.h"

#include "base/clock.h"
#include "base/term.h"
#include "data/dataset_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VISIBLE_BUFFER_ROWS = 50, HIDDEN_BUFFER_ROWS = 512 };
static const double flush_interval_s = 1, sync_interval_s = 5;
static const bool every_kind[LAYER_KIND_COUNT] = {
#define WANTED(KIND, kind) [LAYER_##KIND] = true,
    LAYER_KINDS(WANTED)};

/* Headers, devices, canaries, existing index nodes. */
static const off_t base_reserve_bytes = 1 << 17, index_node_bytes = 1 << 15;

static enum status cannot_write(struct dataset *dataset, int cause, struct error *error)
{
    dataset->is_failed = true;
    FAIL(error, STATUS_FAILED, "cannot write '%s': %s", dataset->scratch.path,
         cause ? strerror(cause) : "HDF5 gives no reason");
    const bool is_visible = dataset->in_place && !*dataset->scratch.name;
    error_hint(error, is_visible ? "the rows written before are safe; free some space"
                                 : "no partial file remains; free some space");
    return STATUS_FAILED;
}

/* Upper bound of the bytes that `more` rows of each kind add to the file. */
static off_t reserve_bytes(const struct dataset *dataset, const off_t more[LAYER_KIND_COUNT])
{
    off_t bytes = base_reserve_bytes;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        const off_t count = (off_t)dataset->tables.rows[kind].count;
        const off_t total = count + more[kind];
        const off_t chunks = (total + GROWING_CHUNK - 1) / GROWING_CHUNK -
                             (count + GROWING_CHUNK - 1) / GROWING_CHUNK;
        if (chunks > 0)
            bytes += chunks * GROWING_CHUNK * (off_t)sizeof(struct measurement) + index_node_bytes;
    }
    return bytes;
}

/* Reserves disk space before HDF5 writes: a failed write of HDF5 can leave a file that does not
 * open, a refused reservation leaves the file of the last flush. */
static enum status reserve_space(struct dataset *dataset, const off_t more[LAYER_KIND_COUNT],
                                 struct error *error)
{
    haddr_t used = 0;
    struct stat now;
    const int descriptor = dataset->scratch.descriptor;
    const off_t bytes = reserve_bytes(dataset, more);
    if (H5Fget_eoa(dataset->tables.file, &used) < 0 || fstat(descriptor, &now) != 0)
        return cannot_write(dataset, errno, error);
    if (now.st_size >= (off_t)used + bytes)
        return STATUS_OK;
    const int cause = posix_fallocate(descriptor, (off_t)used, bytes);
    return cause ? cannot_write(dataset, cause, error) : STATUS_OK;
}

static enum status allocate_buffers(struct dataset *dataset, struct error *error)
{
    const size_t rows = (size_t)dataset->buffer_rows, size = sizeof(struct measurement);
    TRY(error_allocate((void **)&dataset->buffer, rows, size, "row buffer", error));
    return error_allocate((void **)&dataset->batch, rows, size, "row buffer", error);
}

/* Copies rows of a kind, in reading order, one buffer at a time. */
static bool copy_kind(struct dataset *dataset, const struct dataset_rows *rows,
                      enum layer_kind kind)
{
    hsize_t count = 0;
    bool is_ok = true;
    for (size_t i = 0; i <= rows->count && is_ok; i++) {
        if (count > 0 && (i == rows->count || count == (hsize_t)dataset->buffer_rows)) {
            is_ok = rows_table_append(&dataset->tables.rows[kind], count, dataset->batch);
            count = 0;
        }
        if (i < rows->count && rows->rows[i].config.kind == kind)
            dataset->batch[count++] = rows->rows[i];
    }
    return is_ok;
}

static bool copy_rows(struct dataset *dataset, const struct dataset_rows *rows)
{
    bool is_ok =
        (rows->device_count == 0 ||
         rows_table_append(&dataset->tables.devices, (hsize_t)rows->device_count, rows->devices)) &&
        (rows->canary_count == 0 ||
         rows_table_append(&dataset->tables.canaries, (hsize_t)rows->canary_count, rows->canaries));
    for (int kind = 0; kind < LAYER_KIND_COUNT && is_ok; kind++)
        is_ok = copy_kind(dataset, rows, (enum layer_kind)kind);
    return is_ok;
}

/* Copies the rows of an earlier sweep. */
static enum status take_over(struct dataset *dataset, const struct dataset_rows *rows,
                             struct error *error)
{
    off_t more[LAYER_KIND_COUNT] = {0};
    for (size_t i = 0; i < rows->count; i++)
        more[rows->rows[i].config.kind]++;
    more[0] += (off_t)(rows->canary_count + (size_t)rows->device_count); /* shorter than a row */
    TRY(reserve_space(dataset, more, error));
    errno = 0;
    return copy_rows(dataset, rows) ? STATUS_OK : cannot_write(dataset, errno, error);
}

/* A sweep's file gets its name once it can be read; an import's file loses its temporary name. */
static enum status create_content(struct dataset *dataset, const struct dataset_rows *earlier,
                                  struct error *error)
{
    errno = 0;
    if (!dataset_tables_create(&dataset->tables, dataset->scratch.name, &dataset->header, false,
                               every_kind))
        return cannot_write(dataset, errno, error);
    if (earlier)
        TRY(take_over(dataset, earlier, error));
    if (!dataset->in_place)
        scratch_file_hide(&dataset->scratch);
    TRY(dataset_flush(dataset, error));
    return dataset->in_place ? scratch_file_publish(&dataset->scratch, dataset->overwrite, error)
                             : STATUS_OK;
}

static enum status build(struct dataset *dataset, const char *path,
                         const struct dataset_rows *earlier, struct error *error)
{
    TRY(allocate_buffers(dataset, error));
    TRY(scratch_file_create(&dataset->scratch, path, true, error));
    return create_content(dataset, earlier, error);
}

static enum status create(struct dataset **out, const char *path,
                          const struct dataset_header *header, bool overwrite, bool in_place,
                          const struct dataset_rows *earlier, struct error *error)
{
    *out = NULL;
    struct dataset *dataset;
    TRY(ALLOCATE(&dataset, 1, "dataset", error));
    *dataset = (struct dataset){
        .scratch = {.descriptor = -1},
        .header = *header,
        .overwrite = overwrite,
        .in_place = in_place,
        .buffer_rows = in_place ? VISIBLE_BUFFER_ROWS : HIDDEN_BUFFER_ROWS,
    };
    const enum status status = build(dataset, path, earlier, error);
    if (status != STATUS_OK) {
        dataset_close(dataset);
        return status;
    }
    *out = dataset;
    return STATUS_OK;
}

enum status dataset_create(struct dataset **dataset, const char *path,
                           const struct dataset_header *header, bool overwrite, bool in_place,
                           struct error *error)
{
    *dataset = NULL;
    TRY(scratch_file_check_destination(path, overwrite, error));
    return create(dataset, path, header, overwrite, in_place, NULL, error);
}

/* Locks the file at `path`; HDF5 locks the files that it writes in the same way. */
static enum status lock_file(int *descriptor, const char *path, struct error *error)
{
    struct stat locked, now;
    *descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (*descriptor < 0)
        return FAIL(error, STATUS_FAILED, "cannot open '%s': %s", path, strerror(errno));
    if (flock(*descriptor, LOCK_EX | LOCK_NB) == 0 && fstat(*descriptor, &locked) == 0 &&
        stat(path, &now) == 0 && locked.st_ino == now.st_ino)
        return STATUS_OK;
    close(*descriptor);
    return scratch_file_in_use(path, error);
}

enum status dataset_resume(struct dataset **dataset, const char *path,
                           const struct dataset_rows *done, struct error *error)
{
    int descriptor;
    *dataset = NULL;
    TRY(lock_file(&descriptor, path, error));
    const enum status status = create(dataset, path, &done->header, true, true, done, error);
    close(descriptor);
    return status;
}

static int gather_kind(struct dataset *dataset, enum layer_kind kind)
{
    int count = 0;
    for (int i = 0; i < dataset->buffered; i++)
        if (dataset->buffer[i].config.kind == kind)
            dataset->batch[count++] = dataset->buffer[i];
    return count;
}

static bool write_buffer(struct dataset *dataset)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        const int count = gather_kind(dataset, (enum layer_kind)kind);
        if (count > 0 &&
            !rows_table_append(&dataset->tables.rows[kind], (hsize_t)count, dataset->batch))
            return false;
    }
    dataset->buffered = 0;
    return true;
}

/* HDF5's flush reaches only the kernel: a power cut must not lose rows that were flushed long ago.
 */
static enum status sync_now_and_then(struct dataset *dataset, struct error *error)
{
    const double now_s = monotonic_s();
    dataset->flushed_s = now_s;
    if (now_s - dataset->synced_s < sync_interval_s)
        return STATUS_OK;
    if (fsync(dataset->scratch.descriptor) != 0)
        return cannot_write(dataset, errno, error);
    dataset->synced_s = now_s;
    return STATUS_OK;
}

static enum status write_out(struct dataset *dataset, struct error *error)
{
    if (dataset->is_failed)
        return FAIL(error, STATUS_FAILED, "an earlier write to '%s' failed", dataset->scratch.path);
    off_t pending[LAYER_KIND_COUNT] = {0};
    for (int i = 0; i < dataset->buffered; i++)
        pending[dataset->buffer[i].config.kind]++;
    TRY(reserve_space(dataset, pending, error));
    errno = 0;
    if (!write_buffer(dataset) || H5Fflush(dataset->tables.file, H5F_SCOPE_LOCAL) < 0)
        return cannot_write(dataset, errno, error);
    return STATUS_OK;
}

enum status dataset_flush(struct dataset *dataset, struct error *error)
{
    dataset->synced_s = -sync_interval_s; /* now */
    TRY(write_out(dataset, error));
    return dataset->in_place ? sync_now_and_then(dataset, error) : STATUS_OK;
}

static enum status append_record(struct dataset *dataset, struct rows_table *table,
                                 const void *record, struct error *error)
{
    static const off_t none[LAYER_KIND_COUNT];
    if (dataset->is_failed)
        return write_out(dataset, error);
    TRY(reserve_space(dataset, none, error));
    errno = 0;
    if (!rows_table_append(table, 1, record))
        return cannot_write(dataset, errno, error);
    return STATUS_OK;
}

enum status dataset_add_device(struct dataset *dataset, const struct device_info *info,
                               int32_t *device, struct error *error)
{
    *device = (int32_t)dataset->tables.devices.count;
    TRY(append_record(dataset, &dataset->tables.devices, info, error));
    return dataset_flush(dataset, error);
}

enum status dataset_add_canary(struct dataset *dataset, const struct canary *canary,
                               struct error *error)
{
    return append_record(dataset, &dataset->tables.canaries, canary, error);
}

void dataset_set_licence(struct dataset *dataset, const char *licence)
{
    snprintf(dataset->header.licence, sizeof dataset->header.licence, "%s", licence);
}

enum status dataset_append(struct dataset *dataset, const struct measurement *row,
                           struct error *error)
{
    if (dataset->is_failed)
        return write_out(dataset, error);
    dataset->buffer[dataset->buffered++] = *row;
    const bool is_full = dataset->buffered == dataset->buffer_rows;
    if (!dataset->in_place)
        return is_full ? write_out(dataset, error) : STATUS_OK;
    if (!is_full && monotonic_s() - dataset->flushed_s < flush_interval_s)
        return STATUS_OK;
    TRY(write_out(dataset, error));
    return sync_now_and_then(dataset, error);
}

void dataset_close(struct dataset *dataset)
{
    if (!dataset)
        return;
    if (dataset->in_place && dataset->buffered > 0 && !dataset->is_finished)
        write_out(dataset, NULL);
    dataset_tables_close(&dataset->tables);
    scratch_file_close(&dataset->scratch);
    free(dataset->buffer);
    free(dataset->batch);
    free(dataset);
}
