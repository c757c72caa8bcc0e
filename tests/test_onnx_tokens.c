/* Gathers and losses of ONNX become layers where a kind describes them. The model comes from
 * tests/python/onnx_token_models.py. */
#include "layers/describe.h"
#include "onnx_folder.h"

static void check_kind(const struct network *network, const char *name, const char *text)
{
    const struct network_layer *layer = find(network, name);
    struct layer_config config;
    struct error error;
    if (network_layer_is_operator(layer))
        fail_msg("%s is the operator %s", name, layer->operator_name);
    if (describe_parse(&config, text, &error) != STATUS_OK)
        fail_msg("%s: %s", text, error.message);
    char got[512];
    describe_config(got, sizeof got, &layer->config);
    if (memcmp(&config, &layer->config, sizeof config) != 0)
        fail_msg("%s is %s", name, got);
}

static void check_operator(const struct network *network, const char *name, const char *wanted)
{
    const struct network_layer *layer = find(network, name);
    assert_true(network_layer_is_operator(layer));
    assert_string_equal(layer->operator_name, wanted);
}

static void rows_of_a_matrix_are_an_embedding(void **state)
{
    (void)state;
    need_models();
    struct network network = load("tokens.onnx");
    check_kind(&network, "words", "embedding:positions=6,vocabulary=50,width=8");
    check_kind(&network, "from_behind", "embedding:positions=6,vocabulary=30,width=7");
    check_operator(&network, "columns", "embedding");
    check_operator(&network, "numbers", "embedding");
    network_free(&network);
}

static void means_and_sums_of_losses_are_a_loss(void **state)
{
    (void)state;
    need_models();
    struct network network = load("tokens.onnx");
    check_kind(&network, "mean", "loss:positions=20,classes=21");
    check_kind(&network, "sum", "loss:positions=20,classes=21");
    check_operator(&network, "each", "softmax_cross_entropy_loss");
    check_operator(&network, "weighted", "softmax_cross_entropy_loss");
    check_operator(&network, "both", "softmax_cross_entropy_loss");
    network_free(&network);
}

static int make_models(void **state)
{
    (void)state;
    return make_onnx_models("onnx_token_models.py");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_a_matrix_are_an_embedding),
        cmocka_unit_test(means_and_sums_of_losses_are_a_loss),
    };
    return RUN_TESTS(argc, argv, tests, make_models, remove_onnx_models);
}
