/* The measurements seen so far: a set of 64-bit hashes, 11 bytes per row. The probability that two
 * different rows of n share a hash is n^2 / 2^65: 3e-6 for ten million. */
#ifndef EPOCHCAST_DATA_ROW_SET_H
#define EPOCHCAST_DATA_ROW_SET_H

#include "bench/canary.h"
#include "bench/measure.h"

#include <stddef.h>

struct row_set {
    uint64_t *slots; /* (slot_count), 0: free */
    size_t slot_count, count;
};

/* For at most `limit` members. row_set_free frees, also after a failure. */
enum status row_set_create(struct row_set *set, size_t limit, struct error *error);
void row_set_free(struct row_set *set);
/* Room for `more` members than it has; also of a set that is all zeros. */
enum status row_set_reserve(struct row_set *set, size_t more, struct error *error);
/* False: it was in the set. */
bool row_set_add(struct row_set *set, uint64_t hash);

/* Equal for the same measurement: config, device, cache, draw, round and time; where the time is
 * unknown (an import) the median takes its place. Devices differ by `.device`. */
uint64_t row_hash(const struct measurement *row);
uint64_t canary_hash(const struct canary *canary);

#endif
