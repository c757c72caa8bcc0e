/* Philox4x32-10: known answers of its authors, and equality with cuRAND's host generator. */
#include "base/philox.h"
#include "curand_host.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

/* Random123's kat_vectors, "philox4x32 10". */
static const struct {
    uint32_t counter[4];
    uint64_t key; /* low word first */
    uint32_t words[4];
} answers[] = {
    {{0, 0, 0, 0}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
     UINT64_MAX,
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     UINT64_C(0x299f31d0a4093822),
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static void known_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        const uint32_t *c = answers[i].counter;
        struct philox_words words = philox(c[0], c[1], c[2], c[3], answers[i].key);
        for (int j = 0; j < 4; j++)
            assert_int_equal(words.word[j], answers[i].words[j]);
    }
}

/* Every bit of counter and key changes about half of the 128 bits. */
static int changed_bits(const uint32_t *counter, uint64_t key, struct philox_words from)
{
    struct philox_words to = philox(counter[0], counter[1], counter[2], counter[3], key);
    int count = 0;
    for (int i = 0; i < 4; i++)
        count += __builtin_popcount(from.word[i] ^ to.word[i]);
    return count;
}

static void every_bit_matters(void **state)
{
    (void)state;
    const struct philox_words from = philox(1, 2, 3, 4, 5);
    for (int bit = 0; bit < 192; bit++) {
        uint32_t counter[] = {1, 2, 3, 4};
        uint64_t key = 5;
        if (bit < 128)
            counter[bit / 32] ^= UINT32_C(1) << (bit % 32);
        else
            key ^= UINT64_C(1) << (bit - 128);
        int count = changed_bits(counter, key, from);
        if (count < 36 || count > 92) // 64 -+ 5 sigma
            fail_msg("bit %d changes %d of 128 bits", bit, count);
    }
}

static void uniform_is_open_and_exact(void **state)
{
    (void)state;
    assert_true(philox_uniform(0) == 1.0f / 16777216.0f);
    assert_true(philox_uniform(UINT32_MAX) == 16777215.0f / 16777216.0f);
    assert_true(philox_uniform(UINT32_MAX) < 1);
    assert_true(philox_uniform(0x80000000) == 0.5f + 1.0f / 16777216.0f);
    assert_true(philox_uniform(511) == philox_uniform(0)); // the low 9 bits do not count
    assert_true(philox_uniform(512) > philox_uniform(511));
}

static void uniform_is_uniform(void **state)
{
    (void)state;
    enum { CELLS = 64, COUNT = 64000 };
    int cells[CELLS] = {0};
    double mean = 0, chi_square = 0;
    for (uint32_t i = 0; i < COUNT / 4; i++)
        for (int j = 0; j < 4; j++) {
            float value = philox_uniform(philox(i, 0, 0, PHILOX_NOISE, 7).word[j]);
            mean += value / (double)COUNT;
            cells[(int)(value * CELLS)]++;
        }
    for (int i = 0; i < CELLS; i++)
        chi_square += pow(cells[i] - COUNT / CELLS, 2) / (COUNT / CELLS);
    assert_true(fabs(mean - 0.5) < 5 * sqrt(1.0 / 12 / COUNT));
    assert_true(chi_square > 30 && chi_square < 110); // 63 degrees of freedom: 63 -+ 4 sigma
}

static uint32_t *curand_philox(size_t count, uint64_t seed)
{
    struct curand curand = {0};
    const char *reason = curand_open(&curand);
    if (reason) {
        print_message("no comparison with cuRAND: %s\n", reason);
        skip();
    }
    uint32_t *words = malloc(count * sizeof *words);
    curand_generator generator;
    assert_non_null(words);
    assert_int_equal(curand.create_host(&generator, CURAND_PHILOX), 0);
    assert_int_equal(curand.set_seed(generator, seed), 0);
    assert_int_equal(curand.generate(generator, words, count), 0);
    curand.destroy(generator);
    return words;
}

/* The host generator's default order: 65,536 subsequences in turn, four words of each (the key is
 * the seed, counter word 2 the subsequence), then the next four of each (counter word 0). */
static void equal_to_curand(void **state)
{
    (void)state;
    enum { COUNT = 600000, SUBSEQUENCES = 65536 };
    const uint64_t seed = UINT64_C(0x0123456789abcdef);
    uint32_t *wanted = curand_philox(COUNT, seed);
    for (uint32_t i = 0; i < COUNT; i += 4) {
        uint32_t block = i / 4;
        struct philox_words words = philox(block / SUBSEQUENCES, 0, block % SUBSEQUENCES, 0, seed);
        for (uint32_t j = 0; j < 4; j++)
            if (words.word[j] != wanted[i + j])
                fail_msg("number %u: %08x is not cuRAND's %08x", i + j, words.word[j],
                         wanted[i + j]);
    }
    free(wanted);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(every_bit_matters),
        cmocka_unit_test(uniform_is_open_and_exact),
        cmocka_unit_test(uniform_is_uniform),
        cmocka_unit_test(equal_to_curand),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
