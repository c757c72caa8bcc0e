/* Files and programs of different ages: what a kind gets later orphans no file. */
#include "data/split.h"

#include "grown_dense.h"
#include "test.h"

/* ---- hashes ---- */

static void set_grown(struct layer_config *config, int which, int32_t value)
{
    layer_set(config, &grown_features[which], value);
}

static struct layer_config dense_config(int32_t inputs)
{
    return (struct layer_config){
        .kind = LAYER_DENSE, .batch_size = 4, .as.dense = {.inputs = inputs, .outputs = 3}};
}

static void new_features_leave_hashes_and_split(void **state)
{
    (void)state;
    for (int32_t inputs = 1; inputs < 300; inputs++) {
        struct layer_config config = dense_config(inputs);
        dense_of_schema(1);
        const uint64_t hash = layer_hash(&config);
        const int split = split_of(&config);
        dense_of_schema(3);
        set_grown(&config, 0, 1);
        set_grown(&config, 1, PADDING_SAME);
        assert_true(layer_hash(&config) == hash);
        assert_int_equal(split_of(&config), split);
        set_grown(&config, 0, 2);
        const uint64_t grouped = layer_hash(&config);
        assert_true(grouped != hash);
        set_grown(&config, 1, PADDING_VALID);
        assert_true(layer_hash(&config) != hash && layer_hash(&config) != grouped);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_features_leave_hashes_and_split),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
