/* What the tests of both trainer engines share: data, jobs, cases, the comparison with the double
 * reference. Includes nothing of CMocka: the test has.
 */
#ifndef TRAINER_CASES_H
#define TRAINER_CASES_H

#include "test.h"
#include "trainer_reference.h"

/* ---- data: a smooth positive function of a few inputs ---- */

enum { TEST_ROWS = 200, ROWS_LIMIT = 4000, INPUTS_LIMIT = 17 };
static float inputs[(ROWS_LIMIT + TEST_ROWS) * INPUTS_LIMIT], targets[ROWS_LIMIT + TEST_ROWS];

static struct train_data make_data(size_t rows, int width)
{
    for (size_t r = 0; r < rows + TEST_ROWS; r++) {
        float *row = inputs + r * (size_t)width;
        for (int j = 0; j < width; j++)
            row[j] = 2 * philox_uniform(philox((uint32_t)r, (uint32_t)j, 9, 0, 1).word[0]) - 1;
        targets[r] = log1pf(expf(1 + 0.8f * row[0]) + (width > 1 ? fabsf(row[1]) : 0));
    }
    return (struct train_data){.inputs = width,
                               .train_rows = rows,
                               .test_rows = TEST_ROWS,
                               .train_inputs = inputs,
                               .train_targets = targets,
                               .test_inputs = inputs + rows * (size_t)width,
                               .test_targets = targets + rows};
}

/* Offsets for `heads` heads: every row has the first, each other is absent from a third of them. */
static void add_offsets(struct train_data *data, int heads)
{
    static float offsets[(ROWS_LIMIT + TEST_ROWS) * MLP_HEAD_LIMIT];
    for (size_t r = 0; r < data->train_rows + TEST_ROWS; r++)
        for (int h = 0; h < heads; h++) {
            struct philox_words words = philox((uint32_t)r, (uint32_t)h, 11, 0, 1);
            bool absent = h > 0 && words.word[1] % 3 == 0;
            offsets[r * (size_t)heads + (size_t)h] = absent ? (float)MLP_NO_HEAD
                                                            : 3 * philox_uniform(words.word[0]) - 2;
        }
    data->train_offsets = offsets;
    data->test_offsets = offsets + data->train_rows * (size_t)heads;
}

static struct train_job make_job(const struct train_data *data)
{
    return (struct train_job){
        .shape = {.layer_count = 3, .widths = {data->inputs, 16, 24, 1}, .output = MLP_OUTPUT_LOG},
        .options = {.learning_rate = 0.003f,
                    .beta1 = 0.9f,
                    .beta2 = 0.999f,
                    .epsilon = 1e-3f,
                    .batch_size = 32,
                    .epochs = 2},
        .seed = 3,
        .data = data,
    };
}

/* relative L2 distance, W and b of each layer apart, the largest */
static double worst_distance(const float *values, const double *expected,
                             const struct mlp_shape *shape)
{
    double worst = 0;
    for (int part = 0; part < 2 * shape->layer_count; part++) {
        size_t middle = mlp_bias_offset(shape, part / 2);
        size_t from = part % 2 ? middle : mlp_weight_offset(shape, part / 2);
        size_t to = part % 2 ? mlp_weight_offset(shape, part / 2 + 1) : middle;
        double difference = 0, norm = 0;
        for (size_t k = from; k < to; k++) {
            difference += pow((double)values[k] - expected[k], 2);
            norm += expected[k] * expected[k];
        }
        if (norm > 0 || difference > 0)
            worst = fmax(worst, sqrt(difference / norm));
    }
    return worst;
}

/* ---- gradient ---- */

static const struct {
    struct mlp_shape shape;
    size_t rows;
    int batch;
    float dropout, l2;
    uint32_t step;
    float loss_scale; /* above 0: log-cosh */
} gradient_cases[] = {
    {.shape = {.layer_count = 1, .widths = {3, 1}, .output = MLP_OUTPUT_LOG, .output_bias = 1},
     .rows = 40,
     .batch = 16,
     .dropout = 0.5f},
    {.shape = {.layer_count = 2, .widths = {1, 5, 1}, .output = MLP_OUTPUT_LOG},
     .rows = 20,
     .batch = 7,
     .l2 = 0.1f,
     .step = 1},
    {.shape =
         {.layer_count = 3, .widths = {4, 9, 13, 1}, .output = MLP_OUTPUT_LOG, .output_bias = 1},
     .rows = 70,
     .batch = 32,
     .dropout = 0.2f,
     .l2 = 0.01f,
     .step = 2}, /* tail batch of 6 rows */
    {.shape = {.layer_count = 3, .widths = {4, 8, 40, 1}, .output = MLP_OUTPUT_RELU},
     .rows = 64,
     .batch = 64,
     .dropout = 0.5f},
    {.shape = {.layer_count = 4,
               .widths = {5, 16, 7, 24, 1},
               .output = MLP_OUTPUT_RELU,
               .output_bias = 1},
     .rows = 300,
     .batch = 200,
     .dropout = 0.3f,
     .l2 = 1e-3f,
     .step = 1}, /* several chunks, tail of 100, second epoch is not reached */
    {.shape = {.layer_count = 3,
               .widths = {6, 24, 19, 1},
               .output = MLP_OUTPUT_LOG,
               .activation = MLP_ACTIVATION_SILU,
               .output_bias = 1},
     .rows = 200,
     .batch = 150,
     .l2 = 0.01f,
     .step = 1,
     .loss_scale = 0.2f},
    {.shape = {.layer_count = 4,
               .widths = {5, 16, 40, 24, 1},
               .output = MLP_OUTPUT_RELU,
               .activation = MLP_ACTIVATION_SILU},
     .rows = 90,
     .batch = 64,
     .dropout = 0.4f,
     .step = 1},
    {.shape = {.layer_count = 3,
               .widths = {6, 24, 19, 7},
               .output = MLP_OUTPUT_SUM,
               .activation = MLP_ACTIVATION_SILU,
               .output_bias = 1},
     .rows = 200,
     .batch = 150,
     .l2 = 0.01f,
     .step = 1,
     .loss_scale = 0.2f},
    {.shape = {.layer_count = 3, .widths = {4, 9, 16, 16}, .output = MLP_OUTPUT_SUM},
     .rows = 70,
     .batch = 32,
     .dropout = 0.2f},
    {.shape = {.layer_count = 1, .widths = {5, 3}, .output = MLP_OUTPUT_SUM, .output_bias = 1},
     .rows = 40,
     .batch = 16,
     .step = 1},
    {.shape = {.layer_count = 2, .widths = {3, 8, 1}, .output = MLP_OUTPUT_SUM, .output_bias = 1},
     .rows = 40,
     .batch = 16},
    {.shape = {.layer_count = 5, .widths = {17, 32, 64, 128, 128, 1}, .output = MLP_OUTPUT_RELU},
     .rows = 300,
     .batch = 128,
     .dropout = 0.2f,
     .l2 = 1e-5f,
     .step = 5}, /* the paper's, tail of 44 in the second epoch */
};

static struct train_job gradient_job(size_t index, struct train_data *data)
{
    struct train_job job = make_job(data);
    job.shape = gradient_cases[index].shape;
    if (job.shape.output == MLP_OUTPUT_SUM)
        add_offsets(data, mlp_head_count(&job.shape));
    job.options.batch_size = gradient_cases[index].batch;
    job.options.dropout = gradient_cases[index].dropout;
    job.options.l2 = gradient_cases[index].l2;
    job.options.loss = gradient_cases[index].loss_scale > 0 ? LOSS_LOG_COSH : LOSS_SQUARED;
    job.options.loss_scale = gradient_cases[index].loss_scale;
    return job;
}

/* nudged off the initial values, so that no bias is 0 */
static void nudge(struct reference *reference)
{
    for (size_t k = 0; k < reference->count; k++)
        if (reference->parameters[k] == 0)
            reference->parameters[k] = (double)(0.05f + 0.01f * (float)(k % 5));
}

/* ---- trajectory ---- */

static double distance_after(const struct trainer *trainer, const struct train_job *job, int steps)
{
    struct train_result result;
    struct reference reference;
    assert_int_equal(trainer->fit(&result, job, 1, 1, NULL, NULL), STATUS_OK);
    reference_create(&reference, job);
    for (int step = 0; step < steps; step++)
        reference_step(&reference);
    double distance = worst_distance(result.parameters, reference.parameters, &job->shape);
    reference_free(&reference);
    train_result_free(&result);
    return distance;
}

/* Weights after 1, 10 and 100 steps against the double reference; gates of each layer's W and b. */
static void check_trajectories(const struct trainer *trainer)
{
    const struct {
        int steps;
        double limit;
    } gates[] = {{1, 1e-6}, {10, 3e-6}, {100, 1e-5}};
    const struct train_options variants[] = {
        {.schedule = SCHEDULE_CONSTANT, .learning_rate = 0.01f, .epsilon = 0.1f, .l2 = 1e-5f},
        {.schedule = SCHEDULE_HALVING,
         .learning_rate = 0.02f,
         .epsilon = 0.1f,
         .halving_epochs = 3,
         .dropout = 0.2f,
         .l2 = 1e-3f},
        {.schedule = SCHEDULE_COSINE,
         .learning_rate = 0.01f,
         .epsilon = 0.1f,
         .warmup_share = 0.3f,
         .weight_decay = 0.1f,
         .gradient_clip = 0.05f,
         .dropout = 0.1f},
        {.schedule = SCHEDULE_COSINE,
         .learning_rate = 0.01f,
         .epsilon = 0.1f,
         .weight_decay = 0.1f,
         .loss = LOSS_LOG_COSH,
         .loss_scale = 0.3f,
         .dropout = 0.2f},
        {.schedule = SCHEDULE_COSINE,
         .learning_rate = 0.01f,
         .epsilon = 0.1f,
         .weight_decay = 0.3f,
         .gradient_clip = 1,
         .loss = LOSS_LOG_COSH,
         .loss_scale = 0.1f},
    };
    static const int32_t outputs[] = {MLP_OUTPUT_RELU, MLP_OUTPUT_LOG, MLP_OUTPUT_RELU,
                                      MLP_OUTPUT_LOG, MLP_OUTPUT_SUM};
    for (size_t v = 0; v < sizeof variants / sizeof *variants; v++)
        for (size_t g = 0; g < sizeof gates / sizeof *gates; g++) {
            struct train_data data = make_data(64 * 5, 17); /* 5 steps an epoch */
            struct train_job job = make_job(&data);
            const bool sum = outputs[v] == MLP_OUTPUT_SUM;
            job.shape = (struct mlp_shape){.layer_count = 4,
                                           .widths = {17, 24, 32, 40, sum ? 7 : 1},
                                           .output = outputs[v],
                                           .output_bias = sum,
                                           .activation = v >= 3 ? MLP_ACTIVATION_SILU
                                                                : MLP_ACTIVATION_RELU};
            if (sum)
                add_offsets(&data, 7);
            job.options = variants[v];
            job.options.beta1 = 0.9f;
            job.options.beta2 = 0.999f;
            job.options.batch_size = 64;
            job.options.epochs = gates[g].steps < 5 ? 1 : gates[g].steps / 5;
            if (gates[g].steps < 5)
                job.options.batch_size = 64 * 5;
            double distance = distance_after(trainer, &job, gates[g].steps);
            if (distance > gates[g].limit)
                print_error("variant %zu: weights differ by %g after %d steps\n", v, distance,
                            gates[g].steps);
            assert_true(distance <= gates[g].limit);
        }
}

#endif
