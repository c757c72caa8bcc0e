#include "data/file_seal.h"

#include "base/hash.h"

#include <stdint.h>
#include <string.h>

static const char mark[8] = {'e', 'p', 'o', 'c', 'h', 'e', 'n', 'd'};

static uint64_t load_word(const unsigned char *bytes)
{
    uint64_t word = 0;
    for (int i = 7; i >= 0; i--)
        word = word << 8 | bytes[i];
    return word;
}

static void store_word(unsigned char *bytes, uint64_t word)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(word >> (8 * i));
}

/* FNV-1a over words instead of bytes (a file of 30 MB in 30 ms), the rest bytewise. */
static uint64_t hash_words(const unsigned char *bytes, size_t size)
{
    uint64_t hash = HASH_SEED;
    size_t i = 0;
    for (; i + 8 <= size; i += 8)
        hash = (hash ^ load_word(bytes + i)) * UINT64_C(1099511628211);
    return hash_mix(hash_bytes(hash, bytes + i, size - i));
}

void file_seal_make(unsigned char seal[FILE_SEAL_SIZE], const void *bytes, size_t size)
{
    memcpy(seal, mark, sizeof mark);
    store_word(seal + 8, size);
    store_word(seal + 16, hash_words(bytes, size));
}

/* The mark, if it stands where a whole or a cut seal would have it. */
static const unsigned char *find_mark(const void *bytes, size_t size)
{
    const size_t tail = size < FILE_SEAL_SIZE ? size : FILE_SEAL_SIZE;
    return memmem((const unsigned char *)bytes + size - tail, tail, mark, sizeof mark);
}

enum file_seal file_seal_check(const void *bytes, size_t size)
{
    unsigned char expected[FILE_SEAL_SIZE];
    const unsigned char *seal = find_mark(bytes, size);
    if (!seal)
        return FILE_SEAL_NONE;
    const size_t content = (size_t)(seal - (const unsigned char *)bytes);
    if (content + FILE_SEAL_SIZE != size)
        return FILE_SEAL_BROKEN;
    file_seal_make(expected, bytes, content);
    return memcmp(seal, expected, sizeof expected) == 0 ? FILE_SEAL_GOOD : FILE_SEAL_BROKEN;
}
