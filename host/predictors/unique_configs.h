/* The different configs of a list: networks repeat their layers, and a forecast need ask for each
 * config but once. */
#ifndef EPOCHCAST_PREDICTORS_UNIQUE_CONFIGS_H
#define EPOCHCAST_PREDICTORS_UNIQUE_CONFIGS_H

#include "layers/layer.h"

#include <stddef.h>

struct unique_configs {
    struct layer_config *configs; /* (count), in the order of their first places */
    size_t count;
    size_t *index; /* of every place of the list: which of configs stands there */
};

enum status unique_configs_create(struct unique_configs *unique, const struct layer_config *configs,
                                  size_t count, struct error *error);
void unique_configs_free(struct unique_configs *unique);

#endif
