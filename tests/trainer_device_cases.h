/* What the CUDA trainer must do wherever its kernels run: on a GPU (test_trainer_gpu.c) and in the
 * shim (test_trainer_shim.c). Device memory is reached by copies alone.
 */
#ifndef EPOCHCAST_TESTS_TRAINER_DEVICE_CASES_H
#define EPOCHCAST_TESTS_TRAINER_DEVICE_CASES_H

#include "base/hash.h"
#include "test.h"
#include "trainer_cases.h"
#include "trainer_cuda.h"
#include "trainer_nets.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static inline struct train_result train(const struct trainer *trainer, const struct train_job *job,
                                        const struct train_progress *progress)
{
    struct train_result result;
    struct error error = {0};
    if (trainer->fit(&result, job, 1, 1, progress, &error) != STATUS_OK)
        fail_msg("%s: %s", trainer->name, error.message);
    return result;
}

static inline struct train_job tuned_job(const struct train_data *data, int32_t output)
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

/* ---- gradient ---- */

/* A net alone, in a stream that the copies of a test wait for, and that waits for them. */
struct bench_net {
    const struct train_job *job;
    const struct cuda_train_data *on_device;
    struct cuda_train_data data;
    struct cuda_nets nets;
    cudaStream_t stream;
};

static inline void bench_net_create(struct bench_net *bench, const struct train_job *job)
{
    const int no_restart = 0;
    bench->job = job;
    bench->on_device = &bench->data;
    assert_int_equal(cudaStreamCreateWithFlags(&bench->stream, 0), cudaSuccess);
    assert_int_equal(cuda_train_data_create(&bench->data, job->data, mlp_head_count(&job->shape),
                                            bench->stream, NULL),
                     STATUS_OK);
    assert_int_equal(
        cuda_nets_create(&bench->nets, &bench->job, &bench->on_device, 1, bench->stream, NULL),
        STATUS_OK);
    assert_int_equal(cuda_nets_start(&bench->nets, &no_restart, NULL), STATUS_OK);
}

static inline void bench_net_free(struct bench_net *bench)
{
    cuda_nets_free(&bench->nets);
    cuda_train_data_free(&bench->data);
    cudaStreamDestroy(bench->stream);
}

static inline void upload(void *to, const void *from, size_t bytes)
{
    assert_int_equal(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice), cudaSuccess);
}

static inline float *download(const float *from, size_t count)
{
    float *values = malloc(count * sizeof *values);
    assert_non_null(values);
    assert_int_equal(cudaMemcpy(values, from, count * sizeof *values, cudaMemcpyDeviceToHost),
                     cudaSuccess);
    return values;
}

static inline void set_epoch(struct cuda_nets *nets, uint32_t epoch)
{
    upload(&nets->nets.states->epoch, &epoch, sizeof epoch);
}

/* Walks the epoch up to `step` with rates of 0, so that the batch of that step is gathered. */
static inline void go_to_step(struct cuda_nets *nets, uint32_t step)
{
    const uint32_t steps = nets->plan.epoch_steps, index = step % steps, epoch = step / steps;
    struct step_rate *still = calloc(steps, sizeof *still);
    assert_non_null(still);
    upload(nets->first.rates, still, steps * sizeof *still);
    free(still);
    set_epoch(nets, index > 0 || epoch == 0 ? epoch : epoch - 1);
    if (index > 0)
        assert_int_equal(cuda_nets_update(nets, index - 1, NULL), STATUS_OK);
    else if (epoch > 0)
        assert_int_equal(cuda_nets_update(nets, steps - 1, NULL), STATUS_OK);
    set_epoch(nets, epoch);
}

/* Gradient of the batch of `step`, slices and L2 added up as the update does. */
static inline float *gradient_of_step(struct cuda_nets *nets, uint32_t step,
                                      const float *parameters)
{
    const struct train_job *job = nets->jobs[0];
    const struct net_plan *plan = &nets->plan;
    size_t count = plan->parameter_count, batch = (size_t)plan->batch_rows;
    size_t left = job->data->train_rows - step % plan->epoch_steps * batch;
    size_t slice = (size_t)plan->slice_rows, rows = left < batch ? left : batch;
    go_to_step(nets, step);
    upload(nets->first.parameters, parameters, count * sizeof *parameters);
    assert_int_equal(cuda_nets_gradient(nets, step % plan->epoch_steps, NULL), STATUS_OK);
    float *sum = download(nets->first.gradients, (size_t)plan->slice_count * count);
    for (size_t k = count; k < (rows + slice - 1) / slice * count; k++)
        sum[k % count] += sum[k];
    for (int layer = 0; layer < job->shape.layer_count; layer++)
        for (size_t k = mlp_weight_offset(&job->shape, layer);
             k < mlp_bias_offset(&job->shape, layer); k++)
            sum[k] += job->options.l2 * parameters[k];
    return sum;
}

static inline void check_gradient(size_t index)
{
    struct train_data data = make_data(gradient_cases[index].rows,
                                       gradient_cases[index].shape.widths[0]);
    struct train_job job = gradient_job(index, &data);
    struct reference reference;
    struct bench_net bench;
    reference_create(&reference, &job);
    reference.step = gradient_cases[index].step;
    nudge(&reference);
    reference_loss(&reference);
    bench_net_create(&bench, &job);
    float *parameters = malloc(reference.count * sizeof *parameters);
    assert_non_null(parameters);
    for (size_t k = 0; k < reference.count; k++)
        parameters[k] = (float)reference.parameters[k];
    float *gradient = gradient_of_step(&bench.nets, reference.step, parameters);
    double distance = worst_distance(gradient, reference.gradient, &job.shape);
    if (!(distance <= 1e-6))
        fail_msg("case %zu: gradient differs by %g", index, distance);
    free(parameters);
    free(gradient);
    bench_net_free(&bench);
    reference_free(&reference);
}

static inline void gradient_matches_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof gradient_cases / sizeof *gradient_cases; i++)
        check_gradient(i);
}

/* Large tiles and small ones, whatever the device, sum in the same order. */
static inline void tiles_do_not_change_bits(void **state)
{
    (void)state;
    struct train_data data = make_data(300, 17);
    struct train_job job = gradient_job(5, &data);
    float *gradients[2] = {NULL, NULL};
    size_t count = 0;
    for (int i = 0; i < 2; i++) {
        struct bench_net bench;
        bench_net_create(&bench, &job);
        bench.nets.launch.multiprocessors = i ? 1000000 : 1;
        assert_int_equal(cuda_nets_gradient(&bench.nets, 0, NULL), STATUS_OK);
        count = (size_t)bench.nets.plan.slice_count * bench.nets.plan.parameter_count;
        gradients[i] = download(bench.nets.first.gradients, count);
        bench_net_free(&bench);
    }
    assert_memory_equal(gradients[0], gradients[1], count * sizeof(float));
    free(gradients[0]);
    free(gradients[1]);
}

/* ---- trajectory ---- */

static inline void trajectory_matches_reference(void **state)
{
    (void)state;
    check_trajectories(&trainer_cuda);
}

static inline void matches_host_engine(void **state)
{
    (void)state;
    struct train_data data = make_data(300, 17); /* the last batch of an epoch has 12 rows */
    for (int32_t output = 0; output < choice_mlp_output.count; output++) {
        struct train_job job = tuned_job(&data, output);
        if (output == MLP_OUTPUT_SUM) {
            job.shape.widths[3] = 7;
            add_offsets(&data, 7);
        }
        struct train_result host = train(&trainer_host, &job, NULL);
        struct train_result cuda = train(&trainer_cuda, &job, NULL);
        size_t count = mlp_parameter_count(&job.shape);
        double *expected = malloc(count * sizeof *expected);
        assert_non_null(expected);
        for (size_t k = 0; k < count; k++)
            expected[k] = (double)host.parameters[k];
        double distance = worst_distance(cuda.parameters, expected, &job.shape);
        print_message("output %d: engines differ by %.2g\n", output, distance);
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

/* ---- the same bits everywhere ---- */

/* Targets by exact products and plain sums: the same bits whatever the C library. */
static inline struct train_data exact_data(size_t rows, int width)
{
    struct train_data data = make_data(rows, width);
    for (size_t r = 0; r < rows + TEST_ROWS; r++) {
        const float *row = inputs + r * (size_t)width;
        targets[r] = 1 + 0.5f * row[0] + 0.25f * fabsf(row[1]);
    }
    return data;
}

/* Hash of the weights after 50 steps of the paper's net, with dropout, L2 and tail batches, but the
 * output log: log1pf is not the same function everywhere. The constant is what tests/shim gives:
 * the kernels' arithmetic is the host's to the bit. */
static inline void weights_are_the_shims(void **state)
{
    (void)state;
    struct train_data data = exact_data(1480, 17);
    struct train_job job = tuned_job(&data, MLP_OUTPUT_LOG);
    job.shape = (struct mlp_shape){
        .layer_count = 5, .widths = {17, 32, 64, 128, 128, 1}, .output = MLP_OUTPUT_LOG};
    job.options.batch_size = 150; /* three slices; the last of 10 batches has 130 rows */
    job.options.epochs = 5;
    job.options.keep_best = 0;
    struct train_result result = train(&trainer_cuda, &job, NULL);
    uint64_t hash = hash_bytes(HASH_SEED, result.parameters,
                               mlp_parameter_count(&job.shape) * sizeof *result.parameters);
    print_message("weights after 50 steps: 0x%016" PRIx64 "\n", hash);
    assert_true(hash == UINT64_C(0x40fc160cebe13620));
    train_result_free(&result);
}

/* ---- epochs ---- */

static inline void long_epoch_is_cut_into_segments(void **state)
{
    (void)state;
    struct train_data data = make_data(2100, 3); /* 2100 steps: segments of 1024, 1024 and 52 */
    struct train_job job = tuned_job(&data, MLP_OUTPUT_LOG);
    job.shape = (struct mlp_shape){.layer_count = 1, .widths = {3, 1}, .output = MLP_OUTPUT_LOG};
    job.options.batch_size = 1;
    job.options.epochs = 2;
    struct train_result host = train(&trainer_host, &job, NULL);
    struct train_result cuda = train(&trainer_cuda, &job, NULL);
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

static inline void observe(void *payload, int job, int epoch, double batch_loss, double test_rmsle)
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
static inline void stops_early_like_host(void **state)
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
        results[i] = train(trainers[i], &job, &progress);
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

static inline void infinite_loss_is_an_error(void **state)
{
    (void)state;
    struct train_data data = make_data(64, 2);
    struct train_job job = tuned_job(&data, MLP_OUTPUT_LOG);
    struct train_result result;
    struct error error = {0};
    job.options.learning_rate = 1e30f;
    assert_int_equal(trainer_cuda.fit(&result, &job, 1, 1, NULL, &error), STATUS_FAILED);
    assert_non_null(strstr(error.message, "not finite"));
    assert_null(result.parameters);
}

#define TRAINER_DEVICE_TESTS                                                                       \
    cmocka_unit_test(gradient_matches_reference), cmocka_unit_test(tiles_do_not_change_bits),      \
        cmocka_unit_test(trajectory_matches_reference), cmocka_unit_test(matches_host_engine),     \
        cmocka_unit_test(weights_are_the_shims),                                                   \
        cmocka_unit_test(long_epoch_is_cut_into_segments),                                         \
        cmocka_unit_test(stops_early_like_host), cmocka_unit_test(infinite_loss_is_an_error)

#endif
