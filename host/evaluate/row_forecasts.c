#include "evaluate/row_forecasts.h"

#include "data/split.h"
#include "predictors/row_selection.h"

#include <stdlib.h>

static enum status allocate(struct row_forecasts *forecasts, size_t limit, struct error *error)
{
    TRY(ALLOCATE(&forecasts->rows, limit, "rows", error));
    TRY(ALLOCATE(&forecasts->predictions, limit, "forecasts", error));
    return STATUS_OK;
}

/* Appends the device's rows of the split with their configs; returns how many. */
static size_t add_device(struct row_forecasts *forecasts, struct layer_config *configs,
                         const struct dataset_rows *rows, int32_t device, int split)
{
    size_t added = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct measurement *row = &rows->rows[i];
        if (row->device != device || !row_is_usable(row) ||
            (split >= 0 && (int)split_of(&row->config) != split))
            continue;
        configs[added] = row->config;
        forecasts->rows[forecasts->count + added++] = row;
    }
    return added;
}

static enum status forecast_devices(struct row_forecasts *forecasts, struct layer_config *configs,
                                    const struct predictor *predictor,
                                    const struct dataset_rows *rows, int split, struct error *error)
{
    for (int32_t device = 0; device < rows->device_count; device++) {
        const size_t added = add_device(forecasts, configs, rows, device, split);
        TRY(predict_configs(forecasts->predictions + forecasts->count, predictor, configs, added,
                            &rows->devices[device], error));
        forecasts->count += added;
    }
    return STATUS_OK;
}

static void keep_covered(struct row_forecasts *forecasts)
{
    size_t kept = 0;
    for (size_t i = 0; i < forecasts->count; i++)
        if (forecasts->predictions[i].covered) {
            forecasts->rows[kept] = forecasts->rows[i];
            forecasts->predictions[kept++] = forecasts->predictions[i];
        }
    forecasts->count = kept;
}

enum status row_forecasts_create(struct row_forecasts *forecasts, const struct predictor *predictor,
                                 const struct dataset_rows *rows, int split, struct error *error)
{
    *forecasts = (struct row_forecasts){0};
    void *configs = NULL;
    enum status status = allocate(forecasts, rows->count, error);
    if (status == STATUS_OK)
        status = error_allocate(&configs, rows->count, sizeof(struct layer_config), "configs",
                                error);
    if (status == STATUS_OK)
        status = forecast_devices(forecasts, configs, predictor, rows, split, error);
    free(configs);
    forecasts->row_count = forecasts->count;
    if (status == STATUS_OK)
        keep_covered(forecasts);
    else
        row_forecasts_free(forecasts);
    return status;
}

void row_forecasts_free(struct row_forecasts *forecasts)
{
    free(forecasts->rows);
    free(forecasts->predictions);
    *forecasts = (struct row_forecasts){0};
}
