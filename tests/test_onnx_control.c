/* Control flow, functions, sequences and unneeded nodes of ONNX models, and how models are asked
 * for. The models come from tests/python/onnx_operator_models.py. */
#include "onnx_check.h"
#include "onnx_folder.h"

static double total_flops(const struct network *network)
{
    double flops = 0;
    for (int i = 0; i < network->layer_count; i++)
        flops += network_cost(&network->layers[i], 1, PASS_FORWARD, OPTIMIZER_NONE, PRECISION_FP32)
                     .flops;
    return flops;
}

static int count_of(const struct network *network, const char *kind)
{
    int count = 0;
    for (int i = 0; i < network->layer_count; i++)
        count += strcmp(network_layer_kind(&network->layers[i]), kind) == 0;
    return count;
}

/* The branch that is known, else the one with more work, be it of fewer layers, else the one that
 * can be read; inputs that branches alone read. */
static void branches_are_entered(void **state)
{
    (void)state;
    need_models();
    struct network network = load("branches.onnx");
    assert_int_equal(network.layer_count, 6);
    assert_int_equal(find(&network, "one")->config.as.dense.outputs, 64);
    assert_int_equal(find(&network, "back")->config.as.dense.inputs, 64);
    assert_int_equal(find(&network, "small")->config.as.dense.outputs, 16);
    assert_int_equal(find(&network, "wide")->config.as.dense.outputs, 64);
    assert_int_equal(find(&network, "narrow")->config.as.dense.inputs, 64);
    network_free(&network);
}

/* 3 runs; none; 5 until the condition ends it; 2 of 3. */
static void loops_run_as_often_as_they_say(void **state)
{
    (void)state;
    need_models();
    struct network network = load("loops.onnx");
    assert_int_equal(count_of(&network, "dense"), 3 + 5 + 6);
    assert_int_equal(count_of(&network, "activation"), 3);
    const struct network_layer *all = find(&network, "three");
    assert_string_equal(network_layer_kind(all), "stack");
    assert_true(all->work.output_count == 3 * 16);
    assert_int_equal(all->input_count, 3);
    network_free(&network);
}

static enum status load_sized(struct network *network, const char *name, const char *sizes,
                              struct error *error)
{
    char path[512];
    path_of(path, name);
    *error = (struct error){.hint = ""};
    return network_load_with(network, path, &sizes, sizes ? 1 : 0, error);
}

static void open_trip_counts_are_asked_for(void **state)
{
    (void)state;
    need_models();
    struct network network;
    struct error error;
    assert_int_equal(load_sized(&network, "loop_open.onnx", NULL, &error), STATUS_BAD_FILE);
    assert_non_null(strstr(error.message, "node 'decode' (Loop"));
    assert_non_null(strstr(error.hint, "--dimension 'decode=TRIPS'"));
    assert_int_equal(load_sized(&network, "loop_open.onnx", "decode=7", &error), STATUS_OK);
    assert_int_equal(count_of(&network, "dense"), 7);
    network_free(&network);
}

static void scans_run_once_a_step(void **state)
{
    (void)state;
    need_models();
    struct network network;
    struct error error;
    if (load_sized(&network, "scan.onnx", "n=1", &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(count_of(&network, "dense"), 2 * 5);
    assert_true(total_flops(&network) >= 5.0 * 2 * (8 + 16) * 16);
    assert_true(find(&network, "steps")->work.output_count == 5 * 16);
    double bytes_read = 0, parameters = 0; /* each step reads the weights, which count once */
    for (int i = 0; i < network.layer_count; i++) {
        const struct cost cost = network_cost(&network.layers[i], 1, PASS_FORWARD, OPTIMIZER_NONE,
                                              PRECISION_FP32);
        bytes_read += cost.bytes_read;
        parameters += (double)cost.parameter_count;
    }
    assert_true(bytes_read >= 5.0 * 4 * (8 + 16) * 16);
    assert_true(parameters == (8 + 16) * 16);
    network_free(&network);
}

/* Attributes of the call reach the body, weights are the call's. */
static void functions_are_entered(void **state)
{
    (void)state;
    need_models();
    struct network network = load("functions.onnx");
    assert_int_equal(network.layer_count, 4);
    assert_int_equal(network.layers[0].config.as.dense.outputs, 4);
    assert_int_equal(network.layers[2].config.as.dense.outputs, 9);
    assert_int_equal(network.layers[2].config.batch_size, 6);
    network_free(&network);
    char path[512];
    struct mapped_file file;
    struct onnx_graph graph;
    path_of(path, "functions.onnx");
    assert_int_equal(mapped_file_open(&file, path, NULL), STATUS_OK);
    assert_int_equal(onnx_graph_read(&graph, path, file.bytes, file.size, NULL), STATUS_OK);
    assert_int_equal(onnx_infer_shapes(&graph, NULL), STATUS_OK);
    assert_int_equal(find_value(&graph, "first_out")->rank, 3);  /* keep = 1 */
    assert_int_equal(find_value(&graph, "second_out")->rank, 2); /* keep = 0 */
    onnx_graph_free(&graph);
    mapped_file_close(&file);
}

static void sequences_are_followed(void **state)
{
    (void)state;
    need_models();
    static const struct {
        const char *tensor;
        int rank;
        int64_t dims[3];
    } cases[] = {{"last_out", 3, {1, 2, 8}},     {"row_out", 2, {1, 8}},
                 {"stacked_out", 3, {1, 11, 8}}, {"joined_out", 3, {1, 6, 8}},
                 {"length_out", 1, {11}},        {"grown_out", 2, {5, 8}}};
    char path[512];
    struct mapped_file file;
    struct onnx_graph graph;
    struct error error;
    path_of(path, "sequences.onnx");
    assert_int_equal(mapped_file_open(&file, path, NULL), STATUS_OK);
    if (onnx_graph_read(&graph, path, file.bytes, file.size, &error) != STATUS_OK ||
        onnx_infer_shapes(&graph, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct onnx_value *value = find_value(&graph, cases[i].tensor);
        assert_int_equal(value->rank, cases[i].rank);
        assert_memory_equal(value->dims, cases[i].dims, (size_t)value->rank * sizeof(int64_t));
    }
    onnx_graph_free(&graph);
    mapped_file_close(&file);
}

/* Of an operator that nobody knows, too. */
static void unneeded_nodes_are_not_run(void **state)
{
    (void)state;
    need_models();
    struct network network = load("dead.onnx");
    assert_int_equal(network.layer_count, 1);
    assert_int_equal(network.layers[0].config.as.dense.activation, ACTIVATION_RELU);
    network_free(&network);
}

static void models_that_cannot_be_read_say_why(void **state)
{
    (void)state;
    need_models();
    static const struct {
        const char *name, *message, *hint;
    } cases[] = {
        {"loop_bomb.onnx", "with all runs of subgraphs and functions the graph is too large", ""},
        {"scan_wide.onnx", "node 'wide' (Scan, byte 8): it has 300 outputs", ""},
        {"scan_short.onnx", "its body gives 1 of its 2 outputs", ""},
        {"recursion.onnx", "nested too deep", ""},
        {"placeholders.onnx", "tensor 'x': dimension 2 has no size",
         "--dimension 'x:2=SIZE,x:3=SIZE'; open dimensions: x:0 (the batch), x:2, x:3"},
        {"commas.onnx", "('Max(1, s0)') has no size", "--dimension 'Max(1, s0)=SIZE,s1=SIZE'"},
        {"pointer.onnx", "pointer.onnx: a Git LFS pointer", "git lfs pull"},
        {"classifier.onnx", "'LinearClassifier' of 'ai.onnx.ml'", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct network network;
        struct error error;
        assert_int_equal(load_status(&network, cases[i].name, &error), STATUS_BAD_FILE);
        if (!strstr(error.message, cases[i].message) || !strstr(error.hint, cases[i].hint))
            fail_msg("%s: %s (%s)", cases[i].name, error.message, error.hint);
    }
}

static void sizes_reach_every_dimension(void **state)
{
    (void)state;
    need_models();
    static const char *const cases[][2] = {{"placeholders.onnx", "x:2=48,x:3=192"},
                                           {"commas.onnx", "Max(1, s0)=48,s1=192"},
                                           {"commas.onnx", "x:2=48,s1=192"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct network network;
        struct error error;
        if (load_sized(&network, cases[i][0], cases[i][1], &error) != STATUS_OK)
            fail_msg("%s: %s", cases[i][1], error.message);
        assert_true(total_flops(&network) == 2.0 * 8 * 27 * 48 * 192);
        network_free(&network);
    }
}

/* By its content, and through the links of a hub's cache. */
static void models_are_found_as_caches_store_them(void **state)
{
    (void)state;
    need_models();
    struct network network = load("snapshot/model.onnx");
    assert_int_equal(find(&network, "fc")->config.as.dense.inputs, 16);
    network_free(&network);
    char command[1200];
    snprintf(command, sizeof command, "cd %s && cp dead.onnx DEAD.ONNX && cp dead.onnx 3f2b",
             folder);
    assert_int_equal(system(command), 0);
    network = load("DEAD.ONNX");
    network_free(&network);
    network = load("3f2b");
    network_free(&network);
}

static void long_paths_are_cut_in_the_middle(void **state)
{
    (void)state;
    char path[300];
    memset(path, 'a', sizeof path);
    snprintf(path + 280, 20, "/the-model.onnx");
    const struct onnx_path shown = onnx_path(path);
    assert_int_equal(strlen(shown.text), 100);
    assert_non_null(strstr(shown.text, "/the-model.onnx"));
    assert_non_null(strstr(shown.text, "aaa...aaa"));
    assert_string_equal(onnx_path("net.onnx").text, "net.onnx");
}

static void mutated_models_do_no_harm(void **state)
{
    (void)state;
    need_models();
    static const char *const names[] = {"branches.onnx",  "loops.onnx",     "scan.onnx",
                                        "functions.onnx", "sequences.onnx", "shapes.onnx",
                                        "folds.onnx"};
    const struct mutants mutants = check_mutants(names, sizeof names / sizeof *names, 150);
    assert_true(mutants.read > 100 && mutants.refused > 100);
}

static int make_models(void **state)
{
    (void)state;
    return make_onnx_models("onnx_operator_models.py");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(branches_are_entered),
        cmocka_unit_test(loops_run_as_often_as_they_say),
        cmocka_unit_test(open_trip_counts_are_asked_for),
        cmocka_unit_test(scans_run_once_a_step),
        cmocka_unit_test(functions_are_entered),
        cmocka_unit_test(sequences_are_followed),
        cmocka_unit_test(unneeded_nodes_are_not_run),
        cmocka_unit_test(models_that_cannot_be_read_say_why),
        cmocka_unit_test(sizes_reach_every_dimension),
        cmocka_unit_test(models_are_found_as_caches_store_them),
        cmocka_unit_test(long_paths_are_cut_in_the_middle),
        cmocka_unit_test(mutated_models_do_no_harm),
    };
    return RUN_TESTS(argc, argv, tests, make_models, remove_onnx_models);
}
