/* ONNX files as other programs write them -> networks: the batch, shared weights, operators of
 * other domains. The models come from tests/python/onnx_foreign.py: without python3-onnx these
 * tests are skipped. Figures by hand: 2 operations a multiply-add. */
#include "network/network.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/test_onnx_foreign.XXXXXX";
static bool has_models;

static void need_models(void)
{
    if (has_models)
        return;
    print_message("no python3-onnx: scripts/setup --test\n");
    skip();
}

static enum status load_sized(struct network *network, const char *name,
                              struct dimension_sizes *sizes, struct error *error)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.onnx", folder, name);
    *error = (struct error){.hint = ""};
    return network_load_sized(network, path, sizes, error);
}

static const struct network_layer *find(const struct network *network, const char *name)
{
    for (int i = 0; i < network->layer_count; i++)
        if (strcmp(network->layers[i].name, name) == 0)
            return &network->layers[i];
    fail_msg("%s has no layer '%s'", network->name, name);
    return NULL;
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

static int make_models(void **state)
{
    (void)state;
    char command[1024];
    if (!mkdtemp(folder))
        return 1;
    snprintf(command, sizeof command, "%s -B %s/tests/python/onnx_foreign.py %s", PYTHON,
             SOURCE_DIR, folder);
    const int status = system(command);
    has_models = status == 0;
    return status == 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 77) ? 0 : 1;
}

static int remove_models(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_batch_is_an_axis_that_nothing_mixes),
        cmocka_unit_test(wrong_batches_are_refused),
    };
    return RUN_TESTS(argc, argv, tests, make_models, remove_models);
}
