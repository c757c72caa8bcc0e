/* --price-per-hour and --watts: a number for each device. */
#ifndef EPOCHCAST_CLI_DEVICE_NUMBERS_H
#define EPOCHCAST_CLI_DEVICE_NUMBERS_H

#include "cli/cli.h"
#include "data/device_catalogue.h"
#include "forecast/forecast_grid.h"

/* --price-per-hour: a number, one per device, or a CSV with the columns `device` and
 * `price_per_hour` (or `price`); of several lines for a device the lowest price counts.
 * STATUS_USAGE when it has none of the request's devices; those that it lacks have no cost.
 * --watts: a number, one per device, or `tdp`: of the catalogue. */
enum status device_numbers_read(struct forecast_request *request,
                                const struct device_catalogue *catalogue,
                                const struct settings *settings, struct error *error);

#endif
