/* show NETWORK --model MODEL: how much of the forecast time the roofline gives, and of which layers
 * that is. */
#ifndef EPOCHCAST_CLI_SHOW_ROOFLINE_H
#define EPOCHCAST_CLI_SHOW_ROOFLINE_H

#include "base/json.h"
#include "forecast/forecast_grid.h"

/* A line for each forecast: "batch 1, train sgd: 3.2 % of the time, 12 of 283 layers: add x9 2.1 %,
 * transpose x3 1.1 %", wrapped behind `indent` columns. */
enum status print_roofline_shares(const struct forecast_grid *grid, int indent,
                                  struct error *error);
/* The same as the array "roofline". */
enum status json_roofline_shares(struct json *json, const struct forecast_grid *grid,
                                 struct error *error);

#endif
