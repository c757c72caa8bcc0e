/* What the cuda backend asks of device and libraries for a layer, call by call: a label is the time
 * of these calls. The shim names them; kernels by their grids.
 */
#include "layers/describe.h"
#include "shim_device.h"

#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    unsetenv("SHIM_REFUSES");
    *state = shim_device_open(1 << 24, false);
    return 0;
}

static struct plan *prepare(struct device *device, const struct layer_config *config,
                            struct plan *const *inputs)
{
    struct error error = {0};
    enum outcome outcome = OUTCOME_OK;
    struct plan *plan;
    if (layer_check(config, &error) != STATUS_OK)
        fail_msg("bad config in test: %s", error.message);
    if (backend->bench[config->kind]->prepare(&plan, device, config, inputs, &outcome, &error))
        fail_msg("%s", error.message);
    return plan;
}

/* Called while it is prepared (every step runs once), then in one whole step. */
static const struct {
    const char *layer, *preparing, *running;
} layers[] = {
    {"dense:batch_size=70,inputs=16,outputs=1100,use_bias=yes,activation=relu,pass=train,"
     "optimizer=adam",
     "kernel 2x1, kernel 18x1, kernel 2x1, kernel 76x1, kernel 76x1, set 70400, set 70400, "
     "set 4400, set 4400, gemm, kernel 38x1, kernel 38x1, kernel 38x1, kernel 35x1, "
     "kernel 35x1, gemm, gemm, kernel 69x1, kernel 5x1, set 70400, set 70400, set 4400, "
     "set 4400",
     "gemm, kernel 38x1, kernel 38x1, kernel 38x1, kernel 35x1, kernel 35x1, gemm, gemm, "
     "kernel 69x1, kernel 5x1"},
    {"dense:batch_size=70,inputs=16,outputs=1100,pass=train,precision=fp16",
     "kernel 2x1, kernel 18x1, kernel 76x1, kernel 76x1, gemm, gemm, gemm", "gemm, gemm, gemm"},
    {"dense:batch_size=3,inputs=6,outputs=5,use_bias=yes,activation=tanh,pass=forward",
     "kernel 1x1, kernel 1x1, kernel 1x1, kernel 1x1, gemm, kernel 1x1, kernel 1x1",
     "gemm, kernel 1x1, kernel 1x1"},
    {"conv2d:batch_size=3,image_size=12,kernel_size=3,channels_in=3,channels_out=40,stride=1,"
     "padding=same,use_bias=yes,activation=relu,pass=train,optimizer=momentum",
     "kernel 2x1, kernel 2x1, kernel 1x1, kernel 17x1, kernel 17x1, set 4320, set 160, "
     "engine1, kernel 9x1, kernel 9x1, kernel 9x1, kernel 40x1, kernel 2x1, engine1, engine1, "
     "kernel 5x1, kernel 1x1, set 4320, set 160",
     "engine1, kernel 9x1, kernel 9x1, kernel 9x1, kernel 40x1, kernel 2x1, engine1, engine1, "
     "kernel 5x1, kernel 1x1"},
    {"conv2d:batch_size=3,image_size=12,kernel_size=3,channels_in=3,channels_out=40,stride=1,"
     "padding=same,use_bias=yes,activation=relu,pass=train,optimizer=sgd,precision=bf16",
     "kernel 2x1, kernel 2x1, kernel 1x1, kernel 17x1, kernel 17x1, engine1, kernel 5x1, "
     "kernel 5x1, kernel 5x1, kernel 2x1, kernel 2x1, engine1, engine1, kernel 5x1, kernel 1x1",
     "engine1, kernel 5x1, kernel 5x1, kernel 5x1, kernel 2x1, kernel 2x1, engine1, engine1, "
     "kernel 5x1, kernel 1x1"},
    {"conv2d:batch_size=2,image_size=9,kernel_size=2,channels_in=5,channels_out=7,stride=2,"
     "padding=valid,pass=forward,precision=tf32",
     "kernel 1x1, kernel 1x1, kernel 1x1, engine1", "engine1"},
    {"pool2d:batch_size=2,image_size=20,kernel_size=2,channels=30,stride=2,padding=valid,"
     "pooling=max,activation=sigmoid,pass=train",
     "kernel 24x1, kernel 6x1, kernel 6x1, kernel 6x1, pooling, kernel 3x1, kernel 3x1, "
     "pooling-backward",
     "pooling, kernel 3x1, kernel 3x1, pooling-backward"},
    {"pool2d:batch_size=2,image_size=20,kernel_size=3,channels=30,stride=1,padding=valid,"
     "pooling=average,pass=forward,precision=fp16",
     "kernel 24x1, kernel 19x1, pooling", "pooling"},
    {"batch_norm:batch_size=2,image_size=14,channels=60,activation=relu,pass=train,"
     "optimizer=rmsprop",
     "kernel 23x1, kernel 23x1, kernel 23x1, copy 480, copy 480, set 480, norm, kernel 12x1, "
     "kernel 12x1, norm-backward, kernel 1x1, set 480",
     "norm, kernel 12x1, kernel 12x1, norm-backward, kernel 1x1"},
    {"batch_norm:batch_size=2,image_size=14,channels=60,pass=train,optimizer=none,"
     "precision=bf16",
     "kernel 23x1, kernel 23x1, kernel 23x1, copy 480, copy 480, norm, norm-backward",
     "norm, norm-backward"},
    {"batch_norm:batch_size=2,image_size=14,channels=60,activation=tanh,pass=forward,"
     "precision=fp16",
     "kernel 23x1, kernel 23x1, copy 480, copy 480, norm, kernel 6x1", "norm, kernel 6x1"},
    {"addition:batch_size=2,elements=5000,activation=relu,pass=train",
     "kernel 10x1, kernel 10x1, kernel 10x1, kernel 10x1, kernel 10x1, kernel 5x1, "
     "kernel 5x1, kernel 5x1",
     "kernel 5x1, kernel 5x1, kernel 5x1"},
    {"addition:batch_size=2,elements=5000,pass=train,precision=fp16",
     "kernel 10x1, kernel 10x1, kernel 10x1, kernel 10x1, kernel 3x1", "kernel 3x1"},
    {"addition:batch_size=2,elements=5000,activation=sigmoid,pass=forward",
     "kernel 10x1, kernel 10x1, kernel 10x1, kernel 5x1, kernel 5x1", "kernel 5x1, kernel 5x1"},
};

static void check_calls(const char *layer, const char *expected)
{
    const char *calls = shim_recorded_calls();
    if (strcmp(calls, expected) != 0)
        fail_msg("%s: %s\nexpected: %s", layer, calls, expected);
}

static void layers_make_these_calls(void **state)
{
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        struct error error = {0};
        struct layer_config config;
        backend->reset(*state);
        if (describe_parse(&config, layers[i].layer, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        shim_record_calls();
        struct plan *plan = prepare(*state, &config, NULL);
        check_calls(layers[i].layer, layers[i].preparing);
        shim_record_calls();
        assert_int_equal(plan->bench->enqueue(plan, phases_of(&config), &error), STATUS_OK);
        check_calls(layers[i].layer, layers[i].running);
        plan->bench->release(plan);
    }
}

/* Producers' tensors are read where they are: no noise is made for them. */
static void linked_inputs_are_not_filled(void **state)
{
    struct plan *producers[LAYER_INPUT_LIMIT] = {NULL};
    struct error error = {0};
    struct layer_config norm, sum;
    assert_int_equal(
        describe_parse(&norm, "batch_norm:batch_size=2,image_size=5,channels=4,pass=train", &error),
        STATUS_OK);
    assert_int_equal(describe_parse(&sum, "addition:batch_size=2,elements=100,pass=train", &error),
                     STATUS_OK);
    backend->reset(*state);
    producers[0] = prepare(*state, &norm, NULL);
    producers[1] = prepare(*state, &norm, NULL);
    shim_record_calls();
    struct plan *plan = prepare(*state, &sum, producers);
    check_calls("addition", "kernel 1x1, kernel 1x1");
    for (int i = 0; i < 2; i++)
        producers[i]->bench->release(producers[i]);
    plan->bench->release(plan);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(layers_make_these_calls, setup, shim_device_close),
        cmocka_unit_test_setup_teardown(linked_inputs_are_not_filled, setup, shim_device_close),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
