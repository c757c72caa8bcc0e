#include "predictors/unique_configs.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* Open-addressed table of indices + 1 into unique->configs; 0 is empty. */
static void fill(struct unique_configs *unique, size_t *slots, size_t slot_count,
                 const struct layer_question *questions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct layer_config *config = questions[i].config;
        unique->index[i] = NO_CONFIG;
        if (!config)
            continue;
        uint64_t slot = hash_mix(hash_bytes(HASH_SEED, config, sizeof *config));
        size_t *found = &slots[slot & (slot_count - 1)];
        while (*found && memcmp(&unique->configs[*found - 1], config, sizeof *config) != 0)
            found = &slots[++slot & (slot_count - 1)];
        if (!*found) {
            unique->configs[unique->count] = *config;
            *found = ++unique->count;
        }
        unique->index[i] = *found - 1;
    }
}

static enum status allocate(struct unique_configs *unique, size_t **slots, size_t slot_count,
                            size_t count, struct error *error)
{
    TRY(ALLOCATE(&unique->configs, count, "configs", error));
    TRY(ALLOCATE(&unique->index, count, "indices of configs", error));
    TRY(ALLOCATE(slots, slot_count, "table of configs", error));
    return STATUS_OK;
}

enum status unique_configs_create(struct unique_configs *unique,
                                  const struct layer_question *questions, size_t count,
                                  struct error *error)
{
    size_t *slots = NULL, slot_count = 16;
    while (slot_count < 2 * count)
        slot_count *= 2;
    *unique = (struct unique_configs){.count = 0};
    const enum status status = allocate(unique, &slots, slot_count, count, error);
    if (status == STATUS_OK)
        fill(unique, slots, slot_count, questions, count);
    else
        unique_configs_free(unique);
    free(slots);
    return status;
}

void unique_configs_free(struct unique_configs *unique)
{
    free(unique->configs);
    free(unique->index);
    *unique = (struct unique_configs){.count = 0};
}
