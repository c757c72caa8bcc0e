/* Predictors forecast a layer's time. `mlp` is ours; the baselines are methods of others behind the
 * same interface, each with its source in its file. A predictor covers the kinds it was fitted on.
 */
#ifndef EPOCHCAST_PREDICTORS_PREDICTOR_H
#define EPOCHCAST_PREDICTORS_PREDICTOR_H

#include "data/dataset.h"
#include "layers/encode.h"
#include "predictors/held_out.h"
#include "predictors/member.h"

#define BASELINES(X)                                                                               \
    X(linear) X(roofline) X(paleo) X(li2023) X(nearest) X(neusight) X(ceilings) X(fitted)
#define PREDICTORS(X) X(mlp) BASELINES(X)

struct predictor_type;
struct model_place;    /* model_hdf5.h */
struct training_facts; /* training_facts.h */

/* Begins the struct of options of every predictor type. */
struct fit_options {
    const struct predictor_type *type; /* the type that the options belong to */
};

/* A question for a forecast: a layer by its config, or an operator, which no benchmark covers, only
 * by its work. */
struct layer_question {
    const struct layer_config *config;  /* NULL: the other members describe the work */
    const struct layer_work *work;      /* may be NULL with a config: it follows from that */
    int32_t pass, optimizer, precision; /* ignored with a config */
};
/* The question about a config with all members set; `work` becomes that of the config. */
struct layer_question question_of(const struct layer_config *config, struct layer_work *work);
struct cost question_cost(const struct layer_question *question); /* of one with a work */

struct prediction {
    double median_ms, low_ms, high_ms; /* interval at the model's level; NaN without one */
    double spread; /* of an ensemble's nets: standard deviation of their logarithms; 0: one net */
    double correlation; /* of its error with that of other configs of the kind: see interval.h */
    bool extrapolates;  /* a feature is outside the range of the training rows, or is later than
                           the model */
    bool covered;       /* false: kind or device unknown to the predictor; times are NaN */
    bool is_unseen;     /* set by forecasts of networks: a choice has a value that no training row
                           had; there is no interval */
};

/* The result of fitting one kind: for `train -o json`. */
struct fit_report {
    int32_t kind;            /* enum layer_kind */
    size_t rows;             /* training rows; with folds the test rows too */
    int32_t folds;           /* 0: the nets learn from the train rows, the test rows calibrate */
    size_t calibration_rows; /* rows behind the intervals: test rows, or with folds all; 0: none */
    int32_t epochs;
    double seconds;
    double train_rmsle, test_rmsle; /* before the last epochs, that see the test rows too */
    double validation_rmse_ms, validation_mape_percent;
    struct held_out_errors held_out;            /* of the calibration rows; count 0: not known */
    struct held_out_errors rivals[RIVAL_COUNT]; /* by others, on the same rows: rivals_judge */
};

struct predictor {
    const struct predictor_type *type;
    struct device_info *devices; /* that the training rows came from; owned */
    int device_count;
    struct training_facts *facts; /* NULL: not known; owned by the model */
};

struct predictor_type {
    const char *name, *help;
    /* Its options: a struct of options_size bytes that begins with struct fit_options, its members
     * (without the base) as a table, its defaults. */
    const struct member *options;
    int option_count;
    const struct fit_options *standard;
    size_t options_size;
    /* Fits on the train split of timed rows (calibrates on test). options: NULL for the defaults,
     * else of this type. reports[LAYER_KIND_COUNT] may be NULL; a kind without rows has rows 0. Too
     * few rows (fewer than 20 train rows of a kind; `mlp` with folds, `fitted` and `nearest` take
     * any number): STATUS_FAILED. */
    enum status (*fit)(struct predictor **predictor, const struct dataset_rows *rows,
                       const struct fit_options *options, struct fit_report *reports,
                       struct error *error);
    /* device may be NULL: the first one of the training set. An operator is covered where the
     * predictor forecasts from work alone. */
    enum status (*predict)(struct prediction *predictions, const struct predictor *predictor,
                           const struct layer_question *questions, size_t count,
                           const struct device_info *device, struct error *error);
    /* Continues training with the rows of the device that the options name; the predictor then
     * covers only that device, and of its kinds those with rows. After a failure it can only be
     * freed. STATUS_NO_DEVICE: no rows. NULL: the type cannot be tuned. */
    enum status (*tune)(struct predictor *predictor, const struct dataset_rows *rows,
                        const struct fit_options *options, struct fit_report *reports,
                        struct error *error);
    /* True when it has learnt from rows of the kind. */
    bool (*knows)(const struct predictor *predictor, enum layer_kind kind);
    /* The values of a choice (feature: an index of the kind's) that train rows had, as bits; NULL:
     * the facts say. */
    uint64_t (*seen)(const struct predictor *predictor, enum layer_kind kind, int feature);
    /* Errors on held-out rows of a predictor of this type with its defaults, per kind: folds[kind]
     * folds (fold_of) of the train and test rows, each forecast by one that learnt from the others;
     * 0: test rows, by one that learnt from the train rows. At most some thousand rows of a kind.
     * NULL: it cannot be fitted in passing. */
    enum status (*judge)(struct held_out_errors errors[LAYER_KIND_COUNT],
                         const struct dataset_rows *rows, const int32_t folds[LAYER_KIND_COUNT],
                         struct error *error);
    /* save writes the trained state to a model file, which already has the devices; load reads
     * both, the devices with model_devices_read. Forecasts are the same to the bit.
     * STATUS_BAD_FILE. */
    enum status (*save)(const struct predictor *predictor, const struct model_place *root,
                        struct error *error);
    enum status (*load)(struct predictor **predictor, const struct model_place *root,
                        struct error *error);
    void (*free)(struct predictor *predictor); /* NULL is allowed */
};
#define PREDICTOR_DECLARE(name) extern const struct predictor_type predictor_##name;
PREDICTORS(PREDICTOR_DECLARE)
#undef PREDICTOR_DECLARE
extern const struct predictor_type
    *const predictor_types[];               /* in PREDICTORS' order, ended by NULL */
extern const struct choice choice_baseline; /* names of BASELINES */

/* The type called `name`, or NULL. */
const struct predictor_type *predictor_find(const char *name);

/* The type called `name`; STATUS_USAGE with all names. */
enum status predictor_choose(const struct predictor_type **type, const char *name,
                             struct error *error);

/* The type's defaults in a struct of its own, for members_parse; the caller frees it. */
enum status fit_options_create(struct fit_options **options, const struct predictor_type *type,
                               struct error *error);
/* `options`, or the type's defaults for NULL. STATUS_USAGE: out of bounds. */
enum status fit_options_check(const struct fit_options **options, const struct predictor_type *type,
                              struct error *error);

/* Forecasts layers by their configs. */
enum status predict_configs(struct prediction *predictions, const struct predictor *predictor,
                            const struct layer_config *configs, size_t count,
                            const struct device_info *device, struct error *error);

/* Model files (HDF5, format "epochcast model", version 3; 2 is read): a predictor of any type, its
 * training devices, provenance. model_content.h describes the contents. */
struct model {
    struct predictor *predictor;
    struct device_info *devices; /* of the training set */
    int device_count;
    char provenance[2048]; /* dataset files, command line, version, created */
};
/* Complete or not at all. STATUS_USAGE when `path` exists and overwrite is false. */
enum status model_save(const struct model *model, const char *path, bool overwrite,
                       struct error *error);
enum status model_load(struct model *model, const char *path, struct error *error);
void model_free(struct model *model);
/* Device of the model called `name` (NULL: the first), or the only one of the backend `name`
 * ("cpu", "cuda"); STATUS_NO_DEVICE lists the known ones. */
enum status model_device(const struct device_info **device, const struct model *model,
                         const char *name, struct error *error);
/* Their names, quoted and separated by commas, cut at `size`. */
void model_list_devices(char *list, size_t size, const struct model *model);

#endif
