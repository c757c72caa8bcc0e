/* Attention and products of activations in ONNX models. The models come from
 * tests/python/onnx_attention_models.py: four heads, 6 queries, 10 keys, head size 8. */
#include "onnx_check.h"
#include "onnx_folder.h"

static void assert_attention(const struct network *network, const char *name,
                             struct attention wanted)
{
    const struct network_layer *layer = find(network, name);
    assert_string_equal(network_layer_kind(layer), "attention");
    assert_memory_equal(&layer->config.as.attention, &wanted, sizeof wanted);
    assert_int_equal(layer->config.batch_size, 1);
    assert_int_equal(layer->input_count, 3);
}

static void assert_kinds(const struct network *network, const char *kinds)
{
    bool wanted[64];
    char text[256];
    assert_in_range(network->layer_count, 1, 64);
    for (int i = 0; i < network->layer_count; i++)
        wanted[i] = true;
    network_count_kinds(text, sizeof text, network, wanted);
    assert_string_equal(text, kinds);
}

static void patterns_are_one_layer(void **state)
{
    (void)state;
    need_models();
    static const struct {
        const char *model;
        int key_value_heads, causal;
    } cases[] = {{"attention_eager.onnx", 4, SWITCH_NO},
                 {"attention_fused_by_hand.onnx", 4, SWITCH_YES},
                 {"attention_batched.onnx", 4, SWITCH_YES},
                 {"attention_shared.onnx", 2, SWITCH_NO}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct network network = load(cases[i].model);
        assert_kinds(&network, "attention x1");
        assert_attention(
            &network, "context",
            (struct attention){4, cases[i].key_value_heads, 6, 10, 8, cases[i].causal});
        for (int k = 0; k < 3; k++)
            assert_int_equal(network.layers[0].inputs[k], -1);
        assert_true(network_cost(&network.layers[0], 1, PASS_FORWARD, 0, 0).parameter_count == 0);
        network_free(&network);
    }
}

/* What is no attention keeps its layers, all of them. */
static void others_stay_as_they_are(void **state)
{
    (void)state;
    need_models();
    struct network network = load("attention_shown.onnx");
    assert_kinds(&network, "matmul x2, transpose x1, softmax x1");
    network_free(&network);
    network = load("attention_chained.onnx");
    assert_kinds(&network, "attention x1, softmax x1, matmul x1");
    assert_int_equal(network_input(find(&network, "again"), 0), 0);
    network_free(&network);
    network = load("attention_other_axis.onnx");
    assert_kinds(&network, "matmul x2, transpose x1, softmax x1");
    assert_true(network_layer_is_operator(find(&network, "softmax")));
    network_free(&network);
}

static void assert_matmul(const struct network *network, const char *name, struct matmul wanted)
{
    const struct network_layer *layer = find(network, name);
    assert_false(network_layer_is_operator(layer));
    assert_string_equal(network_layer_kind(layer), "matmul");
    assert_memory_equal(&layer->config.as.matmul, &wanted, sizeof wanted);
    assert_int_equal(layer->input_count, 2);
}

static void products_of_activations_are_matmul(void **state)
{
    (void)state;
    need_models();
    struct network network = load("attention_products.onnx");
    assert_matmul(&network, "rows_apart", (struct matmul){4, 6, 8, 10, SWITCH_YES});
    assert_matmul(&network, "turned", (struct matmul){4, 6, 8, 10, SWITCH_YES});
    assert_matmul(&network, "plain", (struct matmul){4, 6, 10, 8, SWITCH_NO});
    assert_matmul(&network, "fused", (struct matmul){4, 6, 8, 10, SWITCH_YES});
    static const char *const others[] = {"left_turned", "shared", "columns"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_true(network_layer_is_operator(find(&network, others[i])));
    /* over heads, too: one matrix per sample, the head summed with the size */
    assert_matmul(&network, "summed", (struct matmul){1, 6, 32, 10, SWITCH_YES});
    const struct network_layer *log = find(&network, "log");
    assert_int_equal(log->config.kind, LAYER_SOFTMAX);
    assert_int_equal(log->config.as.softmax.positions, 40);
    assert_int_equal(log->config.as.softmax.width, 8);
    network_free(&network);
}

static void fused_operators_are_attention(void **state)
{
    (void)state;
    need_models();
    struct network network = load("attention_operators.onnx");
    assert_attention(&network, "three", (struct attention){4, 4, 6, 10, 8, SWITCH_NO});
    assert_true(network_layer_is_operator(find(&network, "with_bias")));
    assert_attention(&network, "grouped", (struct attention){4, 2, 10, 10, 8, SWITCH_YES});
    assert_attention(&network, "cached", (struct attention){4, 2, 6, 11, 8, SWITCH_YES});
    assert_attention(&network, "packed", (struct attention){4, 4, 6, 6, 8, SWITCH_YES});
    const struct network_layer *dense = find(&network, "packed_projections");
    assert_int_equal(dense->config.kind, LAYER_DENSE);
    assert_int_equal(dense->config.batch_size, 6);
    assert_int_equal(dense->config.as.dense.inputs, 32);
    assert_int_equal(dense->config.as.dense.outputs, 96);
    assert_int_equal(dense->config.as.dense.use_bias, SWITCH_YES);
    for (int i = 0; i < 3; i++)
        assert_int_equal(find(&network, "packed")->inputs[i], dense - network.layers);
    char text[256];
    assert_int_equal(network_misfits(text, sizeof text, &network), 0);
    network_free(&network);
}

static void broken_models_are_refused(void **state)
{
    (void)state;
    need_models();
    static const char *const names[] = {"attention_eager.onnx",    "attention_fused_by_hand.onnx",
                                        "attention_batched.onnx",  "attention_shared.onnx",
                                        "attention_chained.onnx",  "attention_products.onnx",
                                        "attention_operators.onnx"};
    const struct mutants mutants = check_mutants(names, sizeof names / sizeof *names, 400);
    assert_true(mutants.read > 0 && mutants.refused > 0);
}

static int setup(void **state)
{
    (void)state;
    return make_onnx_models("onnx_attention_models.py");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_are_one_layer),
        cmocka_unit_test(others_stay_as_they_are),
        cmocka_unit_test(products_of_activations_are_matmul),
        cmocka_unit_test(fused_operators_are_attention),
        cmocka_unit_test(broken_models_are_refused),
    };
    return RUN_TESTS(argc, argv, tests, setup, remove_onnx_models);
}
