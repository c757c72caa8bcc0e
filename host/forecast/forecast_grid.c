#include "forecast/forecast_grid.h"

#include <stdlib.h>

void network_selection_free(struct network_selection *selection)
{
    network_free(&selection->network);
    model_free(&selection->model);
}

void forecast_request_free(struct forecast_request *request)
{
    network_selection_free(&request->selection);
    framework_free(request->framework);
}

static enum status add_forecast(struct forecast_grid *grid, const struct priced_device *device,
                                const struct step_selection *step, int32_t gpus, int32_t batch_size,
                                struct error *error)
{
    struct forecast_grid_row *row = &grid->rows[grid->count];
    struct forecast_options wanted = grid->request->common;
    wanted.batch_size = batch_size;
    wanted.pass = step->pass;
    wanted.optimizer = step->optimizer;
    wanted.price_per_hour = device->price_per_hour;
    wanted.watts = device->watts;
    wanted.memory_bytes = device->memory_bytes;
    wanted.parallel.device_count = gpus;
    const struct network_selection *selection = &grid->request->selection;
    TRY(forecast_network(&row->forecast, &selection->network, selection->model.predictor,
                         device->info, &wanted, error));
    row->device = device;
    grid->count++;
    grid->too_large += !row->forecast.fits;
    return STATUS_OK;
}

static enum status forecast_step(struct forecast_grid *grid, const struct priced_device *device,
                                 const struct step_selection *step, struct error *error)
{
    const struct forecast_request *request = grid->request;
    for (int g = 0; g < request->gpus_count; g++)
        for (int b = 0; b < request->selection.batch_count; b++)
            TRY(add_forecast(grid, device, step, request->gpus[g],
                             request->selection.batch_sizes[b], error));
    return STATUS_OK;
}

static enum status forecast_all(struct forecast_grid *grid, struct error *error)
{
    const struct forecast_request *request = grid->request;
    for (int d = 0; d < request->device_count; d++)
        for (int s = 0; s < request->selection.step_count; s++)
            TRY(forecast_step(grid, &request->devices[d], &request->selection.steps[s], error));
    return STATUS_OK;
}

enum status forecast_grid_create(struct forecast_grid *grid, const struct forecast_request *request,
                                 struct error *error)
{
    *grid = (struct forecast_grid){.request = request};
    const int64_t count = (int64_t)request->device_count * request->selection.step_count *
                          request->selection.batch_count * request->gpus_count;
    if (count > FORECAST_LIMIT)
        return FAIL(error, STATUS_USAGE, "%lld forecasts are more than %d", (long long)count,
                    FORECAST_LIMIT);
    TRY(ALLOCATE(&grid->rows, (size_t)count, "forecasts", error));
    const enum status status = forecast_all(grid, error);
    if (status != STATUS_OK)
        forecast_grid_free(grid);
    return status;
}

void forecast_grid_free(struct forecast_grid *grid)
{
    for (int i = 0; i < grid->count; i++)
        forecast_free(&grid->rows[i].forecast);
    free(grid->rows);
    *grid = (struct forecast_grid){.rows = NULL};
}

enum status forecast_grid_caveats(struct caveats *caveats, const struct forecast_grid *grid,
                                  struct error *error)
{
    const struct network_selection *selection = &grid->request->selection;
    const struct forecast **forecasts;
    TRY(ALLOCATE(&forecasts, (size_t)grid->count, "forecasts", error));
    for (int i = 0; i < grid->count; i++)
        forecasts[i] = &grid->rows[i].forecast;
    const enum status status = caveats_of(caveats, forecasts, grid->count, &selection->network,
                                          selection->model.predictor, error);
    free(forecasts);
    return status;
}

int64_t forecast_grid_largest_batch(const struct forecast_request *request,
                                    const struct forecast_grid_row *row)
{
    const struct forecast *forecast = &row->forecast;
    if (row->device->memory_bytes <= 0)
        return -1;
    const int64_t own = network_largest_batch(&request->selection.network, forecast->pass,
                                              forecast->optimizer, request->common.precision,
                                              row->device->memory_bytes);
    const bool divided = request->common.parallel.scaling == SCALING_STRONG;
    return divided ? own * forecast->device_count : own;
}
