/* An order of measured layers in which neighbours resemble the layers of one network: same pass and
 * optimizer, similar batch sizes; within those by hash, as good as random. Sums over neighbours
 * represent sums over a network's layers. */
#ifndef EPOCHCAST_PREDICTORS_NETWORK_ORDER_H
#define EPOCHCAST_PREDICTORS_NETWORK_ORDER_H

#include "layers/layer.h"

struct network_place {
    int32_t pass, optimizer, batch_size;
    uint64_t hash;
    size_t row; /* of the caller's */
};

struct network_place network_place_of(const struct layer_config *config, size_t row);
void network_places_sort(struct network_place *places, size_t count);

#endif
