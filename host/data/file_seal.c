#include "data/file_seal.h"

#include "base/hash.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_SIZE = 1 << 18 };
static const char mark[8] = {'e', 'p', 'o', 'c', 'h', 'e', 'n', 'd'};

static void store_word(unsigned char *bytes, uint64_t word)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(word >> (8 * i));
}

static bool read_at(void *bytes, int descriptor, size_t at, size_t size)
{
    for (size_t done = 0; done < size;) {
        const ssize_t count = pread(descriptor, (char *)bytes + done, size - done,
                                    (off_t)(at + done));
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        done += (size_t)count;
    }
    return true;
}

/* All blocks except the last are whole words. */
static bool hash_file(uint64_t *hash, int descriptor, size_t size, unsigned char *block)
{
    *hash = HASH_SEED;
    for (size_t at = 0; at < size; at += BLOCK_SIZE) {
        const size_t count = size - at < BLOCK_SIZE ? size - at : BLOCK_SIZE;
        if (!read_at(block, descriptor, at, count))
            return false;
        *hash = hash_words(*hash, block, count);
    }
    *hash = hash_mix(*hash);
    return true;
}

bool file_seal_make(unsigned char seal[FILE_SEAL_SIZE], int descriptor, size_t size)
{
    uint64_t hash = 0;
    unsigned char *block = malloc(BLOCK_SIZE);
    const bool is_read = block && hash_file(&hash, descriptor, size, block);
    free(block);
    memcpy(seal, mark, sizeof mark);
    store_word(seal + 8, size);
    store_word(seal + 16, hash);
    return is_read;
}

enum file_seal file_seal_check(int descriptor, size_t size)
{
    unsigned char expected[FILE_SEAL_SIZE], tail[FILE_SEAL_SIZE];
    const size_t tail_size = size < sizeof tail ? size : sizeof tail;
    if (!read_at(tail, descriptor, size - tail_size, tail_size))
        return FILE_SEAL_BROKEN;
    /* The mark, if it is at the place of a whole or a truncated seal. */
    const unsigned char *seal = memmem(tail, tail_size, mark, sizeof mark);
    if (!seal)
        return FILE_SEAL_NONE;
    if (seal != tail || tail_size != FILE_SEAL_SIZE ||
        !file_seal_make(expected, descriptor, size - FILE_SEAL_SIZE))
        return FILE_SEAL_BROKEN;
    return memcmp(seal, expected, sizeof expected) == 0 ? FILE_SEAL_GOOD : FILE_SEAL_BROKEN;
}
