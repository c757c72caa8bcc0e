/* What a step needs of the device's memory, by hand. */
#include "forecast/memory.h"
#include "test.h"
#include "tiny_network.h"

#include <stdio.h>

/* Elements: parameters 3*3*3*4 + 64*10 + 10*20; of one sample the input 192, the outputs 256, 64,
 * 10, 20, positions of maxima 64, the largest input + output (the convolution's), its lowered image
 * 9 * 3 of 8 * 8 cells. */
enum { PARAMETERS = 948, INPUT = 192, OUTPUTS = 350, MAXIMA = 64, PAIR = 448, LOWERED = 27 * 64 };

static void parts_are_counted(void **state)
{
    (void)state;
    static const struct {
        int32_t batch_size, pass, optimizer, precision;
        int64_t parameters_bytes, gradients_bytes, optimizer_bytes, activations_bytes,
            workspace_bytes;
    } cases[] = {
        {1, PASS_FORWARD, OPTIMIZER_NONE, PRECISION_FP32, 4 * PARAMETERS, 0, 0, 4 * PAIR,
         4 * LOWERED},
        {3, PASS_FORWARD, OPTIMIZER_NONE, PRECISION_FP32, 4 * PARAMETERS, 0, 0, 12 * PAIR,
         4 * LOWERED},
        {2, PASS_TRAIN, OPTIMIZER_NONE, PRECISION_FP32, 4 * PARAMETERS, 4 * PARAMETERS, 0,
         8 * (INPUT + OUTPUTS + MAXIMA + PAIR), 4 * LOWERED},
        {2, PASS_TRAIN, OPTIMIZER_MOMENTUM, PRECISION_TF32, 4 * PARAMETERS, 4 * PARAMETERS,
         4 * PARAMETERS, 8 * (INPUT + OUTPUTS + MAXIMA + PAIR), 4 * LOWERED},
        /* half the bytes, but for Adam's state and the positions */
        {2, PASS_TRAIN, OPTIMIZER_ADAM, PRECISION_FP16, 2 * PARAMETERS, 2 * PARAMETERS,
         8 * PARAMETERS, 4 * (INPUT + OUTPUTS + PAIR) + 8 * MAXIMA, 2 * LOWERED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct network_memory memory = network_memory(
            &network, cases[i].batch_size, cases[i].pass, cases[i].optimizer, cases[i].precision);
        assert_int_equal(memory.parameters_bytes, cases[i].parameters_bytes);
        assert_int_equal(memory.gradients_bytes, cases[i].gradients_bytes);
        assert_int_equal(memory.optimizer_bytes, cases[i].optimizer_bytes);
        assert_int_equal(memory.activations_bytes, cases[i].activations_bytes);
        assert_int_equal(memory.workspace_bytes, cases[i].workspace_bytes);
        assert_int_equal(memory.total_bytes, cases[i].parameters_bytes + cases[i].gradients_bytes +
                                                 cases[i].optimizer_bytes +
                                                 cases[i].activations_bytes +
                                                 cases[i].workspace_bytes);
    }
}

static struct network_layer operator_of(const char *name, double input, double output, double kept)
{
    struct network_layer layer = {.name = "op", .config = {.batch_size = 1}};
    snprintf(layer.operator_name, sizeof layer.operator_name, "%s", name);
    layer.work = (struct operator_work){
        .input_count = input, .output_count = output, .kept_count = kept};
    return layer;
}

/* Activations of one sample of a dense layer 100 -> 100 and an operator behind it, in elements. */
static int64_t activations_with(struct network_layer last, int32_t pass)
{
    struct network_layer two[] = {
        {.name = "fc", .config = {.batch_size = 1, .as.dense = {.inputs = 100, .outputs = 100}}},
        last};
    const struct network small = {.name = "two", .layers = two, .layer_count = 2};
    return network_memory(&small, 1, pass, OPTIMIZER_NONE, PRECISION_FP32).activations_bytes / 4;
}

static void some_operators_work_in_place(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double input, output, kept;
        int64_t forward, train;
    } cases[] = {
        /* input 100 and output 100 of the dense layer, their gradients 200 */
        {"relu", 100, 100, 100, 200, 400},
        {"add", 200, 100, 0, 200, 400},
        {"add", 50, 100, 0, 200, 500}, /* a broadcast */
        {"batch_normalization", 100, 100, 300, 200, 500},
        {"sigmoid", 100, 100, 100, 200, 500},
        {"softmax", 100, 150, 150, 250, 600},
        {"lstm", 100, 100, 800, 200, 1100}, /* 600 inside */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct network_layer last = operator_of(cases[i].name, cases[i].input,
                                                      cases[i].output, cases[i].kept);
        assert_int_equal(activations_with(last, PASS_FORWARD), cases[i].forward);
        assert_int_equal(activations_with(last, PASS_TRAIN), cases[i].train);
    }
}

/* As the operators that they were. */
static void some_kinds_work_in_place(void **state)
{
    (void)state;
    const struct network_layer sum = {.name = "sum",
                                      .config = {.kind = LAYER_BINARY,
                                                 .batch_size = 1,
                                                 .as.binary = {.elements = 100, .repeats = 1}}};
    const struct network_layer norm = {
        .name = "norm",
        .config = {.kind = LAYER_BATCH_NORM,
                   .batch_size = 1,
                   .as.batch_norm = {.image_size = 5, .channels = 4}}};
    assert_int_equal(activations_with(sum, PASS_FORWARD), 200);
    assert_int_equal(activations_with(sum, PASS_TRAIN), 400);
    assert_int_equal(activations_with(norm, PASS_FORWARD), 200);
    assert_int_equal(activations_with(norm, PASS_TRAIN), 500 + 8); /* and mean and variance */
}

static void largest_batch_is_exact(void **state)
{
    (void)state;
    for (int32_t batch_size = 1; batch_size <= 65536; batch_size *= 4) {
        const int64_t bytes = network_memory(&network, batch_size, PASS_TRAIN, OPTIMIZER_ADAM,
                                             PRECISION_FP32)
                                  .total_bytes;
        assert_int_equal(
            network_largest_batch(&network, PASS_TRAIN, OPTIMIZER_ADAM, PRECISION_FP32, bytes),
            batch_size);
        assert_int_equal(
            network_largest_batch(&network, PASS_TRAIN, OPTIMIZER_ADAM, PRECISION_FP32, bytes - 1),
            batch_size - 1);
    }
    assert_int_equal(
        network_largest_batch(&network, PASS_TRAIN, OPTIMIZER_ADAM, PRECISION_FP32, INT64_MAX),
        65536);
    assert_int_equal(network_largest_batch(&network, PASS_TRAIN, OPTIMIZER_ADAM, PRECISION_FP32, 0),
                     0);
}

/* Operators may claim 2^42 elements a sample. */
static void counts_do_not_overflow(void **state)
{
    (void)state;
    struct network_layer huge = operator_of("softmax", OPERATOR_COUNT_LIMIT, OPERATOR_COUNT_LIMIT,
                                            0);
    struct network_layer many[64];
    for (size_t i = 0; i < 64; i++)
        many[i] = huge;
    const struct network large = {.name = "large", .layers = many, .layer_count = 64};
    const struct network_memory memory = network_memory(&large, 65536, PASS_TRAIN, OPTIMIZER_ADAM,
                                                        PRECISION_FP32);
    assert_true(memory.activations_bytes == INT64_MAX && memory.total_bytes == INT64_MAX);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_counted),        cmocka_unit_test(some_operators_work_in_place),
        cmocka_unit_test(some_kinds_work_in_place), cmocka_unit_test(largest_batch_is_exact),
        cmocka_unit_test(counts_do_not_overflow),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
