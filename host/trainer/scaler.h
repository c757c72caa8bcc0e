/* Standardisation of input columns: (x - mean) / standard deviation, fitted only on the training
 * rows. A column that is constant there carries no information: it becomes 0 for every row, also
 * for later rows where it differs. A column that hardly varied there may have extreme values later:
 * with a limit, values are cut to +-limit, also in training. */
#ifndef EPOCHCAST_TRAINER_SCALER_H
#define EPOCHCAST_TRAINER_SCALER_H

#include "layers/encode.h"

struct scaler {
    int32_t column_count;
    double limit; /* in standard deviations; 0: none */
    double means[ENCODE_COLUMN_LIMIT];
    double inverse_scales[ENCODE_COLUMN_LIMIT]; /* 1 / standard deviation; 0: constant column */
};

/* rows: (row_count, column_count), row-major; row_count >= 1, column_count <= ENCODE_COLUMN_LIMIT.
 */
void scaler_fit(struct scaler *scaler, const float *rows, size_t row_count, int column_count,
                double limit);

/* In place. */
void scaler_apply(const struct scaler *scaler, float *rows, size_t row_count);

#endif
