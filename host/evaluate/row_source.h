/* Rows of files to evaluate on: which files, which rows. */
#ifndef EPOCHCAST_EVALUATE_ROW_SOURCE_H
#define EPOCHCAST_EVALUATE_ROW_SOURCE_H

#include "evaluate/evaluate.h"

/* Members that point are borrowed. */
struct row_source {
    const char *const *paths;
    int path_count;
    bool skips[LAYER_KIND_COUNT]; /* kinds that are not read */
    bool (*keeps)(const void *filter, const struct layer_config *config); /* NULL: every row */
    const void *filter;
    const char *excluded; /* sources (data/row_sources.h) whose rows are not read; or NULL */
    int split;            /* enum split, -1: all */
};

/* Reads the rows into memory: the usable ones of the split or, for predictors that have yet to be
 * fitted, those of all splits and outcomes. */
enum status row_source_read(struct dataset_rows *rows, const struct row_source *source,
                            bool all_splits, struct error *error);

/* As evaluate_predictor_by, but row by row: files of any size need less than 200 MB. Not for
 * EVALUATION_SUM, which sorts the rows. */
enum status row_source_evaluate(struct evaluation *evaluation, const struct predictor *predictor,
                                const struct row_source *source, enum evaluation_by by,
                                struct error *error);

#endif
