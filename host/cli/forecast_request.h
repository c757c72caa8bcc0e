/* The forecasts requested of predict and report. */
#ifndef EPOCHCAST_CLI_FORECAST_REQUEST_H
#define EPOCHCAST_CLI_FORECAST_REQUEST_H

#include "cli/network_selection.h"
#include "forecast/forecast_grid.h"

/* Reads operands and options; forecast_request_free releases. `sizes` as in network_selection_load.
 */
enum status forecast_request_load(struct forecast_request *request, struct dimension_sizes *sizes,
                                  const struct settings *settings, struct error *error);

#endif
