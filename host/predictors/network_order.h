/* An order of measured layers in which neighbours are like the layers of one network: same pass and
 * optimizer, near batch sizes; among those by hash, which is as good as at random. Sums over
 * neighbours stand for sums over a network's layers.
 */
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
