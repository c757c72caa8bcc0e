/* Normalisations, transpositions, concatenations and resized images of ONNX become layers: their
 * features, by hand. The models come from tests/python/onnx_move_models.py. */
#include "layers/describe.h"
#include "onnx_folder.h"

/* A layer by its name; of a kind its own features, of an operator its name. */
struct expected {
    const char *layer, *text;
};

static void check_layers(const char *model, const struct expected *cases, size_t count)
{
    struct network network = load(model);
    for (size_t i = 0; i < count; i++) {
        const struct network_layer *layer = find(&network, cases[i].layer);
        struct layer_config config;
        struct error error;
        if (network_layer_is_operator(layer)) {
            assert_string_equal(layer->operator_name, cases[i].text);
            continue;
        }
        char text[512];
        describe_config(text, sizeof text, &layer->config);
        if (describe_parse(&config, cases[i].text, &error) != STATUS_OK)
            fail_msg("%s: %s", cases[i].text, error.message);
        if (memcmp(&config, &layer->config, sizeof config) != 0)
            fail_msg("%s: %s instead of %s", cases[i].layer, text, cases[i].text);
    }
    network_free(&network);
}
#define CHECK_LAYERS(model, cases) check_layers(model, cases, sizeof(cases) / sizeof *(cases))

static void normalisations_are_layers(void **state)
{
    (void)state;
    need_models();
    static const struct expected cases[] = {
        {"groups", "layer_norm:positions=4,width=3,statistics=group,pixels=35"},
        {"uneven", "group_normalization"}, /* a scale per group */
        {"instances", "layer_norm:positions=12,width=1,statistics=group,pixels=35"},
        {"rms", "layer_norm:positions=9,width=16,statistics=rms"},
        {"rms_two", "layer_norm:positions=12,width=35,statistics=rms"},
        {"simplified", "layer_norm:positions=9,width=16,statistics=rms"},
        {"outside", "rms_normalization"}, /* an axis that is not there */
        {"skip", "layer_norm:positions=9,width=16"},
        {"skip_rms", "layer_norm:positions=9,width=16,statistics=rms"},
    };
    CHECK_LAYERS("norms.onnx", cases);
}

/* A sum, its bias, its normalisation; who reads the sum reads the layer that gives it. */
static void skips_are_sums_with_their_normalisation(void **state)
{
    (void)state;
    need_models();
    struct network network = load("norms.onnx");
    const struct network_layer *skip = find(&network, "skip");
    const struct network_layer *sum = &network.layers[network_input(skip, 0)];
    assert_int_equal(layer_input_elements(&skip->config, 0), 9 * 16);
    assert_int_equal(sum->input_count, 2);
    assert_int_equal((int)network_layer_output_count(sum), 9 * 16);
    const int with_bias = network_input(find(&network, "skip_rms"), 0);
    assert_int_equal(network_input(find(&network, "reads_sum"), 0), with_bias);
    const int without = network_input(&network.layers[with_bias], 0);
    assert_ptr_equal(&network.layers[network_input(&network.layers[without], 0)], skip);
    network_free(&network);
}

static void transpositions_are_layers(void **state)
{
    (void)state;
    need_models();
    static const struct expected cases[] = {
        {"last", "transpose:outer=1,matrix_rows=3,matrix_columns=35,inner=1"},
        {"first", "transpose:outer=1,matrix_rows=15,matrix_columns=7,inner=1"},
        {"matrices", "transpose:outer=3,matrix_rows=5,matrix_columns=7,inner=1"},
        {"heads", "transpose:outer=1,matrix_rows=9,matrix_columns=4,inner=6"},
        {"over_one", "transpose:outer=1,matrix_rows=9,matrix_columns=4,inner=6"},
        {"three", "transpose"},   /* two swaps */
        {"samples", "transpose"}, /* with what is a sample each */
        {"back", "slice"},
    };
    CHECK_LAYERS("transposes.onnx", cases);
}

static void concatenations_are_layers(void **state)
{
    (void)state;
    need_models();
    static const struct expected cases[] = {
        {"two", "concat:parts=2,outer=1,first=105,second=70"},
        {"dense", "concat:parts=5,outer=1,first=105,second=70,third=70,rest=70"},
        {"inception", "concat:parts=5,outer=1,first=105,second=70,third=140,rest=70"},
        {"inner", "concat:parts=2,outer=15,first=7,second=2"},
        {"uneven", "concat"},
        {"constants", "concat"},
    };
    CHECK_LAYERS("concats.onnx", cases);
}

static void resized_images_are_layers(void **state)
{
    (void)state;
    need_models();
    static const struct expected cases[] = {
        {"nearest", "resize:image_size=6,output_size=12,channels=3"},
        {"linear",
         "resize:image_size=6,output_size=9,channels=3,interpolation=bilinear,output_width=4"},
        {"one_axis", "resize:image_size=1,output_size=1,channels=3,interpolation=bilinear,"
                     "image_width=10,output_width=20"},
        {"cubic", "resize"},
        {"channels", "resize"},
    };
    CHECK_LAYERS("resizes.onnx", cases);
}

/* Parts and what stays in place are read from the layer that gave the whole. */
static void views_are_no_layers(void **state)
{
    (void)state;
    need_models();
    struct network network = load("transposes.onnx");
    for (int i = 0; i < network.layer_count; i++)
        assert_null(strstr("view parts cut wide", network.layers[i].name));
    assert_int_equal(network_input(find(&network, "reads_view"), 0), -1);
    assert_true(network_layer_input_count(find(&network, "reads_part")) == 5 * 4 * 6);
    assert_true(network_layer_input_count(find(&network, "reads_cut")) == 7 * 4 * 6);
    network_free(&network);
}

static int make_models(void **state)
{
    (void)state;
    return make_onnx_models("onnx_move_models.py");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normalisations_are_layers),
        cmocka_unit_test(skips_are_sums_with_their_normalisation),
        cmocka_unit_test(transpositions_are_layers),
        cmocka_unit_test(concatenations_are_layers),
        cmocka_unit_test(resized_images_are_layers),
        cmocka_unit_test(views_are_no_layers),
    };
    return RUN_TESTS(argc, argv, tests, make_models, remove_onnx_models);
}
