/* evaluate --hold-out-device. */
#ifndef EPOCHCAST_CLI_EVALUATE_HOLD_OUT_H
#define EPOCHCAST_CLI_EVALUATE_HOLD_OUT_H

#include "cli/cli.h"
#include "evaluate/evaluate.h"
#include "pictures/draw.h"

/* Evaluates our predictor, trained with the settings, and the baselines on each requested device.
 * `drawn` (or NULL) gets the forecasts of every predictor with the fewest and the most of the
 * requested calibration rows. */
enum status evaluate_held_out(struct evaluation *evaluation, struct evaluated_list *drawn,
                              const struct dataset_rows *rows, const struct settings *settings,
                              struct error *error);

#endif
