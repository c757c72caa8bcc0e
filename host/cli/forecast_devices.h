/* The devices of forecasts, with prices and power draws. */
#ifndef EPOCHCAST_CLI_FORECAST_DEVICES_H
#define EPOCHCAST_CLI_FORECAST_DEVICES_H

#include "cli/cli.h"
#include "forecast/forecast_grid.h"

/* Fills request->devices: --device names devices of the model, of --device-from and of the
 * catalogue of devices; `all` are those of the first two and, where the model forecasts unseen
 * devices, the GPUs of the catalogue. Devices that the model lacks are added to its list. Then
 * --price-per-hour and --watts; with `all`, --dataset-size and no --watts: the TDP of the
 * catalogue, with a note. */
enum status forecast_devices_read(struct forecast_request *request, const struct settings *settings,
                                  struct error *error);

#endif
