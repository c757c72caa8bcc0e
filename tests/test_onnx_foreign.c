/* ONNX files as other programs write them -> networks: the batch, shared weights, operators of
 * other domains. The models come from tests/python/onnx_foreign.py: without python3-onnx these
 * tests are skipped. Figures by hand: 2 operations per multiply-add. */
#include "forecast/memory.h"
#include "network/network.h"
#include "onnx_folder.h"

static enum status load_sized(struct network *network, const char *name,
                              struct dimension_sizes *sizes, struct error *error)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.onnx", folder, name);
    *error = (struct error){.hint = ""};
    return network_load_sized(network, path, sizes, error);
}

static struct cost forward(const struct network_layer *layer)
{
    return network_cost(layer, 1, PASS_FORWARD, OPTIMIZER_NONE, PRECISION_FP32);
}

/* ---- the batch ---- */

static void the_batch_is_an_axis_that_nothing_mixes(void **state)
{
    (void)state;
    need_models();
    static const struct {
        const char *model, *sizes, *axis;
        int64_t in_file;
        const char *layer, *text;
        double flops; /* of the layer, of one sample */
    } cases[] = {
        {"image_chw", NULL, NULL, 0, "conv", "no axis is a batch", 2 * 64 * 4 * 27},
        {"image_chw_both", NULL, NULL, 0, "conv", "no axis is a batch", 2 * 64 * 3 * 27},
        {"image_hwc", NULL, NULL, 0, "conv", "no axis is a batch", 2 * 64 * 4 * 27},
        {"spectrogram", NULL, NULL, 0, "dense", "no axis is a batch", 2 * 30 * 80 * 20},
        {"spectrogram", NULL, "x:1", 0, "dense", "axis 1 of input 'x', 30", 2 * 80 * 20},
        {"nodes_by_nodes", NULL, NULL, 0, "mix", "no axis is a batch", 2 * 10 * 10 * 4},
        {"nodes_by_nodes", NULL, NULL, 0, "dense", "no axis is a batch", 2 * 10 * 4 * 5},
        {"nodes_open", "nodes=7", NULL, 0, "mix", "no axis is a batch", 2 * 7 * 7 * 4},
        {"time_major", NULL, NULL, 0, "dense", "axis 1 of input 'x', 1 sample in", 2 * 5 * 8 * 16},
        {"time_major", NULL, "x:0", 0, "dense", "axis 0 of input 'x', 5 samples", 2 * 8 * 16},
        {"time_major_open", NULL, NULL, 0, "dense", "axis 1 of input 'x', open", 2 * 5 * 8 * 16},
        {"time_major_open", "batch=3", NULL, 0, "dense", "axis 1 of input 'x', 3 samples",
         2 * 5 * 8 * 16},
        {"time_major_open", NULL, NULL, 6, "dense", "axis 1 of input 'x', open", 2 * 5 * 8 * 16},
        {"audio", NULL, NULL, 0, "conv", "axis 0 of input 'x', 4 samples", 2 * 32 * 2 * 3},
        {"masked", NULL, NULL, 0, "scores", "axis 0 of input 'x', 4 samples", 2 * 6 * 6 * 8},
        {"masked", NULL, NULL, 0, "root", "axis 0 of input 'x', 4 samples", 36},
        {"rows", NULL, NULL, 0, "dense", "axis 0 of input 'x', 12 samples", 2 * 8 * 16},
        {"rows", NULL, NULL, 1, "dense", "no axis is a batch", 2 * 12 * 8 * 16},
        {"rows", NULL, NULL, 4, "dense", "4 samples in the file", 2 * 3 * 8 * 16},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dimension_sizes sizes = {.batch_axis = cases[i].axis,
                                        .batch_in_file = cases[i].in_file};
        struct network network;
        struct error error;
        char text[256];
        if (cases[i].sizes)
            assert_int_equal(dimension_sizes_add(&sizes, cases[i].sizes, &error), STATUS_OK);
        if (load_sized(&network, cases[i].model, &sizes, &error) != STATUS_OK)
            fail_msg("%s: %s (%s)", cases[i].model, error.message, error.hint);
        network_batch_text(text, sizeof text, &network);
        const double flops = forward(find(&network, cases[i].layer)).flops;
        if (flops != cases[i].flops || !strstr(text, cases[i].text))
            fail_msg("%s: %s: %g operations: %s", cases[i].model, cases[i].layer, flops, text);
        network_free(&network);
    }
}

static void wrong_batches_are_refused(void **state)
{
    (void)state;
    need_models();
    static const struct {
        const char *model, *axis;
        int64_t in_file;
        const char *message, *hint;
    } cases[] = {
        {"rows", NULL, 5, "not those of 5 samples", "--batch-in-file 1"},
        {"rows", "x", 0, "no axis 'x' of an input", "inputs: x"},
        {"rows", "y:0", 0, "no axis 'y:0'", "inputs: x"},
        {"rows", "x:2", 0, "no axis 'x:2'", "inputs: x"},
        {"rows", "x:-1", 0, "no axis 'x:-1'", "axes count from 0"},
        {"rows", "x:1", 0, "it sums up along the axis", "--batch-in-file 1"},
        {"nodes_open", NULL, 0, "dimension 0 ('nodes') has no size", "--dimension 'nodes=SIZE'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dimension_sizes sizes = {.batch_axis = cases[i].axis,
                                        .batch_in_file = cases[i].in_file};
        struct network network;
        struct error error;
        const enum status status = load_sized(&network, cases[i].model, &sizes, &error);
        if (status != STATUS_BAD_FILE || !strstr(error.message, cases[i].message) ||
            !strstr(error.hint, cases[i].hint))
            fail_msg("%s: status %d: %s (%s)", cases[i].model, status, error.message, error.hint);
    }
    struct dimension_sizes unused = {.batch_axis = "x:0"};
    struct error error;
    assert_int_equal(dimension_sizes_check(&unused, &error), STATUS_USAGE);
}

/* ---- parameters that several layers have ---- */

static double parameters_of(const struct network *network)
{
    double sum = 0;
    for (int i = 0; i < network->layer_count; i++)
        sum += (double)forward(&network->layers[i]).parameter_count;
    return sum;
}

enum { SHARED_PARAMETERS = 4 * 4 + 4 + 4 * 4 + 2 * 2 + 2 + 2 * 2 * 9 + 2 * 2 };

static void check_shared(const struct network *network)
{
    static const struct {
        const char *layer;
        int64_t parameters;
    } cases[] = {{"fc0", 20},  {"fc1", 0},       {"fc2", 0},      {"other", 16},
                 {"norm0", 4}, {"norm1", 0},     {"half", 2},     {"conv0", 36},
                 {"conv1", 0}, {"row_norm0", 4}, {"row_norm1", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(forward(find(network, cases[i].layer)).parameter_count,
                         cases[i].parameters);
    assert_true(parameters_of(network) == SHARED_PARAMETERS);
    const struct network_memory memory = network_memory(network, 1, PASS_TRAIN, OPTIMIZER_ADAM,
                                                        PRECISION_FP32);
    assert_int_equal(memory.parameters_bytes, 4 * SHARED_PARAMETERS);
    assert_int_equal(memory.gradients_bytes, 4 * SHARED_PARAMETERS);
    assert_int_equal(memory.optimizer_bytes, 8 * SHARED_PARAMETERS);
    const struct network_memory forward_memory = network_memory(network, 1, PASS_FORWARD,
                                                                OPTIMIZER_NONE, PRECISION_FP32);
    assert_int_equal(forward_memory.parameters_bytes, 4 * SHARED_PARAMETERS);
}

static void shared_parameters_count_once(void **state)
{
    (void)state;
    need_models();
    struct network network, again, covered;
    struct error error;
    char *text;
    size_t size;
    assert_int_equal(load_sized(&network, "shared", NULL, &error), STATUS_OK);
    check_shared(&network);
    FILE *file = open_memstream(&text, &size);
    assert_int_equal(network_write_csv(&network, file, NULL), STATUS_OK);
    fclose(file);
    assert_non_null(strstr(text, "fc1,dense,,w;b,"));
    assert_non_null(strstr(text, "other,dense,,;b,"));
    if (network_parse(&again, "again.csv", text, size, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    check_shared(&again);
    assert_int_equal(network_without_operators(&covered, &again, &error), STATUS_OK);
    network_free(&again);
    check_shared(&covered);
    assert_string_equal(covered.tensors[find(&covered, "fc0")->tensors[0] - 1], "w");
    network_free(&covered);
    network_free(&network);
    free(text);
}

static void layer_csv_names_shared_tensors(void **state)
{
    (void)state;
    static const struct {
        const char *lines, *message; /* NULL: read */
        double parameters;
    } cases[] = {
        {"a,dense,w,4,4,yes\nb,dense,w,4,4,yes\n", NULL, 16 + 4 + 4},
        {"a,dense,w;b,4,4,yes\nb,dense,w;b,4,4,yes\nc,dense,,4,4,yes\n", NULL, 20 + 20},
        {"a,dense,;b,4,4,yes\nb,dense,;b,4,4,yes\n", NULL, 16 + 16 + 4},
        {"a,dense,w,4,8,no\nb,dense,w,8,4,no\n", NULL, 32},
        {"a,dense,w,4,4,no\nb,dense,w,4,5,no\n", ":3: tensor: 'w' has 20 elements here, 16 in", 0},
        {"a,dense,w;b,4,4,no\n", ":2: tensor: 'b' is one too many for dense", 0},
        {"a,dense,w;b;c,4,4,yes\n", ":2: tensor: 'c' is one too many for dense", 0},
        {"a,dense,w;b;;;e,4,4,yes\n", ":2: tensor: more than 4", 0},
        {"a,dense,x123456789012345678901234567890123456789012345678901234567890123,4,4,no\n",
         "is longer than 63 bytes", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        struct network network;
        struct error error = {.hint = ""};
        snprintf(text, sizeof text, "name,layer,tensor,inputs,outputs,use_bias\n%s",
                 cases[i].lines);
        const enum status status = network_parse(&network, "net.csv", text, strlen(text), &error);
        if (cases[i].message ? status != STATUS_BAD_FILE || !strstr(error.message, cases[i].message)
                             : status != STATUS_OK)
            fail_msg("case %zu: status %d: %s", i, status, error.message);
        if (cases[i].message)
            continue;
        assert_true(parameters_of(&network) == cases[i].parameters);
        network_free(&network);
    }
}

/* ---- weights and operators of other programs ---- */

static void foreign_operators_count_their_operations(void **state)
{
    (void)state;
    need_models();
    enum { PIXELS = 36, STEPS = 16 };
    static const struct {
        const char *model, *layer, *kind;
        double products; /* multiply-adds of one sample; the layer may have others, too */
        double others;
        int64_t parameters; /* -1: not looked at */
    } cases[] = {
        {"sparse", "dense", "dense", 8 * 4, 0, 32},
        {"computed", "depthwise", "conv2d", 8 * 16 * 9, 0, 72},
        {"computed", "stacked", "matmul", 8 * 6 * 6 * 5, 0, 30},
        {"quantised_pairs", "conv", "conv2d", PIXELS * 4 * 72, 0, 288},
        {"quantised_pairs", "depthwise", "conv2d", PIXELS * 8 * 9, 0, 72},
        {"quantised_pairs", "quantize", "quantize", 0, 2 * 8 * PIXELS, 0},
        {"quantised_fused", "conv", "quantized_conv", PIXELS * 4 * 72, 4 * PIXELS, 288},
        {"quantised_fused", "bare", "quantized_conv", PIXELS * 4 * 72, 0, 0},
        {"quantised_fused", "integers", "conv_integer", PIXELS * 4 * 72, 0, 0},
        {"quantised_fused", "product", "quantized_matmul", 4 * PIXELS * 5, 0, 30},
        {"quantised_fused", "product_integers", "matmul_integer", 8 * PIXELS * 5, 0, 30},
        {"quantised_fused", "add", "quantized_add", 0, 3 * 4 * 6 * 5, 0},
        {"quantised_fused", "gemm", "quantized_gemm", 120 * 7, 0, 840},
        {"dynamic_quantised", "product", "matmul_integer", 7 * 20 * 5, 0, 100},
        {"dynamic_quantised", "lstm", "quantized_lstm", 7 * 128 * 52, 7 * 7 * 128, -1},
        {"fused", "attention_projections", "dense", STEPS * 64 * 192, STEPS * 192, 64 * 192 + 192},
        {"fused", "attention", "attention", 2 * STEPS * STEPS * 64, 6 * STEPS * STEPS * 4, 0},
        {"fused", "turned", "fused_matmul", STEPS * 64 * 32, 0, 64 * 32},
        {"fused", "gelu", "bias_gelu", 0, 17 * STEPS * 32, 32},
        {"fused", "bits", "matmul_n_bits", STEPS * 32 * 64, 0, -1},
        {"fused", "skip", "layer_norm", 0, 8 * STEPS * 64, 2 * 64},
        {"fused", "three", "attention", 2 * STEPS * STEPS * 64, 6 * STEPS * STEPS * 4, 0},
        {"fused", "grouped", "attention", 2 * STEPS * (STEPS + 10) * 64,
         6 * STEPS * (STEPS + 10) * 4, 0},
        {"fused", "conv", "conv2d", 64 * 4 * 27, 4 * 64, 112},
        {"fused_more", "erf", "activation", 0, 16 * STEPS * 64, 0},
        {"fused_more", "tanh", "fast_gelu", 0, 12 * STEPS * 64, 64},
        {"fused_more", "quick", "activation", 0, 6 * STEPS * 64, 0},
        {"fused_more", "rotary", "rotary_embedding", 0, 3 * STEPS * 64, 0},
        {"fused_more", "bits", "matmul_n_bits", STEPS * 64 * 32, 0, -1},
        {"fused_more", "relu", "fused_matmul", STEPS * 32 * 64, 0, 64 * 32},
        {"fused_more", "groups", "group_normalization", 0, 8 * 64 * 4, 8},
        {"fused_more", "skip", "skip_group_normalization", 0, 8 * 64 * 4, 0},
        {"quantised_more", "pool", "quantized_pool", 0, 4 * 8 * 9, 0},
        {"quantised_more", "join", "quantized_concat", 0, 0, 0},
        {"quantised_more", "mean", "quantized_mean", 0, 24 * PIXELS, 0},
        {"quantised_more", "heads", "quantized_attention", 5 * 12 * 36 + 2 * 25 * 12, 5 * 25 * 3,
         12 * 36 + 36},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct network network;
        struct error error;
        if (load_sized(&network, cases[i].model, NULL, &error) != STATUS_OK)
            fail_msg("%s: %s (%s)", cases[i].model, error.message, error.hint);
        const struct network_layer *layer = find(&network, cases[i].layer);
        const struct cost cost = forward(layer);
        assert_string_equal(network_layer_kind(layer), cases[i].kind);
        if (cost.flops != 2 * cases[i].products + cases[i].others ||
            (cases[i].parameters >= 0 && cost.parameter_count != cases[i].parameters))
            fail_msg("%s: %s: %g operations, %lld parameters", cases[i].model, cases[i].layer,
                     cost.flops, (long long)cost.parameter_count);
        network_free(&network);
    }
}

static void files_tell_precision_and_quantisation(void **state)
{
    (void)state;
    need_models();
    static const struct {
        const char *model;
        int32_t precision;
        bool is_quantised;
    } cases[] = {
        {"half", PRECISION_FP16, false},           {"rows", PRECISION_FP32, false},
        {"audio", PRECISION_FP32, false},          {"quantised_pairs", PRECISION_FP32, true},
        {"quantised_fused", PRECISION_FP32, true}, {"dynamic_quantised", PRECISION_FP32, true},
        {"fused", PRECISION_FP32, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct network network, covered;
        struct error error;
        if (load_sized(&network, cases[i].model, NULL, &error) != STATUS_OK)
            fail_msg("%s: %s (%s)", cases[i].model, error.message, error.hint);
        if (network.precision != cases[i].precision ||
            network.is_quantised != cases[i].is_quantised)
            fail_msg("%s: %s, quantised %d", cases[i].model,
                     choice_name(&choice_precision, network.precision), network.is_quantised);
        assert_int_equal(network_without_operators(&covered, &network, &error), STATUS_OK);
        assert_int_equal(covered.precision, network.precision);
        for (int k = 0; k < network.layer_count; k++)
            assert_int_equal(network_layer_is_unknown(&network.layers[k]),
                             strcmp(network.layers[k].name, "magic") == 0);
        network_free(&covered);
        network_free(&network);
    }
}

/* Integers of a byte: in a forward pass; training has them in the precision's type. */
static void quantised_weights_take_their_bytes(void **state)
{
    (void)state;
    need_models();
    struct network network, again;
    struct error error;
    char *text;
    size_t size;
    assert_int_equal(load_sized(&network, "quantised_pairs", NULL, &error), STATUS_OK);
    FILE *file = open_memstream(&text, &size);
    assert_int_equal(network_write_csv(&network, file, NULL), STATUS_OK);
    fclose(file);
    if (network_parse(&again, "again.csv", text, size, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    for (int i = 0; i < 2; i++) {
        const struct network *read = i ? &again : &network;
        assert_int_equal(
            network_memory(read, 1, PASS_FORWARD, OPTIMIZER_NONE, PRECISION_FP32).parameters_bytes,
            288 + 72);
        assert_int_equal(
            network_memory(read, 1, PASS_TRAIN, OPTIMIZER_SGD, PRECISION_FP32).parameters_bytes,
            4 * (288 + 72));
    }
    network_free(&again);
    network_free(&network);
    free(text);
    assert_int_equal(load_sized(&network, "rows", NULL, &error), STATUS_OK);
    assert_true(network.layers[0].stored_bytes == 0);
    network_free(&network);
    static const char bad[] =
        "name,layer,stored_bytes,inputs,outputs,use_bias\nfc,dense,-1,4,4,no\n";
    assert_int_equal(network_parse(&network, "bad.csv", bad, sizeof bad - 1, &error),
                     STATUS_BAD_FILE);
    assert_non_null(strstr(error.message, "bad.csv:2: stored_bytes: -1 is outside"));
}

static int make_models(void **state)
{
    (void)state;
    return make_onnx_models("onnx_foreign.py");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_batch_is_an_axis_that_nothing_mixes),
        cmocka_unit_test(wrong_batches_are_refused),
        cmocka_unit_test(shared_parameters_count_once),
        cmocka_unit_test(layer_csv_names_shared_tensors),
        cmocka_unit_test(foreign_operators_count_their_operations),
        cmocka_unit_test(files_tell_precision_and_quantisation),
        cmocka_unit_test(quantised_weights_take_their_bytes),
    };
    return RUN_TESTS(argc, argv, tests, make_models, remove_onnx_models);
}
