/* One fit of the `mlp` predictor, shared by its parts: encoding (predictor_mlp_fit.c), ceilings
 * (predictor_mlp_anchor.c), the list of nets (predictor_mlp_jobs.c), training
 * (predictor_mlp_learn.c), intervals (predictor_mlp_calibrate.c), fine-tuning
 * (predictor_mlp_tune.c).
 */
#ifndef EPOCHCAST_PREDICTORS_PREDICTOR_MLP_FIT_H
#define EPOCHCAST_PREDICTORS_PREDICTOR_MLP_FIT_H

#include "predictors/predictor_mlp.h"
#include "predictors/row_selection.h"

enum { NET_ROWS_MINIMUM = 10 }; /* with fewer rows the ceilings alone are the forecast */

/* One kind while it is fitted. Its rows: those of the train split, then those of the test split;
 * the validation split is never read. */
struct kind_fit {
    enum layer_kind kind;
    struct row_selection selection;
    size_t count, train_count; /* of rows; of the train split */
    float *inputs;             /* (count, columns), encoded and standardised */
    float *targets;            /* (count): ln t in ms for output "sum", else ln(1 + t) in target
                                  units */
    double *log_ceilings;      /* (count, CEILING_HEADS): ln T; output "sum" */
    int32_t *anchors;          /* (count): mlp_anchor_of its device; output "sum" */
    float *offsets;          /* (count, CEILING_HEADS): of every net; output "sum" without folds */
    int32_t *folds;          /* (count); NULL: the nets learn from the train split */
    int32_t net_count;       /* of its nets; they are jobs unless there are too few rows */
    struct train_data *data; /* (1), or one per fold, whose arrays it owns */
    int first_job, job_count;
    bool is_done; /* no last epochs follow */
};

struct fit {
    struct mlp_predictor *predictor;
    const struct dataset_rows *rows;
    const struct mlp_options *options;
    struct kind_fit kinds[LAYER_KIND_COUNT];
    struct train_job *jobs; /* (job_count) */
    struct train_result *results;
    int job_count;
    struct fit_report *reports; /* (LAYER_KIND_COUNT), or NULL */
    enum status status;         /* status of this fit so far */
    struct error *error;        /* of that status */
};

/* Row `index` of the kind's. */
static inline const struct measurement *fit_row(const struct fit *fit,
                                                const struct kind_fit *kind_fit, size_t index)
{
    return &fit->rows->rows[kind_fit->selection.rows[SPLIT_TRAIN][index]];
}

/* The device of a row as the predictor knows it. */
static inline const struct device_info *fit_device(const struct fit *fit,
                                                   const struct measurement *row)
{
    return &fit->rows->devices[row->device];
}

static inline bool fit_has_heads(const struct fit *fit, const struct kind_fit *kind_fit)
{
    return fit->predictor->kinds[kind_fit->kind].shape.output == MLP_OUTPUT_SUM;
}

/* Fine-tuning to so few rows that the nets stay as they are, over ceilings of those rows. */
static inline bool fit_keeps_nets(const struct fit *fit, const struct kind_fit *kind_fit)
{
    return fit->predictor->kinds[kind_fit->kind].net_count > 0 && fit_has_heads(fit, kind_fit) &&
           !kind_fit->folds && kind_fit->train_count < TRAIN_ROWS_MINIMUM;
}

/* Net `net` learns from row `index`. */
static inline bool fit_learns_from(const struct kind_fit *kind_fit, size_t net, size_t index)
{
    return kind_fit->folds ? kind_fit->folds[index] != (int32_t)net : index < kind_fit->train_count;
}

/* Selects and encodes the rows of every kind and lists the nets to train, from the predictor's
 * parameters where it has some. */
enum status fit_prepare(struct fit *fit, struct error *error);
/* Its parts, for one kind. Output "sum": fits the ceilings of every net, where the predictor has
 * none yet or new ones are nearer to the rows, and the limits around them. */
enum status fit_anchor(struct fit *fit, struct kind_fit *kind_fit, struct error *error);
/* Appends the kind's nets to the jobs; too few rows: gives the predictor nets that say what their
 * ceilings say. */
enum status fit_add_jobs(struct fit *fit, struct kind_fit *kind_fit, struct error *error);

/* The parameters of nets that are not trained; with heads, these are 0: the ceilings are the
 * forecast. The caller owns *parameters. */
enum status fit_untrained(float **parameters, const struct mlp_shape *shape, int32_t net_count,
                          uint64_t seed, struct error *error);

/* Trains the nets of the fits whose status is STATUS_OK side by side, keeps their parameters in the
 * predictors, calibrates the intervals; then, if options->last_share is above 0 (in all fits or in
 * none), nets without folds continue with the test rows as well. A failed fit sets its own status
 * and error, and the others continue; with may_fail, also a fit whose training fails. Trainer,
 * threads and progress are the first fit's. */
enum status fits_learn(struct fit *const *fits, int count, bool may_fail, struct error *error);
/* Frees all but the predictor. */
void fit_release(struct fit *fit);

/* Intervals of a kind, from rows that the nets asked have not learnt from: the test rows, or with
 * folds all rows, each by the net that left it out. Nets of folds that are worse than their
 * ceilings are replaced by untrained ones. Adds the errors of these forecasts to the report. */
enum status fit_calibrate(struct fit *fit, const struct kind_fit *kind_fit,
                          struct fit_report *report, struct error *error);

#endif
