/* Arithmetic that both trainer engines share, to the bit: the permutation of an epoch, the dropout
 * decision, the learning rate. Compiles as C and as CUDA. Philox counters: (step, row, group,
 * purpose).
 */
#ifndef EPOCHCAST_MODEL_TRAINER_MATH_H
#define EPOCHCAST_MODEL_TRAINER_MATH_H

#include "base/philox.h"

/* Position `x` of 0..n-1 in the order of an epoch: a 6-round Feistel network over 2 * half_bits
 * bits with cycle walking (a bijection without memory). key: permutation_key(seed, epoch). */
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

/* A unit is kept when its 16 random bits are below this. */
PHILOX_FUNCTION uint32_t dropout_threshold(float dropout)
{
    return (uint32_t)((1.0 - (double)dropout) * 65536.0 + 0.5);
}

/* Eight decisions a call: unit 8 * group + lane of row `row` of the batch in `step` has 16 bits:
 * lane even is the low half of word lane / 2, odd the high half. */
PHILOX_FUNCTION struct philox_words dropout_words(uint32_t step, uint32_t row, uint32_t group,
                                                  uint64_t seed)
{
    return philox(step, row, group, PHILOX_DROPOUT, seed);
}
PHILOX_FUNCTION uint32_t dropout_bits(struct philox_words words, uint32_t lane)
{
    return (words.word[lane >> 1] >> (16 * (lane & 1))) & 0xFFFFu;
}

#endif
