/* Concatenation's kernel, run in the shim: every byte in its place, there and back. */
#include "base/philox.h"
#include "join.h"
#include "test.h"

#include <string.h>

static const struct {
    int64_t rows;
    int count;
    int64_t bytes[JOIN_LIMIT]; /* those that are not named are as the last */
    int named;
} shapes[] = {
    {1, 2, {16, 32}, 2},        {3, 2, {2, 6}, 2},     {5, 4, {256, 512, 64, 128}, 4},
    {7, 3, {4, 1200, 8}, 3},    {2, 64, {128, 64}, 2}, {300, 2, {8, 24}, 2},
    {2, 5, {100000, 16, 4}, 3},
};

static unsigned char *make_bytes(int64_t count, uint32_t seed)
{
    void *bytes;
    assert_int_equal(cudaMalloc(&bytes, (size_t)count), cudaSuccess);
    for (int64_t i = 0; i < count; i++)
        ((unsigned char *)bytes)[i] = (unsigned char)philox((uint32_t)i, 0, 0, seed, 1).word[0];
    return bytes;
}

static void assert_parts_are_in_the_whole(const struct joined_rows *joined, int64_t row_bytes)
{
    int64_t start = 0;
    for (int i = 0; i < joined->count; start += joined->bytes[i++])
        for (int64_t row = 0; row < joined->rows; row++)
            assert_memory_equal((unsigned char *)joined->whole + row * row_bytes + start,
                                (unsigned char *)joined->parts[i] + row * joined->bytes[i],
                                (size_t)joined->bytes[i]);
}

static void parts_are_joined_and_parted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct joined_rows joined = {.rows = shapes[i].rows, .count = shapes[i].count};
        int64_t row_bytes = 0;
        for (int j = 0; j < joined.count; j++) {
            joined.bytes[j] = shapes[i].bytes[j < shapes[i].named ? j : shapes[i].named - 1];
            joined.parts[j] = make_bytes(joined.rows * joined.bytes[j], (uint32_t)j);
            row_bytes += joined.bytes[j];
        }
        joined.whole = make_bytes(joined.rows * row_bytes, 100);
        assert_int_equal(launch_join(&joined, NULL), cudaSuccess);
        assert_parts_are_in_the_whole(&joined, row_bytes);
        for (int64_t k = 0; k < joined.rows * row_bytes; k++)
            ((unsigned char *)joined.whole)[k] ^= (unsigned char)(k * 7 + 1);
        assert_int_equal(launch_part(&joined, NULL), cudaSuccess);
        assert_parts_are_in_the_whole(&joined, row_bytes);
        for (int j = 0; j < joined.count; j++)
            cudaFree(joined.parts[j]);
        cudaFree(joined.whole);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parts_are_joined_and_parted)};
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
