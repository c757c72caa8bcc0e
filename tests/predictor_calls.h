/* Calls of predictors that must go well. Include after CMocka. */
#ifndef EPOCHCAST_TESTS_PREDICTOR_CALLS_H
#define EPOCHCAST_TESTS_PREDICTOR_CALLS_H

#include "predictors/predictor.h"
#include "test.h"

/* reports may be NULL. */
static inline struct predictor *fit_with(const struct predictor_type *type,
                                         const struct dataset_rows *rows,
                                         const struct fit_options *options,
                                         struct fit_report *reports)
{
    struct predictor *predictor;
    struct error error = {0};
    if (type->fit(&predictor, rows, options, reports, &error) != STATUS_OK)
        fail_msg("fit: %s", error.message);
    return predictor;
}

static inline struct prediction predict_one(const struct predictor *predictor,
                                            const struct layer_config *config,
                                            const struct device_info *device)
{
    struct prediction prediction;
    assert_int_equal(predictor->type->predict(&prediction, predictor, config, 1, device, NULL),
                     STATUS_OK);
    return prediction;
}

#endif
