/* ONNX models -> networks. The models come from tests/python/onnx_models.py, the reference shapes
 * from onnx.shape_inference: without python3-onnx those tests are skipped. */
#include "base/mapped_file.h"
#include "base/philox.h"
#include "layers/describe.h"
#include "network/onnx_operators.h"
#include "onnx_check.h"
#include "onnx_folder.h"
#include "test.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- shapes ---- */

/* Line "tensor d0 d1 ...". */
static void compare_line(const struct onnx_graph *graph, char *line)
{
    char *rest;
    const char *name = strtok_r(line, " \n", &rest);
    const struct onnx_value *value = find_value(graph, name);
    int rank = 0;
    for (const char *word; (word = strtok_r(NULL, " \n", &rest)); rank++)
        if (rank >= value->rank || value->dims[rank] != strtoll(word, NULL, 10))
            fail_msg("%s: %s: dimension %d of %d is %lld, not %s", graph->source.path, name, rank,
                     value->rank, (long long)value->dims[rank], word);
    assert_int_equal(rank, value->rank);
}

static int compare_shapes(const char *shapes_path, const char *model_path)
{
    struct mapped_file file;
    struct onnx_graph graph;
    struct error error;
    char line[1024];
    int count = 0;
    FILE *shapes = fopen(shapes_path, "r");
    assert_non_null(shapes);
    assert_int_equal(mapped_file_open(&file, model_path, NULL), STATUS_OK);
    if (onnx_graph_read(&graph, model_path, file.bytes, file.size, &error) != STATUS_OK ||
        onnx_infer_shapes(&graph, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    for (; fgets(line, sizeof line, shapes); count++)
        compare_line(&graph, line);
    onnx_graph_free(&graph);
    mapped_file_close(&file);
    fclose(shapes);
    return count;
}

static void shapes_agree_with_onnx(void **state)
{
    (void)state;
    need_models();
    DIR *directory = opendir(folder);
    int tensors = 0, models = 0;
    for (const struct dirent *entry; (entry = readdir(directory));) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".shapes") != 0)
            continue;
        char shapes[512], model[600];
        path_of(shapes, entry->d_name);
        snprintf(model, sizeof model, "%.*s.onnx", (int)strlen(shapes) - 7, shapes);
        tensors += compare_shapes(shapes, model);
        models++;
    }
    closedir(directory);
    print_message("%d tensors of %d models\n", tensors, models);
    assert_true(models >= 22 && tensors >= 3400);
}

/* Those that onnx.shape_inference 1.12 leaves open, by hand. */
static void shapes_that_onnx_leaves_open(void **state)
{
    (void)state;
    need_models();
    static const struct {
        const char *tensor;
        int rank;
        int64_t dims[6];
    } cases[] = {{"to_rows_out", 2, {1, 192}},        {"halves_out", 3, {24, 2, 4}},
                 {"back_out", 4, {1, 4, 4, 3}},       {"filled_out", 4, {1, 4, 6, 8}},
                 {"by_size_out", 4, {1, 4, 9, 5}},    {"pad_out", 4, {1, 4, 10, 9}},
                 {"expand_out", 5, {3, 1, 4, 6, 8}},  {"tile_out", 4, {1, 8, 6, 24}},
                 {"by_scale_out", 4, {1, 4, 12, 12}}, {"shrink_out", 4, {1, 4, 6, 8}}};
    char path[512];
    struct mapped_file file;
    struct onnx_graph graph;
    path_of(path, "moves.onnx");
    assert_int_equal(mapped_file_open(&file, path, NULL), STATUS_OK);
    assert_int_equal(onnx_graph_read(&graph, path, file.bytes, file.size, NULL), STATUS_OK);
    assert_int_equal(onnx_infer_shapes(&graph, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct onnx_value *value = find_value(&graph, cases[i].tensor);
        assert_int_equal(value->rank, cases[i].rank);
        for (int axis = 0; axis < value->rank; axis++)
            if (value->dims[axis] != cases[i].dims[axis])
                fail_msg("%s: dimension %d is %lld", cases[i].tensor, axis,
                         (long long)value->dims[axis]);
    }
    onnx_graph_free(&graph);
    mapped_file_close(&file);
}

/* ---- open dimensions ---- */

static enum status load_sized(struct network *network, const char *name, const char *sizes_text,
                              struct error *error)
{
    char path[512];
    path_of(path, name);
    *error = (struct error){.hint = ""};
    return network_load_with(network, path, &sizes_text, 1, error);
}

static void open_dimensions_take_sizes(void **state)
{
    (void)state;
    need_models();
    static const struct {
        const char *model, *sizes, *layer;
        int32_t rows; /* of the layer for one sample; 0: an operator */
        double input_count;
    } cases[] = {
        {"open_sequence.onnx", "sequence=7", "query", 7, 7 * 16},
        {"open_sequence.onnx", "sequence=128", "context", 1, 4 * 128 * 4},
        {"open_sequence.onnx", "sequence=9,n=1", "value", 9, 9 * 16},
        {"open_sequence.onnx", "sequence=9,n=5", "value", 9, 9 * 16}, /* its batch, divided out */
        {"open_unnamed.onnx", "x:1=11", "fc", 11, 11 * 16},
        {"open_fixed.onnx", "sequence=3", "fc", 3, 3 * 16},
        {"open_steps.onnx", "sequence=35", "lstm", 0, 35 * 5},
        {"open_steps.onnx", "sequence=35,n=4", "lstm", 0, 35 * 5},
        {"open_steps_alone.onnx", "sequence=35", "lstm", 0, 35 * 5},
        {"open_position.onnx", "sequence=6", "fc", 6, 6 * 16},
        {"recurrent.onnx", "n=2", "lstm1", 0, 7 * 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct network network;
        struct error error;
        if (load_sized(&network, cases[i].model, cases[i].sizes, &error) != STATUS_OK)
            fail_msg("%s %s: %s (%s)", cases[i].model, cases[i].sizes, error.message, error.hint);
        const struct network_layer *layer = find(&network, cases[i].layer);
        assert_true(network_layer_input_count(layer) == cases[i].input_count);
        assert_true(cases[i].rows == 0 || layer->config.batch_size == cases[i].rows);
        network_free(&network);
    }
}

static void open_dimensions_without_sizes_are_told(void **state)
{
    (void)state;
    need_models();
    static const struct {
        const char *model, *sizes;
        enum status status;
        const char *message, *hint;
    } cases[] = {
        {"open_sequence.onnx", NULL, STATUS_BAD_FILE,
         "tensor 'x': dimension 1 ('sequence') has no size",
         "--dimension 'sequence=SIZE'; open dimensions: n (x:0, the batch), sequence (x:1)"},
        {"open_sequence.onnx", "sequnce=7", STATUS_BAD_FILE, "('sequence') has no size",
         "n (x:0, the batch), sequence (x:1)"},
        {"open_sequence.onnx", "sequence=7,length=3", STATUS_USAGE,
         "the model has no open dimension 'length'",
         "open dimensions: n (x:0, the batch), sequence (x:1)"},
        {"residual.onnx", "sequence=7", STATUS_USAGE, "no open dimension 'sequence'",
         "open dimensions: n (image:0"},
        {"fixed_images.onnx", "n=7", STATUS_USAGE, "no open dimension 'n'",
         "it has no open dimensions"},
        {"open_sequence.onnx", "sequence=0", STATUS_USAGE, "'sequence=0' is not a name",
         "for example"},
        {"open_sequence.onnx", "sequence=-5", STATUS_USAGE, "with a size of 1..2147483647",
         "for example"},
        {"open_sequence.onnx", "sequence=2147483648", STATUS_USAGE, "is not a name", "for example"},
        {"open_sequence.onnx", "sequence=7x", STATUS_USAGE, "is not a name", "for example"},
        {"open_sequence.onnx", "sequence=", STATUS_USAGE, "is not a name", "for example"},
        {"open_sequence.onnx", "=7", STATUS_USAGE, "is not a name", "for example"},
        {"open_sequence.onnx", "sequence=7,,n=1", STATUS_USAGE, "'' is not a name", "for example"},
        {"open_sequence.onnx", "sequence=7,sequence=8", STATUS_USAGE, "'sequence' is given twice",
         ""},
        {"open_sequence.onnx", "sequence=2147483647", STATUS_BAD_FILE, "2^36", ""},
        {"open_unnamed.onnx", NULL, STATUS_BAD_FILE, "tensor 'x': dimension 1 has no size",
         "--dimension 'x:1=SIZE'; open dimensions: x:0 (the batch), x:1"},
        {"open_fixed.onnx", NULL, STATUS_BAD_FILE, "dimension 1 ('sequence') has no size",
         "open dimensions: sequence (x:1)"},
        {"open_steps.onnx", NULL, STATUS_BAD_FILE, "dimension 1 ('n') has no size",
         "open dimensions: sequence (x:0, the batch), n (x:1)"},
        {"open_steps_alone.onnx", NULL, STATUS_BAD_FILE,
         "one step of 8 sequences: the steps are open", "--dimension NAME=SIZE"},
        {"open_position.onnx", NULL, STATUS_BAD_FILE, "('sequence') has no size",
         "open dimensions: sequence (ids:0), n (x:0, the batch)"},
        {"open_many.onnx", NULL, STATUS_BAD_FILE, "has no size", ", ..."},
        {"open_hostile.onnx", NULL, STATUS_BAD_FILE, "('a?[31m?xxx", "'a?[31m?xxx"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct network network;
        struct error error;
        const enum status status = cases[i].sizes ? load_sized(&network, cases[i].model,
                                                               cases[i].sizes, &error)
                                                  : load_status(&network, cases[i].model, &error);
        if (status != cases[i].status || !strstr(error.message, cases[i].message) ||
            !strstr(error.hint, cases[i].hint))
            fail_msg("%s %s: status %d: %s (%s)", cases[i].model,
                     cases[i].sizes ? cases[i].sizes : "", status, error.message, error.hint);
    }
}

static void sizes_have_a_limit(void **state)
{
    (void)state;
    struct dimension_sizes sizes = {.count = 0};
    struct error error;
    static char texts[DIMENSION_LIMIT + 1][8];
    for (int i = 0; i < DIMENSION_LIMIT; i++) {
        snprintf(texts[i], sizeof texts[i], "d%d=%d", i, i + 1);
        assert_int_equal(dimension_sizes_add(&sizes, texts[i], &error), STATUS_OK);
    }
    assert_int_equal(dimension_sizes_add(&sizes, "more=1", &error), STATUS_USAGE);
    assert_int_equal(dimension_sizes_find(&sizes, "d31", 3)->size, 32);
    assert_null(dimension_sizes_find(&sizes, "d3", 1));
}

/* ---- layers ---- */

static void layers_take_their_activation(void **state)
{
    (void)state;
    need_models();
    struct network network = load("residual.onnx");
    assert_string_equal(network.name, "residual");
    assert_int_equal(network.layer_count, 6);
    const struct network_layer *conv1 = find(&network, "conv1"), *conv2 = find(&network, "conv2");
    assert_int_equal(conv1->config.as.conv2d.activation, ACTIVATION_NONE); /* a norm follows */
    assert_int_equal(conv2->config.as.conv2d.activation, ACTIVATION_RELU);
    assert_int_equal(conv2->config.as.conv2d.use_bias, SWITCH_YES);
    assert_int_equal(conv2->config.as.conv2d.padding, PADDING_SAME);
    assert_int_equal(find(&network, "pool")->config.kind, LAYER_POOL2D);
    const struct network_layer *norm = find(&network, "bn1"), *add = find(&network, "add");
    assert_int_equal(norm->config.kind, LAYER_BATCH_NORM);
    assert_int_equal(norm->config.as.batch_norm.image_size, 12);
    assert_int_equal(norm->config.as.batch_norm.channels, 4);
    assert_int_equal(norm->config.as.batch_norm.activation, ACTIVATION_RELU);
    assert_int_equal(add->config.kind, LAYER_BINARY);
    assert_int_equal(add->config.as.binary.elements, 4 * 144);
    assert_int_equal(add->config.as.binary.activation, ACTIVATION_RELU);
    assert_ptr_equal(&network.layers[network_input(add, 0)], norm);
    assert_ptr_equal(&network.layers[network_input(add, 1)], conv2);
    assert_int_equal(find(&network, "fc")->config.as.dense.inputs, 4);
    network_free(&network);
    network = load("products.onnx");
    const struct dense *dense = &find(&network, "dense")->config.as.dense;
    assert_true(dense->use_bias && dense->activation == ACTIVATION_TANH && dense->outputs == 7);
    assert_int_equal(find(&network, "dense")->config.batch_size, 12);
    assert_int_equal(find(&network, "fc")->config.as.dense.activation, ACTIVATION_SIGMOID);
    assert_true(find(&network, "stacked")->work.forward_flops == 2.0 * 3 * 4 * 5 * 6);
    network_free(&network);
}

/* What conv2d and pool2d do not describe is an operator, by the name of what sets it apart. */
static void odd_convolutions_are_operators(void **state)
{
    (void)state;
    need_models();
    struct network network = load("convolutions.onnx");
    static const char *const cases[][2] = {{"upper", "conv2d"},
                                           {"lower", "conv2d"},
                                           {"valid", "conv2d"},
                                           {"dilated", "conv_dilated"},
                                           {"grouped", "conv_grouped"},
                                           {"slow", "conv"},
                                           {"shrunk", "conv"},
                                           {"ceil", "pool2d"},
                                           {"global", "pool2d"},
                                           {"up", "conv_transpose2d"},
                                           {"up_groups", "conv_transpose"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(network_layer_kind(find(&network, cases[i][0])), cases[i][1]);
    /* outputs 8 x 11 x 6, 4 channels of 3 x 3 taps each */
    assert_true(find(&network, "grouped")->work.forward_flops == 2.0 * 8 * 66 * 36);
    const struct conv_transpose2d *up = &find(&network, "up")->config.as.conv_transpose2d;
    assert_true(up->image_size == 13 && up->stride == 2 && up->padding == PADDING_SAME);
    assert_true(up->channels_in == 8 && up->channels_out == 5 && up->kernel_size == 3);
    network_free(&network);
}

/* Depthwise, grouped, thin, dilated, 1-D, of images that are no squares. */
static void convolutions_of_every_form_are_layers(void **state)
{
    (void)state;
    need_models();
    struct network network = load("convolutions.onnx");
    static const char *const cases[][2] = {
        {"depthwise", "image_size=13,kernel_size=3,channels_in=8,channels_out=32,stride=1,"
                      "padding=valid,use_bias=no,activation=none,groups=8"},
        {"pairs", "image_size=13,kernel_size=3,channels_in=8,channels_out=16,stride=2,padding=same,"
                  "use_bias=no,activation=none,groups=4"},
        {"wide", "image_size=13,kernel_size=1,channels_in=8,channels_out=4,stride=1,padding=same,"
                 "use_bias=no,activation=none,kernel_width=7"},
        {"even", "image_size=13,kernel_size=3,channels_in=8,channels_out=4,stride=1,padding=same,"
                 "use_bias=no,activation=none,dilation=2"},
        {"mobile", "image_size=6,kernel_size=3,channels_in=8,channels_out=8,stride=1,padding=same,"
                   "use_bias=no,activation=none,image_width=20,groups=8"},
        {"line", "image_size=1,kernel_size=1,channels_in=8,channels_out=6,stride=2,padding=same,"
                 "use_bias=no,activation=none,image_width=13,kernel_width=3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct network_layer *layer = find(&network, cases[i][0]);
        char text[512];
        assert_string_equal(network_layer_kind(layer), "conv2d");
        describe_config(text, sizeof text, &layer->config);
        if (!strstr(text, cases[i][1]))
            fail_msg("%s is %s", cases[i][0], text);
    }
    network_free(&network);
}

/* Square images and two tensors are layers, what else is normalised or added is not. */
static void odd_sums_are_operators(void **state)
{
    (void)state;
    need_models();
    struct network network = load("sums.onnx");
    static const char *const cases[][2] = {
        {"square", "batch_norm"},     {"oblong", "batch_normalization"},
        {"twice_read", "activation"}, {"two", "binary"},
        {"pair", "binary"},           {"three", "sum"},
        {"itself", "binary"},         {"spread", "binary"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(network_layer_kind(find(&network, cases[i][0])), cases[i][1]);
    const struct network_layer *two = find(&network, "two"), *itself = find(&network, "itself");
    assert_int_equal(network_input(two, 0), -1);
    assert_ptr_equal(&network.layers[network_input(two, 1)], find(&network, "square"));
    assert_ptr_equal(&network.layers[network_input(itself, 0)], two);
    assert_ptr_equal(&network.layers[network_input(itself, 1)], two);
    assert_int_equal(find(&network, "square")->config.as.batch_norm.activation, ACTIVATION_NONE);
    /* scales and shifts, not the running statistics */
    assert_true(find(&network, "oblong")->work.parameter_count == 8);
    network_free(&network);
}

static void operations_of_two_tensors_are_layers(void **state)
{
    (void)state;
    need_models();
    static const struct {
        const char *name;
        struct binary binary;
    } cases[] = {
        {"half", {1, ACTIVATION_NONE, BINARY_MULTIPLY, 192, BROADCAST_OUTER, SECOND_CONSTANT}},
        {"places", {192, ACTIVATION_NONE, BINARY_ADD, 1, BROADCAST_OUTER, SECOND_WEIGHTS}},
        {"row", {32, ACTIVATION_RELU, BINARY_ADD, 6, BROADCAST_OUTER, SECOND_WEIGHTS}},
        {"channels", {6, ACTIVATION_NONE, BINARY_MULTIPLY, 32, BROADCAST_INNER, SECOND_WEIGHTS}},
        {"squeezed", {6, ACTIVATION_NONE, BINARY_MULTIPLY, 32, BROADCAST_INNER, SECOND_INPUT}},
        {"centred", {24, ACTIVATION_NONE, BINARY_SUBTRACT, 8, BROADCAST_INNER, SECOND_INPUT}},
        {"reversed", {1, ACTIVATION_NONE, BINARY_SUBTRACT, 192, BROADCAST_OUTER, SECOND_CONSTANT}},
        {"masked", {8, ACTIVATION_NONE, BINARY_ADD, 24, BROADCAST_OUTER, SECOND_INPUT}},
        {"quotient", {192, ACTIVATION_NONE, BINARY_DIVIDE, 1, BROADCAST_OUTER, SECOND_INPUT}},
        {"swapped", {6, ACTIVATION_NONE, BINARY_ADD, 32, BROADCAST_INNER, SECOND_INPUT}},
    };
    struct network network = load("pairs.onnx");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct network_layer *layer = find(&network, cases[i].name);
        assert_string_equal(network_layer_kind(layer), "binary");
        assert_memory_equal(&layer->config.as.binary, &cases[i].binary, sizeof cases[i].binary);
        assert_int_equal(layer->config.batch_size, 1);
        assert_int_equal(layer->input_count, layer_input_count(&layer->config));
    }
    assert_string_equal(network_layer_kind(find(&network, "inverse")), "div");
    assert_string_equal(network_layer_kind(find(&network, "middle")), "add");
    assert_int_equal(find(&network, "middle")->work.parameter_count, 48);
    const struct network_layer *swapped = find(&network, "swapped"); /* mean + x: x comes first */
    assert_int_equal(network_input(swapped, 0), -1);
    assert_ptr_equal(&network.layers[network_input(swapped, 1)], find(&network, "mean"));
    network_free(&network);
}

/* A table that two layers add counts once. */
static void shared_operands_count_once(void **state)
{
    (void)state;
    need_models();
    struct network network = load("pairs.onnx");
    double parameters = 0;
    for (int i = 0; i < network.layer_count; i++) {
        const struct network_layer *layer = &network.layers[i];
        parameters += (double)network_cost(layer, 1, PASS_TRAIN, OPTIMIZER_NONE, PRECISION_FP32)
                          .parameter_count;
    }
    assert_true(parameters == 192 + 32 + 6 + 48);
    network_free(&network);
}

static void reductions_are_layers(void **state)
{
    (void)state;
    need_models();
    static const struct {
        const char *name;
        struct reduction reduction;
    } cases[] = {{"rows", {24, 8, 1, REDUCE_MEAN}},   {"images", {6, 32, 1, REDUCE_MEAN}},
                 {"columns", {1, 6, 32, REDUCE_MAX}}, {"all", {1, 192, 1, REDUCE_MIN}},
                 {"norms", {6, 4, 8, REDUCE_NORM}},   {"sums", {24, 8, 1, REDUCE_SUM}},
                 {"pool", {6, 32, 1, REDUCE_MEAN}}};
    struct network network = load("reductions.onnx");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct network_layer *layer = find(&network, cases[i].name);
        assert_string_equal(network_layer_kind(layer), "reduction");
        assert_memory_equal(&layer->config.as.reduction, &cases[i].reduction,
                            sizeof cases[i].reduction);
        assert_int_equal(layer->config.batch_size, 1);
    }
    assert_string_equal(network_layer_kind(find(&network, "apart")), "reduce_max");
    assert_string_equal(network_layer_kind(find(&network, "samples")), "reduce_mean");
    assert_string_equal(network_layer_kind(find(&network, "square")), "pool2d");
    network_free(&network);
}

static void activations_are_layers(void **state)
{
    (void)state;
    need_models();
    static const struct {
        const char *name;
        int32_t function;
    } cases[] = {{"celu", FUNCTION_ELU},
                 {"elu", FUNCTION_ELU},
                 {"exp", FUNCTION_EXP},
                 {"gelu", FUNCTION_GELU},
                 {"gelu_tanh", FUNCTION_GELU_TANH},
                 {"hardswish", FUNCTION_HARD_SWISH},
                 {"leakyrelu", FUNCTION_LEAKY_RELU},
                 {"mish", FUNCTION_MISH},
                 {"relu", FUNCTION_RELU},
                 {"selu", FUNCTION_ELU},
                 {"sigmoid", FUNCTION_SIGMOID},
                 {"softplus", FUNCTION_SOFTPLUS},
                 {"tanh", FUNCTION_TANH},
                 {"clip", FUNCTION_RELU6},
                 {"clip_below", FUNCTION_RELU6},
                 {"before", FUNCTION_TANH},
                 {"last", FUNCTION_RELU}};
    struct network network = load("functions.onnx");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct network_layer *layer = find(&network, cases[i].name);
        assert_string_equal(network_layer_kind(layer), "activation");
        assert_int_equal(layer->config.as.activation.function, cases[i].function);
        assert_int_equal(layer->config.as.activation.elements, 144);
        assert_int_equal(layer->config.batch_size, 1);
        assert_int_equal(layer->input_count, 1);
    }
    assert_string_equal(network_layer_kind(find(&network, "erf")), "erf");
    assert_string_equal(network_layer_kind(find(&network, "clip_computed")), "clip");
    assert_string_equal(network_layer_kind(find(&network, "prelu")), "prelu");
    assert_ptr_equal(&network.layers[network_input(find(&network, "last"), 0)],
                     find(&network, "before"));
    network_free(&network);
}

/* All tensors that a node works on have a producer; a bias that is computed is none of a layer. */
static void layers_know_all_their_inputs(void **state)
{
    (void)state;
    need_models();
    struct network network = load("moves.onnx");
    const struct network_layer *join = find(&network, "join");
    assert_int_equal(join->input_count, 3);
    assert_int_equal(network_input(join, 0), -1);
    assert_int_equal(network_input(join, 1), -1);
    assert_int_equal(network_input(join, 2), -1); /* a part of the network's input, in place */
    network_free(&network);
    network = load("convolutions.onnx");
    const struct network_layer *conv = find(&network, "computed");
    assert_int_equal(conv->config.kind, LAYER_CONV2D);
    assert_int_equal(conv->input_count, 1);
    network_free(&network);
}

/* Steps 7, inputs 5, hidden 6, without biases: each node is a layer of its own. */
static void recurrent_layers_are_layers(void **state)
{
    (void)state;
    need_models();
    struct network network = load("recurrent.onnx");
    static const struct {
        const char *name;
        int cell, gates, directions;
    } cases[] = {{"lstm1", CELL_LSTM, 4, 1}, {"lstm2", CELL_LSTM, 4, 2}, {"gru1", CELL_GRU, 3, 1},
                 {"gru2", CELL_GRU, 3, 2},   {"rnn1", CELL_RNN, 1, 1},   {"rnn2", CELL_RNN, 1, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct network_layer *layer = find(&network, cases[i].name);
        const struct recurrent *of = &layer->config.as.recurrent;
        assert_int_equal(layer->config.kind, LAYER_RECURRENT);
        assert_int_equal(layer->config.batch_size, 1);
        assert_int_equal(of->positions, 7);
        assert_int_equal(of->inputs, 5);
        assert_int_equal(of->hidden, 6);
        assert_int_equal(of->layers, 1);
        assert_int_equal(of->cell, cases[i].cell);
        assert_int_equal(of->bidirectional, cases[i].directions == 2);
        assert_int_equal(of->use_bias, SWITCH_NO);
        const struct cost cost = network_cost(layer, 3, PASS_FORWARD, OPTIMIZER_NONE,
                                              PRECISION_FP32);
        assert_int_equal(cost.parameter_count, cases[i].directions * cases[i].gates * 6 * 11);
    }
    network_free(&network);
}

static void assert_same_networks(const char *a, const char *b)
{
    struct network first = load(a), second = load(b);
    assert_int_equal(first.layer_count, second.layer_count);
    for (int i = 0; i < first.layer_count; i++) {
        const struct network_layer *other = find(&second, first.layers[i].name);
        assert_memory_equal(&first.layers[i].config, &other->config, sizeof other->config);
        assert_memory_equal(&first.layers[i].work, &other->work, sizeof other->work);
        const int input = network_input(&first.layers[i], 0);
        const int others = network_input(other, 0);
        assert_string_equal(input < 0 ? "" : first.layers[input].name,
                            others < 0 ? "" : second.layers[others].name);
    }
    network_free(&first);
    network_free(&second);
}

/* A network is of one sample, however many the file fixes; nodes may stand in any order. */
static void networks_are_of_one_sample(void **state)
{
    (void)state;
    need_models();
    assert_same_networks("residual.onnx", "fixed_images.onnx");
    assert_same_networks("recurrent.onnx", "fixed_steps.onnx");
    assert_same_networks("residual.onnx", "unsorted.onnx");
}

static int64_t parameters_of(const struct network_layer *layer)
{
    return network_cost(layer, 1, PASS_FORWARD, OPTIMIZER_NONE, PRECISION_FP32).parameter_count;
}

static void shared_weights_count_once(void **state)
{
    (void)state;
    need_models();
    struct network network = load("gpt2.onnx");
    assert_int_equal(parameters_of(find(&network, "wte")), 50257 * 768);
    assert_int_equal(parameters_of(find(&network, "lm_head")), 0); /* the same tensor */
    assert_int_equal(find(&network, "lm_head")->config.as.dense.outputs, 50257);
    assert_int_equal(find(&network, "lm_head")->config.batch_size, 1024);
    network_free(&network);
    network = load("bert_base.onnx");
    assert_int_equal(parameters_of(find(&network, "word_embedding")), 30522 * 768);
    network_free(&network);
}

/* In Constant nodes, too; a number alone is none. */
static void constant_nodes_hold_weights(void **state)
{
    (void)state;
    need_models();
    struct network network = load("constants.onnx");
    assert_int_equal(parameters_of(find(&network, "one")), 8 * 9);
    assert_int_equal(parameters_of(find(&network, "two")), 8 * 25);
    assert_int_equal(parameters_of(find(&network, "three")), 0);
    assert_true(find(&network, "half")->work.parameter_count == 0);
    assert_int_equal(find(&network, "fc")->config.kind, LAYER_DENSE);
    network_free(&network);
}

static void unknown_operators_are_named(void **state)
{
    (void)state;
    need_models();
    struct network network = load("unknown.onnx");
    const struct network_layer *boxes = find(&network, "boxes");
    assert_string_equal(boxes->operator_name, "other_non_max_suppression");
    assert_true(boxes->work.input_count == 4 * 64 && boxes->work.output_count == 20);
    assert_string_equal(network.layers[network_input(boxes, 0)].name, "conv"); /* with its relu */
    network_free(&network);
}

/* ---- bad files ---- */

static void damaged_models_are_refused(void **state)
{
    (void)state;
    need_models();
    static const struct {
        const char *name, *message;
    } cases[] = {
        {"cycle", "is part of a cycle"},
        {"nowhere",
         "node 'bn1' (BatchNormalization, byte 160): its input 'nowhere' is not defined"},
        {"zero_dimension", "tensor 'image': dimension 2 is zero"},
        {"negative_dimension", "tensor 'image': dimension 2 is zero, negative"},
        {"huge_dimension", "tensor 'image': dimension 2 is zero, negative or too large"},
        {"overflow", "more than 2^36 elements"},
        {"open_dimension", "dimension 2 ('height') has no size"},
        {"no_shape", "tensor 'image' has no shape"},
        {"all_unknown", "none of the 10 nodes has a known operator"},
        {"short_weights", "tensor 'conv1.weight': its data has not the size of its shape"},
        {"many_dims", "one of too many"},
        {"negative_weights", "a dimension is negative"},
        {"stride", "node 'conv1' (Conv, byte 19): strides is 0"},
        {"pads", "pads is -1"},
        {"strides", "strides has 1 values for 2"},
        {"group", "weights for 3 channels in 7 groups"},
        {"dilation", "a window of 199 cells over an image of 12"},
        {"output_twice", "a second node gives 'conv1_out'"},
        {"tensor_twice", "two tensors are called 'conv1.weight'"},
        {"old_opset", "operator set 6; the oldest supported is 7"},
        {"no_nodes", "its graph has no nodes"},
        {"no_operator", "no operator in node 'conv1'"},
        {"unknown_shape", "its operator is unknown, and the file has no shape"},
        {"no_weights", "its input 1 is missing"},
        {"axis", "axis 9 of 4 dimensions"},
        {"perm", "perm has axis 1 twice"},
        {"constant_only", "no node depends on the graph's input"},
        {"external_missing", "external data 'data/none.bin' No such file"},
        {"external_outside", "lies outside of its folder"},
        {"external_link", "lies outside of its folder"},
        {"external_absolute", "is not a path within the folder"},
        {"external_folder", "is not a regular file"},
        {"external_short", "does not have the size of the tensor"},
        {"external_length", "does not have the size of the tensor"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[64];
        struct error error;
        struct network network;
        snprintf(name, sizeof name, "bad_%s.onnx", cases[i].name);
        assert_int_equal(load_status(&network, name, &error), STATUS_BAD_FILE);
        assert_null(network.layers);
        if (!strstr(error.message, cases[i].message) || !strstr(error.message, name))
            fail_msg("%s: '%s' does not say '%s'", name, error.message, cases[i].message);
    }
}

static void other_files_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {{"", 0},
                 {"hello, world", 12},
                 {"name,layer\nx,dense\n", 19},
                 {"\x08\x08", 2},                         /* a version and no graph */
                 {"\x08\x08\x3a\x00", 4},                 /* no operator set */
                 {"\x08\x08\x42\x02\x10\x0d\x3a\x00", 8}, /* an empty graph */
                 {"\x08\x08\x42\x02\x10\x0d\x3a\x7f", 8}, /* a graph that is cut off */
                 {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12}, /* a varint too long */
                 {"\x0b\x0c", 2},                                          /* a group */
                 {"\x00\x00\x00\x00", 4},
                 {"\x89HDF\r\n\x1a\n", 8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(check_onnx(cases[i].bytes, cases[i].size), STATUS_BAD_FILE);
}

static void truncated_models_are_refused(void **state)
{
    (void)state;
    need_models();
    size_t size;
    char *bytes = read_model("residual.onnx", &size);
    assert_int_equal(check_onnx(bytes, size), STATUS_OK);
    for (size_t length = 0; length < size; length++) {
        char *cut = malloc(length + 1); /* of its own size: a sanitizer sees what lies behind */
        assert_non_null(cut);
        memcpy(cut, bytes, length);
        if (check_onnx(cut, length) != STATUS_BAD_FILE)
            fail_msg("%zu of %zu bytes are a model", length, size);
        free(cut);
    }
    free(bytes);
}

static void mutated_models_do_no_harm(void **state)
{
    (void)state;
    need_models();
    static const char *const names[] = {
        "residual.onnx",    "moves.onnx",        "products.onnx", "unknown.onnx",
        "recurrent.onnx",   "unsorted.onnx",     "external.onnx", "convolutions.onnx",
        "transformer.onnx", "open_sequence.onnx"};
    const struct mutants mutants = check_mutants(names, sizeof names / sizeof *names, 1500);
    assert_true(mutants.read > 100 && mutants.refused > 100);
}

/* ---- size ---- */

static size_t put_varint(char *out, uint64_t value)
{
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        out[size++] = (char)(value | 0x80);
    out[size++] = (char)value;
    return size;
}

static size_t put_bytes(char *out, int number, const char *bytes, size_t size)
{
    size_t length = put_varint(out, (uint64_t)number << 3 | 2);
    length += put_varint(out + length, size);
    if (bytes)
        memcpy(out + length, bytes, size);
    return length + (bytes ? size : 0);
}

/* MatMul of (1, 10000) and (10000, 10000): the weights, 400 MB of a hole, end the file. */
static size_t large_model(char *out)
{
    static const char input[] = "\x0a\x01x\x12\x0f\x0a\x0d\x08\x01\x12\x09\x0a\x02\x08\x01\x0a\x03"
                                "\x08\x90\x4e"; /* x: float (1, 10000) */
    static const char node[] = "\x0a\x01x\x0a\x01w\x12\x01y\x22\x06MatMul";
    const size_t weight_bytes = 400000000;
    char graph[256], tensor[64];
    size_t tensor_size = 0, graph_size = 0, size = 0;
    tensor_size += (size_t)snprintf(tensor, sizeof tensor,
                                    "\x08\x90\x4e\x08\x90\x4e\x10\x01\x42\x01w");
    tensor_size += put_bytes(tensor + tensor_size, 9, NULL, weight_bytes);
    graph_size += put_bytes(graph, 1, node, sizeof node - 1);
    graph_size += put_bytes(graph + graph_size, 11, input, sizeof input - 1);
    graph_size += put_varint(graph + graph_size, 5 << 3 | 2);
    graph_size += put_varint(graph + graph_size, tensor_size + weight_bytes);
    memcpy(graph + graph_size, tensor, tensor_size);
    graph_size += tensor_size;
    memcpy(out, "\x08\x08\x42\x02\x10\x0d\x3a", 7);
    size = 7 + put_varint(out + 7, graph_size + weight_bytes);
    memcpy(out + size, graph, graph_size);
    return size + graph_size;
}

static void large_weights_stay_on_disk(void **state)
{
    (void)state;
    char path[512], head[512];
    const size_t size = large_model(head);
    path_of(path, "large.onnx");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(head, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(truncate(path, (off_t)(size + 400000000)), 0);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    struct network network = load("large.onnx");
    getrusage(RUSAGE_SELF, &after);
    assert_int_equal(network.layer_count, 1);
    assert_int_equal(network.layers[0].config.as.dense.inputs, 10000);
    assert_true(after.ru_maxrss - before.ru_maxrss < 50000); /* KiB */
    network_free(&network);
}

static int make_models(void **state)
{
    (void)state;
    return make_onnx_models("onnx_models.py");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_agree_with_onnx),
        cmocka_unit_test(shapes_that_onnx_leaves_open),
        cmocka_unit_test(open_dimensions_take_sizes),
        cmocka_unit_test(open_dimensions_without_sizes_are_told),
        cmocka_unit_test(sizes_have_a_limit),
        cmocka_unit_test(layers_take_their_activation),
        cmocka_unit_test(odd_convolutions_are_operators),
        cmocka_unit_test(convolutions_of_every_form_are_layers),
        cmocka_unit_test(odd_sums_are_operators),
        cmocka_unit_test(operations_of_two_tensors_are_layers),
        cmocka_unit_test(shared_operands_count_once),
        cmocka_unit_test(reductions_are_layers),
        cmocka_unit_test(activations_are_layers),
        cmocka_unit_test(layers_know_all_their_inputs),
        cmocka_unit_test(recurrent_layers_are_layers),
        cmocka_unit_test(networks_are_of_one_sample),
        cmocka_unit_test(shared_weights_count_once),
        cmocka_unit_test(constant_nodes_hold_weights),
        cmocka_unit_test(unknown_operators_are_named),
        cmocka_unit_test(damaged_models_are_refused),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(truncated_models_are_refused),
        cmocka_unit_test(mutated_models_do_no_harm),
        cmocka_unit_test(large_weights_stay_on_disk),
    };
    return RUN_TESTS(argc, argv, tests, make_models, remove_onnx_models);
}
