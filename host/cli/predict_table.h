/* What predict prints on stdout. */
#ifndef EPOCHCAST_CLI_PREDICT_TABLE_H
#define EPOCHCAST_CLI_PREDICT_TABLE_H

#include "cli/forecast_request.h"

struct predict_table_options {
    enum table_format format;
    bool has_layers, has_memory; /* a layer in each row; each forecast's memory in parts */
};

/* A forecast in each row, unless the options ask for layers; JSON has everything. */
enum status print_predictions(const struct forecast_grid *all,
                              const struct predict_table_options *options, struct error *error);

#endif
