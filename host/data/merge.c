#include "data/merge.h"

#include "bench/device_identity.h"
#include "data/compact_file.h"
#include "data/dataset_internal.h"
#include "data/dataset_reader.h"
#include "data/row_set.h"

#include <stdlib.h>
#include <string.h>

/* An open input. */
struct input {
    struct dataset_reader *reader;
    int32_t *device_map; /* row of its devices -> row of all */
};

struct merge {
    const struct merge_options *options;
    struct input *inputs; /* (input_count) */
    int input_count;
    struct dataset_header header;
    struct dataset_rows all; /* devices and canaries of all; no rows */
    size_t row_limit;
    struct row_set seen;
    struct compact_file *output;
    struct merge_report *report;
};

/* All inputs are open at the same time: faults are reported before anything is written, and nobody
 * changes the files meanwhile. */
static enum status open_input(struct merge *merge, const char *path, struct error *error)
{
    struct input *input = &merge->inputs[merge->input_count];
    TRY(dataset_reader_open(&input->reader, path, NULL, error));
    merge_header(&merge->header, &input->reader->header, merge->input_count++);
    merge->row_limit += input->reader->row_limit;
    merge->report->unfinished += input->reader->is_growing;
    return dataset_rows_add_tables(&merge->all, &input->device_map, input->reader, error);
}

static enum status open_inputs(struct merge *merge, const char *const *paths, int path_count,
                               struct error *error)
{
    TRY(ALLOCATE(&merge->inputs, (size_t)path_count, "inputs", error));
    for (int i = 0; i < path_count; i++)
        TRY(open_input(merge, paths[i], error));
    return STATUS_OK;
}

static void tell_namesakes(const struct merge *merge)
{
    char text[DEVICE_NOTE_LIMIT];
    for (int i = 0; merge->options->note && i < merge->all.device_count; i++)
        if (device_namesake_note(text, merge->all.devices, i))
            merge->options->note(text);
}

static enum status complete_header(struct merge *merge, struct error *error)
{
    const struct dataset_header *given = merge->options->header;
    struct dataset_header *header = &merge->header;
    const struct dataset_header **headers;
    TRY(ALLOCATE(&headers, (size_t)merge->input_count, "headers", error));
    for (int i = 0; i < merge->input_count; i++) {
        const struct dataset_reader *reader = merge->inputs[i].reader;
        headers[i] = &reader->header;
        merge_source(header, &reader->header, reader->path, reader->row_limit);
    }
    merge_shards(header, headers, merge->input_count);
    free(headers);
    memcpy(header->program_version, given->program_version, sizeof header->program_version);
    memcpy(header->command_line, given->command_line, sizeof header->command_line);
    memcpy(header->libraries, given->libraries, sizeof header->libraries);
    memcpy(header->created, given->created, sizeof header->created);
    if (*given->licence)
        memcpy(header->licence, given->licence, sizeof header->licence);
    if (*given->citation)
        memcpy(header->citation, given->citation, sizeof header->citation);
    return STATUS_OK;
}

/* Moves new canaries to the front. */
static void keep_new_canaries(struct merge *merge)
{
    struct dataset_rows *all = &merge->all;
    size_t kept = 0;
    for (size_t i = 0; i < all->canary_count; i++)
        if (row_set_add(&merge->seen, canary_hash(&all->canaries[i])))
            all->canaries[kept++] = all->canaries[i];
    all->canary_count = kept;
}

static enum status append_new(struct merge *merge, const struct input *input,
                              const struct measurement *rows, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        struct measurement row = rows[i];
        row.device = input->device_map[row.device];
        merge->report->rows_read++;
        if (!row_set_add(&merge->seen, row_hash(&row))) {
            merge->report->duplicates++;
            continue;
        }
        TRY(compact_file_append(merge->output, &row, 1, error));
        merge->report->rows++;
    }
    return STATUS_OK;
}

static enum status copy_input(struct merge *merge, struct input *input, struct error *error)
{
    const struct merge_options *options = merge->options;
    for (size_t count = 1; count > 0;) {
        const struct measurement *rows;
        TRY(dataset_reader_next(input->reader, &rows, &count, error));
        TRY(append_new(merge, input, rows, count, error));
        if (options->progress)
            progress_update(options->progress, (double)merge->report->rows_read,
                            (double)merge->row_limit, "%lld rows", (long long)merge->report->rows);
        if (options->interrupted && *options->interrupted)
            return FAIL(error, STATUS_INTERRUPTED, "interrupted: nothing was written");
    }
    dataset_reader_close(input->reader);
    input->reader = NULL;
    return STATUS_OK;
}

static enum status write_output(struct merge *merge, struct error *error)
{
    const struct dataset_rows *all = &merge->all;
    TRY(complete_header(merge, error));
    TRY(row_set_create(&merge->seen, merge->row_limit + all->canary_count, error));
    keep_new_canaries(merge);
    TRY(compact_file_create(&merge->output, merge->options->path, &merge->header, error));
    TRY(compact_file_set_devices(merge->output, all->devices, (size_t)all->device_count, error));
    TRY(compact_file_set_canaries(merge->output, all->canaries, all->canary_count, error));
    for (int i = 0; i < merge->input_count; i++)
        TRY(copy_input(merge, &merge->inputs[i], error));
    return compact_file_publish(merge->output, merge->options->overwrite, error);
}

static void close_merge(struct merge *merge, int path_count)
{
    compact_file_close(merge->output);
    row_set_free(&merge->seen);
    for (int i = 0; merge->inputs && i < path_count; i++) {
        dataset_reader_close(merge->inputs[i].reader);
        free(merge->inputs[i].device_map);
    }
    free(merge->inputs);
    dataset_rows_free(&merge->all);
    free(merge);
}

enum status merge_files(struct merge_report *report, const char *const *paths, int path_count,
                        const struct merge_options *options, struct error *error)
{
    struct merge *merge;
    *report = (struct merge_report){.files = path_count};
    TRY(ALLOCATE(&merge, 1, "merge", error));
    merge->options = options;
    merge->report = report;
    enum status status = open_inputs(merge, paths, path_count, error);
    if (status == STATUS_OK)
        status = scratch_file_check_destination(options->path, options->overwrite, error);
    if (status == STATUS_OK)
        tell_namesakes(merge);
    if (status == STATUS_OK)
        status = write_output(merge, error);
    report->devices = merge->all.device_count;
    report->canaries = (int64_t)merge->all.canary_count;
    close_merge(merge, path_count);
    return status;
}
