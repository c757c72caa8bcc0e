/* Parts of the text form of predict alone: its head, and the layers by time. */
#ifndef EPOCHCAST_CLI_PREDICT_TEXT_H
#define EPOCHCAST_CLI_PREDICT_TEXT_H

#include "forecast/forecast_grid.h"

/* Layers beyond the range of the training rows. */
int extrapolating_layers(const struct forecast *forecast, const struct network *network);
/* Name of the layer's predictor: layers that the model does not cover use the roofline. */
const char *predictor_of(const struct forecast_grid *all, const struct prediction *layer);

/* Labelled lines of the head, for other commands, too. */
void print_network_head(const struct network *network);
void print_steps_head(const struct network_selection *selection, bool is_default_pass);

/* Labelled lines: network, device, pass, what gave the forecast; then an empty line. */
void print_forecast_head(const struct forecast_grid *all, bool is_default_pass);
/* A table per forecast: slowest layer first, with its share; the last row is the sum. */
enum status print_slowest_layers(const struct forecast_grid *all, struct error *error);

#endif
