/* Transposition's kernels, run in the shim: every byte in its place. */
#include "base/philox.h"
#include "test.h"
#include "turn.h"

#include <stdlib.h>
#include <string.h>

/* Blocks of single elements, of units of 2 to 16 bytes; tiles of 32 and their edges; more tiles
 * than blocks of the grid is left to the GPU. */
static const struct turned_matrices shapes[] = {
    {1, 1, 1, 2},    {1, 64, 32, 4},  {3, 33, 70, 4},  {2, 31, 65, 2}, {2, 1, 100, 4},
    {1, 100, 1, 2},  {4, 7, 12, 256}, {2, 40, 3, 6},   {2, 9, 33, 8},  {3, 5, 6, 12},
    {1, 50, 60, 24}, {2, 3, 4, 1000}, {1, 130, 2, 16},
};

static unsigned char *make_bytes(size_t count)
{
    void *bytes;
    assert_int_equal(cudaMalloc(&bytes, count), cudaSuccess);
    for (size_t i = 0; i < count; i++)
        ((unsigned char *)bytes)[i] = (unsigned char)philox((uint32_t)i, 0, 0, 0, 1).word[0];
    return bytes;
}

static void check(const struct turned_matrices *m)
{
    const size_t block = (size_t)m->block_bytes;
    const size_t count = (size_t)(m->outer * m->rows * m->columns) * block;
    unsigned char *from = make_bytes(count), *to = make_bytes(count);
    assert_int_equal(launch_turn(to, from, m, NULL), cudaSuccess);
    for (int64_t i = 0; i < m->outer; i++)
        for (int64_t row = 0; row < m->rows; row++)
            for (int64_t column = 0; column < m->columns; column++)
                assert_memory_equal(
                    to + (size_t)((i * m->columns + column) * m->rows + row) * block,
                    from + (size_t)((i * m->rows + row) * m->columns + column) * block, block);
    cudaFree(from);
    cudaFree(to);
}

static void rows_and_columns_change_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check(&shapes[i]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_and_columns_change_places)};
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
