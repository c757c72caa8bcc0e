/* Predictors that know facts of their training rows, and layers to ask them about. */
#ifndef EPOCHCAST_TESTS_FACTS_FIXTURE_H
#define EPOCHCAST_TESTS_FACTS_FIXTURE_H

#include "forecast/forecast.h"
#include "predictor_calls.h"
#include "predictors/predictor_roofline.h"
#include "predictors/training_facts.h"
#include "synthetic_rows.h"

static const enum layer_kind five_kinds[] = {LAYER_DENSE, LAYER_CONV2D, LAYER_POOL2D, LAYER_BINARY,
                                             LAYER_LAYER_NORM};

/* Rows of five kinds that take `ratio` times their roofline. */
static inline void create_rows(struct dataset_rows *rows, const struct device_info *device,
                               size_t count, double ratio)
{
    synthetic_rows_create(rows, count, five_kinds, 5, device, 1, 0);
    for (size_t i = 0; i < count; i++)
        rows->rows[i].median_ms = ratio * roofline_ms(&rows->rows[i].config, device);
}

static inline struct predictor *fit_facts(const struct predictor_type *type,
                                          const struct dataset_rows *rows)
{
    struct mlp_options options = small_fit_options();
    options.minimum_steps = 20;
    options.train.epochs = 1;
    struct fit_report reports[LAYER_KIND_COUNT];
    struct predictor *predictor = fit_with(type, rows, &options, reports);
    assert_int_equal(training_facts_learn(predictor, rows, reports, 0.9, NULL), STATUS_OK);
    return predictor;
}

static inline void free_fitted(struct predictor *predictor)
{
    training_facts_free(predictor->facts);
    predictor->type->free(predictor);
}

static inline struct forecast_options options_of(int32_t pass, int32_t optimizer)
{
    return (struct forecast_options){
        .batch_size = 2, .pass = pass, .optimizer = optimizer, .price_per_hour = NAN};
}

static inline struct network_layer operator_called(const char *name,
                                                   const struct operator_work *work)
{
    struct network_layer layer = {
        .name = "op", .inputs = (const int[]){-1}, .input_count = 1, .config.batch_size = 1};
    snprintf(layer.operator_name, sizeof layer.operator_name, "%s", name);
    layer.work = *work;
    return layer;
}

#endif
