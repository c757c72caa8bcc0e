/* Times a trainer as scripts/bench_pytorch.py times PyTorch, on the same network and recipe: a
 * line of JSON a run. The host's lines have the share of this machine's sgemm speed, measured in
 * the same run. --nets trains so many side by side, on the host over the threads: a step is then
 * one of all of them.
 * --seeds trains so many nets one after the other instead and prints their test error. Exit code
 * 77: the engine cannot run here.
 *
 *     bench_trainer --engine cuda --workload B --runs 5
 *     bench_trainer --engine cuda --nets 132
 *     bench_trainer --seeds 5 --epochs 100
 *     bench_trainer --save-data FILE       what it trains on, for others
 */
#include "base/clock.h"
#include "base/philox.h"
#include "bench/backend.h"
#include "onednn/gemm.h"
#include "trainer/trainer.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SKIPPED = 77, USAGE = 2 };

struct workload {
    const char *name;
    struct mlp_shape shape;
    int32_t batch;
    const struct train_options *recipe;
};

/* the paper's */
static const struct train_options paper = {.learning_rate = 0.01f,
                                           .beta1 = 0.9f,
                                           .beta2 = 0.999f,
                                           .epsilon = 0.1f,
                                           .l2 = 1e-5f,
                                           .dropout = 0.2f};
/* the default preset's */
static const struct train_options adam_w = {.learning_rate = 5e-3f,
                                            .loss = LOSS_LOG_COSH,
                                            .loss_scale = 0.1f,
                                            .beta1 = 0.9f,
                                            .beta2 = 0.99f,
                                            .epsilon = 1e-8f,
                                            .weight_decay = 0.3f,
                                            .gradient_clip = 1,
                                            .schedule = SCHEDULE_COSINE,
                                            .warmup_share = 0.05f};

static const struct workload workloads[] = {
    /* the paper's network */
    {"A", {.layer_count = 5, .widths = {17, 32, 64, 128, 128, 1}}, 128, &paper},
    {"B", {.layer_count = 5, .widths = {64, 256, 256, 256, 256, 1}}, 1024, &paper},
    /* the default preset's, on convolutions of one device; D: with heads */
    {"C",
     {.layer_count = 4,
      .widths = {271, 128, 128, 128, 1},
      .output = MLP_OUTPUT_LOG,
      .output_bias = 1,
      .activation = MLP_ACTIVATION_SILU},
     256,
     &adam_w},
    {"D",
     {.layer_count = 4,
      .widths = {271, 192, 192, 192, 7},
      .output = MLP_OUTPUT_SUM,
      .output_bias = 1,
      .activation = MLP_ACTIVATION_SILU},
     256,
     &adam_w},
};
static const int workload_count = sizeof workloads / sizeof *workloads;

struct options {
    int rows, test_rows, epochs, batch, threads, inputs, runs, seeds, nets;
    const char *engine, *workload, *save_data;
};

/* ---- command line ---- */

static bool parse_options(struct options *options, int count, char **words)
{
    struct {
        const char *name;
        int *number;
        const char **text;
    } known[] = {
        {"--rows", &options->rows, NULL},         {"--test-rows", &options->test_rows, NULL},
        {"--epochs", &options->epochs, NULL},     {"--batch", &options->batch, NULL},
        {"--threads", &options->threads, NULL},   {"--inputs", &options->inputs, NULL},
        {"--runs", &options->runs, NULL},         {"--seeds", &options->seeds, NULL},
        {"--nets", &options->nets, NULL},         {"--engine", NULL, &options->engine},
        {"--workload", NULL, &options->workload}, {"--save-data", NULL, &options->save_data}};
    for (int i = 1; i < count; i += 2) {
        size_t option = 0;
        while (option < sizeof known / sizeof *known && strcmp(known[option].name, words[i]) != 0)
            option++;
        if (option == sizeof known / sizeof *known || i + 1 >= count)
            return false;
        if (known[option].text)
            *known[option].text = words[i + 1];
        else if ((*known[option].number = (int)strtol(words[i + 1], NULL, 10)) < 1)
            return false;
    }
    return true;
}

static int usage(void)
{
    fputs(
        "usage: bench_trainer [--engine host|cuda] [--nets N] [--workload A|B|C|D] [--runs N]\n"
        "           [--seeds N] [--rows N] [--test-rows N] [--epochs N] [--batch N] [--inputs N]\n"
        "           [--threads N] [--save-data FILE]\n",
        stderr);
    return USAGE;
}

static const struct workload *find_workload(const char *name)
{
    for (int i = 0; i < workload_count; i++)
        if (strcmp(workloads[i].name, name) == 0)
            return &workloads[i];
    return NULL;
}

static const struct trainer *find_trainer(const char *name)
{
    const struct trainer *trainer = NULL;
    struct error error = {0};
    if (strcmp(name, "host") == 0)
        return &trainer_host;
    if (strcmp(name, "cuda") != 0)
        exit(usage());
    if (backend_find(name)->trainer(&trainer, 0, &error) == STATUS_OK)
        return trainer;
    fprintf(stderr, "bench_trainer: %s\n", error.message);
    exit(error.status == STATUS_NO_DEVICE ? SKIPPED : EXIT_FAILURE);
}

/* ---- data: a smooth positive function of some inputs, and noise ---- */

static float uniform(uint32_t row, uint32_t column)
{
    return philox_uniform(philox(row, column, 0, PHILOX_NOISE, 1).word[0]);
}

static float target_of(const float *row, float noise)
{
    float log_t = 0.5f + 0.5f * row[0] + 0.5f * sinf(2 * row[1]) + 0.3f * row[2] * row[3] + noise;
    return log1pf(expf(log_t));
}

static void fill_row(float *row, float *target, uint32_t number, int width)
{
    const float root_3 = 1.7320508f; /* variance 1 */
    for (int i = 0; i < width; i++)
        row[i] = root_3 * (2 * uniform(number, (uint32_t)i) - 1);
    *target = target_of(row, 0.1f * (2 * uniform(number, (uint32_t)width) - 1));
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory)
        return memory;
    fputs("bench_trainer: out of memory\n", stderr);
    exit(EXIT_FAILURE);
}

static void make_data(struct train_data *data, const struct options *options, int32_t heads)
{
    size_t width = (size_t)options->inputs, train_rows = (size_t)options->rows;
    size_t rows = train_rows + (size_t)options->test_rows;
    float *inputs = allocate(rows * width, sizeof *inputs);
    float *targets = allocate(rows, sizeof *targets);
    for (size_t i = 0; i < rows; i++)
        fill_row(inputs + i * width, targets + i, (uint32_t)i, options->inputs);
    /* of output sum: all heads alike */
    float *offsets = heads > 1 ? allocate(rows * (size_t)heads, sizeof *offsets) : NULL;
    *data = (struct train_data){.inputs = options->inputs,
                                .train_rows = train_rows,
                                .train_offsets = offsets,
                                .test_offsets = offsets ? offsets + train_rows * (size_t)heads
                                                        : NULL,
                                .train_inputs = inputs,
                                .train_targets = targets,
                                .test_inputs = inputs + train_rows * width,
                                .test_targets = targets + train_rows};
}

static void free_data(struct train_data *data)
{
    free((void *)data->train_inputs);
    free((void *)data->train_offsets);
    free((void *)data->train_targets);
}

/* All inputs, then all targets; train rows first: float32. */
static int save_data(const struct train_data *data, const struct options *options)
{
    size_t rows = (size_t)options->rows + (size_t)options->test_rows;
    size_t count = rows * (size_t)options->inputs;
    FILE *file = fopen(options->save_data, "wb");
    bool written = file && fwrite(data->train_inputs, sizeof(float), count, file) == count &&
                   fwrite(data->train_targets, sizeof(float), rows, file) == rows;
    if (file && fclose(file) == 0 && written)
        return EXIT_SUCCESS;
    perror(options->save_data);
    return EXIT_FAILURE;
}

/* ---- training ---- */

static struct train_job make_job(const struct workload *workload, const struct options *options,
                                 const struct train_data *data)
{
    struct train_job job = {
        .shape = workload->shape, .options = *workload->recipe, .seed = 1, .data = data};
    job.options.batch_size = options->batch;
    job.options.epochs = options->epochs;
    job.shape.widths[0] = options->inputs;
    return job;
}

/* The cuda engine enqueues epochs ahead, and its last reports may come at once. */
enum { EPOCHS_AHEAD = 4 };

struct clock {
    int last;               /* epoch whose end is the last read */
    double first_s, last_s; /* ends of the first epoch and of that one */
};

static void note_epoch(void *payload, int job, int epoch, double batch_loss, double test_rmsle)
{
    struct clock *clock = payload;
    (void)job;
    (void)batch_loss;
    (void)test_rmsle;
    if (epoch == 0)
        clock->first_s = monotonic_s();
    if (epoch == clock->last)
        clock->last_s = monotonic_s();
}

/* Seconds of `epochs` epochs after the first. Side by side on a GPU, those of the last net count;
 * on the host nets may wait for others: all of their time counts, as so many epochs. */
static double train(struct train_result *results, const struct trainer *trainer,
                    const struct train_job *jobs, int nets, int epochs, int threads)
{
    struct error error = {0};
    struct clock clock = {.last = epochs};
    const double start_s = monotonic_s();
    struct train_progress progress = {.epoch = note_epoch, .payload = &clock};
    if (trainer->fit(results, jobs, nets, threads, &progress, &error) != STATUS_OK) {
        fprintf(stderr, "bench_trainer: %s\n", error.message);
        exit(EXIT_FAILURE);
    }
    if (trainer == &trainer_host && nets > 1)
        return (monotonic_s() - start_s) * epochs / (epochs + 1);
    return clock.last_s - clock.first_s;
}

/* ---- speed ---- */

/* GFLOP/s of a 1024^3 product, the best of ten */
static double measure_sgemm(int threads)
{
    enum { SIZE = 1024, RUNS = 10 };
    float *matrices = allocate((size_t)3 * SIZE * SIZE, sizeof *matrices);
    float *a = matrices, *b = a + SIZE * SIZE, *c = b + SIZE * SIZE;
    double best_s = INFINITY;
    omp_set_num_threads(threads);
    for (int run = 0; run < RUNS; run++) {
        double start = monotonic_s();
        sgemm_row_major(false, false, SIZE, SIZE, SIZE, 1, a, SIZE, b, SIZE, 0, c, SIZE);
        best_s = fmin(best_s, monotonic_s() - start);
    }
    free(matrices);
    return 2.0 * SIZE * SIZE * SIZE / best_s * 1e-9;
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

/* Seconds of an epoch of nets that differ in their seeds. */
static double time_epoch(const struct trainer *trainer, const struct options *options,
                         const struct train_job *job)
{
    const size_t nets = (size_t)options->nets;
    struct train_result *results = allocate(nets, sizeof *results);
    struct train_job *jobs = allocate(nets, sizeof *jobs);
    for (size_t i = 0; i < nets; i++) {
        jobs[i] = *job;
        jobs[i].seed += i;
    }
    double epoch_s = train(results, trainer, jobs, options->nets, options->epochs,
                           options->threads) /
                     options->epochs;
    for (size_t i = 0; i < nets; i++)
        train_result_free(&results[i]);
    free(results);
    free(jobs);
    return epoch_s;
}

static void time_runs(const struct trainer *trainer, const struct options *options,
                      struct train_job job)
{
    double steps = ceil((double)options->rows / options->batch);
    job.options.epochs += 1 + (trainer == &trainer_host ? 0 : EPOCHS_AHEAD); /* one warms up */
    for (int run = 1; run <= options->runs; run++) {
        double epoch_s = time_epoch(trainer, options, &job);
        double gflops = options->nets * step_flops(&job.shape, options->batch) * steps / epoch_s *
                        1e-9;
        printf("{\"name\": \"epochcast %s\", \"workload\": \"%s\", \"run\": %d, "
               "\"seconds_per_epoch\": %.6g, \"microseconds_per_step\": %.4g, \"gflops\": %.1f",
               trainer->name, options->workload, run, epoch_s, 1e6 * epoch_s / steps, gflops);
        if (options->nets > 1)
            printf(", \"nets\": %d", options->nets);
        if (trainer == &trainer_host) {
            double peak_gflops = measure_sgemm(options->threads);
            printf(", \"sgemm_gflops\": %.1f, \"share_of_sgemm_percent\": %.1f, \"threads\": %d",
                   peak_gflops, 100 * gflops / peak_gflops, options->threads);
        }
        puts("}");
        fflush(stdout);
    }
}

/* ---- error ---- */

static void train_seeds(const struct trainer *trainer, const struct options *options,
                        struct train_job job)
{
    for (int seed = 1; seed <= options->seeds; seed++) {
        struct train_result result = {0};
        job.seed = (uint64_t)seed;
        train(&result, trainer, &job, 1, options->epochs, options->threads);
        printf("{\"name\": \"epochcast %s\", \"workload\": \"%s\", \"seed\": %d, \"epochs\": %d, "
               "\"seconds\": %.4g, \"train_rmsle\": %.5f, \"test_rmsle\": %.5f}\n",
               trainer->name, options->workload, seed, options->epochs, result.seconds,
               result.train_rmsle, result.test_rmsle);
        fflush(stdout);
        train_result_free(&result);
    }
}

int main(int argument_count, char **arguments)
{
    struct options options = {.rows = 40000,
                              .test_rows = 10000,
                              .epochs = 5,
                              .threads = 1,
                              .runs = 1,
                              .nets = 1,
                              .engine = "host",
                              .workload = "A"};
    if (!parse_options(&options, argument_count, arguments))
        return usage();
    const struct workload *workload = find_workload(options.workload);
    if (!workload)
        return usage();
    options.batch = options.batch ? options.batch : workload->batch;
    options.inputs = options.inputs ? options.inputs : workload->shape.widths[0];
    const struct trainer *trainer = options.save_data ? NULL : find_trainer(options.engine);
    struct train_data data;
    make_data(&data, &options, mlp_head_count(&workload->shape));
    int code = EXIT_SUCCESS;
    if (options.save_data) {
        code = save_data(&data, &options);
    } else if (options.seeds) {
        data.test_rows = (size_t)options.test_rows;
        struct train_job job = make_job(workload, &options, &data);
        train_seeds(trainer, &options, job);
    } else {
        struct train_job job = make_job(workload, &options, &data); /* no test rows: steps alone */
        time_runs(trainer, &options, job);
    }
    free_data(&data);
    return code;
}
