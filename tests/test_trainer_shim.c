/* The CUDA trainer, whole, on the CPU: kernels, graphs and host code run in the shim, against the
 * double-precision reference and the host engine.
 */
#include "test.h"
#include "trainer_population_cases.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Fine-tuning starts where it is told to. */
static void starts_from_initial_parameters(void **state)
{
    (void)state;
    struct train_data data = make_data(100, 5);
    struct train_job job = make_job(&data);
    job.shape.activation = MLP_ACTIVATION_SILU;
    float initial[2048];
    const size_t count = mlp_parameter_count(&job.shape);
    assert_true(count <= 2048);
    mlp_initialise(initial, &job.shape, 77);
    job.initial = initial;
    job.options.learning_rate = 0;
    struct train_result result;
    assert_int_equal(trainer_cuda.fit(&result, &job, 1, 1, NULL, NULL), STATUS_OK);
    assert_memory_equal(result.parameters, initial, count * sizeof *initial);
    train_result_free(&result);
}

/* ---- determinism ---- */

static void same_bits_in_any_order(void **state)
{
    (void)state;
    struct train_data data = make_data(200, 5);
    struct train_job jobs[2] = {tuned_job(&data, MLP_OUTPUT_LOG), tuned_job(&data, MLP_OUTPUT_LOG)};
    struct train_result results[3][2];
    jobs[0].options.epochs = jobs[1].options.epochs = 2;
    jobs[1].seed++;
    for (unsigned i = 0; i < 3; i++) {
        shim_shuffle_threads(i * 77);
        assert_int_equal(trainer_cuda.fit(results[i], jobs, 2, 1, NULL, NULL), STATUS_OK);
    }
    shim_shuffle_threads(0);
    size_t bytes = mlp_parameter_count(&jobs[0].shape) * sizeof(float);
    for (int i = 1; i < 3; i++)
        for (int j = 0; j < 2; j++) {
            assert_memory_equal(results[0][j].parameters, results[i][j].parameters, bytes);
            assert_true(results[0][j].test_rmsle == results[i][j].test_rmsle);
        }
    assert_memory_not_equal(results[0][0].parameters, results[0][1].parameters, bytes);
    for (int i = 0; i < 6; i++)
        train_result_free(&results[i / 2][i % 2]);
}

/* Five nets take the launches of one. */
static void population_shares_launches(void **state)
{
    (void)state;
    struct train_data data = make_data(400, 6);
    unsigned long launches[2];
    for (int i = 0; i < 2; i++) {
        struct population population;
        make_population(&population, &data, i ? 5 : 1, MLP_ACTIVATION_RELU);
        for (int net = 0; net < population.count; net++) {
            population.jobs[net].options.epochs = 3;
            population.jobs[net].options.patience = 0;
        }
        launches[i] = shim_launch_count();
        train_population(&population);
        launches[i] = shim_launch_count() - launches[i];
        free_population(&population);
    }
    assert_int_equal(launches[0], launches[1]);
}

/* Launches overlap: before a kernel has awaited its predecessor it may not touch what kernels
 * write.
 */
static void prologues_touch_no_results(void **state)
{
    (void)state;
    struct train_data data = make_data(100, 6);
    struct train_job job = tuned_job(&data, MLP_OUTPUT_LOG);
    job.options.gradient_clip = 0.1f;
    const int no_restart = 0;
    for (int activation = 0; activation < choice_mlp_activation.count; activation++) {
        struct bench_net bench;
        double rmsle;
        job.shape.activation = activation;
        bench_net_create(&bench, &job);
        assert_true(bench.nets.launch.overlaps);
        shim_guard(bench.nets.memory,
                   bench.nets.nets.stride_bytes + sizeof *bench.nets.nets.states);
        assert_int_equal(cuda_nets_start(&bench.nets, &no_restart, NULL), STATUS_OK);
        assert_int_equal(cuda_nets_schedule(&bench.nets, 0, 1, NULL), STATUS_OK);
        assert_int_equal(cuda_nets_gradient(&bench.nets, 0, NULL), STATUS_OK);
        assert_int_equal(cuda_nets_update(&bench.nets, 0, NULL), STATUS_OK);
        assert_int_equal(cuda_nets_epoch_end(&bench.nets, NULL), STATUS_OK);
        assert_int_equal(cuda_nets_rmsle(&rmsle, &bench.nets, ROWS_TEST, NULL), STATUS_OK);
        assert_true(rmsle > 0);
        shim_guard(NULL, 0);
        bench_net_free(&bench);
    }
}

/* Kernels of an older architecture, translated for a Hopper, await nobody. */
static void kernels_that_await_nobody_do_not_overlap(void **state)
{
    (void)state;
    struct train_data data = make_data(60, 4);
    struct train_job job = tuned_job(&data, MLP_OUTPUT_LOG);
    struct bench_net bench;
    setenv("SHIM_PTX", "80", 1);
    bench_net_create(&bench, &job);
    unsetenv("SHIM_PTX");
    assert_false(bench.nets.launch.overlaps);
    bench_net_free(&bench);
}

/* Non-blocking streams do not wait for it: a copy there may come too late. */
static void nothing_uses_the_legacy_stream(void **state)
{
    (void)state;
    struct train_data data = make_data(60, 4);
    struct train_job job = tuned_job(&data, MLP_OUTPUT_LOG);
    const unsigned long before = shim_legacy_count();
    struct train_result result = train(&trainer_cuda, &job, NULL);
    assert_int_equal(shim_legacy_count(), before);
    train_result_free(&result);
}

static void keeps_last_epoch_when_asked(void **state)
{
    (void)state;
    struct train_data data = make_data(60, 4);
    data.test_rows = 0; /* the train loss decides */
    struct train_job job = tuned_job(&data, MLP_OUTPUT_LOG);
    job.options.keep_best = 0;
    job.options.epochs = 3;
    struct train_result result;
    assert_int_equal(trainer_cuda.fit(&result, &job, 1, 1, NULL, NULL), STATUS_OK);
    assert_int_equal(result.best_epoch, 2);
    assert_true(isnan(result.test_rmsle));
    train_result_free(&result);
}

/* ---- failures ---- */

static void dead_output_restarts_then_fails(void **state)
{
    (void)state;
    struct train_data data = make_data(64, 2);
    struct train_job job = tuned_job(&data, MLP_OUTPUT_RELU);
    struct train_result result;
    struct error error = {0};
    job.shape = (struct mlp_shape){.layer_count = 1, .widths = {2, 1}, .output = MLP_OUTPUT_RELU};
    memset(inputs, 0, sizeof inputs); /* z is 0 whatever the weights */
    assert_int_equal(trainer_cuda.fit(&result, &job, 1, 1, NULL, &error), STATUS_FAILED);
    assert_non_null(strstr(error.message, "stays 0 whatever"));
    assert_null(result.parameters);
}

static void interrupt_is_told(void **state)
{
    (void)state;
    struct train_data data = make_data(64, 2);
    struct train_job job = tuned_job(&data, MLP_OUTPUT_LOG);
    struct train_result result;
    struct observed observed = {0};
    struct train_progress progress = {
        .epoch = observe, .payload = &observed, .interrupted = &observed.interrupted};
    job.options.epochs = 30;
    assert_int_equal(trainer_cuda.fit(&result, &job, 1, 1, &progress, NULL), STATUS_INTERRUPTED);
    assert_int_equal(observed.epochs, 20);
    assert_null(result.parameters);
}

/* Every runtime call of a training, failing in its turn: an error that names the call, nothing
 * kept, nothing leaked (under ASan). */
static void every_failing_call_is_told(void **state)
{
    (void)state;
    struct train_data data = make_data(40, 2);
    struct train_job job = tuned_job(&data, MLP_OUTPUT_LOG);
    job.shape = (struct mlp_shape){.layer_count = 2, .widths = {2, 4, 1}};
    job.shape.output = MLP_OUTPUT_LOG;
    job.options.epochs = 1;
    int calls = 0;
    for (;;) {
        struct train_result result;
        struct error error = {0};
        shim_fail_call(++calls, cudaErrorIllegalAddress);
        enum status status = trainer_cuda.fit(&result, &job, 1, 1, NULL, &error);
        if (status == STATUS_OK) {
            train_result_free(&result);
            break;
        }
        assert_int_equal(status, STATUS_FAILED);
        assert_non_null(strstr(error.message, "cuda"));
        assert_null(result.parameters);
    }
    shim_fail_call(0, cudaSuccess);
    assert_true(calls > 20);
}

static void out_of_memory_names_the_size(void **state)
{
    (void)state;
    struct train_data data = make_data(40, 2);
    struct train_job job = tuned_job(&data, MLP_OUTPUT_LOG);
    struct train_result result;
    struct error error = {0};
    shim_fail_call(3, cudaErrorMemoryAllocation); /* after the stream and the free memory */
    assert_int_equal(trainer_cuda.fit(&result, &job, 1, 1, NULL, &error), STATUS_OUT_OF_MEMORY);
    shim_fail_call(0, cudaSuccess);
    assert_non_null(strstr(error.message, "bytes for the training data"));
    assert_non_null(strstr(error.hint, "--engine host"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TRAINER_DEVICE_TESTS,
        TRAINER_POPULATION_TESTS,
        cmocka_unit_test(population_shares_launches),
        cmocka_unit_test(prologues_touch_no_results),
        cmocka_unit_test(kernels_that_await_nobody_do_not_overlap),
        cmocka_unit_test(nothing_uses_the_legacy_stream),
        cmocka_unit_test(starts_from_initial_parameters),
        cmocka_unit_test(same_bits_in_any_order),
        cmocka_unit_test(keeps_last_epoch_when_asked),
        cmocka_unit_test(dead_output_restarts_then_fails),
        cmocka_unit_test(interrupt_is_told),
        cmocka_unit_test(every_failing_call_is_told),
        cmocka_unit_test(out_of_memory_names_the_size),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
