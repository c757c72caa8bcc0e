#include "predictors/rivals.h"

#include "bench/device_identity.h"

#include <stdlib.h>

const struct predictor_type *const rival_types[RIVAL_COUNT] = {&predictor_fitted,
                                                               &predictor_nearest};

/* The rows of the predictor's devices: a tuned one has only one of them. The caller frees
 * own->rows. */
static enum status own_rows(struct dataset_rows *own, const struct predictor *predictor,
                            const struct dataset_rows *rows, struct error *error)
{
    *own = *rows;
    own->count = 0;
    TRY(ALLOCATE(&own->rows, rows->count, "rows", error));
    for (size_t i = 0; i < rows->count; i++)
        if (device_find(predictor->devices, predictor->device_count,
                        &rows->devices[rows->rows[i].device]) >= 0)
            own->rows[own->count++] = rows->rows[i];
    return STATUS_OK;
}

enum status rivals_judge(struct fit_report reports[LAYER_KIND_COUNT],
                         const struct predictor *predictor, const struct dataset_rows *rows,
                         struct error *error)
{
    struct dataset_rows own;
    struct held_out_errors errors[LAYER_KIND_COUNT];
    int32_t folds[LAYER_KIND_COUNT];
    bool is_known = false;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        folds[kind] = reports[kind].folds;
        is_known |= reports[kind].held_out.count > 0;
    }
    TRY(own_rows(&own, predictor, rows, error));
    enum status status = STATUS_OK;
    for (int rival = 0; rival < RIVAL_COUNT && is_known && status == STATUS_OK; rival++) {
        status = rival_types[rival]->judge(errors, &own, folds, error);
        for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
            if (status == STATUS_OK && reports[kind].held_out.count > 0)
                reports[kind].rivals[rival] = errors[kind];
    }
    free(own.rows);
    return status;
}

int rivals_better(const struct held_out_errors *held_out,
                  const struct held_out_errors rivals[RIVAL_COUNT])
{
    int best = -1;
    double least_percent = held_out->mape_percent / RIVAL_MARGIN;
    for (int rival = 0; rival < RIVAL_COUNT; rival++)
        if (rivals[rival].count > 0 && rivals[rival].mape_percent < least_percent) {
            best = rival;
            least_percent = rivals[rival].mape_percent;
        }
    return best;
}
