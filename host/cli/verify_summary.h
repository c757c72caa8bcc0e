/* The errors of verify, row by row and of all. */
#ifndef EPOCHCAST_CLI_VERIFY_SUMMARY_H
#define EPOCHCAST_CLI_VERIFY_SUMMARY_H

#include "cli/verify_run.h"
#include "step/verify.h"

struct verify_errors verify_row_errors(const struct verify_row *row);
double verify_baseline_error(const struct verify_row *row, int baseline); /* percent */

struct error_summary {
    const char *name;
    double median_percent, worst_percent; /* absolute */
};
/* summaries (BASELINE_LIMIT + 2) */
enum status verify_summarise(struct error_summary *summaries, int *count,
                             const struct verification *all, struct error *error);
/* Median and worst errors, on stderr. */
enum status print_verify_summary(const struct verification *all, struct error *error);

#endif
