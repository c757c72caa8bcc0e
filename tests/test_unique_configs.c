#include "predictors/unique_configs.h"
#include "test.h"

#include <string.h>

static struct layer_config dense(int32_t batch_size, int32_t outputs)
{
    return (struct layer_config){.kind = LAYER_DENSE,
                                 .batch_size = batch_size,
                                 .as.dense = {.inputs = 16, .outputs = outputs}};
}

static void equal_configs_are_one(void **state)
{
    (void)state;
    struct error error;
    const struct layer_config configs[] = {dense(1, 8), dense(1, 9), dense(1, 8), dense(2, 8),
                                           dense(1, 9)};
    const size_t expected[] = {0, 1, 0, 2, 1};
    struct unique_configs unique;
    assert_int_equal(unique_configs_create(&unique, configs, 5, &error), STATUS_OK);
    assert_int_equal(unique.count, 3);
    assert_memory_equal(unique.index, expected, sizeof expected);
    for (size_t i = 0; i < 5; i++)
        assert_memory_equal(&unique.configs[unique.index[i]], &configs[i], sizeof configs[i]);
    unique_configs_free(&unique);
}

/* More configs than the smallest table has slots, each twice. */
static void many_configs_keep_their_order(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    static struct layer_config configs[2 * COUNT];
    struct error error;
    struct unique_configs unique;
    for (int i = 0; i < COUNT; i++)
        configs[i] = configs[2 * COUNT - 1 - i] = dense(1 + i % 7, 1 + i);
    assert_int_equal(unique_configs_create(&unique, configs, 2 * COUNT, &error), STATUS_OK);
    assert_int_equal(unique.count, COUNT);
    assert_memory_equal(unique.configs, configs, COUNT * sizeof *configs);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(unique.index[i] == i && unique.index[2 * COUNT - 1 - i] == i);
    unique_configs_free(&unique);
}

static void no_configs_are_none(void **state)
{
    (void)state;
    struct error error;
    struct unique_configs unique;
    assert_int_equal(unique_configs_create(&unique, NULL, 0, &error), STATUS_OK);
    assert_int_equal(unique.count, 0);
    unique_configs_free(&unique);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_configs_are_one),
        cmocka_unit_test(many_configs_keep_their_order),
        cmocka_unit_test(no_configs_are_none),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
