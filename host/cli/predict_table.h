/* The output of predict on stdout. */
#ifndef EPOCHCAST_CLI_PREDICT_TABLE_H
#define EPOCHCAST_CLI_PREDICT_TABLE_H

#include "cli/forecast_request.h"

struct predict_table_options {
    enum table_format format;
    bool has_layers, has_memory; /* one row per layer; memory of each forecast by parts */
    bool is_default_pass;        /* nobody asked for it */
};

/* One row per forecast, or per layer if the options ask for it; JSON has everything. The text form
 * begins with lines that say what is forecast. */
enum status print_predictions(const struct forecast_grid *all,
                              const struct predict_table_options *options,
                              const struct caveats *caveats, struct error *error);

#endif
