#include "evaluate/evaluate.h"

#include "data/split.h"
#include "predictors/row_selection.h"

#include <string.h>

static bool has_rows(const struct dataset_rows *rows, enum split split)
{
    for (size_t i = 0; i < rows->count; i++)
        if (row_is_usable(&rows->rows[i]) && split_of(&rows->rows[i].config) == split)
            return true;
    return false;
}

/* The group of all passes and, when there are several, all devices. */
static bool is_whole_kind(const struct evaluation *evaluation, const struct evaluation_row *row)
{
    if (strcmp(row->pass, "all") != 0)
        return false;
    for (size_t i = 0; i < evaluation->count; i++) {
        const struct evaluation_row *other = &evaluation->rows[i];
        if (other->layer == row->layer && strcmp(other->device, "all") == 0)
            return strcmp(row->device, "all") == 0;
    }
    return true;
}

enum status predictor_validate(struct fit_report *reports, const struct predictor *predictor,
                               const struct dataset_rows *rows, struct error *error)
{
    if (!has_rows(rows, SPLIT_VALIDATION))
        return STATUS_OK;
    struct evaluation evaluation;
    TRY(evaluate_predictor(&evaluation, predictor, rows, SPLIT_VALIDATION, error));
    for (size_t i = 0; i < evaluation.count; i++) {
        const struct evaluation_row *row = &evaluation.rows[i];
        if (!is_whole_kind(&evaluation, row))
            continue;
        reports[row->layer].validation_rmse_ms = row->errors.rmse_ms;
        reports[row->layer].validation_mape_percent = row->errors.mape_percent;
    }
    evaluation_free(&evaluation);
    return STATUS_OK;
}
