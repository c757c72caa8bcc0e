/* Repeated blocks of a network: twelve equal layers of a transformer are one block, twelve times.
 */
#ifndef EPOCHCAST_NETWORK_NETWORK_BLOCKS_H
#define EPOCHCAST_NETWORK_NETWORK_BLOCKS_H

#include "network/network.h"

/* `length` layers from layer `first` on, then times - 1 times such layers again: of the same kinds
 * with the same features or work, whatever their names, inputs and shared tensors. */
struct network_block {
    int first, length, times;
};

/* The blocks in order; together they are the network. *blocks is freed by the caller. */
enum status network_blocks(struct network_block **blocks, int *count, const struct network *network,
                           struct error *error);

#endif
