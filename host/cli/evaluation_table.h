/* The output of evaluate. */
#ifndef EPOCHCAST_CLI_EVALUATION_TABLE_H
#define EPOCHCAST_CLI_EVALUATION_TABLE_H

#include "cli/cli.h"
#include "evaluate/evaluate.h"
#include "evaluate/residuals.h"

/* with_calibration adds the column calibration_rows. */
enum status evaluation_table(struct table **table, const struct evaluation *evaluation,
                             bool with_calibration, struct error *error);
enum status print_evaluation(const struct evaluation *evaluation, bool with_calibration,
                             enum table_format format, struct error *error);
enum status print_residuals(const struct residuals *residuals, enum table_format format,
                            struct error *error);
/* One line per row of the dataset. */
enum status print_forecasts(const struct row_forecasts *forecasts, const struct dataset_rows *rows,
                            enum table_format format, struct error *error);

#endif
