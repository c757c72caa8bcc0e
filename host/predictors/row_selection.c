#include "predictors/row_selection.h"

#include "data/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool row_is_usable(const struct measurement *row)
{
    return measurement_is_timed(row) && isfinite(row->median_ms) && row->median_ms > 0;
}

static bool belongs(const struct measurement *row, enum layer_kind kind)
{
    return row->config.kind == kind && row_is_usable(row);
}

static void count_rows(struct row_selection *selection, const struct dataset_rows *rows,
                       enum layer_kind kind)
{
    for (size_t i = 0; i < rows->count; i++)
        if (belongs(&rows->rows[i], kind))
            selection->count[split_of(&rows->rows[i].config)]++;
}

static void place_rows(struct row_selection *selection, const struct dataset_rows *rows,
                       enum layer_kind kind)
{
    size_t placed[SPLIT_COUNT] = {0};
    for (size_t i = 0; i < rows->count; i++)
        if (belongs(&rows->rows[i], kind)) {
            const enum split split = split_of(&rows->rows[i].config);
            selection->rows[split][placed[split]++] = i;
        }
}

enum status row_selection_check(const struct row_selection *selection, enum layer_kind kind,
                                struct error *error)
{
    const size_t total = selection->count[SPLIT_TRAIN] + selection->count[SPLIT_TEST] +
                         selection->count[SPLIT_VALIDATION];
    if (total == 0 || selection->count[SPLIT_TRAIN] >= TRAIN_ROWS_MINIMUM)
        return STATUS_OK;
    FAIL(error, STATUS_FAILED, "too few rows of %s: %zu for training, %d are needed",
         layer_descriptors[kind]->name, selection->count[SPLIT_TRAIN], TRAIN_ROWS_MINIMUM);
    return HINT(error, STATUS_FAILED, "measure more with 'epochcast sweep --layer %s'",
                layer_descriptors[kind]->name);
}

void row_selection_note(bool *is_enough, struct kinds_checked *checked,
                        const struct row_selection *selection, enum layer_kind kind)
{
    struct error *error = checked->has_too_few ? NULL : &checked->first;
    *is_enough = row_selection_check(selection, kind, error) == STATUS_OK;
    checked->has_enough |= *is_enough && selection->count[SPLIT_TRAIN] > 0;
    checked->has_too_few |= !*is_enough;
}

enum status kinds_checked_end(const struct kinds_checked *checked, struct error *error)
{
    if (checked->has_enough || !checked->has_too_few)
        return STATUS_OK;
    if (error)
        *error = checked->first;
    return STATUS_FAILED;
}

enum status row_selection_create(struct row_selection *selection, const struct dataset_rows *rows,
                                 enum layer_kind kind, struct error *error)
{
    *selection = (struct row_selection){0};
    count_rows(selection, rows, kind);
    size_t total = 0;
    for (int split = 0; split < SPLIT_COUNT; split++)
        total += selection->count[split];
    void *memory;
    TRY(error_allocate(&memory, total, sizeof(size_t), "row selection", error));
    size_t *next = memory;
    for (int split = 0; split < SPLIT_COUNT; next += selection->count[split++])
        selection->rows[split] = next;
    place_rows(selection, rows, kind);
    return STATUS_OK;
}

void row_selection_free(struct row_selection *selection)
{
    free(selection->rows[0]);
    *selection = (struct row_selection){0};
}

static bool device_has_rows(const struct dataset_rows *rows, int device)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->rows[i].device == device && row_is_usable(&rows->rows[i]))
            return true;
    return false;
}

enum status training_devices(struct device_info **devices, int *device_count,
                             const struct dataset_rows *rows, struct error *error)
{
    TRY(ALLOCATE(devices, (unsigned long)rows->device_count, "devices", error));
    *device_count = 0;
    for (int i = 0; i < rows->device_count; i++)
        if (device_has_rows(rows, i))
            (*devices)[(*device_count)++] = rows->devices[i];
    if (*device_count > 0)
        return STATUS_OK;
    free(*devices);
    *devices = NULL;
    FAIL(error, STATUS_FAILED, "no training rows: none of %zu rows has a time", rows->count);
    return HINT(error, STATUS_FAILED, "'epochcast show FILE' counts the outcomes of a dataset");
}

static double known(double value)
{
    return isfinite(value) && value > 0 ? value : 0;
}

struct encode_hardware hardware_of(const struct device_info *device)
{
    return (struct encode_hardware){
        .bandwidth_gbps = known(device->bandwidth_gbps),
        .core_count = known(device->core_count),
        .clock_mhz = known(device->clock_mhz),
        .peak_gflops = known(device->peak_gflops),
    };
}

bool hardware_differs(const struct device_info *devices, int device_count)
{
    for (int i = 1; i < device_count; i++) {
        const struct encode_hardware a = hardware_of(&devices[0]), b = hardware_of(&devices[i]);
        if (a.bandwidth_gbps != b.bandwidth_gbps || a.core_count != b.core_count ||
            a.clock_mhz != b.clock_mhz || a.peak_gflops != b.peak_gflops)
            return true;
    }
    return false;
}
