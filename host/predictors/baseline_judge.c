/* How well a baseline forecasts rows that it has not learnt from. */
#include "predictors/baseline.h"

#include "data/split.h"
#include "predictors/row_selection.h"

#include <math.h>
#include <stdlib.h>

enum { JUDGED_ROWS = 1000 }; /* of a kind; more would tell no more */

/* The rows of one kind; memory is rows'. */
struct judged {
    const struct baseline_law *law;
    struct baseline_row *rows; /* (count): as they are selected */
    int32_t *devices, *folds;  /* (count); folds: -1 for rows that are only learnt from */
    size_t count, stride;      /* every stride-th row is forecast */
    int32_t fold_count;
    struct baseline_row *learnt;        /* (count): room */
    double *measured_ms, *predicted_ms; /* (count): of the rows forecast so far */
    size_t forecasts;
};

static enum status judged_create(struct judged *judged, const struct dataset_rows *rows,
                                 const struct row_selection *selection, int32_t folds,
                                 struct error *error)
{
    const size_t train = selection->count[SPLIT_TRAIN];
    const size_t count = train + selection->count[SPLIT_TEST];
    const size_t held_out = folds > 0 ? count : count - train;
    void *memory;
    TRY(error_allocate(&memory, count,
                       2 * sizeof(struct baseline_row) + 2 * sizeof(double) + 2 * sizeof(int32_t),
                       "held-out rows", error));
    judged->rows = memory;
    judged->learnt = judged->rows + count;
    judged->measured_ms = (double *)(void *)(judged->learnt + count);
    judged->predicted_ms = judged->measured_ms + count;
    judged->devices = (int32_t *)(void *)(judged->predicted_ms + count);
    judged->folds = judged->devices + count;
    judged->count = count;
    judged->fold_count = folds > 0 ? folds : 1;
    judged->stride = held_out > JUDGED_ROWS ? held_out / JUDGED_ROWS : 1;
    for (size_t i = 0; i < count; i++) {
        const struct measurement *row = &rows->rows[selection->rows[SPLIT_TRAIN][i]];
        judged->rows[i] = (struct baseline_row){.config = &row->config,
                                                .device = &rows->devices[row->device],
                                                .measured_ms = row->median_ms};
        judged->devices[i] = judged->law->shares_devices ? 0 : row->device;
        judged->folds[i] = folds > 0 ? fold_of(&row->config, folds) : i < train ? -1 : 0;
    }
    return STATUS_OK;
}

static void forecast_fold(struct judged *judged, const void *state, int32_t device, int32_t fold)
{
    for (size_t i = 0; i < judged->count; i += judged->stride) {
        const struct baseline_row *row = &judged->rows[i];
        struct layer_work work;
        if (judged->devices[i] != device || judged->folds[i] != fold)
            continue;
        const struct layer_question question = question_of(row->config, &work);
        const double ms = judged->law->forecast_ms(state, &question, row->device);
        if (!(ms > 0) || !isfinite(ms))
            continue;
        judged->measured_ms[judged->forecasts] = row->measured_ms;
        judged->predicted_ms[judged->forecasts++] = ms;
    }
}

static enum status judge_fold(struct judged *judged, int32_t device, int32_t fold,
                              struct error *error)
{
    const struct baseline_law *law = judged->law;
    size_t learnt = 0;
    bool fitted = false;
    void *state;
    for (size_t i = 0; i < judged->count; i++)
        if (judged->devices[i] == device && judged->folds[i] != fold)
            judged->learnt[learnt++] = judged->rows[i];
    if (learnt == 0)
        return STATUS_OK;
    TRY(error_allocate(&state, 1, law->state_size, "predictor", error));
    if (law->begin)
        law->begin(state, law->type->standard);
    const enum status status = law->fit(state, &fitted, judged->learnt, learnt, error);
    if (status == STATUS_OK && fitted)
        forecast_fold(judged, state, device, fold);
    if (law->release)
        law->release(state);
    free(state);
    return status;
}

static enum status judge_kind(struct held_out_errors *errors, const struct baseline_law *law,
                              const struct dataset_rows *rows,
                              const struct row_selection *selection, int32_t folds,
                              struct error *error)
{
    struct judged judged = {.law = law};
    const int32_t devices = law->shares_devices ? 1 : rows->device_count;
    TRY(judged_create(&judged, rows, selection, folds, error));
    enum status status = STATUS_OK;
    for (int32_t device = 0; device < devices && status == STATUS_OK; device++)
        for (int32_t fold = 0; fold < judged.fold_count && status == STATUS_OK; fold++)
            status = judge_fold(&judged, device, fold, error);
    *errors = held_out_errors_of(&(struct interval_rows){.measured_ms = judged.measured_ms,
                                                         .predicted_ms = judged.predicted_ms,
                                                         .count = judged.forecasts});
    free(judged.rows);
    return status;
}

enum status baseline_judge(struct held_out_errors errors[LAYER_KIND_COUNT],
                           const struct baseline_law *law, const struct dataset_rows *rows,
                           const int32_t folds[LAYER_KIND_COUNT], struct error *error)
{
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct row_selection selection;
        errors[kind] = held_out_errors_of(NULL);
        TRY(row_selection_create(&selection, rows, (enum layer_kind)kind, error));
        enum status status = STATUS_OK;
        if (selection.count[SPLIT_TRAIN] + selection.count[SPLIT_TEST] > 0)
            status = judge_kind(&errors[kind], law, rows, &selection, folds[kind], error);
        row_selection_free(&selection);
        TRY(status);
    }
    return STATUS_OK;
}
