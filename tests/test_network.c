#include "network/network.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char header[] = "name,layer,input,inputs,outputs,image_size,kernel_size,channels_in,"
                             "channels_out,channels,stride,padding,pooling,use_bias,activation\n";

static enum status parse(struct network *network, const char *text, struct error *error)
{
    return network_parse(network, "nets/net.v1.csv", text, strlen(text), error);
}

static struct network load(const char *name)
{
    struct network network;
    struct error error;
    if (network_load(&network, name, &error) != STATUS_OK)
        fail_msg("%s: %s (%s)", name, error.message, error.hint);
    return network;
}

/* ---- reading ---- */

static void layers_are_read(void **state)
{
    (void)state;
    struct network network;
    char text[1024];
    snprintf(text, sizeof text, "# a comment\n%s%s", header,
             "a,conv2d,,,,8,3,3,4,,1,same,,yes,relu\n"
             "b,pool2d,,,,8,2,,,4,2,,average,,\r\n"
             "\"c, 1\",dense,b,64,10,,,,,,,,,,\n"
             "d,dense,input,5,1,,,,,,,,,,\n");
    assert_int_equal(parse(&network, text, NULL), STATUS_OK);
    assert_string_equal(network.name, "net.v1");
    assert_int_equal(network.layer_count, 4);
    const struct network_layer *layers = network.layers;
    assert_string_equal(layers[2].name, "c, 1");
    assert_int_equal(network_input(&layers[0], 0), -1);
    assert_int_equal(network_input(&layers[1], 0), 0);
    assert_int_equal(network_input(&layers[2], 0), 1);
    assert_int_equal(network_input(&layers[3], 0), -1);
    assert_int_equal(layers[0].config.kind, LAYER_CONV2D);
    assert_int_equal(layers[0].config.batch_size, 1);
    assert_int_equal(layers[0].config.as.conv2d.channels_out, 4);
    assert_int_equal(layers[0].config.as.conv2d.padding, PADDING_SAME);
    assert_int_equal(layers[1].config.as.pool2d.padding, PADDING_VALID); /* the default */
    assert_int_equal(layers[1].config.as.pool2d.pooling, POOLING_AVERAGE);
    assert_int_equal(layers[2].config.as.dense.use_bias, SWITCH_NO);
    network_free(&network);
    assert_null(network.layers);
}

struct bad_case {
    const char *text, *message, *hint; /* parts; NULL: none asked */
};

static void assert_bad(const char *text, const struct bad_case *bad)
{
    struct network network;
    struct error error = {.hint = ""};
    const enum status status = parse(&network, text, &error);
    if (status != STATUS_BAD_FILE)
        fail_msg("status %d for %s", status, text);
    if (!strstr(error.message, bad->message))
        fail_msg("'%s' does not say '%s'", error.message, bad->message);
    if (bad->hint && !strstr(error.hint, bad->hint))
        fail_msg("hint '%s' does not say '%s'", error.hint, bad->hint);
    assert_non_null(strstr(error.message, "nets/net.v1.csv"));
    assert_null(network.layers);
    assert_int_equal(parse(&network, text, NULL), STATUS_BAD_FILE);
}

static void bad_headers(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {"", "empty", NULL},
        {"# only a comment\n", "empty", NULL},
        {"name,layer\n", "has no layers", NULL},
        {"layer,inputs\nx,1\n", ":1: no column 'name'", NULL},
        {"name,inputs\nx,1\n", ":1: no column 'layer'", NULL},
        {"name,layer,kernelsize\n", "unknown column 'kernelsize'", "'kernel_size'"},
        {"name,layer,batch_size\n", "unknown column 'batch_size'", "asked"},
        {"name,layer,weather_forecast\n", "unknown column 'weather_forecast'", "columns are"},
        {"name,layer,name\n", "two columns 'name'", NULL},
        {"name,layer,stride,stride\n", "two columns 'stride'", NULL},
        {"PNG\r\n\x1a\n", "unknown column", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_bad(cases[i].text, &cases[i]);
}

static void bad_layers(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {"a,dens,,1,1,,,,,,,,,,\n", ":2: layer: unknown kind 'dens'", "'dense'"},
        {"a,transformer,,1,1,,,,,,,,,,\n", ":2: layer: unknown kind 'transformer'", "--help"},
        {",dense,,1,1,,,,,,,,,,\n", ":2: name: missing", NULL},
        {"input,dense,,1,1,,,,,,,,,,\n", ":2: name: 'input'", NULL},
        {"a\tb,dense,,1,1,,,,,,,,,,\n", ":2: name: has a control character", NULL},
        {"a,dense,,1,1,,,,,,,,,,\na,dense,,1,1,,,,,,,,,,\n", ":3: name: 'a' is the name", NULL},
        {"a,dense,b,1,1,,,,,,,,,,\nb,dense,,1,1,,,,,,,,,,\n", ":2: input: no earlier layer",
         "above"},
        {"a,dense,a,1,1,,,,,,,,,,\n", ":2: input: no earlier layer is called 'a'", NULL},
        {"a,dense,,1\n", ":2: 4 fields where the header has 15", NULL},
        {"a,dense,,,1,,,,,,,,,,\n", ":2: inputs: missing", NULL},
        {"a,dense,,nan,1,,,,,,,,,,\n", ":2: inputs: 'nan' is not a whole number", NULL},
        {"a,dense,,-3,1,,,,,,,,,,\n", ":2: inputs: -3 is outside 1..1000000", NULL},
        {"a,dense,,1e3,1,,,,,,,,,,\n", ":2: inputs: '1e3' is not a whole number", NULL},
        {"a,dense,,4294967297,1,,,,,,,,,,\n", ":2: inputs: 4294967297 is outside", NULL},
        {"a,dense,,1,1,,,,,,3,,,,\n", ":2: stride: dense has no such feature", NULL},
        {"a,dense,,1,1,,,,,,,,,,rely\n", ":2: activation: unknown value 'rely'", "'relu'"},
        {"a,dense,,1000000,1000000,,,,,,,,,,\n", ":2: dense: the weights would have", NULL},
        {"a,conv2d,,,,2,3,1,1,,1,valid,,,\n", ":2: conv2d: kernel_size is larger", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        snprintf(text, sizeof text, "%s%s", header, cases[i].text);
        assert_bad(text, &cases[i]);
    }
}

static void long_names_are_refused(void **state)
{
    (void)state;
    char text[1024], name[65];
    memset(name, 'n', 64);
    name[64] = '\0';
    snprintf(text, sizeof text, "%s%s,dense,,1,1,,,,,,,,,,\n", header, name);
    assert_bad(text, &(struct bad_case){.message = ":2: name: "});
}

/* Every prefix of a file is read or refused, never misread; the last line may lose its newline. */
static void truncated_files(void **state)
{
    (void)state;
    static const char text[] = "name,layer,inputs,outputs\na,dense,12,34\nb,dense,34,56\n";
    for (size_t size = 0; size < strlen(text); size++) {
        char *copy = malloc(size + 1); /* so that a sanitizer sees reads beyond the end */
        struct network network;
        memcpy(copy, text, size);
        if (network_parse(&network, "x.csv", copy, size, NULL) == STATUS_OK)
            network_free(&network);
        else
            assert_null(network.layers);
        free(copy);
    }
}

static void too_many_layers(void **state)
{
    (void)state;
    const size_t limit = 32 * (NETWORK_LAYER_LIMIT + 2);
    char *text = malloc(limit);
    size_t length = (size_t)snprintf(text, limit, "name,layer,inputs,outputs\n");
    struct network network;
    for (int i = 0; i < NETWORK_LAYER_LIMIT; i++)
        length += (size_t)snprintf(text + length, limit - length, "n%d,dense,1,1\n", i);
    assert_int_equal(network_parse(&network, "x.csv", text, length, NULL), STATUS_OK);
    assert_int_equal(network.layer_count, NETWORK_LAYER_LIMIT);
    network_free(&network);
    length += (size_t)snprintf(text + length, limit - length, "more,dense,1,1\n");
    struct error error;
    assert_int_equal(network_parse(&network, "x.csv", text, length, &error), STATUS_BAD_FILE);
    assert_non_null(strstr(error.message, "more than 100000 layers"));
    free(text);
}

/* ---- operators ---- */

static const char operator_header[] =
    "name,layer,input,rows,inputs,outputs,operator,input_count,output_count,kept_count,"
    "parameter_count,parameter_reads,forward_flops,backward_flops\n";

static void operators_are_read(void **state)
{
    (void)state;
    struct network network;
    char text[1024];
    snprintf(text, sizeof text, "%s%s", operator_header,
             "norm,operator,,,,,layer_normalization,96,96.5,,20,30,1e3,2000\n"
             "fc,dense,,12,8,4,,,,,,,,\n");
    assert_int_equal(parse(&network, text, NULL), STATUS_OK);
    const struct network_layer *norm = &network.layers[0], *dense = &network.layers[1];
    assert_true(network_layer_is_operator(norm) && !network_layer_is_operator(dense));
    assert_string_equal(network_layer_kind(norm), "layer_normalization");
    assert_string_equal(network_layer_kind(dense), "dense");
    assert_true(network_layer_output_count(norm) == 96.5 && norm->work.kept_count == 0);
    assert_true(network_layer_input_count(dense) == 96 && network_layer_output_count(dense) == 48);
    const struct layer_config config = network_config(dense, 5, PASS_FORWARD, OPTIMIZER_NONE,
                                                      PRECISION_FP32);
    assert_int_equal(config.batch_size, 60);
    network_free(&network);
}

/* Column `layer` says that a line is an operator: kinds that come later take no names away. */
static void operators_may_be_called_like_kinds(void **state)
{
    (void)state;
    char text[1024];
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct network network;
        snprintf(text, sizeof text, "%sa,operator,,,,,%s,96,48,,,,,\n", operator_header,
                 layer_descriptors[kind]->name);
        assert_int_equal(parse(&network, text, NULL), STATUS_OK);
        assert_true(network_layer_is_operator(&network.layers[0]));
        assert_string_equal(network_layer_kind(&network.layers[0]), layer_descriptors[kind]->name);
        assert_true(network_layer_output_count(&network.layers[0]) == 48);
        network_free(&network);
    }
}

static void bad_operators(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {"a,operator,,,,,,1,1,,,,,\n", ":2: operator: missing", NULL},
        {"a,operator,,,,,Add,1,1,,,,,\n", ":2: operator: 'Add' is not a valid operator name", NULL},
        {"a,operator,,,,,a_name_of_more_than_thirty_one_bytes,1,1,,,,,\n", "too long", NULL},
        {"a,operat,,,,,add,1,1,,,,,\n", ":2: layer: unknown kind 'operat'", "'operator'"},
        {"a,operator,,,,,add,1,,,,,,\n", ":2: output_count: missing", NULL},
        {"a,operator,,,,,add,-1,1,,,,,\n", ":2: input_count: -1 is outside", NULL},
        {"a,operator,,,,,add,1,1e15,,,,,\n", ":2: output_count: 1e15 is outside", NULL},
        {"a,operator,,,,,add,x,1,,,,,\n", "input_count", NULL},
        {"a,operator,,,,,add,1,1,,,,1e99,\n", ":2: forward_flops: 1e99 is outside", NULL},
        {"a,operator,,3,,,add,1,1,,,,,\n", ":2: rows: an operator has no such column", NULL},
        {"a,operator,,,3,,add,1,1,,,,,\n", ":2: inputs: an operator has no such column", NULL},
        {"a,dense,,,3,3,add,,,,,,,\n", ":2: operator: dense has no such column", NULL},
        {"a,dense,,,3,3,,,5,,,,,\n", ":2: output_count: dense has no such column", NULL},
        {"a,dense,,0,3,3,,,,,,,,\n", ":2: rows: 0 is outside 1..65536", NULL},
        {"a,dense,,65537,3,3,,,,,,,,\n", ":2: rows: 65537 is outside", NULL},
        {"a,dense,,1.5,3,3,,,,,,,,\n", "rows", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        snprintf(text, sizeof text, "%s%s", operator_header, cases[i].text);
        assert_bad(text, &cases[i]);
    }
}

static struct cost operator_cost(const struct operator_work *counts, int32_t batch_size,
                                 int32_t pass, int32_t optimizer, int32_t precision)
{
    struct layer_work work;
    operator_layer_work(&work, counts, "other", batch_size);
    return cost_of_work(&work, pass, optimizer, precision);
}

/* 4 bytes an element; batch 2, Adam: 12 flops, 4 arrays read and 3 written a parameter. */
static void cost_of_an_operator(void **state)
{
    (void)state;
    const struct operator_work work = {.input_count = 10,
                                       .output_count = 20,
                                       .kept_count = 5,
                                       .parameter_count = 7,
                                       .parameter_reads = 9,
                                       .forward_flops = 100,
                                       .backward_flops = 300};
    struct cost cost = operator_cost(&work, 2, PASS_FORWARD, OPTIMIZER_NONE, PRECISION_FP32);
    assert_true(cost.flops == 200 && cost.bytes_read == 4 * (20 + 9));
    assert_true(cost.bytes_written == 4 * 40 && cost.parameter_count == 7);
    assert_true(cost.input_bytes == 4 * 20 && cost.activation_bytes == 4 * 40);
    cost = operator_cost(&work, 2, PASS_TRAIN, OPTIMIZER_ADAM, PRECISION_FP32);
    assert_true(cost.flops == 200 + 600 + 12 * 7);
    assert_true(cost.bytes_read == 4 * (20 + 9 + 40 + 10 + 9 + 4 * 7));
    assert_true(cost.bytes_written == 4 * (40 + 20 + 7 + 3 * 7));
    cost = operator_cost(&work, 2, PASS_FORWARD, OPTIMIZER_NONE, PRECISION_FP16);
    assert_true(cost.bytes_read == 2 * (20 + 9));
}

/* A batch of 2: products of parameters, then of activations: 4 of 8 x 16 by 16 x 8. */
static void products_have_sides(void **state)
{
    (void)state;
    const struct operator_work conv = {.input_count = 300,
                                       .output_count = 400,
                                       .kept_count = 700,
                                       .parameter_count = 27 * 4 + 4,
                                       .parameter_reads = 27 * 4 + 4,
                                       .forward_flops = 2 * 400 * 27 + 400,
                                       .backward_flops = 4 * 400 * 27};
    const struct operator_work attention = {.input_count = 4 * 2 * 8 * 16,
                                            .output_count = 4 * 8 * 8,
                                            .kept_count = 4 * (2 * 8 * 16 + 8 * 8),
                                            .forward_flops = 4 * 2 * 8 * 8 * 16,
                                            .backward_flops = 4 * 4 * 8 * 8 * 16};
    static const struct {
        double rows, depth, columns, batch;
    } sides[2][3] = {{{200, 27, 4, 1}, {200, 4, 27, 1}, {27, 200, 4, 1}},
                     {{8, 16, 8, 8}, {8, 8, 16, 8}, {16, 8, 8, 8}}};
    for (int i = 0; i < 2; i++) {
        struct layer_work work;
        operator_layer_work(&work, i ? &attention : &conv, "other", 2);
        assert_int_equal(work.operation_count, 3);
        for (int j = 0; j < 3; j++) {
            const struct work_operation *product = &work.operations[j];
            assert_int_equal(product->type, OPERATION_PRODUCT);
            assert_true(product->rows == sides[i][j].rows && product->depth == sides[i][j].depth);
            assert_true(product->columns == sides[i][j].columns);
            assert_true(product->batch == sides[i][j].batch);
        }
    }
    const struct cost cost = operator_cost(&conv, 2, PASS_TRAIN, OPTIMIZER_NONE, PRECISION_FP32);
    assert_true(cost.flops == 2 * (6 * 400 * 27 + 400));
    assert_true(cost.bytes_read == 4 * (2 * 300 + 112 + 2 * (400 + 700) + 112));
    assert_true(cost.bytes_written == 4 * (2 * 400 + 2 * 300 + 112));
}

/* What an operator fed is fed by what fed the operator. */
static void networks_without_operators(void **state)
{
    (void)state;
    struct network network, covered;
    struct error error;
    char text[1024];
    snprintf(text, sizeof text, "%s%s", operator_header,
             "n0,operator,,,,,add,1,1,,,,,\n"
             "a,dense,,,8,4,,,,,,,,\n"
             "n1,operator,,,,,relu,4,4,,,,,\n"
             "n2,operator,,,,,relu,4,4,,,,,\n"
             "b,dense,,,4,4,,,,,,,,\n"
             "c,dense,n1,,4,4,,,,,,,,\n"
             "d,dense,n0,,8,4,,,,,,,,\n");
    assert_int_equal(parse(&network, text, &error), STATUS_OK);
    assert_int_equal(network_without_operators(&covered, &network, NULL), STATUS_OK);
    assert_int_equal(covered.layer_count, 4);
    static const int inputs[] = {-1, 0, 0, -1};
    for (int i = 0; i < 4; i++)
        assert_int_equal(network_input(&covered.layers[i], 0), inputs[i]);
    char kinds[64];
    const bool wanted[7] = {true, true, true, true, false, false, false};
    network_count_kinds(kinds, sizeof kinds, &network, wanted);
    assert_string_equal(kinds, "relu x2, add x1, dense x1");
    network_count_kinds(kinds, 20, &network, wanted);
    assert_string_equal(kinds, "relu x2, ...");
    network_free(&network);
    network_free(&covered);
}

/* ---- layers with two inputs ---- */

#define RESIDUAL_HEADER                                                                            \
    "name,layer,input,second_input,inputs,outputs,elements,operator,output_count\n"

static void second_inputs(void **state)
{
    (void)state;
    struct network network, covered;
    struct error error;
    assert_int_equal(parse(&network,
                           RESIDUAL_HEADER "a,dense,,,8,4,,,\n"
                                           "n,operator,,,,,,scale,4\n"
                                           "b,dense,,,4,4,,,\n"
                                           "c,addition,,n,,,4,,\n"
                                           "d,addition,,input,,,4,,\n"
                                           "e,addition,a,,,,4,,\n",
                           &error),
                     STATUS_OK);
    static const int seconds[] = {-1, -1, -1, 1, -1, -1}, covered_seconds[] = {-1, -1, 0, -1, -1};
    for (int i = 0; i < 6; i++)
        assert_int_equal(network_input(&network.layers[i], 1), seconds[i]);
    assert_int_equal(network_without_operators(&covered, &network, NULL), STATUS_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(network_input(&covered.layers[i], 1), covered_seconds[i]);
    network_free(&network);
    network_free(&covered);
}

static void bad_second_inputs(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {"a,addition,,b,,,4,,\nb,dense,,,4,4,,,\n", ":2: second_input: no earlier layer", "above"},
        {"a,dense,,input,8,4,,,\n", ":2: second_input: dense has no second input", NULL},
        {"a,operator,,input,,,,x,4\n", ":2: second_input: an operator has no second", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        snprintf(text, sizeof text, RESIDUAL_HEADER "%s", cases[i].text);
        assert_bad(text, &cases[i]);
    }
}

/* ---- any number of inputs ---- */

static void assert_inputs(const struct network_layer *layer, const int *inputs, int count)
{
    if (layer->input_count != count)
        fail_msg("%s has %d inputs, not %d", layer->name, layer->input_count, count);
    for (int i = 0; i < count; i++)
        assert_int_equal(network_input(layer, i), inputs[i]);
}

/* ';' joins names; where it is part of one, a '\\' or nothing stands before it. */
static void inputs_are_lists(void **state)
{
    (void)state;
    struct network network;
    struct error error;
    assert_int_equal(parse(&network,
                           RESIDUAL_HEADER "a,dense,,,8,4,,,\n"
                                           "b;c,dense,,,4,4,,,\n"
                                           "d\\e,dense,b;c,,4,4,,,\n"
                                           "f,addition,b\\;c;d\\\\e,,,,4,,\n"
                                           "g,addition,a;input,,,,4,,\n"
                                           "h,operator,a;input;a;f;d\\e,,,,,concat,20\n"
                                           "i,operator,,,,,,relu,20\n",
                           &error),
                     STATUS_OK);
    const struct network_layer *layers = network.layers;
    assert_inputs(&layers[0], (const int[]){-1}, 1);
    assert_inputs(&layers[2], (const int[]){1}, 1);
    assert_inputs(&layers[3], (const int[]){1, 2}, 2);
    assert_inputs(&layers[4], (const int[]){0, -1}, 2);
    assert_inputs(&layers[5], (const int[]){0, -1, 0, 3, 2}, 5);
    assert_inputs(&layers[6], (const int[]){5}, 1);
    network_free(&network);
}

static void bad_lists_of_inputs(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {"b,dense,a;a,,4,4,,,\n", ":3: input: dense has 1, not 2", NULL},
        {"b,addition,a;a;a,,,,4,,\n", ":3: input: binary has 2, not 3", NULL},
        {"b,addition,a;a,a,,,4,,\n", ":3: second_input: column input names it already", NULL},
        {"b,operator,a;c;a,,,,,concat,4\n", ":3: input: no earlier layer is called 'c'", "above"},
        {"b,operator,a;,,,,,concat,4\n", ":3: input: no earlier layer is called ''", "above"},
        {"b,operator,a\\;a,,,,,concat,4\n", "no earlier layer is called 'a;a'", "above"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        snprintf(text, sizeof text, RESIDUAL_HEADER "a,dense,,,4,4,,,\n%s", cases[i].text);
        assert_bad(text, &cases[i]);
    }
}

/* A line of a network with one layer and a concatenation of `count` of it. */
static void parse_many(struct network *network, int count, enum status expected)
{
    static char text[4096];
    int length = snprintf(text, sizeof text, RESIDUAL_HEADER "a,dense,,,4,4,,,\nb,operator,a");
    for (int i = 1; i < count; i++)
        length += snprintf(text + length, sizeof text - (size_t)length, ";a");
    snprintf(text + length, sizeof text - (size_t)length, ",,,,,concat,4\n");
    assert_int_equal(parse(network, text, NULL), expected);
}

static void a_layer_has_up_to_256_inputs(void **state)
{
    (void)state;
    struct network network;
    parse_many(&network, NETWORK_INPUT_LIMIT, STATUS_OK);
    assert_int_equal(network.layers[1].input_count, NETWORK_INPUT_LIMIT);
    assert_int_equal(network_input(&network.layers[1], NETWORK_INPUT_LIMIT - 1), 0);
    network_free(&network);
    parse_many(&network, NETWORK_INPUT_LIMIT + 1, STATUS_BAD_FILE);
}

/* ---- writing ---- */

static void assert_same_inputs(const struct network_layer *a, const struct network_layer *b)
{
    assert_inputs(a, b->inputs, b->input_count);
}

static void written_networks_read_back(void **state)
{
    (void)state;
    char **names;
    int count;
    assert_int_equal(network_catalogue(&names, &count, NULL), STATUS_OK);
    for (int i = 0; i < count; i++) {
        struct network network = load(names[i]), again;
        char *bytes;
        size_t size;
        FILE *file = open_memstream(&bytes, &size);
        assert_int_equal(network_write_csv(&network, file, NULL), STATUS_OK);
        fclose(file);
        assert_int_equal(network_parse(&again, names[i], bytes, size, NULL), STATUS_OK);
        assert_int_equal(again.layer_count, network.layer_count);
        for (int j = 0; j < network.layer_count; j++) {
            assert_string_equal(again.layers[j].name, network.layers[j].name);
            assert_same_inputs(&again.layers[j], &network.layers[j]);
            assert_memory_equal(&again.layers[j].config, &network.layers[j].config,
                                sizeof network.layers[j].config);
            assert_string_equal(again.layers[j].operator_name, network.layers[j].operator_name);
            assert_memory_equal(&again.layers[j].work, &network.layers[j].work,
                                sizeof network.layers[j].work);
        }
        network_free(&network);
        network_free(&again);
        free(bytes);
    }
    free(names);
}

/* Names of every kind, all of which feed the last layer. */
static void odd_names_read_back(void **state)
{
    (void)state;
    static const char *const names[] = {"#say \"a, b\"", "c", "a;b", "a", "b", "\\", "a\\;b", ";"};
    enum { COUNT = sizeof names / sizeof *names };
    struct network_layer layers[COUNT + 1];
    struct network network = {.name = "odd", .layers = layers, .layer_count = COUNT + 1}, again;
    int inputs[COUNT + 1] = {-1}; /* the network's, then each */
    for (int i = 0; i < COUNT; i++) {
        layers[i] = (struct network_layer){.inputs = inputs,
                                           .input_count = 1,
                                           .config = {.kind = LAYER_DENSE,
                                                      .batch_size = 1,
                                                      .as.dense = {.inputs = 2, .outputs = 3}}};
        snprintf(layers[i].name, sizeof layers[i].name, "%s", names[i]);
        inputs[i + 1] = i;
    }
    layers[2].inputs = inputs + 1;
    layers[3].inputs = inputs + 3;
    layers[COUNT] = (struct network_layer){.name = "concat",
                                           .operator_name = "concat",
                                           .inputs = inputs,
                                           .input_count = COUNT + 1,
                                           .config.batch_size = 1,
                                           .work.output_count = 1};
    char *bytes;
    size_t size;
    FILE *file = open_memstream(&bytes, &size);
    assert_int_equal(network_write_csv(&network, file, NULL), STATUS_OK);
    fclose(file);
    assert_int_equal(network_parse(&again, "odd.csv", bytes, size, NULL), STATUS_OK);
    for (int i = 0; i <= COUNT; i++) {
        assert_string_equal(again.layers[i].name, layers[i].name);
        assert_same_inputs(&again.layers[i], &layers[i]);
    }
    network_free(&again);
    free(bytes);
}

static void assert_header(const char *text, const char *header_line)
{
    struct network network;
    char *bytes;
    size_t size;
    assert_int_equal(parse(&network, text, NULL), STATUS_OK);
    FILE *file = open_memstream(&bytes, &size);
    assert_int_equal(network_write_csv(&network, file, NULL), STATUS_OK);
    fclose(file);
    assert_int_equal(strcspn(bytes, "\n"), strlen(header_line));
    assert_memory_equal(bytes, header_line, strlen(header_line));
    network_free(&network);
    free(bytes);
}

static void columns_are_those_of_the_kinds_in_it(void **state)
{
    (void)state;
    assert_header("name,layer,image_size,inputs,outputs\na,dense,,4,4\n",
                  "name,layer,input,inputs,outputs,use_bias,activation");
    assert_header("name,layer,elements,rows,operator,output_count\na,addition,8,2,,\n"
                  "b,operator,,,relu,8\n",
                  "name,layer,input,rows,elements,activation,operator,input_count,output_count,"
                  "kept_count,parameter_count,parameter_reads,forward_flops,backward_flops");
    assert_header("name,layer,operator,output_count\nb,operator,relu,8\n",
                  "name,layer,input,operator,input_count,output_count,kept_count,"
                  "parameter_count,parameter_reads,forward_flops,backward_flops");
}

static void full_disk_is_an_error(void **state)
{
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        skip();
    struct network network = load("lenet5");
    struct error error;
    assert_int_equal(network_write_csv(&network, full, &error), STATUS_FAILED);
    assert_non_null(strstr(error.message, "cannot write"));
    fclose(full);
    network_free(&network);
}

/* ---- catalogue ---- */

struct catalogue_case {
    const char *name;
    int layer_count;
    int64_t parameters;    /* the published totals */
    double forward_gflop;  /* batch 1; published multiply-adds times two, other work on top */
    double multiply_add_g; /* published; 0: not */
};
static const struct catalogue_case catalogue_cases[] = {
    /* 156 + 2,416 + 48,120 + 10,164 + 850 */
    {"lenet5", 7, 61706, 0, 0},
    {"alexnet", 11, 61100840, 1.43, 0},
    {"vgg11", 16, 132863336, 15.2, 7.609},
    {"vgg13", 18, 133047848, 22.6, 11.308},
    {"vgg16", 21, 138357544, 30.97, 15.47},
    {"vgg19", 24, 143667240, 39.3, 19.632},
    /* torchvision's models: num_params and _ops of their weights */
    {"resnet18", 51, 11689512, 3.628, 1.814},
    {"resnet34", 91, 21797672, 7.328, 3.664},
    {"resnet50", 125, 25557032, 8.178, 4.089},
    {"resnet101", 244, 44549160, 15.602, 7.801},
    {"resnet152", 363, 60192808, 23.028, 11.514},
    {"squeezenet", 38, 1248424, 1.638, 0.819},
    {"mobilenet_v2", 151, 3504872, 0, 0.301},
    {"densenet121", 305, 7978856, 5.668, 2.834},
    /* less 3,326,696 of the auxiliary */
    {"inception_v3", 218, 27161264 - 3326696, 11.426, 5.713},
    {"resnext50", 125, 25028904, 0, 4.230},
    {"efficientnet_b0", 222, 5288548, 0, 0.386},
    {"convnext_tiny", 181, 28589128, 0, 4.456},
    {"vit_b16", 175, 86567656, 0, 17.564},
    /* less the auxiliary: 1024 * 256 * 9 + 2 * 256 + 257 * 21 parameters, on 65 x 65 pixels */
    {"deeplabv3", 142, 42004074 - 2365205, 0, 178.722 - 9.991},
    /* github.com/milesial/Pytorch-UNet, UNet(n_channels=3, n_classes=2); PyTorch counts its flops
     */
    {"unet", 49, 31037698, 0, 48.172},
    /* words 10,000 * 650, layers 8 (650^2 + 650), decoder 650 * 10,000 + 10,000 */
    {"lstm_lm", 5, 6500000 + 2 * 3385200 + 6510000, 0.93, 0},
    /* transformers' BertModel, GPT2LMHeadModel, DistilBertModel, T5ForConditionalGeneration,
     * WhisperEncoder; LLaMA's by their papers. Multiply-adds of n tokens: n times the weights of
     * products, and 2 n^2 width of each attention. */
    {"bert_base", 199, 109482240, 22.4, 11.174},
    {"gpt2", 172, 124439808, 291.7, 145.8},
    {"distilbert", 99, 66362880, 0, 5.587},
    {"t5_small", 254, 60506624, 0, 8.045},
    {"whisper_tiny_encoder", 71, 8208384, 0, 18.47},
    {"mobilellm_125m", 843, 124635456, 0, 72.86},
    {"tinyllama_1b", 619, 1100048384, 0, 553.2},
};

/* Of products of matrices, of one sample. */
static double multiply_adds(const struct network *network)
{
    struct layer_work work;
    double flops = 0;
    for (int i = 0; i < network->layer_count; i++) {
        network_work(&work, &network->layers[i], 1);
        for (int k = 0; k < work.operation_count; k++)
            if (work.operations[k].phase == WORK_FORWARD &&
                work.operations[k].type == OPERATION_PRODUCT)
                flops += work.operations[k].flops;
    }
    return flops / 2;
}

static void catalogue_has_the_published_sizes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof catalogue_cases / sizeof *catalogue_cases; i++) {
        const struct catalogue_case *expected = &catalogue_cases[i];
        struct network network = load(expected->name);
        int64_t parameters = 0;
        double flops = 0;
        for (int j = 0; j < network.layer_count; j++) {
            const struct cost cost = network_cost(&network.layers[j], 1, PASS_FORWARD,
                                                  OPTIMIZER_NONE, PRECISION_FP32);
            parameters += cost.parameter_count;
            flops += cost.flops;
        }
        print_message("%s: %d layers, %.4g GFLOP\n", expected->name, network.layer_count,
                      flops / 1e9);
        assert_string_equal(network.name, expected->name);
        assert_int_equal(network.layer_count, expected->layer_count);
        assert_int_equal(parameters, expected->parameters);
        if (expected->forward_gflop > 0)
            assert_float_equal(flops / 1e9, expected->forward_gflop, expected->forward_gflop / 20);
        if (expected->multiply_add_g > 0)
            assert_float_equal(multiply_adds(&network) / 1e9, expected->multiply_add_g,
                               expected->multiply_add_g / 200);
        network_free(&network);
    }
}

/* What a layer gives is what the layer of a kind that it feeds takes, or a part of that; operators
 * may have several inputs. */
static void catalogue_layers_fit_together(void **state)
{
    (void)state;
    char **names;
    int count;
    assert_int_equal(network_catalogue(&names, &count, NULL), STATUS_OK);
    assert_true(count >= (int)(sizeof catalogue_cases / sizeof *catalogue_cases));
    for (int i = 0; i < count; i++) {
        struct network network = load(names[i]);
        for (int j = 0; j < network.layer_count; j++) {
            const struct network_layer *layer = &network.layers[j];
            if (network_input(layer, 0) < 0 || network_layer_is_operator(layer))
                continue;
            const double taken = network_layer_input_count(layer);
            const double given = network_layer_output_count(
                &network.layers[network_input(layer, 0)]);
            const bool is_image = layer_feature_find(layer->config.kind, "image_size") != NULL;
            if (is_image ? given != taken : fmod(given, taken) != 0)
                fail_msg("%s: %s does not fit %s", names[i],
                         network.layers[network_input(layer, 0)].name, layer->name);
            const int second = network_input(layer, 1);
            if (layer->config.kind == LAYER_BINARY && second >= 0 &&
                network_layer_output_count(&network.layers[second]) !=
                    (double)layer_input_elements(&layer->config, 1))
                fail_msg("%s: the second input of %s does not fit", names[i], layer->name);
        }
        network_free(&network);
    }
    free(names);
}

static void config_of_a_layer(void **state)
{
    (void)state;
    struct network network = load("vgg16");
    const struct network_layer *conv = &network.layers[0], *pool = &network.layers[2];
    struct layer_config config = network_config(conv, 32, PASS_TRAIN, OPTIMIZER_ADAM,
                                                PRECISION_FP32);
    assert_int_equal(config.batch_size, 32);
    assert_int_equal(config.optimizer, OPTIMIZER_ADAM);
    assert_true(layer_is_valid(&config));
    config = network_config(pool, 32, PASS_TRAIN, OPTIMIZER_ADAM, PRECISION_FP32);
    assert_int_equal(config.pass, PASS_TRAIN);
    assert_int_equal(config.optimizer, OPTIMIZER_NONE);
    assert_true(layer_is_valid(&config));
    config = network_config(conv, 32, PASS_FORWARD, OPTIMIZER_ADAM, PRECISION_FP32);
    assert_int_equal(config.optimizer, OPTIMIZER_NONE);
    network_free(&network);
}

/* ---- finding ---- */

static void assert_not_loaded(const char *text, enum status status, const char *hint)
{
    struct network network;
    struct error error = {.hint = ""};
    assert_int_equal(network_load(&network, text, &error), status);
    if (!strstr(error.hint, hint))
        fail_msg("hint '%s' does not say '%s'", error.hint, hint);
    assert_null(network.layers);
}

static void unknown_networks(void **state)
{
    (void)state;
    assert_not_loaded("vgg61", STATUS_USAGE, "did you mean 'vgg");
    assert_not_loaded("vgg61", STATUS_USAGE, "resnet50");
    assert_not_loaded("transformer_xl_base", STATUS_USAGE, "known: alexnet, ");
    assert_not_loaded("", STATUS_USAGE, "known: ");
    assert_not_loaded("nowhere/net.csv", STATUS_BAD_FILE, "");
    assert_not_loaded("../datasets/networks/nothing", STATUS_BAD_FILE, "");
    assert_not_loaded("/dev/null/x", STATUS_BAD_FILE, "");
    assert_not_loaded("/dev/zero", STATUS_BAD_FILE, "");
    assert_not_loaded("/tmp", STATUS_BAD_FILE, "");
    assert_not_loaded("net.onnx", STATUS_BAD_FILE, "");
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void own_folder_comes_first(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_network.XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/vgg16.csv", folder);
    write_file(path, "name,layer,inputs,outputs\nonly,dense,2,3\n");
    setenv("EPOCHCAST_NETWORKS", folder, 1);
    struct network network = load("vgg16");
    assert_int_equal(network.layer_count, 1);
    network_free(&network);
    network = load("vgg19"); /* the catalogue is still there */
    network_free(&network);
    char **names;
    int count, seen = 0;
    assert_int_equal(network_catalogue(&names, &count, NULL), STATUS_OK);
    for (int i = 0; i < count; i++) {
        seen += strcmp(names[i], "vgg16") == 0;
        assert_true(i == 0 || strcmp(names[i - 1], names[i]) < 0);
    }
    assert_int_equal(seen, 1);
    free(names);
    unsetenv("EPOCHCAST_NETWORKS");
    network = load(path);
    assert_int_equal(network.layer_count, 1);
    network_free(&network);
    unlink(path);
    rmdir(folder);
}

/* Between layers of kinds; a dense layer may take one position of a sequence. */
static void sizes_that_do_not_fit(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        int count;
        const char *first;
    } cases[] = {
        {"a,dense,,8,4,\nb,dense,,4,2,\n", 0, ""},
        {"a,dense,,8,4,\nb,dense,,5,2,\n", 1, "'b' takes 5 values, 'a' gives 4"},
        {"a,dense,,8,4,\nb,dense,,2,2,\n", 0, ""},
        {"a,dense,,8,4,\nb,dense,,8,2,\nc,dense,,3,1,\n", 2, "'b' takes 8 values, 'a' gives 4"},
        {"a,dense,,8,4,\nb,dense,input,8,6,\nc,addition,a;b,,,4\n", 1,
         "'c' takes 4 values, 'b' gives 6"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[400], first[200];
        struct network network;
        snprintf(text, sizeof text, "name,layer,input,inputs,outputs,elements\n%s", cases[i].lines);
        struct error error = {0};
        if (network_parse(&network, "x.csv", text, strlen(text), &error) != STATUS_OK)
            fail_msg("%zu: %s", i, error.message);
        assert_int_equal(network_misfits(first, sizeof first, &network), cases[i].count);
        assert_string_equal(first, cases[i].first);
        network_free(&network);
    }
}

/* Names as ONNX files may have them: blanks around, the mark of a remark, separators, quotes. */
static void odd_names_are_written_and_read_back(void **state)
{
    (void)state;
    static const char text[] = "name,layer,input,elements\n"
                               "\" a \",addition,,36\n"
                               "\"#b\",addition,\" a ;input\",36\n"
                               "\"c,;\"\"\",addition,\"#b; a \",36\n"
                               "\"d \",addition,\"c,\\;\"\";#b\",36\n"
                               "e,addition,\"d ;d \",36\n";
    struct network network, again;
    struct error error = {0};
    if (network_parse(&network, "odd.csv", text, sizeof text - 1, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_string_equal(network.layers[0].name, " a ");
    assert_string_equal(network.layers[2].name, "c,;\"");
    char *bytes;
    size_t size;
    FILE *file = open_memstream(&bytes, &size);
    assert_int_equal(network_write_csv(&network, file, NULL), STATUS_OK);
    fclose(file);
    if (network_parse(&again, "odd.csv", bytes, size, &error) != STATUS_OK)
        fail_msg("%s\n%s", error.message, bytes);
    assert_int_equal(again.layer_count, 5);
    for (int i = 0; i < 5; i++) {
        assert_string_equal(again.layers[i].name, network.layers[i].name);
        assert_same_inputs(&again.layers[i], &network.layers[i]);
    }
    free(bytes);
    network_free(&network);
    network_free(&again);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_names_are_written_and_read_back),
        cmocka_unit_test(sizes_that_do_not_fit),
        cmocka_unit_test(layers_are_read),
        cmocka_unit_test(bad_headers),
        cmocka_unit_test(bad_layers),
        cmocka_unit_test(long_names_are_refused),
        cmocka_unit_test(truncated_files),
        cmocka_unit_test(too_many_layers),
        cmocka_unit_test(operators_are_read),
        cmocka_unit_test(operators_may_be_called_like_kinds),
        cmocka_unit_test(bad_operators),
        cmocka_unit_test(cost_of_an_operator),
        cmocka_unit_test(products_have_sides),
        cmocka_unit_test(networks_without_operators),
        cmocka_unit_test(second_inputs),
        cmocka_unit_test(bad_second_inputs),
        cmocka_unit_test(inputs_are_lists),
        cmocka_unit_test(bad_lists_of_inputs),
        cmocka_unit_test(a_layer_has_up_to_256_inputs),
        cmocka_unit_test(written_networks_read_back),
        cmocka_unit_test(odd_names_read_back),
        cmocka_unit_test(columns_are_those_of_the_kinds_in_it),
        cmocka_unit_test(full_disk_is_an_error),
        cmocka_unit_test(catalogue_has_the_published_sizes),
        cmocka_unit_test(catalogue_layers_fit_together),
        cmocka_unit_test(config_of_a_layer),
        cmocka_unit_test(unknown_networks),
        cmocka_unit_test(own_folder_comes_first),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
