/* FNV-1a, 64 bit: for config identity, split and schema hashes. Not cryptographic. */
#ifndef EPOCHCAST_BASE_HASH_H
#define EPOCHCAST_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_SEED UINT64_C(14695981039346656037)

static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ byte[i]) * UINT64_C(1099511628211);
    return hash;
}

/* Over words of 8 bytes (little-endian) instead of bytes, the rest bytewise: for whole files, eight
 * times as fast. Parts but the last must be whole words. */
static inline uint64_t hash_words(uint64_t hash, const void *bytes, size_t count)
{
    const unsigned char *byte = bytes;
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        uint64_t word;
        memcpy(&word, byte + i, sizeof word);
        hash = (hash ^ word) * UINT64_C(1099511628211);
    }
    return hash_bytes(hash, byte + i, count - i);
}

/* Spreads every input bit over the word (murmur3's finaliser): FNV alone leaves the low bits poor.
 */
static inline uint64_t hash_mix(uint64_t hash)
{
    hash = (hash ^ (hash >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ (hash >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ (hash >> 33);
}

#endif
