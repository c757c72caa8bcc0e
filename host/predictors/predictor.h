/* Predictors: what forecasts a layer's time. `mlp` is ours; the baselines are those of others
 * behind the same interface, each with its source in its file. A predictor covers the kinds it was
 * fitted on.
 */
#ifndef EPOCHCAST_PREDICTORS_PREDICTOR_H
#define EPOCHCAST_PREDICTORS_PREDICTOR_H

#include "data/dataset.h"
#include "layers/encode.h"
#include "trainer/trainer.h"

#define BASELINES(X)  X(linear) X(roofline) X(paleo) X(li2023) X(nearest) X(neusight) X(ceilings)
#define PREDICTORS(X) X(mlp) BASELINES(X)

/* Everything that `train` can be told. */
struct fit_options {
    char preset[16];            /* "default", "paper" */
    int32_t encoding;           /* enum encoding */
    double target_units_per_ms; /* 1: ms (paper), 1000: microseconds */
    double input_limit;         /* inputs are cut to so many standard deviations; 0: never */
    double output_margin; /* no forecast is above so many times the slowest training row (or what
                             it is relative to the roofline); 0: any */
    int32_t hidden[MLP_LAYER_LIMIT];
    int32_t hidden_count;
    int32_t
        several_hidden[MLP_LAYER_LIMIT]; /* instead, for rows of several devices; zeros: hidden */
    int32_t several_hidden_count;
    int32_t output, output_bias;
    int32_t activation; /* enum mlp_activation */
    /* A kind with at most so many training rows learns ln(1 + t) minus the roofline's (output log
     * only); with more, the net learns better alone. */
    int32_t roofline_rows;
    struct train_options train;
    int32_t minimum_steps; /* small data: epochs grow until so many steps; 0: off */
    int32_t ensemble;      /* nets per kind */
    /* Name of a device among the training rows' ("": none): after training on all devices, the nets
     * go on with its rows alone; the predictor then knows that device alone. */
    char fine_tune[64];
    float tune_rate;     /* of train.learning_rate, for fine-tuning */
    int32_t tune_epochs; /* of fine-tuning */
    /* Once the intervals are calibrated on the test rows, the nets learn from these too: so many
     * more epochs, as a share of those before (0: never), at last_rate of the learning rate. */
    float last_share, last_rate;
    uint64_t seed;
    double interval_level; /* 0.9 */
    int threads;
    const struct trainer *trainer;
    const struct train_progress *progress;
};
/* STATUS_USAGE with the list for an unknown preset. */
enum status fit_options_preset(struct fit_options *options, const char *preset,
                               struct error *error);

struct prediction {
    double median_ms, low_ms, high_ms; /* interval at the model's level; NaN without one */
    double spread; /* of an ensemble's nets: standard deviation of their logarithms; 0: one net */
    double correlation; /* of its error with that of other configs of the kind: see interval.h */
    bool extrapolates;  /* a feature lies outside the range of the training rows */
    bool covered;       /* false: kind or device unknown to the predictor; times are NaN */
};

/* What fit learnt of one kind: for `train -o json`. */
struct fit_report {
    int32_t kind; /* enum layer_kind */
    size_t rows;  /* training rows */
    size_t
        calibration_rows; /* test rows behind the intervals; 0: too few, training rows stood in */
    int32_t epochs;
    double seconds;
    double train_rmsle, test_rmsle; /* before the last epochs, that see the test rows too */
    double validation_rmse_ms, validation_mape_percent;
};

struct predictor {
    const struct predictor_type *type;
};

struct predictor_type {
    const char *name, *help;
    /* Fits on the train split of timed rows (calibrates on test). reports[LAYER_KIND_COUNT] may be
     * NULL; a kind without rows has rows 0. Too few rows (fewer than 20 train rows of a kind):
     * STATUS_FAILED. */
    enum status (*fit)(struct predictor **predictor, const struct dataset_rows *rows,
                       const struct fit_options *options, struct fit_report *reports,
                       struct error *error);
    /* device may be NULL: the first one of the training set. */
    enum status (*predict)(struct prediction *predictions, const struct predictor *predictor,
                           const struct layer_config *configs, size_t count,
                           const struct device_info *device, struct error *error);
    void (*free)(struct predictor *predictor);
};
#define PREDICTOR_DECLARE(name) extern const struct predictor_type predictor_##name;
PREDICTORS(PREDICTOR_DECLARE)
#undef PREDICTOR_DECLARE
extern const struct predictor_type
    *const predictor_types[];               /* in PREDICTORS' order, ended by NULL */
extern const struct choice choice_baseline; /* names of BASELINES */

/* The type called `name`, or NULL. */
const struct predictor_type *predictor_find(const char *name);

/* Goes on training the nets of an `mlp` predictor with the rows of options->fine_tune alone, for
 * tune_epochs at tune_rate of the learning rate (then as many with the test rows, where last_share
 * is not 0). The predictor then knows that device alone, and of its kinds those with rows. On
 * failure it is only good for free. STATUS_NO_DEVICE: no rows. */
enum status predictor_mlp_tune(struct predictor *predictor, const struct dataset_rows *rows,
                               const struct fit_options *options, struct fit_report *reports,
                               struct error *error);

/* Model files (HDF5, format "epochcast model", version 1): only mlp predictors are stored. They
 * hold encoding, column names, scaler, shape, parameters, interval tables, feature ranges, training
 * devices, preset, seed, provenance. Loading checks that the column names are still what encode
 * produces. */
struct model {
    struct predictor *predictor;
    struct device_info *devices; /* of the training set */
    int device_count;
    char provenance[2048]; /* dataset files, command line, version, created */
};
enum status model_save(const struct model *model, const char *path, bool overwrite,
                       struct error *error);
/* STATUS_USAGE when `path` exists and overwrite is false: to be asked before training, not after.
 */
enum status model_path_check(const char *path, bool overwrite, struct error *error);
enum status model_load(struct model *model, const char *path, struct error *error);
void model_free(struct model *model);
/* Device of the model called `name` (NULL: the first); STATUS_NO_DEVICE lists the known ones. */
enum status model_device(const struct device_info **device, const struct model *model,
                         const char *name, struct error *error);

#endif
