#include "data/split.h"

#include "base/hash.h"

int fold_of(const struct layer_config *config, int fold_count)
{
    return (int)(hash_mix(hash_mix(layer_hash(config)) / 10) % (uint64_t)fold_count);
}

enum split split_of(const struct layer_config *config)
{
    uint64_t tenth = hash_mix(layer_hash(config)) % 10;
    return tenth < 8 ? SPLIT_TRAIN : tenth == 8 ? SPLIT_TEST : SPLIT_VALIDATION;
}
