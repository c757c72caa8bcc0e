/* What a sweep says at its end. */
#ifndef EPOCHCAST_CLI_SWEEP_RESULT_H
#define EPOCHCAST_CLI_SWEEP_RESULT_H

#include "cli/cli.h"
#include "sweep/sweep.h"

/* People see the configs by outcome, as the file holds them; programs also this run's visits. */
enum status sweep_result_print(const struct sweep_report *report, const struct settings *settings,
                               struct error *error);

/* Some wrong results are facts about the library, and the other rows are sound. If none is right
 * the device or its library computes wrongly, and the sweep has failed:
 * STATUS_FAILED. */
enum status sweep_result_judge(const struct sweep_report *report, const struct settings *settings,
                               struct error *error);

#endif
