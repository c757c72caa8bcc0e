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
    double output_margin; /* highest forecast, as a multiple of the slowest training row (or of that
                             row's time relative to the roofline); 0: any */
    int32_t hidden[MLP_LAYER_LIMIT];
    int32_t hidden_count;
    int32_t
        several_hidden[MLP_LAYER_LIMIT]; /* instead, for rows of several devices; zeros: hidden */
    int32_t several_hidden_count;
    int32_t output, output_bias;
    int32_t activation; /* enum mlp_activation */
    /* Physical encoding: a kind with at least this many training rows has the columns of steps
     * (with_steps of encode_plan.h). */
    int32_t step_rows;
    /* A kind with at most this many training rows learns ln(1 + t) minus the roofline's (only with
     * output log); with more rows, a net learns better without the roofline. */
    int32_t roofline_rows;
    struct train_options train;
    int32_t minimum_steps; /* small data: epochs grow until this many steps; 0: off */
    int32_t ensemble;      /* nets per kind */
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
enum { MLP_OPTION_COUNT = 37 };
extern const struct member mlp_option_table[MLP_OPTION_COUNT];

/* The preset "default". */
extern const struct mlp_options mlp_options_standard;

/* STATUS_USAGE with the list for an unknown preset. */
enum status mlp_options_preset(struct mlp_options *options, const char *preset,
                               struct error *error);

#endif
