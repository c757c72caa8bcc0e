/* Simpler predictors on the rows that a trained one was judged on. */
#ifndef EPOCHCAST_PREDICTORS_RIVALS_H
#define EPOCHCAST_PREDICTORS_RIVALS_H

#include "predictors/predictor.h"

extern const struct predictor_type *const rival_types[RIVAL_COUNT];

/* Fills the reports' rivals, of kinds whose held_out is known. predictor: the one that the reports
 * are of; only rows of its devices count. */
enum status rivals_judge(struct fit_report reports[LAYER_KIND_COUNT],
                         const struct predictor *predictor, const struct dataset_rows *rows,
                         struct error *error);

/* The rival with the least error on held-out rows, if that is less than `held_out`'s by more than
 * RIVAL_MARGIN; else -1. */
#define RIVAL_MARGIN 1.05
int rivals_better(const struct held_out_errors *held_out,
                  const struct held_out_errors rivals[RIVAL_COUNT]);

#endif
