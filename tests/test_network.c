#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "network/network.h"

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

static void test_layers_are_read(void **state)
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
    assert_int_equal(layers[0].input, -1);
    assert_int_equal(layers[1].input, 0);
    assert_int_equal(layers[2].input, 1);
    assert_int_equal(layers[3].input, -1);
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

static void test_bad_headers(void **state)
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

static void test_bad_layers(void **state)
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

static void test_long_names_are_refused(void **state)
{
    (void)state;
    char text[1024], name[65];
    memset(name, 'n', 64);
    name[64] = '\0';
    snprintf(text, sizeof text, "%s%s,dense,,1,1,,,,,,,,,,\n", header, name);
    assert_bad(text, &(struct bad_case){.message = ":2: name: "});
}

/* Every prefix of a file is read or refused, never misread; the last line may lose its newline. */
static void test_truncated_files(void **state)
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

static void test_too_many_layers(void **state)
{
    (void)state;
    const size_t limit = 32 * (NETWORK_LAYER_LIMIT + 2);
    char *text = malloc(limit);
    size_t length = (size_t)sprintf(text, "name,layer,inputs,outputs\n");
    struct network network;
    for (int i = 0; i < NETWORK_LAYER_LIMIT; i++)
        length += (size_t)sprintf(text + length, "n%d,dense,1,1\n", i);
    assert_int_equal(network_parse(&network, "x.csv", text, length, NULL), STATUS_OK);
    assert_int_equal(network.layer_count, NETWORK_LAYER_LIMIT);
    network_free(&network);
    length += (size_t)sprintf(text + length, "more,dense,1,1\n");
    struct error error;
    assert_int_equal(network_parse(&network, "x.csv", text, length, &error), STATUS_BAD_FILE);
    assert_non_null(strstr(error.message, "more than 100000 layers"));
    free(text);
}

/* ---- writing ---- */

static void test_written_networks_read_back(void **state)
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
            assert_int_equal(again.layers[j].input, network.layers[j].input);
            assert_memory_equal(&again.layers[j].config, &network.layers[j].config,
                                sizeof network.layers[j].config);
        }
        network_free(&network);
        network_free(&again);
        free(bytes);
    }
    free(names);
}

static void test_odd_names_read_back(void **state)
{
    (void)state;
    struct network network = {.name = "odd", .layer_count = 2}, again;
    struct network_layer layers[2] = {{.name = "#say \"a, b\"", .input = -1},
                                      {.name = "c", .input = -1}};
    for (int i = 0; i < 2; i++)
        layers[i].config = (struct layer_config){
            .kind = LAYER_DENSE, .batch_size = 1, .as.dense = {.inputs = 2, .outputs = 3}};
    network.layers = layers;
    char *bytes;
    size_t size;
    FILE *file = open_memstream(&bytes, &size);
    assert_int_equal(network_write_csv(&network, file, NULL), STATUS_OK);
    fclose(file);
    assert_int_equal(network_parse(&again, "odd.csv", bytes, size, NULL), STATUS_OK);
    assert_string_equal(again.layers[0].name, layers[0].name);
    assert_int_equal(again.layers[1].input, -1);
    network_free(&again);
    free(bytes);
}

static void test_full_disk_is_an_error(void **state)
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
    int64_t parameters;   /* the published totals, less batch normalisation */
    double forward_gflop; /* batch 1 */
};
static const struct catalogue_case catalogue_cases[] = {
    /* 156 + 2,416 + 48,120 + 10,164 + 850 */
    {"lenet5", 7, 61706, 0},
    {"alexnet", 11, 61100840, 1.43},
    {"vgg11", 16, 132863336, 15.2},
    {"vgg13", 18, 133047848, 22.6},
    {"vgg16", 21, 138357544, 30.97},
    {"vgg19", 24, 143667240, 39.3},
    {"resnet18", 23, 11689512 - 9600, 3.64},
    {"resnet34", 39, 21797672 - 17024, 7.34},
    /* batch normalisation: 2 (64 + 1408 + 3584 + 10240 + 11264) = 53,120 */
    {"resnet50", 56, 25557032 - 53120, 8.2},
};

static void test_catalogue_has_the_published_sizes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof catalogue_cases / sizeof *catalogue_cases; i++) {
        const struct catalogue_case *expected = &catalogue_cases[i];
        struct network network = load(expected->name);
        int64_t parameters = 0;
        double flops = 0;
        for (int j = 0; j < network.layer_count; j++) {
            const struct cost cost = layer_cost(&network.layers[j].config);
            parameters += cost.parameter_count;
            flops += cost.flops;
        }
        print_message("%s: %d layers, %.4g GFLOP\n", expected->name, network.layer_count,
                      flops / 1e9);
        assert_string_equal(network.name, expected->name);
        assert_int_equal(network.layer_count, expected->layer_count);
        assert_int_equal(parameters, expected->parameters);
        if (expected->forward_gflop > 0)
            assert_float_equal(flops / 1e9, expected->forward_gflop, expected->forward_gflop / 50);
        network_free(&network);
    }
}

/* What a layer gives is what the layer it feeds takes; the additions of shortcuts keep the count,
 * so that it holds in residual networks too. */
static void test_catalogue_layers_fit_together(void **state)
{
    (void)state;
    char **names;
    int count;
    assert_int_equal(network_catalogue(&names, &count, NULL), STATUS_OK);
    assert_true(count >= (int)(sizeof catalogue_cases / sizeof *catalogue_cases));
    for (int i = 0; i < count; i++) {
        struct network network = load(names[i]);
        for (int j = 0; j < network.layer_count; j++) {
            const int input = network.layers[j].input;
            if (input >= 0 && layer_output_count(&network.layers[input].config) !=
                                  layer_input_count(&network.layers[j].config))
                fail_msg("%s: %s does not fit %s", names[i], network.layers[input].name,
                         network.layers[j].name);
            assert_true(input >= 0 || j == 0);
        }
        network_free(&network);
    }
    free(names);
}

static void test_config_of_a_layer(void **state)
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

static void test_unknown_networks(void **state)
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
    assert_not_loaded("net.onnx", STATUS_BAD_FILE, "layer CSV");
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void test_own_folder_comes_first(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers_are_read),
        cmocka_unit_test(test_bad_headers),
        cmocka_unit_test(test_bad_layers),
        cmocka_unit_test(test_long_names_are_refused),
        cmocka_unit_test(test_truncated_files),
        cmocka_unit_test(test_too_many_layers),
        cmocka_unit_test(test_written_networks_read_back),
        cmocka_unit_test(test_odd_names_read_back),
        cmocka_unit_test(test_full_disk_is_an_error),
        cmocka_unit_test(test_catalogue_has_the_published_sizes),
        cmocka_unit_test(test_catalogue_layers_fit_together),
        cmocka_unit_test(test_config_of_a_layer),
        cmocka_unit_test(test_unknown_networks),
        cmocka_unit_test(test_own_folder_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
