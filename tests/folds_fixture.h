/* Quick nets of dense layers. */
#ifndef EPOCHCAST_TESTS_FOLDS_FIXTURE_H
#define EPOCHCAST_TESTS_FOLDS_FIXTURE_H

#include "predictors/predictor_mlp.h"
#include "synthetic_rows.h"

static const enum layer_kind dense_only[] = {LAYER_DENSE};

static inline struct mlp_options quick_options(void)
{
    struct mlp_options options = small_fit_options();
    options.minimum_steps = 50;
    options.train.epochs = 2;
    return options;
}

static inline const struct mlp_kind *dense_of(const struct predictor *predictor)
{
    return &((const struct mlp_predictor *)predictor)->kinds[LAYER_DENSE];
}

#endif
