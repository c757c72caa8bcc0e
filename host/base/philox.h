/* Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), the one
 * random generator of this project. Counter-based: the same (counter, key) gives the same four
 * words everywhere; bit-identical to cuRAND's curand_Philox4x32_10. Header-only: trainers call it
 * in inner loops, and the CUDA sources include it too.
 */
#ifndef EPOCHCAST_BASE_PHILOX_H
#define EPOCHCAST_BASE_PHILOX_H

#include <stdint.h>

#ifdef __CUDACC__
#define PHILOX_FUNCTION static __host__ __device__ inline
#else
#define PHILOX_FUNCTION static inline
#endif

struct philox_words {
    uint32_t word[4];
};

/* The use of a stream of numbers: the last counter word, so that no two uses share numbers. */
enum philox_purpose {
    PHILOX_STRATUM = 1,   /* the stratum of a draw, and its rejected retries */
    PHILOX_SCRAMBLE = 2,  /* XOR masks of the Sobol dimensions */
    PHILOX_NOISE = 3,     /* contents of the benchmark arena */
    PHILOX_FAKE_TIME = 4, /* noise of the fake backend */
    PHILOX_WEIGHTS = 5,   /* initial weights */
    PHILOX_SHUFFLE = 6,   /* permutation of an epoch */
    PHILOX_DROPOUT = 7,   /* dropout masks */
    PHILOX_BOOTSTRAP = 8, /* resampling in statistics */
    PHILOX_SEARCH = 9,    /* recipes of a hyper-parameter search */
    PHILOX_CHECK = 10,    /* which configs of a sweep are checked, and at which elements */
};

PHILOX_FUNCTION struct philox_words philox(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3,
                                           uint64_t key)
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    struct philox_words out = {{c0, c1, c2, c3}};
    return out;
}

/* Uniform in (0, 1): never 0, never 1, exact in float: (2 * (word >> 9) + 1) / 2^24. */
PHILOX_FUNCTION float philox_uniform(uint32_t word)
{
    return (float)(2 * (word >> 9) + 1) * (1.0f / 16777216.0f);
}

#endif
