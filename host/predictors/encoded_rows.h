/* Rows as the nets of `mlp` see them, for learners elsewhere (gradient boosting, kernels). */
#ifndef EPOCHCAST_PREDICTORS_ENCODED_ROWS_H
#define EPOCHCAST_PREDICTORS_ENCODED_ROWS_H

#include "data/dataset.h"

#include <stdio.h>

/* CSV: split (train, test, validation), device, median_ms, then the columns of the physical
 * encoding; those that tell devices apart if the devices differ, those of steps if the default
 * preset would give them to so many training rows. Rows of `kind` with a time, in the order of
 * `rows`; floats are printed so that they read back to the same value. STATUS_FAILED: no such row.
 */
enum status encoded_rows_write(FILE *file, const struct dataset_rows *rows, enum layer_kind kind,
                               struct error *error);

#endif
