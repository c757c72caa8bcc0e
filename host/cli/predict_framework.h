/* What a framework takes beside a forecast: --framework of predict. */
#ifndef EPOCHCAST_CLI_PREDICT_FRAMEWORK_H
#define EPOCHCAST_CLI_PREDICT_FRAMEWORK_H

#include "base/json.h"
#include "base/table.h"
#include "cli/cli.h"
#include "forecast/forecast_grid.h"

/* Reads the factors that --framework names: a file, or a name for NAME.csv beside the model;
 * without the option *framework is NULL. STATUS_BAD_FILE as framework_load. */
enum status framework_option(struct framework **framework, const struct settings *settings,
                             struct error *error);

/* The factors have a line of at least one forecast; STATUS_USAGE tells what they have. */
enum status check_framework(const struct forecast_grid *all, struct error *error);

/* Columns that stand last in csv; print_framework has them in text. */
enum { FRAMEWORK_COLUMN_COUNT = 6 };
extern const struct table_column framework_columns[FRAMEWORK_COLUMN_COUNT];
void add_framework(struct table *table, const struct forecast_grid *all,
                   const struct forecast_grid_row *row);

void json_framework(struct json *json, const struct forecast_grid *all,
                    const struct forecast_grid_row *row);

/* The text form: a line that says what was fitted, and a line per forecast with sum, factor and
 * time. */
enum status print_framework(const struct forecast_grid *all, struct error *error);

#endif
