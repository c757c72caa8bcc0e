/* Summary of a trained model, for people. */
#ifndef EPOCHCAST_PREDICTORS_MODEL_SUMMARY_H
#define EPOCHCAST_PREDICTORS_MODEL_SUMMARY_H

#include "predictors/predictor.h"

#include <stdbool.h>

struct model_summary {
    int net_count, column_count;
    char shape[128];               /* "197-128-128-128-1" */
    const char *encoding, *preset; /* borrowed from the model */
    double interval_level;
    double maximum_flops;            /* of a layer that it learnt from; NaN: not known */
    struct held_out_errors held_out; /* count 0: not known */
};

/* False when the model does not know `kind`. */
bool model_summarise(struct model_summary *summary, const struct model *model,
                     enum layer_kind kind);

/* True when the file begins like a model file. */
bool model_recognise(const char *path);

#endif
