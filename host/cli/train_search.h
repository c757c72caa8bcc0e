/* `train --search N`. */
#ifndef EPOCHCAST_CLI_TRAIN_SEARCH_H
#define EPOCHCAST_CLI_TRAIN_SEARCH_H

#include "cli/cli.h"
#include "predictors/mlp_options.h"

/* Ranks random recipes, prints the ranking on stdout and turns *wanted into the best. */
enum status train_search(struct mlp_options *wanted, const struct dataset_rows *rows,
                         int recipe_count, enum table_format format, struct error *error);

#endif
