/* Measured rows as series of points: by device if there are several, else by pass. */
#ifndef EPOCHCAST_PICTURES_ROW_SERIES_H
#define EPOCHCAST_PICTURES_ROW_SERIES_H

#include "data/dataset.h"

bool row_series_by_device(const struct dataset_rows *rows);
/* Devices beyond the palette share the last series. */
int row_series_count(const struct dataset_rows *rows, bool by_device);
int row_series(const struct measurement *row, bool by_device);
const char *row_series_name(const struct dataset_rows *rows, bool by_device, int series);

#endif
