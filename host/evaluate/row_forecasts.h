/* Measured rows with their forecasts: the input of every evaluation. */
#ifndef EPOCHCAST_EVALUATE_ROW_FORECASTS_H
#define EPOCHCAST_EVALUATE_ROW_FORECASTS_H

#include "predictors/predictor.h"

struct row_forecasts {
    size_t row_count;                /* usable rows, covered or not */
    size_t count;                    /* covered rows: the length of the arrays */
    const struct measurement **rows; /* of the dataset, borrowed; device by device */
    struct prediction *predictions;
};

/* Usable rows of the split (enum split; -1: all), each forecast for the device that it was measured
 * on; rows that the predictor does not cover are left out. */
enum status row_forecasts_create(struct row_forecasts *forecasts, const struct predictor *predictor,
                                 const struct dataset_rows *rows, int split, struct error *error);
void row_forecasts_free(struct row_forecasts *forecasts);

#endif
