/* The chapters of `report`. */
#ifndef EPOCHCAST_CLI_REPORT_CHAPTERS_H
#define EPOCHCAST_CLI_REPORT_CHAPTERS_H

#include "cli/report_page.h"
#include "data/dataset.h"
#include "forecast/forecast_grid.h"

/* Contents and quality of a dataset. */
enum status report_dataset(struct page *page, const char *path, struct error *error);
/* Description of a model; its errors on the rows of the split (-1: all), unless rows is NULL. */
enum status report_model(struct page *page, const char *path, const struct dataset_rows *rows,
                         int split, struct error *error);

/* As typed; NULL: not given. */
struct report_texts {
    const char *model, *price_per_hour, *watts;
};
/* A network's forecasts. */
enum status report_network(struct page *page, const struct forecast_request *request,
                           const struct report_texts *texts, struct error *error);

/* A result of `verify -o json`: measured times against forecasts. */
enum status report_verification(struct page *page, const char *path, struct error *error);

#endif
