/* Calls of predictors that must go well. Include after CMocka. */
#ifndef EPOCHCAST_TESTS_PREDICTOR_CALLS_H
#define EPOCHCAST_TESTS_PREDICTOR_CALLS_H

#include "predictors/mlp_options.h"
#include "test.h"

#include <math.h>

/* options: of `mlp`; others take their defaults. reports may be NULL. */
static inline struct predictor *fit_with(const struct predictor_type *type,
                                         const struct dataset_rows *rows,
                                         const struct mlp_options *options,
                                         struct fit_report *reports)
{
    struct predictor *predictor;
    struct error error = {0};
    const struct fit_options *own = type == &predictor_mlp ? &options->base : NULL;
    if (type->fit(&predictor, rows, own, reports, &error) != STATUS_OK)
        fail_msg("fit: %s", error.message);
    return predictor;
}

static inline struct prediction predict_one(const struct predictor *predictor,
                                            const struct layer_config *config,
                                            const struct device_info *device)
{
    struct prediction prediction;
    assert_int_equal(predict_configs(&prediction, predictor, config, 1, device, NULL), STATUS_OK);
    return prediction;
}

/* A forecast of the first device with an interval around it. */
static inline void assert_sane(const struct predictor *predictor, const struct layer_config *config)
{
    const struct prediction prediction = predict_one(predictor, config, NULL);
    assert_true(prediction.covered);
    assert_true(isfinite(prediction.median_ms) && prediction.median_ms > 0);
    assert_true(prediction.low_ms > 0 && prediction.low_ms < prediction.median_ms);
    assert_true(prediction.high_ms > prediction.median_ms && isfinite(prediction.high_ms));
}

#endif
