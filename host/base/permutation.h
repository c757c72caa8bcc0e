/* Orders of 0..n-1 without memory: of the rows in an epoch, of the configs in a round of a sweep.
 * Compiles as C and as CUDA.
 */
#ifndef EPOCHCAST_BASE_PERMUTATION_H
#define EPOCHCAST_BASE_PERMUTATION_H

#include "base/philox.h"

/* Position `x` of 0..n-1 in the order that `key` names: a 6-round Feistel network over 2 *
 * half_bits bits with cycle walking (a bijection without memory). key: permutation_key(seed,
 * epoch). */
PHILOX_FUNCTION uint32_t permutation_key(uint64_t seed, uint32_t epoch)
{
    return philox(epoch, 0, 0, PHILOX_SHUFFLE, seed).word[0];
}

/* Smallest half_bits with 4^half_bits >= n. */
PHILOX_FUNCTION int permutation_half_bits(uint32_t n)
{
    int half_bits = 1;
    while (half_bits < 16 && (1u << (2 * half_bits)) < n)
        half_bits++;
    return half_bits;
}

PHILOX_FUNCTION uint32_t permutation_rounds(uint32_t x, int half_bits, uint32_t key)
{
    uint32_t mask = (1u << half_bits) - 1, left = x >> half_bits, right = x & mask;
    for (uint32_t round = 1; round <= 6; round++) {
        uint32_t f = ((right + 0x9E3779B9u * round) * 0xCD9E8D57u) ^ key;
        f ^= f >> 15;
        f *= 0xD2511F53u;
        f ^= f >> 13;
        uint32_t next = left ^ (f & mask);
        left = right;
        right = next;
        key = key * 0x01000193u + 0x85ebca6bu;
    }
    return (left << half_bits) | right;
}

PHILOX_FUNCTION uint32_t permutation(uint32_t x, uint32_t n, int half_bits, uint32_t key)
{
    do
        x = permutation_rounds(x, half_bits, key);
    while (x >= n);
    return x;
}

#endif
