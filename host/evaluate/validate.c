#include "evaluate/evaluate.h"

#include "data/split.h"

#include <string.h>

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
    struct row_forecasts forecasts;
    struct evaluation evaluation = {0};
    TRY(row_forecasts_create(&forecasts, predictor, rows, SPLIT_VALIDATION, error));
    enum status status = STATUS_OK;
    if (forecasts.count > 0)
        status = evaluate_forecasts(&evaluation, &forecasts, predictor->type, rows, EVALUATION_PASS,
                                    error);
    row_forecasts_free(&forecasts);
    TRY(status);
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
