#include "data/row_set.h"

#include "base/hash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum status row_set_create(struct row_set *set, size_t limit, struct error *error)
{
    set->count = 0;
    set->slot_count = limit + limit / 3 + 16;
    return ALLOCATE(&set->slots, set->slot_count, "hashes of rows", error);
}

void row_set_free(struct row_set *set)
{
    free(set->slots);
    *set = (struct row_set){.slot_count = 0};
}

/* The hash's share of the slots, so that their number need not be a power of two. */
static size_t first_slot(const struct row_set *set, uint64_t hash)
{
    return (size_t)(((unsigned __int128)hash * set->slot_count) >> 64);
}

bool row_set_add(struct row_set *set, uint64_t hash)
{
    hash += hash == 0;
    size_t slot = first_slot(set, hash);
    for (; set->slots[slot] != 0; slot = slot + 1 == set->slot_count ? 0 : slot + 1)
        if (set->slots[slot] == hash)
            return false;
    set->slots[slot] = hash;
    set->count++;
    return true;
}

enum status row_set_reserve(struct row_set *set, size_t more, struct error *error)
{
    struct row_set larger;
    TRY(row_set_create(&larger, set->count + more, error));
    for (size_t i = 0; i < set->slot_count; i++)
        if (set->slots[i])
            row_set_add(&larger, set->slots[i]);
    row_set_free(set);
    *set = larger;
    return STATUS_OK;
}

static uint64_t add_word(uint64_t hash, uint64_t word)
{
    return hash_mix(hash ^ word) + HASH_SEED;
}

/* All NaNs are equal. */
static uint64_t add_number(uint64_t hash, double number)
{
    uint64_t word = 1;
    if (!isnan(number))
        memcpy(&word, &number, sizeof word);
    return add_word(hash, word);
}

uint64_t row_hash(const struct measurement *row)
{
    uint64_t hash = hash_bytes(HASH_SEED, &row->config, sizeof row->config);
    hash = add_word(hash, (uint64_t)row->device << 32 | (uint32_t)row->cache);
    hash = add_word(hash, (uint64_t)row->draw);
    hash = add_word(hash, (uint64_t)row->round);
    return add_number(hash, isnan(row->unix_time_s) ? row->median_ms : row->unix_time_s);
}

uint64_t canary_hash(const struct canary *canary)
{
    const uint64_t hash = add_word(~HASH_SEED, (uint64_t)canary->device);
    return add_number(add_number(hash, canary->unix_time_s), canary->gemm_ms);
}
