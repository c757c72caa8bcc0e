/* What a predictor is asked about a network: all layers that have a config at once, then, one by
 * one, what it does not cover, by work alone. */
#ifndef EPOCHCAST_FORECAST_QUESTIONS_H
#define EPOCHCAST_FORECAST_QUESTIONS_H

#include "forecast/forecast.h"

/* About the layers that have a config, in their order. */
struct questions {
    struct layer_question *asked;
    struct layer_config *configs; /* of every layer */
    bool *has_config;             /* of every layer */
    size_t count;
};

/* Free it on failure, too; it starts as zeros. STATUS_USAGE: a layer outside of its bounds. */
enum status questions_create(struct questions *questions, const struct network *network,
                             const struct forecast_options *options, struct error *error);
void questions_free(struct questions *questions);

/* layers (layer_count): the answers, in the questions' order, go to the layers that they are of;
 * all others are not covered. */
void questions_spread(struct prediction *layers, int layer_count,
                      const struct questions *questions);

/* Asks about one layer by its work; what the predictor does not cover takes the roofline of
 * `device` (NaN where that is NULL or its rates are unknown). */
enum status question_ask_work(struct prediction *prediction, const struct network_layer *layer,
                              const struct predictor *predictor, const struct device_info *device,
                              const struct forecast_options *options, struct error *error);

#endif
