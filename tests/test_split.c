#include "data/split.h"
#include "layers/describe.h"
#include "layers/sample.h"
#include "test.h"

#include <string.h>

static void shares_are_80_10_10(void **state)
{
    (void)state;
    enum { DRAWS = 20000 };
    int count[SPLIT_COUNT] = {0};
    struct sample_domain domain;
    sample_domain_default(&domain, LAYER_CONV2D);
    for (uint32_t i = 0; i < DRAWS; i++) {
        struct layer_config config;
        enum stratum stratum;
        assert_int_equal(sample_draw(&config, &stratum, &domain, 3, i, NULL), STATUS_OK);
        count[split_of(&config)]++;
    }
    /* five standard deviations of the binomial */
    assert_in_range(count[SPLIT_TRAIN], 0.8 * DRAWS - 283, 0.8 * DRAWS + 283);
    assert_in_range(count[SPLIT_TEST], 0.1 * DRAWS - 213, 0.1 * DRAWS + 213);
    assert_in_range(count[SPLIT_VALIDATION], 0.1 * DRAWS - 213, 0.1 * DRAWS + 213);
}

static struct layer_config dense_config(int32_t outputs)
{
    struct layer_config config;
    assert_int_equal(describe_parse(&config, "dense:batch_size=4,inputs=7,activation=relu", NULL),
                     STATUS_OK);
    config.as.dense.outputs = outputs;
    return config;
}

static void depends_on_the_features_alone(void **state)
{
    (void)state;
    for (int32_t outputs = 1; outputs <= 200; outputs++) {
        const struct layer_config one = dense_config(outputs);
        struct layer_config other;
        memset(&other, 0xa5, sizeof other); /* what lies behind a dense layer must not matter */
        other.kind = LAYER_DENSE;
        for (int i = 0; i < layer_descriptors[LAYER_DENSE]->feature_count; i++) {
            const struct feature *feature = &layer_descriptors[LAYER_DENSE]->features[i];
            layer_set(&other, feature, layer_get(&one, feature));
        }
        assert_int_equal(split_of(&one), split_of(&other));
    }
}

/* Models that were trained long ago must find the same held-out rows: t(rain), e (test), v. */
static void sides_never_change(void **state)
{
    (void)state;
    char sides[33] = "";
    for (int32_t i = 0; i < 32; i++) {
        const struct layer_config config = dense_config(i + 1);
        sides[i] = "tev"[split_of(&config)];
    }
    assert_string_equal(sides, "tttttttetttetetttttvtetttttteete");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_80_10_10),
        cmocka_unit_test(depends_on_the_features_alone),
        cmocka_unit_test(sides_never_change),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
