/* The CUDA trainer, whole, on the CPU: kernels, graphs and host code run in the shim, against the
 * double-precision reference and the host engine.
 */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trainer_cases.h"
#include "trainer_cuda.h"
#include "trainer_net.h"

/* ---- gradient ---- */

struct bench_net {
    struct cuda_train_data data;
    struct cuda_net net;
    cudaStream_t stream;
};

static void bench_net_create(struct bench_net *bench, const struct train_job *job)
{
    assert_int_equal(cudaStreamCreateWithFlags(&bench->stream, 0), cudaSuccess);
    assert_int_equal(cuda_train_data_create(&bench->data, job->data, NULL), STATUS_OK);
    assert_int_equal(cuda_net_create(&bench->net, job, &bench->data, bench->stream, NULL),
                     STATUS_OK);
    assert_int_equal(cuda_net_start(&bench->net, job->seed, NULL), STATUS_OK);
}

static void bench_net_free(struct bench_net *bench)
{
    cuda_net_free(&bench->net);
    cuda_train_data_free(&bench->data);
    cudaStreamDestroy(bench->stream);
}

/* Walks the epoch up to `step` without updates, so that the batch of that step is gathered. */
static void go_to_step(struct cuda_net *net, uint32_t step)
{
    uint32_t index = step % net->epoch_steps;
    net->state->epoch = step / net->epoch_steps;
    for (uint32_t i = 0; i < net->epoch_steps; i++)
        net->rates[i] = (struct step_rate){0, 0};
    if (index > 0)
        assert_int_equal(cuda_net_update(net, index - 1, NULL), STATUS_OK);
    else if (net->state->epoch > 0) {
        net->state->epoch--;
        assert_int_equal(cuda_net_update(net, net->epoch_steps - 1, NULL), STATUS_OK);
        net->state->epoch++;
    }
}

static void sum_slices(float *sum, const struct cuda_net *net, int32_t rows, float l2)
{
    const struct mlp_shape *shape = &net->job->shape;
    int32_t slices = (rows + net->slice_rows - 1) / net->slice_rows;
    for (size_t k = 0; k < net->parameter_count; k++) {
        sum[k] = 0;
        for (int32_t slice = 0; slice < slices; slice++)
            sum[k] += net->gradients[(size_t)slice * net->parameter_count + k];
    }
    for (int layer = 0; layer < shape->layer_count; layer++)
        for (size_t k = mlp_weight_offset(shape, layer); k < mlp_bias_offset(shape, layer); k++)
            sum[k] += l2 * net->parameters[k];
}

static void gradient_matches_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof gradient_cases / sizeof *gradient_cases; i++) {
        struct train_data data = make_data(gradient_cases[i].rows,
                                           gradient_cases[i].shape.widths[0]);
        struct train_job job = gradient_job(i, &data);
        struct reference reference;
        struct bench_net bench;
        reference_create(&reference, &job);
        reference.step = gradient_cases[i].step;
        nudge(&reference);
        reference_loss(&reference);
        bench_net_create(&bench, &job);
        struct cuda_net *net = &bench.net;
        go_to_step(net, reference.step);
        for (size_t k = 0; k < net->parameter_count; k++)
            net->parameters[k] = (float)reference.parameters[k];
        assert_int_equal(cuda_net_gradient(net, reference.step % net->epoch_steps, NULL),
                         STATUS_OK);
        float *sum = malloc(net->parameter_count * sizeof *sum);
        size_t first = reference.step % net->epoch_steps * (size_t)net->batch_rows;
        size_t left = data.train_rows - first, batch = (size_t)net->batch_rows;
        sum_slices(sum, net, (int32_t)(left < batch ? left : batch), job.options.l2);
        double distance = worst_distance(sum, reference.gradient, &job.shape);
        if (!(distance <= 1e-6))
            print_error("case %zu: gradient differs by %g\n", i, distance);
        assert_true(distance <= 1e-6);
        free(sum);
        bench_net_free(&bench);
        reference_free(&reference);
    }
}

/* Large tiles and small ones, whatever the device, sum in the same order. */
static void tiles_do_not_change_bits(void **state)
{
    (void)state;
    struct train_data data = make_data(300, 17);
    struct train_job job = gradient_job(5, &data);
    float *gradients[2] = {NULL, NULL};
    size_t bytes = 0;
    for (int i = 0; i < 2; i++) {
        struct bench_net bench;
        bench_net_create(&bench, &job);
        bench.net.multiprocessors = i ? 1000000 : 1;
        assert_int_equal(cuda_net_gradient(&bench.net, 0, NULL), STATUS_OK);
        bytes = (size_t)bench.net.slice_count * bench.net.parameter_count * sizeof(float);
        gradients[i] = malloc(bytes);
        memcpy(gradients[i], bench.net.gradients, bytes);
        bench_net_free(&bench);
    }
    assert_memory_equal(gradients[0], gradients[1], bytes);
    free(gradients[0]);
    free(gradients[1]);
}

/* ---- trajectory ---- */

static void trajectory_matches_reference(void **state)
{
    (void)state;
    check_trajectories(&trainer_cuda);
}

static struct train_job tuned_job(const struct train_data *data, int32_t output)
{
    struct train_job job = make_job(data);
    job.shape.output = output;
    job.options.epsilon = 0.1f;
    job.options.epochs = 6;
    job.options.dropout = 0.1f;
    job.options.l2 = 1e-4f;
    job.options.keep_best = 1;
    return job;
}

static void matches_host_engine(void **state)
{
    (void)state;
    struct train_data data = make_data(300, 17); /* the last batch of an epoch has 12 rows */
    for (int32_t output = MLP_OUTPUT_RELU; output <= MLP_OUTPUT_LOG; output++) {
        struct train_job job = tuned_job(&data, output);
        struct train_result host, cuda;
        assert_int_equal(trainer_host.fit(&host, &job, 1, 1, NULL, NULL), STATUS_OK);
        assert_int_equal(trainer_cuda.fit(&cuda, &job, 1, 1, NULL, NULL), STATUS_OK);
        size_t count = mlp_parameter_count(&job.shape);
        double *expected = malloc(count * sizeof *expected);
        for (size_t k = 0; k < count; k++)
            expected[k] = (double)host.parameters[k];
        double distance = worst_distance(cuda.parameters, expected, &job.shape);
        if (!(distance <= 1e-5))
            print_error("output %d: parameters differ by %g\n", output, distance);
        assert_true(distance <= 1e-5);
        assert_int_equal(host.epochs, cuda.epochs);
        assert_int_equal(host.best_epoch, cuda.best_epoch);
        assert_true(fabs(host.train_rmsle - cuda.train_rmsle) < 1e-5);
        assert_true(fabs(host.test_rmsle - cuda.test_rmsle) < 1e-5);
        free(expected);
        train_result_free(&host);
        train_result_free(&cuda);
    }
}

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

/* ---- epochs on the device ---- */

static void long_epoch_is_cut_into_segments(void **state)
{
    (void)state;
    struct train_data data = make_data(2100, 3); /* 2100 steps: segments of 1024, 1024 and 52 */
    struct train_job job = tuned_job(&data, MLP_OUTPUT_LOG);
    job.shape = (struct mlp_shape){.layer_count = 1, .widths = {3, 1}, .output = MLP_OUTPUT_LOG};
    job.options.batch_size = 1;
    job.options.epochs = 2;
    struct train_result host, cuda;
    assert_int_equal(trainer_host.fit(&host, &job, 1, 1, NULL, NULL), STATUS_OK);
    assert_int_equal(trainer_cuda.fit(&cuda, &job, 1, 1, NULL, NULL), STATUS_OK);
    for (int k = 0; k < 3; k++)
        assert_float_equal(host.parameters[k], cuda.parameters[k], 1e-5f);
    train_result_free(&host);
    train_result_free(&cuda);
}

struct observed {
    int epochs;
    double losses[32], scores[32];
    volatile sig_atomic_t interrupted;
};

static void observe(void *payload, int job, int epoch, double batch_loss, double test_rmsle)
{
    struct observed *observed = payload;
    assert_int_equal(job, 0);
    assert_int_equal(epoch, observed->epochs);
    observed->losses[epoch] = batch_loss;
    observed->scores[epoch] = test_rmsle;
    observed->epochs++;
    observed->interrupted = observed->epochs == 20;
}

/* A learning rate too high to settle: the best epoch is an early one. */
static void stops_early_like_host(void **state)
{
    (void)state;
    struct train_data data = make_data(100, 4);
    struct train_job job = tuned_job(&data, MLP_OUTPUT_LOG);
    job.options.learning_rate = 0.2f;
    job.options.epochs = 12;
    job.options.patience = 2;
    struct train_result results[2];
    struct observed observed[2] = {{0}, {0}};
    const struct trainer *const trainers[] = {&trainer_host, &trainer_cuda};
    for (int i = 0; i < 2; i++) {
        struct train_progress progress = {.epoch = observe, .payload = &observed[i]};
        assert_int_equal(trainers[i]->fit(&results[i], &job, 1, 1, &progress, NULL), STATUS_OK);
    }
    assert_true(results[1].epochs < 12);
    assert_int_equal(results[0].epochs, results[1].epochs);
    assert_int_equal(results[0].best_epoch, results[1].best_epoch);
    assert_int_equal(observed[0].epochs, observed[1].epochs);
    for (int i = 0; i < observed[0].epochs; i++) {
        assert_true(fabs(observed[0].losses[i] - observed[1].losses[i]) < 1e-4);
        assert_true(fabs(observed[0].scores[i] - observed[1].scores[i]) < 1e-4);
    }
    train_result_free(&results[0]);
    train_result_free(&results[1]);
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

static void infinite_loss_is_an_error(void **state)
{
    (void)state;
    struct train_data data = make_data(64, 2);
    struct train_job job = tuned_job(&data, MLP_OUTPUT_LOG);
    struct train_result result;
    struct error error = {0};
    job.options.learning_rate = 1e30f;
    assert_int_equal(trainer_cuda.fit(&result, &job, 1, 1, NULL, &error), STATUS_FAILED);
    assert_non_null(strstr(error.message, "not finite"));
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
    shim_fail_call(2, cudaErrorMemoryAllocation); /* the first call creates the stream */
    assert_int_equal(trainer_cuda.fit(&result, &job, 1, 1, NULL, &error), STATUS_OUT_OF_MEMORY);
    shim_fail_call(0, cudaSuccess);
    assert_non_null(strstr(error.message, "bytes for the training data"));
    assert_non_null(strstr(error.hint, "--engine host"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_matches_reference),
        cmocka_unit_test(tiles_do_not_change_bits),
        cmocka_unit_test(trajectory_matches_reference),
        cmocka_unit_test(matches_host_engine),
        cmocka_unit_test(starts_from_initial_parameters),
        cmocka_unit_test(same_bits_in_any_order),
        cmocka_unit_test(long_epoch_is_cut_into_segments),
        cmocka_unit_test(stops_early_like_host),
        cmocka_unit_test(keeps_last_epoch_when_asked),
        cmocka_unit_test(dead_output_restarts_then_fails),
        cmocka_unit_test(infinite_loss_is_an_error),
        cmocka_unit_test(interrupt_is_told),
        cmocka_unit_test(every_failing_call_is_told),
        cmocka_unit_test(out_of_memory_names_the_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
