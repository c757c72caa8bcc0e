#include "network/network_blocks.h"

#include <string.h>

enum { LENGTH_LIMIT = 512 }; /* of a block that repeats */

static bool is_same(const struct network_layer *a, const struct network_layer *b)
{
    return strcmp(a->operator_name, b->operator_name) == 0 &&
           memcmp(&a->config, &b->config, sizeof a->config) == 0 &&
           memcmp(&a->work, &b->work, sizeof a->work) == 0;
}

/* How often the `length` layers from `first` on follow each other. */
static int count_times(const struct network *network, int first, int length)
{
    int equal = 0; /* layers that are as the one `length` before them */
    const struct network_layer *layers = network->layers;
    while (first + length + equal < network->layer_count &&
           is_same(&layers[first + equal], &layers[first + length + equal]))
        equal++;
    return 1 + equal / length;
}

/* The block from `first` on that makes the network's list shortest; of equal ones the shortest. */
static struct network_block block_at(const struct network *network, int first)
{
    struct network_block best = {first, 1, 1};
    int best_saved = 0;
    const int rest = network->layer_count - first;
    for (int length = 1; length <= LENGTH_LIMIT && 2 * length <= rest; length++) {
        const int times = count_times(network, first, length);
        const int saved = (times - 1) * length;
        if (saved <= best_saved)
            continue;
        best_saved = saved;
        best = (struct network_block){first, length, times};
    }
    return best;
}

/* Letters that the names of the block's layers begin with alike. */
static int common_letters(const struct network *network, int first, int length)
{
    const char *name = network->layers[first].name;
    int common = (int)strlen(name);
    for (int i = 1; i < length; i++) {
        const char *other = network->layers[first + i].name;
        int same = 0;
        while (same < common && other[same] == name[same])
            same++;
        common = same;
    }
    return common;
}

/* A block that repeats may as well begin with its second layer, or third: where its names have most
 * in common ("layer3_"). The layers left before it. */
static int layers_before(const struct network *network, const struct network_block *block)
{
    int best = 0, most = common_letters(network, block->first, block->length);
    for (int shift = 1; shift < block->length; shift++) {
        const int common = common_letters(network, block->first + shift, block->length);
        if (common <= most ||
            count_times(network, block->first + shift, block->length) < block->times)
            continue;
        best = shift;
        most = common;
    }
    return best;
}

enum status network_blocks(struct network_block **blocks, int *count, const struct network *network,
                           struct error *error)
{
    *count = 0;
    TRY(ALLOCATE(blocks, (size_t)network->layer_count, "blocks", error));
    for (int first = 0; first < network->layer_count;) {
        struct network_block block = block_at(network, first);
        const int before = block.times > 1 ? layers_before(network, &block) : 0;
        for (int i = 0; i < before; i++)
            (*blocks)[(*count)++] = (struct network_block){first + i, 1, 1};
        block.first += before;
        (*blocks)[(*count)++] = block;
        first = block.first + block.length * block.times;
    }
    return STATUS_OK;
}
