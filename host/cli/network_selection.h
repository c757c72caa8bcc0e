/* The request of predict and verify: a network, a model, batch sizes, passes, optimizers. */
#ifndef EPOCHCAST_CLI_NETWORK_SELECTION_H
#define EPOCHCAST_CLI_NETWORK_SELECTION_H

#include "cli/cli.h"
#include "forecast/forecast_grid.h"

/* Reads operands and options; network_selection_free releases. `sizes`: --dimension for all
 * networks of a command, or NULL when this is the only network. */
enum status network_selection_load(struct network_selection *selection,
                                   struct dimension_sizes *sizes, const struct settings *settings,
                                   struct error *error);

/* The network of a command that takes one, with all that --dimension, --batch-axis and
 * --batch-in-file say. */
enum status load_only_network(struct network *network, const char *name,
                              const struct settings *settings, struct error *error);
/* On stderr: that sizes of a layer CSV do not fit together. Those of an ONNX model are inferred. */
void note_misfits(const struct network *network, const struct settings *settings);
/* On stderr: which axis is the batch of an ONNX model, and operators whose operations count as 0.
 */
enum status note_network(const struct network *network, const struct settings *settings,
                         struct error *error);
/* --precision; where it is not given, that of the file's weights, with a note unless it is fp32. */
int32_t precision_of(const struct network *network, const struct settings *settings);

/* --dimension, --batch-axis, --batch-in-file; dimension_sizes_check once the command's networks are
 * loaded. */
enum status read_dimensions(struct dimension_sizes *sizes, const struct settings *settings,
                            struct error *error);

#endif
