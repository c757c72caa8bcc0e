/* What predict and verify ask for: a network, a model, batch sizes, passes, optimizers. */
#ifndef EPOCHCAST_CLI_NETWORK_CHOICE_H
#define EPOCHCAST_CLI_NETWORK_CHOICE_H

#include "cli/cli.h"
#include "network/network.h"
#include "predictors/predictor.h"

enum { BATCH_LIMIT = 256, STEP_LIMIT = 1 + OPTIMIZER_COUNT };

/* A forward pass with optimizer none, or a training step. */
struct step_choice {
    int32_t pass, optimizer;
};

struct network_choice {
    struct network network;
    int left_out_count; /* layers that verify took out of the network */
    struct model model;
    int32_t batch_sizes[BATCH_LIMIT];
    int batch_count;
    struct step_choice steps[STEP_LIMIT]; /* every pass with each of its optimizers */
    int step_count;
};

/* Reads operands and options; network_choice_free releases. `sizes`: what --dimension says to all
 * networks of a command, or NULL when this is the only one. */
enum status network_choice_load(struct network_choice *choice, struct dimension_sizes *sizes,
                                const struct settings *settings, struct error *error);
void network_choice_free(struct network_choice *choice);

/* --dimension; dimension_sizes_check once the command's networks are loaded. */
enum status read_dimensions(struct dimension_sizes *sizes, const struct settings *settings,
                            struct error *error);

#endif
