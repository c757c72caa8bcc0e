#include "predictors/unique_configs.h"
#include "test.h"

#include <string.h>

static struct layer_config dense(int32_t batch_size, int32_t outputs)
{
    return (struct layer_config){.kind = LAYER_DENSE,
                                 .batch_size = batch_size,
                                 .as.dense = {.inputs = 16, .outputs = outputs}};
}

/* A question for each config. */
static void ask(struct layer_question *questions, const struct layer_config *configs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        questions[i] = (struct layer_question){.config = &configs[i]};
}

static void equal_configs_are_one(void **state)
{
    (void)state;
    struct error error;
    const struct layer_config configs[] = {dense(1, 8), dense(1, 9), dense(1, 8), dense(2, 8),
                                           dense(1, 9)};
    const size_t expected[] = {0, 1, 0, 2, 1};
    struct unique_configs unique;
    struct layer_question questions[5];
    ask(questions, configs, 5);
    assert_int_equal(unique_configs_create(&unique, questions, 5, &error), STATUS_OK);
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
    static struct layer_question questions[2 * COUNT];
    ask(questions, configs, 2 * COUNT);
    assert_int_equal(unique_configs_create(&unique, questions, 2 * COUNT, &error), STATUS_OK);
    assert_int_equal(unique.count, COUNT);
    assert_memory_equal(unique.configs, configs, COUNT * sizeof *configs);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(unique.index[i] == i && unique.index[2 * COUNT - 1 - i] == i);
    unique_configs_free(&unique);
}

static void operators_have_no_config(void **state)
{
    (void)state;
    struct layer_work work;
    work_begin(&work);
    const struct layer_config config = dense(1, 8);
    const struct layer_question questions[] = {
        {.work = &work}, {.config = &config}, {.work = &work}};
    const size_t expected[] = {NO_CONFIG, 0, NO_CONFIG};
    struct unique_configs unique;
    assert_int_equal(unique_configs_create(&unique, questions, 3, NULL), STATUS_OK);
    assert_int_equal(unique.count, 1);
    assert_memory_equal(unique.index, expected, sizeof expected);
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
        cmocka_unit_test(operators_have_no_config),
        cmocka_unit_test(no_configs_are_none),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
