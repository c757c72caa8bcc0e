/* The chapters of `report`. */
#ifndef EPOCHCAST_CLI_REPORT_CHAPTERS_H
#define EPOCHCAST_CLI_REPORT_CHAPTERS_H

#include "cli/cli.h"
#include "cli/report_page.h"
#include "data/dataset.h"
#include "network/dimension.h"

/* What a dataset holds and how good it is. */
enum status report_dataset(struct page *page, const char *path, struct error *error);
/* What a model is; its errors on the rows of --split, unless rows is NULL. */
enum status report_model(struct page *page, const char *path, const struct dataset_rows *rows,
                         const struct settings *settings, struct error *error);
/* A network's forecasts by a model; the sizes are --dimension's. */
enum status report_network(struct page *page, const char *network, const char *model,
                           struct dimension_sizes *sizes, const struct settings *settings,
                           struct error *error);

/* A result of `verify -o json`: measured beside forecast. */
enum status report_verification(struct page *page, const char *path, struct error *error);

#endif
