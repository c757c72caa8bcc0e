/* evaluate --hold-out-device. */
#ifndef EPOCHCAST_CLI_EVALUATE_HOLD_OUT_H
#define EPOCHCAST_CLI_EVALUATE_HOLD_OUT_H

#include "cli/cli.h"
#include "evaluate/evaluate.h"
#include "pictures/draw.h"

/* Our predictor, trained with the settings, and the baselines, on each device that is asked for.
 * `drawn` (or NULL) gets the forecasts of every predictor with the fewest and with the most
 * calibration rows, as they are asked for. */
enum status evaluate_held_out(struct evaluation *evaluation, struct evaluated_list *drawn,
                              const struct dataset_rows *rows, const struct settings *settings,
                              struct error *error);

#endif
