/* Times the host trainer on the paper's network, as scripts/bench_pytorch.py times PyTorch: one
 * line of JSON, with the share of this machine's sgemm speed, measured in the same run.
 *
 *     bench_trainer [--rows 36000] [--epochs 10] [--batch 128] [--threads 1] [--inputs 17]
 */
#include "base/philox.h"
#include "model/trainer.h"
#include "onednn/gemm.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    int rows, epochs, batch, threads, inputs;
};

static bool parse_options(struct options *options, int count, char **words)
{
    struct {
        const char *name;
        int *value;
    } known[] = {{"--rows", &options->rows},
                 {"--epochs", &options->epochs},
                 {"--batch", &options->batch},
                 {"--threads", &options->threads},
                 {"--inputs", &options->inputs}};
    for (int i = 1; i < count; i += 2) {
        size_t option = 0;
        while (option < sizeof known / sizeof *known && strcmp(known[option].name, words[i]) != 0)
            option++;
        if (option == sizeof known / sizeof *known || i + 1 >= count || atoi(words[i + 1]) < 1)
            return false;
        *known[option].value = atoi(words[i + 1]);
    }
    return true;
}

/* GFLOP/s of a 1024^3 product, the best of ten */
static double measure_sgemm(int threads)
{
    enum { SIZE = 1024, RUNS = 10 };
    float *matrices = calloc((size_t)3 * SIZE * SIZE, sizeof *matrices);
    float *a = matrices, *b = a + SIZE * SIZE, *c = b + SIZE * SIZE;
    double best_s = INFINITY;
    omp_set_num_threads(threads);
    for (int run = 0; matrices && run < RUNS; run++) {
        double start = monotonic_s();
        sgemm_row_major(false, false, SIZE, SIZE, SIZE, 1, a, SIZE, b, SIZE, 0, c, SIZE);
        best_s = fmin(best_s, monotonic_s() - start);
    }
    free(matrices);
    return 2.0 * SIZE * SIZE * SIZE / best_s * 1e-9;
}

static void fill(float *values, size_t count, float scale, uint32_t stream)
{
    for (size_t i = 0; i < count; i++)
        values[i] = scale * philox_uniform(philox((uint32_t)i, stream, 0, PHILOX_NOISE, 1).word[0]);
}

/* floating-point operations of a step: forward, and two products a layer backward but for the
 * first layer, which needs no delta of the inputs */
static double step_flops(const struct mlp_shape *shape, int batch)
{
    double flops = 0;
    for (int i = 0; i < shape->layer_count; i++)
        flops += (i ? 6.0 : 4.0) * shape->widths[i] * shape->widths[i + 1] * batch;
    return flops;
}

struct clock {
    double first_s, last_s; /* ends of the first and the last epoch */
};

static void note_epoch(void *payload, int job, int epoch, double batch_loss, double test_rmsle)
{
    struct clock *clock = payload;
    (void)job;
    (void)batch_loss;
    (void)test_rmsle;
    clock->last_s = monotonic_s();
    if (epoch == 0)
        clock->first_s = clock->last_s;
}

/* Seconds of all epochs but the first. */
static double train(const struct train_job *job, int threads)
{
    struct train_result result = {0};
    struct error error = {0};
    struct clock clock = {0};
    struct train_progress progress = {.epoch = note_epoch, .payload = &clock};
    if (trainer_host.fit(&result, job, 1, threads, &progress, &error) != STATUS_OK) {
        fprintf(stderr, "bench_trainer: %s\n", error.message);
        exit(EXIT_FAILURE);
    }
    train_result_free(&result);
    return clock.last_s - clock.first_s;
}

int main(int argument_count, char **arguments)
{
    struct options options = {
        .rows = 36000, .epochs = 10, .batch = 128, .threads = 1, .inputs = 17};
    if (!parse_options(&options, argument_count, arguments)) {
        fputs("usage: bench_trainer [--rows N] [--epochs N] [--batch N] [--threads N] "
              "[--inputs N]\n",
              stderr);
        return 2;
    }
    size_t rows = (size_t)options.rows, width = (size_t)options.inputs;
    float *inputs = malloc(rows * width * sizeof *inputs), *targets = malloc(rows * sizeof(float));
    if (!inputs || !targets)
        return EXIT_FAILURE;
    fill(inputs, rows * width, 2, 0);
    fill(targets, rows, 3, 1);
    struct train_data data = {.inputs = options.inputs,
                              .train_rows = rows,
                              .train_inputs = inputs,
                              .train_targets = targets};
    struct train_job job = {
        .shape = {.layer_count = 5,
                  .widths = {options.inputs, 32, 64, 128, 128, 1},
                  .output = MLP_OUTPUT_RELU},
        .options = {.learning_rate = 0.01f,
                    .beta1 = 0.9f,
                    .beta2 = 0.999f,
                    .epsilon = 0.1f,
                    .l2 = 1e-5f,
                    .dropout = 0.2f,
                    .batch_size = options.batch,
                    .epochs = options.epochs + 1}, /* the first warms up */
        .seed = 1,
        .data = &data,
    };
    double epoch_s = train(&job, options.threads) / options.epochs;
    double steps = ceil((double)options.rows / options.batch);
    double gflops = step_flops(&job.shape, options.batch) * steps / epoch_s * 1e-9;
    double peak_gflops = measure_sgemm(options.threads);
    printf("{\"seconds_per_epoch\": %.6g, \"microseconds_per_step\": %.4g, \"gflops\": %.1f, "
           "\"sgemm_gflops\": %.1f, \"share_of_sgemm_percent\": %.1f}\n",
           epoch_s, 1e6 * epoch_s / steps, gflops, peak_gflops, 100 * gflops / peak_gflops);
    free(inputs);
    free(targets);
    return EXIT_SUCCESS;
}
