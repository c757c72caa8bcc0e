/* What predict prints on stdout. */
#ifndef EPOCHCAST_CLI_PREDICT_TABLE_H
#define EPOCHCAST_CLI_PREDICT_TABLE_H

#include "cli/forecast_request.h"

/* A forecast a row; --memory: what it needs; --layers: a layer a row. */
enum status print_predictions(const struct forecast_grid *all, const struct settings *settings,
                              struct error *error);

#endif
