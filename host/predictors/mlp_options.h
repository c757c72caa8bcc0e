/* The options of the `mlp` predictor: everything that its nets depend on. */
#ifndef EPOCHCAST_PREDICTORS_MLP_OPTIONS_H
#define EPOCHCAST_PREDICTORS_MLP_OPTIONS_H

#include "predictors/predictor.h"
#include "trainer/trainer.h"

enum { ENSEMBLE_LIMIT = 64 };

struct mlp_options {
    struct fit_options base;
    char preset[16];            /* "default", "paper" */
    int32_t encoding;           /* enum encoding */
    double target_units_per_ms; /* 1: ms (paper), 1000: microseconds */
    double input_limit;         /* inputs are cut to this many standard deviations; 0: never */
    double output_margin; /* highest forecast, as a multiple of the slowest training row; 0: any;
                             output "sum" has its ceilings instead */
    int32_t hidden[MLP_LAYER_LIMIT];
    int32_t hidden_count; /* 0: by kind */
    /* Instead, for rows of several devices; zeros: hidden. */
    int32_t several_hidden[MLP_LAYER_LIMIT];
    int32_t several_hidden_count;
    int32_t output, output_bias;
    int32_t activation; /* enum mlp_activation */
    /* Physical encoding: a kind with at least this many training rows has the columns of steps
     * (with_steps of encode_plan.h). */
    int32_t step_rows;
    /* A kind with at most fold_rows rows (training and test) has `folds` nets (at least 2, or as
     * many as `ensemble`), each of which learns from all of these rows but one fold's, instead of
     * stopping by the test rows; 0 folds: never. */
    int32_t fold_rows, folds;
    struct train_options train; /* its epochs 0: by kind */
    double epoch_share;         /* of the epochs: a search's first rungs */
    int32_t minimum_steps;      /* small data: epochs grow until this many steps; 0: off */
    int32_t ensemble;           /* nets per kind */
    /* Name of a device among the training rows' ("": none): after training on all devices, the nets
     * continue only with its rows; the predictor then covers only that device. */
    char fine_tune[64];
    float tune_rate;     /* of train.learning_rate, for fine-tuning */
    int32_t tune_epochs; /* of fine-tuning */
    /* Once the intervals are calibrated on the test rows, the nets also learn from these:
     * last_share is the number of further epochs as a share of those before (0: none), at last_rate
     * of the learning rate. */
    float last_share, last_rate;
    uint64_t seed;
    double interval_level; /* 0.9 */
    /* Not part of the recipe: the trainer, its threads and its progress. */
    int threads;
    const struct trainer *trainer;
    const struct train_progress *progress;
};

/* Their table: names, bounds, help. */
enum { MLP_OPTION_COUNT = 38 };
extern const struct member mlp_option_table[MLP_OPTION_COUNT];

/* Widths and epochs of a kind: those of the options, or the kind's own. */
struct mlp_recipe {
    const int32_t *hidden;
    int32_t hidden_count, epochs;
};
struct mlp_recipe mlp_recipe_of(const struct mlp_options *options, enum layer_kind kind);

/* The preset "default". */
extern const struct mlp_options mlp_options_standard;

/* STATUS_USAGE with the list for an unknown preset. */
enum status mlp_options_preset(struct mlp_options *options, const char *preset,
                               struct error *error);

#endif
