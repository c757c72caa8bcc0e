#include "cli/predict_picture.h"

#include "pictures/draw.h"

#include <stdlib.h>

enum status draw_first_predictions(struct picture *picture, const struct forecast_grid *all,
                                   struct error *error)
{
    const struct forecast_grid_row *first = &all->rows[0];
    struct forecast *forecasts;
    int count = 0;
    TRY(ALLOCATE(&forecasts, (unsigned long)all->count, "forecasts", error));
    for (int i = 0; i < all->count; i++) {
        const struct forecast_grid_row *row = &all->rows[i];
        if (row->device == first->device && row->forecast.pass == first->forecast.pass &&
            row->forecast.device_count == first->forecast.device_count)
            forecasts[count++] = row->forecast; /* the row still owns its layers */
    }
    const enum status status = draw_forecasts(picture, forecasts, count,
                                              &all->request->selection.network,
                                              first->device->info->name, error);
    free(forecasts);
    return status;
}
