/* Scrambled Sobol32: known answers (taken from cuRAND 13.0's host generator), equality with cuRAND
 * where it is installed, and the property that the sequence is for.
 */
#include "base/sobol.h"
#include "curand_host.h"
#include "test.h"

#include <stdlib.h>

/* Words 0, 1 and 16383 of every dimension. */
static const uint32_t answers[SOBOL_DIMENSION_LIMIT][3] = {
    {0xe20866feu, 0x0c04e445u, 0xe20f476fu}, {0xe63d901fu, 0x2524bff9u, 0x69dd1a9eu},
    {0xb66c0768u, 0x30c4d28bu, 0x49cced3du}, {0x503aeba5u, 0xdc35386eu, 0xee03f9c1u},
    {0xcf314343u, 0x1d6a0a02u, 0xa3526539u}, {0x4d868ae9u, 0x82c19feau, 0xcd278eb2u},
    {0x9723a15au, 0x5b307b47u, 0xe883f9e4u}, {0x71cfd614u, 0xdfbf7bb2u, 0x1a43d6f9u},
    {0x99599e8du, 0x756645b6u, 0x94e36fb3u}, {0xe0965729u, 0x20a9b24cu, 0x07a39ac1u},
    {0xaf46bb4au, 0x160e5503u, 0x7a2a4c63u}, {0x9fc0762eu, 0x62cea297u, 0x05284bb0u},
    {0xcc09cdd8u, 0x32e97c9fu, 0xd36da8efu}, {0x6ab83bdeu, 0xecfa1b99u, 0x1623ffd6u},
    {0x3aa787e8u, 0x924e0363u, 0x53a548b7u}, {0x7f931ed9u, 0xb58b0468u, 0x986c3628u},
    {0x541e8c48u, 0xf2cceb69u, 0xd8c92eb7u}, {0x20a8e15bu, 0xb88763beu, 0x7609f727u},
    {0xb38c61fau, 0x37a97182u, 0xeed88cefu}, {0x98de8cdeu, 0x24f0591cu, 0x2ba2832eu},
    {0x2010e5d9u, 0xb367ecaau, 0x48d6d8beu}, {0x942298f1u, 0x6649288au, 0x3d690ef3u},
    {0x001cfeafu, 0xce88e7d1u, 0x4b5bd876u}, {0x90501f24u, 0x3b903c2bu, 0x38051a7bu},
    {0x4842dfbdu, 0x92caa960u, 0x4311db83u}, {0xab4e84a4u, 0x17d71d30u, 0xe868f405u},
    {0x4e42f1cfu, 0xd3b12c57u, 0x67203625u}, {0xd12ad077u, 0x792e4dd5u, 0x92ea2843u},
    {0xdbba0f64u, 0x3e53c180u, 0x73d87d23u}, {0x3df154e9u, 0xf860f8b0u, 0x0099c3efu},
    {0x241accd9u, 0x8f5c1e25u, 0x1d957f3bu}, {0xffb0f552u, 0x32c9b632u, 0xc39b8fa3u},
};

static void known_answers(void **state)
{
    (void)state;
    for (int dimension = 0; dimension < SOBOL_DIMENSION_LIMIT; dimension++) {
        assert_int_equal(sobol32(0, dimension), answers[dimension][0]);
        assert_int_equal(sobol32(1, dimension), answers[dimension][1]);
        assert_int_equal(sobol32(16383, dimension), answers[dimension][2]);
    }
}

static void index_zero_is_the_scramble_constant(void **state)
{
    (void)state;
    for (int dimension = 0; dimension < SOBOL_DIMENSION_LIMIT; dimension++)
        assert_int_equal(sobol32(0, dimension), sobol_scramble_constants[dimension]);
}

/* Each aligned run of 2^k points has one point in each of 2^k equal intervals, in every dimension,
 * also far from the start. */
static void runs_fill_every_interval(void **state)
{
    (void)state;
    static const uint32_t starts[] = {0, 1024, UINT32_C(1) << 20, UINT32_MAX - 1023};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        for (int dimension = 0; dimension < SOBOL_DIMENSION_LIMIT; dimension++) {
            unsigned char seen[1024] = {0};
            for (uint32_t j = 0; j < 1024; j++)
                seen[sobol32(starts[i] + j, dimension) >> 22]++;
            for (int interval = 0; interval < 1024; interval++)
                assert_int_equal(seen[interval], 1);
        }
}

enum { USED_DIMENSIONS = 12 };

/* The dimensions that a layer kind uses: no two are alike, 4096 points reach every one of 16 x 16
 * cells. (Joe & Kuo's later pairs are not that good: 14 and 19 leave a cell empty.) */
static void pairs_of_dimensions_are_apart(void **state)
{
    (void)state;
    for (int a = 0; a < USED_DIMENSIONS; a++)
        for (int b = 0; b < a; b++) {
            int cells[16][16] = {{0}};
            for (uint32_t i = 0; i < 4096; i++)
                cells[sobol32(i, a) >> 28][sobol32(i, b) >> 28]++;
            for (int cell = 0; cell < 256; cell++)
                if (!cells[cell / 16][cell % 16])
                    fail_msg("dimensions %d and %d leave cell %d empty", a, b, cell);
        }
}

static uint32_t *curand_sobol(unsigned dimensions, size_t count, unsigned long long offset)
{
    struct curand curand = {0};
    const char *reason = curand_open(&curand);
    if (reason) {
        print_message("no comparison with cuRAND: %s\n", reason);
        skip();
    }
    uint32_t *words = malloc(dimensions * count * sizeof *words);
    curand_generator generator;
    assert_non_null(words);
    assert_int_equal(curand.create_host(&generator, CURAND_SCRAMBLED_SOBOL32), 0);
    assert_int_equal(curand.set_dimensions(generator, dimensions), 0);
    assert_int_equal(curand.set_offset(generator, offset), 0);
    assert_int_equal(curand.generate(generator, words, dimensions * count), 0);
    curand.destroy(generator);
    return words; /* (dimensions, count), row-major */
}

static void assert_equal_to_curand(uint32_t count, uint32_t offset)
{
    uint32_t *wanted = curand_sobol(SOBOL_DIMENSION_LIMIT, count, offset);
    for (int dimension = 0; dimension < SOBOL_DIMENSION_LIMIT; dimension++)
        for (uint32_t i = 0; i < count; i++) {
            uint32_t word = sobol32(offset + i, dimension);
            if (word != wanted[(uint32_t)dimension * count + i])
                fail_msg("dimension %d, index %u: %08x is not cuRAND's %08x", dimension, offset + i,
                         word, wanted[(uint32_t)dimension * count + i]);
        }
    free(wanted);
}

static void equal_to_curand(void **state)
{
    (void)state;
    assert_equal_to_curand(16384, 0);
}

static void equal_to_curand_at_an_offset(void **state)
{
    (void)state;
    assert_equal_to_curand(64, 3000000001); // beyond 31 bits
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(index_zero_is_the_scramble_constant),
        cmocka_unit_test(runs_fill_every_interval),
        cmocka_unit_test(pairs_of_dimensions_are_apart),
        cmocka_unit_test(equal_to_curand),
        cmocka_unit_test(equal_to_curand_at_an_offset),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
