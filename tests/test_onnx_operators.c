/* Operators of ONNX one by one: shapes, folded values, work. The models come from
 * tests/python/onnx_operator_models.py; the values are by hand, by the operators' definitions. */
#include "onnx_check.h"
#include "onnx_folder.h"

struct expected {
    const char *tensor;
    int rank;
    int64_t dims[5];
};

static void check_shapes(const char *model, const struct expected *cases, size_t count)
{
    char path[512];
    struct mapped_file file;
    struct onnx_graph graph;
    struct error error;
    path_of(path, model);
    assert_int_equal(mapped_file_open(&file, path, NULL), STATUS_OK);
    if (onnx_graph_read(&graph, path, file.bytes, file.size, &error) != STATUS_OK ||
        onnx_infer_shapes(&graph, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    for (size_t i = 0; i < count; i++) {
        const struct onnx_value *value = find_value(&graph, cases[i].tensor);
        if (value->rank != cases[i].rank)
            fail_msg("%s: %d dimensions", cases[i].tensor, value->rank);
        for (int axis = 0; axis < value->rank; axis++)
            if (value->dims[axis] != cases[i].dims[axis])
                fail_msg("%s: dimension %d is %lld", cases[i].tensor, axis,
                         (long long)value->dims[axis]);
    }
    onnx_graph_free(&graph);
    mapped_file_close(&file);
}

static void shapes_are_as_defined(void **state)
{
    (void)state;
    need_models();
    static const struct expected cases[] = {
        {"pick_out", 3, {1, 3, 8}},
        {"pick_all_out", 1, {1}},
        {"hot_out", 3, {1, 6, 10}},
        {"hot_front_out", 3, {10, 1, 6}},
        {"heads_out", 4, {1, 4, 6, 8}},
        {"grouped_out", 3, {1, 5, 36}},
        {"present_keys", 4, {1, 2, 7, 6}},
        {"present_values", 4, {1, 2, 7, 9}},
        {"scores_out", 4, {1, 4, 6, 6}},
        {"implied_out", 4, {1, 4, 6, 5}},
        {"diagonal_out", 3, {8, 4, 1}},
        {"chain_out", 3, {1, 5, 9}},
        {"stft_out", 4, {1, 8, 201, 2}},
        {"dft_out", 3, {1, 33, 2}},
        {"sampled_out", 4, {1, 4, 3, 5}},
        {"rois_out", 4, {7, 4, 3, 2}},
        {"deformed_out", 4, {1, 10, 6, 8}},
        {"padded_out", 4, {1, 4, 12, 12}},
        {"grown_out", 4, {1, 4, 12, 24}},
        {"fitted_out", 4, {1, 4, 9, 12}},
        {"filled_out", 4, {1, 4, 12, 16}},
        {"cropped_out", 4, {1, 4, 5, 5}},
        {"image_out", 4, {1, 5, 4, 5}},
        {"unpooled_out", 4, {1, 4, 12, 16}},
        {"norm_out", 4, {1, 4, 6, 8}},
        {"norm_mean", 4, {1, 4, 6, 1}},
        {"norm_deviation", 4, {1, 4, 6, 1}},
        {"rms_out", 4, {1, 4, 6, 8}},
        {"tail_out", 1, {2}},
        {"beyond_out", 1, {3}},
        {"none_out", 1, {0}},
        {"places_of_out", 2, {4, 192}},
        {"kept_out", 2, {60, 3}},
        {"some_out", 4, {1, 2, 6, 8}},
        {"nothing_out", 4, {1, 4, 6, 0}},
        {"nothing_more_out", 4, {1, 4, 6, 8}},
        {"uneven_a", 4, {1, 4, 6, 3}},
        {"uneven_c", 4, {1, 4, 6, 2}},
        {"determinant_out", 2, {1, 4}},
    };
    check_shapes("shapes.onnx", cases, sizeof cases / sizeof *cases);
}

/* A shape that is computed comes out whole: Pow, Round, Clip, Split, And, Not, tables, ... */
static void shape_arithmetic_is_followed(void **state)
{
    (void)state;
    need_models();
    static const struct expected cases[] = {
        {"power_out", 1, {4}},
        {"rounded_out", 1, {8}},
        {"part_out", 1, {12}},
        {"where_out", 1, {2}},
        {"column_out", 2, {2, 4}},
        {"far_out", 1, {90}},
        {"largest_out", 2, {9, 8}},
        {"sums_out", 3, {11, 15, 10}},
        {"tiled_out", 3, {2, 2, 2}},
        {"padded_out", 4, {3, 2, 3, 3}},
        {"scattered_out", 3, {4, 16, 4}},
        {"halves_out", 2, {6, 2}},
        {"spread_row_out", 3, {3, 4, 5}},
        {"found_out", 3, {1, 3, 4}},
    };
    check_shapes("folds.onnx", cases, sizeof cases / sizeof *cases);
}

static void work_is_as_defined(void **state)
{
    (void)state;
    need_models();
    static const struct {
        const char *layer, *kind;
        double forward_flops, parameter_count;
    } cases[] = {
        {"grouped", "attention", 2 * 4 * 35 * 15 + 5 * 4 * 35, 0},
        {"implied", "einsum", 2 * 192 * 5, 40},
        {"diagonal", "einsum", 192, 0},
        {"chain", "einsum", 2 * (5 * 24 * 3 + 5 * 3 * 9), 72 + 27},
        {"deformed", "deform_conv", 2 * 480 * 36 + 8 * 48 * 36, 360},
        {"hard", "hard_max", 2 * 192, 0},
        {"noise", "random_normal", 8 * 192, 0},
        {"scaled", "binary", 0, 0}, /* a layer: its work is the kind's */
        {"placed", "scatter_nd", 0, 48},
    };
    struct network network = load("shapes.onnx");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct network_layer *layer = find(&network, cases[i].layer);
        assert_string_equal(network_layer_kind(layer), cases[i].kind);
        if (layer->work.forward_flops != cases[i].forward_flops ||
            layer->work.parameter_count != cases[i].parameter_count)
            fail_msg("%s: %g operations, %g parameters", cases[i].layer, layer->work.forward_flops,
                     layer->work.parameter_count);
    }
    const struct attention heads = {4, 4, 6, 6, 8, SWITCH_NO};
    assert_int_equal(find(&network, "heads")->config.kind, LAYER_ATTENTION);
    assert_memory_equal(&find(&network, "heads")->config.as.attention, &heads, sizeof heads);
    for (int i = 0; i < network.layer_count; i++) /* what is empty or constant is no work */
        assert_null(strstr("nothing like word", network.layers[i].name));
    network_free(&network);
}

/* A shape in a few bytes that asks for terabytes, in whatever operator. */
static void huge_shapes_are_refused(void **state)
{
    (void)state;
    need_models();
    static const struct {
        const char *name, *message;
    } cases[] = {
        {"expand", "node 'big' (Expand, byte 6): its output would have 4.398e+12 elements"},
        {"constant_of_shape", "4.398e+12 elements (1.759e+04 GB), more than 2^36"},
        {"tile", "4.398e+12 elements"},
        {"tile_row", "dimension 1 of its output would be 1099511627776"},
        {"tile_less", "dimension 1 of its output would be -4"},
        {"pad", "1.1e+12 elements (4398 GB)"},
        {"resize", "1.1e+12 elements"},
        {"random", "1.1e+12 elements"},
        {"one_hot", "4.398e+12 elements"},
        {"range", "dimension 0 of its output would be 1099511627776"},
        {"outer", "1.1e+12 elements"},
        {"window", "1.756e+13 elements"},
        {"center_crop", "1.1e+12 elements"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[64];
        struct error error;
        struct network network;
        snprintf(name, sizeof name, "huge_%s.onnx", cases[i].name);
        assert_int_equal(load_status(&network, name, &error), STATUS_BAD_FILE);
        if (!strstr(error.message, cases[i].message))
            fail_msg("%s: %s", name, error.message);
    }
}

/* Heads, groups and gates that do not divide what they are of. */
static void uneven_parts_are_refused(void **state)
{
    (void)state;
    need_models();
    static const struct {
        const char *name, *message;
    } cases[] = {
        {"attention", "7 heads of queries, no multiple of 3 of keys and values"},
        {"attention_4d", "4 heads of queries, no multiple of 3 of keys and values"},
        {"packed", "num_heads is 5 for 8 columns"},
        {"packed_none", "num_heads is 0 for 8 columns"},
        {"three", "num_heads is 3 for 8 columns"},
        {"grouped", "4 heads of queries, 3 of keys and values"},
        {"deconvolution", "group is 3 for 4 channels"},
        {"deconvolution_none", "group is 0 for 4 channels"},
        {"norm", "num_groups is 3 for 4 channels"},
        {"norm_none", "num_groups is 0 for 4 channels"},
        {"lstm", "weights of 7 and 7 gates for a state of 3"},
        {"stateless", "weights of 0 and 0 gates for a state of 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[64];
        struct error error;
        struct network network;
        snprintf(name, sizeof name, "uneven_%s.onnx", cases[i].name);
        if (load_status(&network, name, &error) != STATUS_BAD_FILE)
            fail_msg("%s is read", name);
        if (!strstr(error.message, cases[i].message))
            fail_msg("%s: %s", name, error.message);
    }
}

static int make_models(void **state)
{
    (void)state;
    return make_onnx_models("onnx_operator_models.py");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_are_as_defined),    cmocka_unit_test(shape_arithmetic_is_followed),
        cmocka_unit_test(work_is_as_defined),       cmocka_unit_test(huge_shapes_are_refused),
        cmocka_unit_test(uneven_parts_are_refused),
    };
    return RUN_TESTS(argc, argv, tests, make_models, remove_onnx_models);
}
