/* Advice after a training: which kinds are poor, and what would help. */
#ifndef EPOCHCAST_CLI_TRAIN_ADVICE_H
#define EPOCHCAST_CLI_TRAIN_ADVICE_H

#include "cli/cli.h"
#include "predictors/mlp_options.h"

/* reports: of the MLP that `rows` have trained by `options`, with their rivals. On stderr: kinds
 * that a simpler predictor forecasts better; kinds with large errors on held-out rows, and the
 * sweep that would halve them, by the learning curve of half the rows. The model is written by
 * then: Ctrl-C only cuts the advice short. */
enum status train_advise(const struct dataset_rows *rows, const struct fit_report *reports,
                         const struct mlp_options *options, const struct settings *settings,
                         struct error *error);

#endif
