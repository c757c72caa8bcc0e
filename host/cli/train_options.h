/* What `train` is told on the command line, as options of a predictor. */
#ifndef EPOCHCAST_CLI_TRAIN_OPTIONS_H
#define EPOCHCAST_CLI_TRAIN_OPTIONS_H

#include "cli/cli.h"
#include "predictors/mlp_options.h"

/* The preset, changed by what is given. */
enum status train_mlp_options(struct mlp_options *wanted, const struct settings *settings,
                              struct error *error);

/* --engine auto: the GPU that the rows were measured on, if this machine has it; else the host. */
enum status train_settle_engine(struct mlp_options *wanted, const struct dataset_rows *rows,
                                const struct settings *settings, struct error *error);

/* Options of a baseline; the caller frees them. */
enum status train_baseline_options(struct fit_options **wanted, const struct predictor_type *type,
                                   const struct settings *settings, struct error *error);

#endif
