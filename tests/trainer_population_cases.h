/* Nets side by side must be, to the bit, those that train alone: on a GPU and in the shim. */
#ifndef EPOCHCAST_TESTS_TRAINER_POPULATION_CASES_H
#define EPOCHCAST_TESTS_TRAINER_POPULATION_CASES_H

#include "test.h"
#include "trainer_device_cases.h"

enum { POPULATION_LIMIT = 7 };

struct population {
    struct train_data folds[POPULATION_LIMIT];
    struct train_job jobs[POPULATION_LIMIT];
    struct train_result results[POPULATION_LIMIT];
    int count;
};

/* Test rows of their own each, epochs of 11 to 13 steps. */
static inline struct train_data make_fold(const struct train_data *all, int number)
{
    const size_t width = (size_t)all->inputs, first = 8 * (size_t)number;
    struct train_data fold = *all;
    fold.train_rows = all->train_rows - (size_t)number * 9;
    fold.test_rows = 60 + (size_t)number;
    fold.train_inputs = all->train_inputs + first * width;
    fold.train_targets = all->train_targets + first;
    fold.test_inputs = all->test_inputs + first * width;
    fold.test_targets = all->test_targets + first;
    return fold;
}

/* Jobs that differ in all that may differ in one graph. */
static inline void make_population(struct population *population, const struct train_data *data,
                                   int count, int32_t activation)
{
    *population = (struct population){.count = count};
    for (int i = 0; i < count; i++) {
        population->folds[i] = make_fold(data, i);
        struct train_job *job = &population->jobs[i];
        *job = tuned_job(&population->folds[i], MLP_OUTPUT_LOG);
        job->shape.activation = activation;
        job->seed = 40 + (uint64_t)(3 * i);
        job->options.learning_rate *= 1 + 0.5f * (float)i;
        job->options.dropout = i % 3 ? 0.1f * (float)(i % 3) : 0;
        job->options.l2 = i % 2 ? 1e-3f : 0;
        job->options.gradient_clip = i % 3 == 1 ? 0.05f : 0;
        job->options.loss = i % 2 ? LOSS_LOG_COSH : LOSS_SQUARED;
        job->options.loss_scale = 0.2f;
        job->options.schedule = i % 4 == 2 ? SCHEDULE_COSINE : SCHEDULE_CONSTANT;
        job->options.weight_decay = i % 4 == 3 ? 0.1f : 0;
        job->options.batch_size = 32;
        job->options.epochs = 2 + i % 3;
        job->options.patience = i == 4 ? 1 : 0;
        job->options.keep_best = i % 2;
    }
}

static inline void train_population(struct population *population)
{
    struct error error = {0};
    if (trainer_cuda.fit(population->results, population->jobs, population->count, 1, NULL,
                         &error) != STATUS_OK)
        fail_msg("%d nets: %s", population->count, error.message);
}

static inline void free_population(struct population *population)
{
    for (int i = 0; i < population->count; i++)
        train_result_free(&population->results[i]);
}

static inline void check_alone(const struct population *population, int net)
{
    const struct train_result *beside = &population->results[net];
    struct train_result alone = train(&trainer_cuda, &population->jobs[net], NULL);
    const size_t count = mlp_parameter_count(&population->jobs[net].shape);
    assert_int_equal(alone.epochs, beside->epochs);
    assert_int_equal(alone.best_epoch, beside->best_epoch);
    assert_memory_equal(alone.parameters, beside->parameters, count * sizeof(float));
    assert_true(alone.train_rmsle == beside->train_rmsle);
    assert_true(alone.test_rmsle == beside->test_rmsle);
    train_result_free(&alone);
}

static inline void population_is_single_runs(void **state)
{
    (void)state;
    static const int counts[] = {1, 5, 7};
    struct train_data data = make_data(400, 6);
    for (int i = 0; i < 3; i++) {
        struct population population;
        make_population(&population, &data, counts[i],
                        i == 1 ? MLP_ACTIVATION_SILU : MLP_ACTIVATION_RELU);
        train_population(&population);
        for (int net = 0; net < counts[i]; net++)
            check_alone(&population, net);
        free_population(&population);
    }
}

/* Heads with offsets of their own each. */
static inline void population_of_sums_is_single_runs(void **state)
{
    (void)state;
    enum { HEADS = 7 };
    struct train_data data = make_data(400, 6);
    struct population population;
    add_offsets(&data, HEADS);
    make_population(&population, &data, 5, MLP_ACTIVATION_SILU);
    for (size_t i = 0; i < 5; i++) {
        population.folds[i].train_offsets = data.train_offsets + 8 * i * HEADS;
        population.folds[i].test_offsets = data.test_offsets + 8 * i * HEADS;
        population.jobs[i].shape.output = MLP_OUTPUT_SUM;
        population.jobs[i].shape.output_bias = 1;
        population.jobs[i].shape.widths[3] = HEADS;
    }
    train_population(&population);
    for (int net = 0; net < 5; net++)
        check_alone(&population, net);
    free_population(&population);
}

/* Slices, tiles of both sizes and a squared norm of several tiles: the paper's net, clipped. */
static inline void wide_population_is_single_runs(void **state)
{
    (void)state;
    struct train_data data = make_data(300, 17);
    struct population population;
    make_population(&population, &data, 5, MLP_ACTIVATION_RELU);
    for (int i = 0; i < 5; i++) {
        struct train_job *job = &population.jobs[i];
        job->shape = (struct mlp_shape){
            .layer_count = 5, .widths = {17, 32, 64, 128, 128, 1}, .output = MLP_OUTPUT_LOG};
        job->data = &data;
        job->options.gradient_clip = 0.02f;
        job->options.batch_size = 160; /* three slices, a tail of 140 rows */
        job->options.epochs = 2;
    }
    train_population(&population);
    for (int net = 0; net < 5; net += 2)
        check_alone(&population, net);
    free_population(&population);
}

/* Jobs of other shapes and batches, mixed: runs beside one another. */
static inline void mixed_jobs_are_single_runs(void **state)
{
    (void)state;
    struct train_data data = make_data(120, 4);
    struct population population;
    make_population(&population, &data, 6, MLP_ACTIVATION_RELU);
    for (int i = 0; i < 6; i++) {
        population.jobs[i].data = &data;
        population.jobs[i].shape.widths[1] = i % 2 ? 8 : 16;
        population.jobs[i].options.batch_size = i < 3 ? 32 : 24;
    }
    train_population(&population);
    for (int net = 0; net < 6; net++)
        check_alone(&population, net);
    free_population(&population);
}

/* Inputs above 0 and no bias: weights below 0 are dead from the start. */
static inline void dead_nets_restart_beside_others(void **state)
{
    (void)state;
    struct train_data data = make_data(64, 2);
    struct population population;
    int dead = 0;
    for (size_t i = 0; i < (64 + TEST_ROWS) * 2; i++)
        inputs[i] = fabsf(inputs[i]) + 0.01f;
    make_population(&population, &data, 7, MLP_ACTIVATION_RELU);
    for (int i = 0; i < 7; i++) {
        struct train_job *job = &population.jobs[i];
        float weights[3];
        job->shape = (struct mlp_shape){
            .layer_count = 1, .widths = {2, 1}, .output = MLP_OUTPUT_RELU};
        job->data = &data;
        job->seed = 1 + (uint64_t)i;
        mlp_initialise(weights, &job->shape, job->seed);
        dead += weights[0] < 0 && weights[1] < 0;
    }
    assert_in_range(dead, 1, 6);
    train_population(&population);
    for (int net = 0; net < 7; net++)
        check_alone(&population, net);
    free_population(&population);
}

/* A net that may fail fails alone, in both engines. */
static inline void failing_net_leaves_others(void **state)
{
    (void)state;
    const struct trainer *const trainers[] = {&trainer_host, &trainer_cuda};
    struct train_data data = make_data(100, 4);
    for (int i = 0; i < 2; i++) {
        struct train_job jobs[3];
        struct train_result results[3];
        for (int net = 0; net < 3; net++)
            jobs[net] = tuned_job(&data, MLP_OUTPUT_LOG);
        jobs[1].may_fail = 1;
        jobs[1].options.learning_rate = 1e30f;
        jobs[2].seed = 9;
        assert_int_equal(trainers[i]->fit(results, jobs, 3, 2, NULL, NULL), STATUS_OK);
        assert_int_equal(results[1].error.status, STATUS_FAILED);
        assert_non_null(strstr(results[1].error.message, "net 1: loss is not finite"));
        assert_null(results[1].parameters);
        for (int net = 0; net < 3; net += 2) {
            struct train_result alone = train(trainers[i], &jobs[net], NULL);
            assert_int_equal(results[net].error.status, STATUS_OK);
            assert_memory_equal(alone.parameters, results[net].parameters,
                                mlp_parameter_count(&jobs[net].shape) * sizeof(float));
            train_result_free(&alone);
            train_result_free(&results[net]);
        }
    }
}

#define TRAINER_POPULATION_TESTS                                                                   \
    cmocka_unit_test(population_is_single_runs),                                                   \
        cmocka_unit_test(population_of_sums_is_single_runs),                                       \
        cmocka_unit_test(wide_population_is_single_runs),                                          \
        cmocka_unit_test(mixed_jobs_are_single_runs),                                              \
        cmocka_unit_test(dead_nets_restart_beside_others),                                         \
        cmocka_unit_test(failing_net_leaves_others)

#endif
