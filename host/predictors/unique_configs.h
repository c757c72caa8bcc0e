/* The distinct configs of a list of questions: networks repeat layers, and a forecast needs each
 * config only once. */
#ifndef EPOCHCAST_PREDICTORS_UNIQUE_CONFIGS_H
#define EPOCHCAST_PREDICTORS_UNIQUE_CONFIGS_H

#include "predictors/predictor.h"

#include <stddef.h>

#define NO_CONFIG SIZE_MAX

struct unique_configs {
    struct layer_config *configs; /* (count), in the order of their first places */
    size_t count;
    size_t *index; /* of every question: index of its config; NO_CONFIG: an operator */
};

enum status unique_configs_create(struct unique_configs *unique,
                                  const struct layer_question *questions, size_t count,
                                  struct error *error);
void unique_configs_free(struct unique_configs *unique);

#endif
