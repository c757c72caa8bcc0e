#include "pictures/row_series.h"

#include "pictures/picture.h"

bool row_series_by_device(const struct dataset_rows *rows)
{
    return rows->device_count > 1;
}

int row_series_count(const struct dataset_rows *rows, bool by_device)
{
    const int count = by_device ? rows->device_count : PASS_COUNT;
    return count < PICTURE_COLOURS ? count : PICTURE_COLOURS;
}

int row_series(const struct measurement *row, bool by_device)
{
    const int series = by_device ? row->device : row->config.pass;
    return series < PICTURE_COLOURS ? series : PICTURE_COLOURS - 1;
}

const char *row_series_name(const struct dataset_rows *rows, bool by_device, int series)
{
    if (!by_device)
        return choice_name(&choice_pass, series);
    const bool is_shared = series == PICTURE_COLOURS - 1 && rows->device_count > PICTURE_COLOURS;
    return is_shared ? "other devices" : rows->devices[series].name;
}
