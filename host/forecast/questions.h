/* Questions to a predictor about a network: first, in one call, all layers with a config; then each
 * layer that it did not cover, only by its work. */
#ifndef EPOCHCAST_FORECAST_QUESTIONS_H
#define EPOCHCAST_FORECAST_QUESTIONS_H

#include "forecast/forecast.h"

struct questions {
    struct layer_question *asked; /* (count), about the layers with a config, in their order */
    struct layer_config *configs; /* of every layer */
    bool *has_config;             /* of every layer */
    size_t count;
};

/* `questions` starts as zeros; questions_free releases, also after a failure. STATUS_USAGE: a layer
 * outside of its bounds. */
enum status questions_create(struct questions *questions, const struct network *network,
                             const struct forecast_options *options, struct error *error);
void questions_free(struct questions *questions);

/* Moves the answers, which are the first of layers (layer_count), to their layers; the others
 * become uncovered. */
void questions_spread(struct prediction *layers, int layer_count,
                      const struct questions *questions);

/* Asks about one layer by its work. If the predictor does not cover it, the time is at least the
 * roofline's on `device` (NaN if that is NULL or its rates are unknown). */
enum status question_ask_work(struct prediction *prediction, const struct network_layer *layer,
                              const struct predictor *predictor, const struct device_info *device,
                              const struct forecast_options *options, struct error *error);

#endif
