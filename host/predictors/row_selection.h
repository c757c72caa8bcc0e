/* The rows that a predictor may learn from: timed ones, by kind and split. */
#ifndef EPOCHCAST_PREDICTORS_ROW_SELECTION_H
#define EPOCHCAST_PREDICTORS_ROW_SELECTION_H

#include "bench/device_identity.h"
#include "data/dataset.h"
#include "layers/encode.h"

enum { TRAIN_ROWS_MINIMUM = 20 };

struct row_selection {
    size_t *rows[SPLIT_COUNT]; /* indices into dataset_rows.rows; one allocation, rows[0] owns it */
    size_t count[SPLIT_COUNT];
};

/* ok, capped or slow, with a finite time above 0. */
bool row_is_usable(const struct measurement *row);

/* All usable rows of `kind`; none is not an error (every count is 0). */
enum status row_selection_create(struct row_selection *selection, const struct dataset_rows *rows,
                                 enum layer_kind kind, struct error *error);
/* STATUS_FAILED: there are rows, but fewer than TRAIN_ROWS_MINIMUM in the train split. */
enum status row_selection_check(const struct row_selection *selection, enum layer_kind kind,
                                struct error *error);
/* The same over kinds, of which those with too few rows are left out (*is_enough): STATUS_FAILED
 * after the last one if all that have rows are. Begins as zeros. */
struct kinds_checked {
    bool has_enough, has_too_few;
    struct error first; /* of a kind with too few */
};
void row_selection_note(bool *is_enough, struct kinds_checked *checked,
                        const struct row_selection *selection, enum layer_kind kind);
enum status kinds_checked_end(const struct kinds_checked *checked, struct error *error);
void row_selection_free(struct row_selection *selection);

/* The devices that usable rows came from; the caller frees *devices. STATUS_FAILED: no usable row.
 */
enum status training_devices(struct device_info **devices, int *device_count,
                             const struct dataset_rows *rows, struct error *error);

/* NaN becomes 0 (unknown). */
struct encode_hardware hardware_of(const struct device_info *device);
/* True when two of the devices differ in hardware_of. */
bool hardware_differs(const struct device_info *devices, int device_count);

#endif
