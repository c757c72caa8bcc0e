/* evaluate --hold-out-device. */
#ifndef EPOCHCAST_CLI_EVALUATE_HOLD_OUT_H
#define EPOCHCAST_CLI_EVALUATE_HOLD_OUT_H

#include "cli/cli.h"
#include "model/evaluate.h"

/* Our predictor, trained with the settings, and the baselines, on each device that is asked for. */
enum status evaluate_held_out(struct evaluation *evaluation, const struct dataset_rows *rows,
                              const struct settings *settings, struct error *error);

#endif
