/* The picture of predict's forecasts. */
#ifndef EPOCHCAST_CLI_PREDICT_PICTURE_H
#define EPOCHCAST_CLI_PREDICT_PICTURE_H

#include "cli/forecast_request.h"
#include "pictures/picture.h"

/* Forecasts of the first device, pass and number of GPUs. all->count >= 1. */
enum status draw_first_predictions(struct picture *picture, const struct forecast_grid *all,
                                   struct error *error);

#endif
