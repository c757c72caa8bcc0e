#include "predictors/rivals.h"

const struct predictor_type *const rival_types[RIVAL_COUNT] = {&predictor_fitted,
                                                               &predictor_nearest};

enum status rivals_judge(struct fit_report reports[LAYER_KIND_COUNT],
                         const struct dataset_rows *rows, struct error *error)
{
    struct held_out_errors errors[LAYER_KIND_COUNT];
    int32_t folds[LAYER_KIND_COUNT];
    bool is_known = false;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        folds[kind] = reports[kind].folds;
        is_known |= reports[kind].held_out.count > 0;
    }
    for (int rival = 0; rival < RIVAL_COUNT && is_known; rival++) {
        TRY(rival_types[rival]->judge(errors, rows, folds, error));
        for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
            if (reports[kind].held_out.count > 0)
                reports[kind].rivals[rival] = errors[kind];
    }
    return STATUS_OK;
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
