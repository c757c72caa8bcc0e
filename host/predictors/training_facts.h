/* Facts of a model about its training rows, beside its weights, so that a forecast can
 * say how far to trust it: how many rows of a kind, which values of choices, errors on rows left
 * out, by how much layers exceed their roofline. `train` learns them for a predictor of any type; a
 * model file has them in the group `training`. Models of earlier versions lack them.
 */
#ifndef EPOCHCAST_PREDICTORS_TRAINING_FACTS_H
#define EPOCHCAST_PREDICTORS_TRAINING_FACTS_H

#include "predictors/bounds.h"
#include "predictors/predictor.h"

struct kind_facts {
    int64_t train_rows, test_rows; /* usable ones */
    /* Errors of rows that were not learnt from, by the predictor and by its rivals: see
     * fit_report. Models of earlier versions lack them: count 0. */
    struct held_out_errors held_out, rivals[RIVAL_COUNT];
    uint64_t seen[FEATURE_LIMIT]; /* of a choice: bit v is set when a train row has value v */
};

struct training_facts {
    struct kind_facts kinds[LAYER_KIND_COUNT];
    double level;                /* of the bounds' high ratios */
    struct bound_ratios *bounds; /* (device_count + 1): of the predictor's devices, then of all */
    int device_count;
};

/* Facts of nothing yet: no rows, errors and bounds NaN. training_facts_free frees them. */
enum status training_facts_create(struct training_facts **facts, int device_count,
                                  struct error *error);

/* *facts becomes the predictor's, which `rows` have trained; model_free frees them. reports: of its
 * fit. */
enum status training_facts_learn(struct predictor *predictor, const struct dataset_rows *rows,
                                 const struct fit_report reports[LAYER_KIND_COUNT], double level,
                                 struct error *error);
void training_facts_free(struct training_facts *facts); /* NULL is allowed */

/* In a model file, of a predictor whose devices are known. A file without them: no facts. */
enum status training_facts_save(const struct predictor *predictor, const struct model_place *root,
                                struct error *error);
enum status training_facts_load(struct predictor *predictor, const struct model_place *root,
                                struct error *error);

/* Of `device`; of all devices where the model has no rows of it; NULL: not known. */
const struct bound_ratios *training_bounds(const struct predictor *predictor,
                                           const struct device_info *device);

/* The values of a choice that train rows of the kind had, as bits; all where nothing is known of
 * them. Of adam and adamw both where one was there. */
uint64_t training_seen(const struct predictor *predictor, enum layer_kind kind, int feature);

#endif
