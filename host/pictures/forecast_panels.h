/* The panels of a grid of forecasts; draw_forecast.c lays them out. */
#ifndef EPOCHCAST_PICTURES_FORECAST_PANELS_H
#define EPOCHCAST_PICTURES_FORECAST_PANELS_H

#include "forecast/forecast_grid.h"
#include "pictures/bars.h"

/* The row of a device, step, number of devices and batch size, by their places in the request. */
const struct forecast_grid_row *grid_row(const struct forecast_grid *all, int device, int step,
                                         int gpus, int batch);
/* Place of the largest batch size. */
int grid_largest_batch(const struct forecast_grid *all);

enum { STEP_NAME_SIZE = 40 };
/* "forward", "train, sgd" */
void step_name(char name[STEP_NAME_SIZE], int32_t pass, int32_t optimizer);

/* ---- bars ---- */

/* One bar per layer; of more than BAR_LIMIT layers one per kind or operator, the slowest first. */
enum status layer_bars(struct bars *bars, const struct forecast *forecast,
                       const struct network *network, struct error *error);
/* Draws them under the forecast's batch size, step and time; `device` may be "". */
void draw_layer_bars(struct picture *picture, const struct bars *bars,
                     const struct forecast *forecast, const struct network *network,
                     const char *device);

/* ---- curves ---- */

/* A quantity by batch size or by number of devices. */
enum forecast_quantity { QUANTITY_THROUGHPUT, QUANTITY_TIME, QUANTITY_COST };
struct curve_panel {
    enum forecast_quantity quantity;
    bool by_gpus; /* x is the number of devices, at the largest batch size */
    int step;     /* one curve per device; -1: of the first device, one curve per step */
};
/* At most PICTURE_COLOURS curves. */
void draw_curves(struct picture *picture, const struct forecast_grid *all,
                 const struct curve_panel *panel);
/* True when every forecast of the grid has a cost. */
bool grid_has_cost(const struct forecast_grid *all);

/* Bars of every device and step, for a grid of one batch size and number of devices. */
void comparison_bars(struct bars *bars, const struct forecast_grid *all,
                     enum forecast_quantity quantity);
/* "time of a batch" */
const char *quantity_title(const struct forecast_grid *all, enum forecast_quantity quantity);

/* ---- memory ---- */

/* Bars of a step's memory by use, for every step and batch size, and the memory of each device. */
int memory_bar_count(const struct forecast_grid *all);
void draw_memory(struct picture *picture, const struct forecast_grid *all);

#endif
