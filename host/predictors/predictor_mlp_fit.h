/* One fit of the `mlp` predictor, shared by its parts: encoding (predictor_mlp_fit.c), training
 * (predictor_mlp_learn.c), intervals (predictor_mlp_calibrate.c), fine-tuning
 * (predictor_mlp_tune.c).
 */
#ifndef EPOCHCAST_PREDICTORS_PREDICTOR_MLP_FIT_H
#define EPOCHCAST_PREDICTORS_PREDICTOR_MLP_FIT_H

#include "predictors/predictor_mlp.h"
#include "predictors/row_selection.h"

/* Splits that fitting reads; it never reads validation rows. */
enum { SIDE_TRAIN, SIDE_TEST, SIDE_COUNT };
static const enum split fit_sides[SIDE_COUNT] = {SPLIT_TRAIN, SPLIT_TEST};

/* One kind while it is fitted. */
struct kind_fit {
    enum layer_kind kind;
    struct row_selection selection;
    /* Train rows, then test rows; inputs[0] and targets[0] own the memory of both sides. */
    float *inputs[SIDE_COUNT];  /* (rows, columns), standardised */
    float *targets[SIDE_COUNT]; /* ln(1 + t) in target units */
    struct train_data data;
    int first_job; /* of its nets */
};

struct fit {
    struct mlp_predictor *predictor;
    const struct dataset_rows *rows;
    const struct mlp_options *options;
    struct kind_fit kinds[LAYER_KIND_COUNT];
    struct train_job *jobs; /* (kinds with rows, ensemble) */
    struct train_result *results;
    int job_count;
    struct fit_report *reports; /* (LAYER_KIND_COUNT), or NULL */
    enum status status;         /* status of this fit so far */
    struct error *error;        /* of that status */
};

static inline const struct measurement *
fit_row(const struct fit *fit, const struct kind_fit *kind_fit, enum split split, size_t index)
{
    return &fit->rows->rows[kind_fit->selection.rows[split][index]];
}

static inline double fit_row_offset(const struct fit *fit, const struct measurement *row)
{
    return mlp_offset(fit->predictor, &row->config, &fit->rows->devices[row->device]);
}

/* Selects and encodes the rows of every kind and lists the nets to train, from the predictor's
 * parameters where it has some. */
enum status fit_prepare(struct fit *fit, struct error *error);
/* Trains the nets of the fits whose status is STATUS_OK side by side, keeps their parameters in the
 * predictors, calibrates the intervals; then, if options->last_share is above 0 (in all fits or in
 * none), continues with the test rows as well. A failed fit sets its own status and error, and the
 * others continue; with may_fail, also a fit whose training fails. Trainer, threads and progress
 * are the first fit's. */
enum status fits_learn(struct fit *const *fits, int count, bool may_fail, struct error *error);
/* Frees all but the predictor. */
void fit_release(struct fit *fit);

/* Intervals of a kind, from its test rows, which its nets have not learnt from. */
enum status fit_calibrate(struct fit *fit, const struct kind_fit *kind_fit, struct error *error);

#endif
