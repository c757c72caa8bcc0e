/* Errors of forecasts by group of rows, from any number of rows: forecasts are added piece by
 * piece, only sums and quantiles stay. */
#ifndef EPOCHCAST_EVALUATE_EVALUATOR_H
#define EPOCHCAST_EVALUATE_EVALUATOR_H

#include "evaluate/evaluate.h"

/* Median and p90 are exact up to this number of rows, and within 0.1 % beyond (quantiles.h). */
enum { EVALUATOR_EXACT_ROWS = 2000000 };

struct evaluator;

/* by: any grouping but EVALUATION_SUM, which needs all rows at once. */
enum status evaluator_create(struct evaluator **evaluator, enum evaluation_by by,
                             struct error *error);
/* Adds covered rows and counts the others; .device of a row is its device's number. */
enum status evaluator_add(struct evaluator *evaluator, const struct row_forecasts *forecasts,
                          struct error *error);
/* Usable rows added so far, covered or not. */
size_t evaluator_row_count(const struct evaluator *evaluator);
/* The groups that have rows; evaluation_free frees, also after an error. */
enum status evaluator_finish(struct evaluation *evaluation, const struct evaluator *evaluator,
                             const char *predictor, const struct device_info *devices,
                             struct error *error);
void evaluator_free(struct evaluator *evaluator); /* NULL is allowed */

/* The error of an evaluation without a group; row_count: usable rows of the split. */
enum status evaluation_of_none(const struct predictor *predictor, size_t row_count, int split,
                               struct error *error);

/* Writes names of a group into a row: part: pass or decade, or EVALUATION_WHOLE. */
enum { EVALUATION_WHOLE = -1 };
void evaluation_name_group(struct evaluation_row *row, enum evaluation_by by, int part);

#endif
