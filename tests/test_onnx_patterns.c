/* Operators that exporters write as several nodes are recognised, and nothing else is. The models
 * come from tests/python/onnx_pattern_models.py. */
#include "onnx_folder.h"

/* How often a pattern was recognised. */
static int count_of(const struct network *network, const char *name)
{
    for (int i = 0; i < network->pattern_count; i++)
        if (strcmp(network->patterns[i].name, name) == 0)
            return network->patterns[i].count;
    return 0;
}

struct expected {
    const char *name;
    int count;
};

static void assert_counts(const struct network *network, const struct expected *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (count_of(network, cases[i].name) != cases[i].count)
            fail_msg("%s: %d %s, not %d", network->name, count_of(network, cases[i].name),
                     cases[i].name, cases[i].count);
    assert_int_equal(network->pattern_count, count);
}

/* Every node is part of a pattern: a layer is left of each. */
static void all_variants_are_recognised(void **state)
{
    (void)state;
    need_models();
    static const struct expected cases[] = {
        {"layer_norm", 7}, {"rms_norm", 4},     {"group_norm", 1}, {"gelu", 7},
        {"quick_gelu", 1}, {"silu", 2},         {"mish", 1},       {"repeat_heads", 1},
        {"hard_swish", 4}, {"hard_sigmoid", 1},
    };
    struct network network = load("patterns.onnx");
    int total = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        total += cases[i].count;
    for (int i = 0; i < network.layer_count; i++)
        print_message("%s: %s\n", network.layers[i].name, network_layer_kind(&network.layers[i]));
    assert_counts(&network, cases, sizeof cases / sizeof *cases);
    assert_int_equal(network.layer_count, total);
    network_free(&network);
}

static void old_and_new_operator_sets(void **state)
{
    (void)state;
    need_models();
    static const struct expected old[] = {{"layer_norm", 1}, {"gelu", 1}, {"hard_swish", 1}};
    static const struct expected new[] = {{"layer_norm", 7}, {"rms_norm", 4}};
    struct network network = load("patterns_10.onnx");
    assert_counts(&network, old, 3);
    assert_int_equal(network.layer_count, 3);
    network_free(&network);
    network = load("patterns_18.onnx");
    assert_counts(&network, new, 2);
    assert_int_equal(network.layer_count, 11);
    network_free(&network);
}

static int64_t forward_parameters(const struct network_layer *layer)
{
    return network_cost(layer, 1, PASS_FORWARD, OPTIMIZER_NONE, PRECISION_FP32).parameter_count;
}

/* What it is named after is there, with the parameters and the input. */
static void what_they_become(void **state)
{
    (void)state;
    need_models();
    static const struct {
        const char *layer, *kind;
        int parameters;
    } cases[] = {
        {"layer_norm_torch", "layer_norm", 32},
        {"layer_norm_two_differences", "layer_norm", 32},
        {"layer_norm_tensorflow", "layer_norm", 32},
        {"layer_norm_by_power", "layer_norm", 32},
        {"layer_norm_casts", "layer_norm", 32},
        {"layer_norm_scale", NULL, 16},
        {"layer_norm_plain", NULL, 0},
        {"rms_norm_reciprocal", NULL, 16},
        {"rms_norm_casts", NULL, 16},
        {"group_norm_torch", "layer_norm", 12},
        {"gelu_torch", NULL, 0},
        {"gelu_tanh_fast", NULL, 0},
        {"hard_swish_torch", NULL, 0},
    };
    struct network network = load("patterns.onnx");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct network_layer *layer = find(&network, cases[i].layer);
        const int64_t parameters = forward_parameters(layer);
        if (cases[i].kind)
            assert_string_equal(network_layer_kind(layer), cases[i].kind);
        if (parameters != cases[i].parameters)
            fail_msg("%s: %lld parameters", cases[i].layer, (long long)parameters);
        assert_int_equal(network_layer_input_count(layer), 96);
        assert_int_equal(network_layer_output_count(layer), 96);
        assert_int_equal(layer->input_count, 1);
        assert_int_equal(network_input(layer, 0), -1);
    }
    network_free(&network);
}

/* One detail differs: all nodes stay. */
static void nothing_else_is(void **state)
{
    (void)state;
    need_models();
    static const char *const names[] = {
        "read_inside", "other_axis",    "two_axes",        "two_means",
        "other_power", "large_epsilon", "scale_of_rows",   "group_norm_scaled",
        "other_half",  "other_divisor", "divided_by_x",    "other_bound",
        "other_slope", "other_offset",  "gate_of_another", "grown",
    };
    struct network network = load("no_patterns.onnx");
    for (int i = 0; i < network.pattern_count; i++)
        print_message("%d %s\n", network.patterns[i].count, network.patterns[i].name);
    assert_int_equal(network.pattern_count, 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_non_null(find(&network, names[i]));
    network_free(&network);
}

static void what_the_graph_computes_is_no_parameter(void **state)
{
    (void)state;
    need_models();
    struct network network = load("tables.onnx");
    assert_int_equal(network.layer_count, 3);
    assert_int_equal(forward_parameters(find(&network, "cosines")), 0);
    assert_int_equal(forward_parameters(find(&network, "stored")), 0);
    assert_int_equal(forward_parameters(find(&network, "picked")), 2);
    network_free(&network);
}

static void damaged_patterns(void **state)
{
    (void)state;
    need_models();
    static const char *const names[] = {"patterns.onnx", "patterns_10.onnx", "patterns_18.onnx",
                                        "no_patterns.onnx"};
    const struct mutants mutants = check_mutants(names, sizeof names / sizeof *names, 1000);
    assert_true(mutants.read > 100 && mutants.refused > 100);
}

static int setup(void **state)
{
    (void)state;
    return make_onnx_models("onnx_pattern_models.py");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_variants_are_recognised),
        cmocka_unit_test(old_and_new_operator_sets),
        cmocka_unit_test(what_they_become),
        cmocka_unit_test(nothing_else_is),
        cmocka_unit_test(what_the_graph_computes_is_no_parameter),
        cmocka_unit_test(damaged_patterns),
    };
    return RUN_TESTS(argc, argv, tests, setup, remove_onnx_models);
}
