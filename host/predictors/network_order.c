#include "predictors/network_order.h"

#include <stdlib.h>

struct network_place network_place_of(const struct layer_config *config, size_t row)
{
    return (struct network_place){config->pass, config->optimizer, config->batch_size,
                                  layer_hash(config), row};
}

static int compare(const void *first, const void *second)
{
    const struct network_place *a = first, *b = second;
    if (a->pass != b->pass)
        return a->pass < b->pass ? -1 : 1;
    if (a->optimizer != b->optimizer)
        return a->optimizer < b->optimizer ? -1 : 1;
    if (a->batch_size != b->batch_size)
        return a->batch_size < b->batch_size ? -1 : 1;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row; /* the same config, measured twice */
}

void network_places_sort(struct network_place *places, size_t count)
{
    qsort(places, count, sizeof *places, compare);
}
