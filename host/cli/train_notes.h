/* Notes of a training run, beside its table of errors. */
#ifndef EPOCHCAST_CLI_TRAIN_NOTES_H
#define EPOCHCAST_CLI_TRAIN_NOTES_H

#include "cli/cli.h"
#include "predictors/predictor.h"

enum { NOTE_LIMIT = 300 };

/* reports: one per layer kind, with their validation members. On stderr: rows without a time, kinds
 * with few rows to judge by (where the predictor has intervals). */
void train_notes_print(const struct dataset_rows *rows, const struct fit_report *reports,
                       bool has_intervals);

/* STATUS_USAGE: rows of one machine whose calls found their operands differently have different
 * times. */
enum status train_check_caches(const struct dataset_rows *rows, struct error *error);
/* STATUS_FAILED: the predictor knows no kind, for all rows were held back: few may be. */
enum status train_check_learnt(const struct predictor *predictor, const struct dataset_rows *rows,
                               struct error *error);

/* What training an mlp with the default recipe takes at its peak: more columns, more bytes. */
double train_memory_bytes(const struct dataset_rows *rows);
/* Before training: its memory `bytes` where that is much (above 1 GiB), and a warning where it is
 * more than `available_bytes` (0: unknown). Returns text, "" for nothing to say; one line, with its
 * end. */
const char *train_memory_note(char text[NOTE_LIMIT], size_t row_count, double bytes,
                              int64_t available_bytes);

#endif
