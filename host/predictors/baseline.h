/* Shared by the baselines: rows sorted by device and layer kind, one block of learnt numbers
 * ("state") for each, the choice of the state for a forecast, and the transfer to a device without
 * rows. A baseline is a struct baseline_law; its predictor_type calls baseline_fit. */
#ifndef EPOCHCAST_PREDICTORS_BASELINE_H
#define EPOCHCAST_PREDICTORS_BASELINE_H

#include "predictors/predictor.h"

/* A training row. Borrowed. */
struct baseline_row {
    const struct layer_config *config;
    const struct device_info *device;
    double measured_ms;
};

struct baseline_law {
    const struct predictor_type *type;
    size_t state_size; /* a state starts as zeros */
    /* Copies the options into a state, before fit; NULL: the law has no options. */
    void (*begin)(void *state, const struct fit_options *options);
    bool takes_few_rows; /* fits kinds with fewer than TRAIN_ROWS_MINIMUM train rows */
    bool shares_devices; /* one state per kind, from the rows of all devices; it covers every device
                          */
    /* Learns from count >= 1 rows of one kind (and one device, unless shared). *fitted: the state
     * can forecast (false: the device lacks a property that the law needs). */
    enum status (*fit)(void *state, bool *fitted, const struct baseline_row *rows, size_t count,
                       struct error *error);
    /* NaN: not covered. The question has all members set; it has no config only if takes_operators.
     */
    double (*forecast_ms)(const void *state, const struct layer_question *question,
                          const struct device_info *device);
    bool takes_operators; /* forecasts from work alone, with the state of any kind */
    /* True when the config sets a feature that the training rows did not have; NULL: never. */
    bool (*extrapolates)(const void *state, const struct layer_config *config);
    /* Makes the state of a device without rows from those of count >= 1 devices; NULL: such a
     * device is not covered. */
    void (*transfer)(void *state, const void *const *states, const struct device_info *devices,
                     int count, const struct device_info *target);
    void (*release)(void *state); /* frees memory that the state points to; or NULL */
    /* A state in a model file: its members as attributes; save and load (or NULL) handle the memory
     * that it points to. load is called after the members were read. */
    const struct member *members;
    int member_count;
    enum status (*save)(const void *state, enum layer_kind kind, const struct model_place *place,
                        struct error *error);
    enum status (*load)(void *state, enum layer_kind kind, const struct model_place *place,
                        struct error *error);
};

enum status baseline_fit(struct predictor **predictor, const struct baseline_law *law,
                         const struct dataset_rows *rows, const struct fit_options *options,
                         struct fit_report *reports, struct error *error);
/* A baseline's report of a kind: it trains nothing, so errors are NaN. */
struct fit_report baseline_report(int kind, size_t train_rows);
/* predictor_type.predict and .free. */
enum status baseline_predict(struct prediction *predictions, const struct predictor *predictor,
                             const struct layer_question *questions, size_t count,
                             const struct device_info *device, struct error *error);
void baseline_free(struct predictor *predictor);

/* predictor_type.judge with the law. */
enum status baseline_judge(struct held_out_errors errors[LAYER_KIND_COUNT],
                           const struct baseline_law *law, const struct dataset_rows *rows,
                           const int32_t folds[LAYER_KIND_COUNT], struct error *error);

bool baseline_knows(const struct predictor *predictor, enum layer_kind kind);
/* predictor_type.save; .load with the law. */
enum status baseline_save(const struct predictor *predictor, const struct model_place *root,
                          struct error *error);
enum status baseline_load(struct predictor **predictor, const struct baseline_law *law,
                          const struct model_place *root, struct error *error);

/* Members `members` and `member_count` of a law. */
#define LAW_MEMBERS(table_) .members = (table_), .member_count = sizeof(table_) / sizeof *(table_)

/* The predictor_type `predictor_<name>` of the law `law`; ...: its options, if it has any. */
#define BASELINE_PREDICTOR(name_, law_, help_, ...)                                                \
    static enum status fit_predictor(                                                              \
        struct predictor **predictor, const struct dataset_rows *rows,                             \
        const struct fit_options *options, struct fit_report *reports, struct error *error)        \
    {                                                                                              \
        return baseline_fit(predictor, &(law_), rows, options, reports, error);                    \
    }                                                                                              \
    static enum status load_predictor(struct predictor **predictor,                                \
                                      const struct model_place *root, struct error *error)         \
    {                                                                                              \
        return baseline_load(predictor, &(law_), root, error);                                     \
    }                                                                                              \
    static enum status judge_predictor(struct held_out_errors errors[LAYER_KIND_COUNT],            \
                                       const struct dataset_rows *rows,                            \
                                       const int32_t folds[LAYER_KIND_COUNT], struct error *error) \
    {                                                                                              \
        return baseline_judge(errors, &(law_), rows, folds, error);                                \
    }                                                                                              \
    const struct predictor_type predictor_##name_ = {.name = #name_,                               \
                                                     .help = (help_),                              \
                                                     .fit = fit_predictor,                         \
                                                     .predict = baseline_predict,                  \
                                                     .knows = baseline_knows,                      \
                                                     .judge = judge_predictor,                     \
                                                     .save = baseline_save,                        \
                                                     .load = load_predictor,                       \
                                                     .free = baseline_free,                        \
                                                     __VA_ARGS__}

/* Members of a predictor_type: a table of options, and the defaults as a struct whose first member
 * is `base`. */
#define PREDICTOR_OPTIONS(table_, standard_)                                                       \
    .options = (table_), .option_count = sizeof(table_) / sizeof *(table_),                        \
    .standard = &(standard_).base, .options_size = sizeof(standard_)

#endif
