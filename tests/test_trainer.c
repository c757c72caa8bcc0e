#include "test.h"
#include "trainer/activation.h"
#include "trainer/trainer_host.h"
#include "trainer_cases.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static enum status fit(struct train_result *result, const struct train_job *job, int threads,
                       struct error *error)
{
    return trainer_host.fit(result, job, 1, threads, NULL, error);
}

/* ---- gradient ---- */

static void gradient_matches_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof gradient_cases / sizeof *gradient_cases; i++) {
        struct train_data data = make_data(gradient_cases[i].rows,
                                           gradient_cases[i].shape.widths[0]);
        struct train_job job = gradient_job(i, &data);
        struct reference reference;
        reference_create(&reference, &job);
        reference.step = gradient_cases[i].step;
        nudge(&reference);
        double loss = reference_loss(&reference), squared_error = 0, l2 = 0;
        struct host_net net;
        assert_int_equal(host_net_create(&net, &job, 2, NULL), STATUS_OK);
        for (size_t k = 0; k < net.parameter_count; k++)
            net.parameters[k] = (float)reference.parameters[k];
        struct host_batch batch = host_batch_at(&net, reference.step);
        size_t positive = 0;
        host_net_gradient(&net, &batch, &squared_error, &positive);
        double distance = worst_distance(net.mean, reference.gradient, &job.shape);
        if (distance > 1e-6)
            print_error("case %zu: gradient differs by %g\n", i, distance);
        assert_true(distance <= 1e-6);
        for (int layer = 0; layer < job.shape.layer_count; layer++)
            for (size_t k = mlp_weight_offset(&job.shape, layer);
                 k < mlp_bias_offset(&job.shape, layer); k++)
                l2 += (double)job.options.l2 * pow(reference.parameters[k], 2) / 2;
        if (job.options.loss == LOSS_SQUARED)
            assert_true(fabs(squared_error / (double)batch.rows + l2 - loss) < 1e-5 * (1 + loss));
        if (job.shape.output == MLP_OUTPUT_RELU)
            assert_true(positive > 0);
        host_net_free(&net);
        reference_free(&reference);
    }
}

/* central differences of the reference's loss: checks the formulas themselves */
static void gradient_matches_differences(void **state)
{
    (void)state;
    const double step = 1e-6;
    for (size_t i = 0; i + 1 < sizeof gradient_cases / sizeof *gradient_cases; i++) {
        struct train_data data = make_data(gradient_cases[i].rows,
                                           gradient_cases[i].shape.widths[0]);
        struct train_job job = gradient_job(i, &data);
        struct reference reference;
        reference_create(&reference, &job);
        reference.step = gradient_cases[i].step;
        nudge(&reference);
        struct host_net net;
        assert_int_equal(host_net_create(&net, &job, 1, NULL), STATUS_OK);
        for (size_t k = 0; k < net.parameter_count; k++)
            net.parameters[k] = (float)reference.parameters[k];
        struct host_batch batch = host_batch_at(&net, reference.step);
        double squared_error = 0, *differences = calloc(reference.count, sizeof *differences);
        size_t positive = 0;
        host_net_gradient(&net, &batch, &squared_error, &positive);
        for (size_t k = 0; k < reference.count; k++) {
            double value = reference.parameters[k];
            if (k >= mlp_bias_offset(&job.shape, job.shape.layer_count - 1) &&
                !job.shape.output_bias)
                continue;
            reference.parameters[k] = value + step;
            double above = reference_loss(&reference);
            reference.parameters[k] = value - step;
            differences[k] = (above - reference_loss(&reference)) / (2 * step);
            reference.parameters[k] = value;
        }
        assert_true(worst_distance(net.mean, differences, &job.shape) < 1e-3);
        free(differences);
        host_net_free(&net);
        reference_free(&reference);
    }
}

/* ---- trajectory ---- */

static void trajectory_matches_reference(void **state)
{
    (void)state;
    check_trajectories(&trainer_host);
}

static void silu_matches_doubles(void **state)
{
    (void)state;
    for (int i = -2000; i <= 2000; i++) {
        double z = i * 0.013, gate = 1 / (1 + exp(-z));
        struct silu silu = silu_of((float)z);
        assert_true(fabs((double)silu.value - z * gate) < 2e-7 * (1 + fabs(z)));
        assert_true(fabs((double)silu.slope - (gate + z * gate * (1 - gate))) < 1e-6);
    }
    assert_true(silu_of(-1e30f).value == 0 || fabsf(silu_of(-1e30f).value) < 1e-6f);
    assert_true(silu_of(1e30f).value == 1e30f);
    assert_true(isnan(silu_of(NAN).value));
}

/* Fine-tuning starts where it is told to, not at the seed's weights. */
static void starts_from_initial_parameters(void **state)
{
    (void)state;
    struct train_data data = make_data(200, 4);
    struct train_job job = make_job(&data);
    job.options.epochs = 20;
    struct train_result first, second;
    assert_int_equal(fit(&first, &job, 1, NULL), STATUS_OK);
    job.initial = first.parameters;
    job.options.epochs = 1;
    job.options.learning_rate = 0;
    assert_int_equal(fit(&second, &job, 1, NULL), STATUS_OK);
    assert_memory_equal(first.parameters, second.parameters,
                        mlp_parameter_count(&job.shape) * sizeof(float));
    train_result_free(&first);
    train_result_free(&second);
}

/* ---- determinism ---- */

static void check_bits(struct train_data *data, int heads)
{
    struct train_job jobs[3];
    if (heads > 0)
        add_offsets(data, heads);
    for (int i = 0; i < 3; i++) {
        jobs[i] = make_job(data);
        if (heads > 0)
            jobs[i].shape.output = MLP_OUTPUT_SUM;
        if (heads > 0)
            jobs[i].shape.widths[3] = heads;
        jobs[i].seed = (uint64_t)(i + 1);
        jobs[i].options.batch_size = 128; /* two chunks */
        jobs[i].options.dropout = 0.2f;
        jobs[i].options.keep_best = 1;
    }
    size_t bytes = mlp_parameter_count(&jobs[0].shape) * sizeof(float);
    struct train_result alone, threaded, population[3], serial[3], crowd[3];
    assert_int_equal(fit(&alone, &jobs[1], 1, NULL), STATUS_OK);
    assert_int_equal(fit(&threaded, &jobs[1], 2, NULL), STATUS_OK);
    assert_int_equal(trainer_host.fit(population, jobs, 3, 2, NULL, NULL), STATUS_OK);
    assert_int_equal(trainer_host.fit(serial, jobs, 3, 1, NULL, NULL), STATUS_OK);
    assert_int_equal(trainer_host.fit(crowd, jobs, 3, 8, NULL, NULL), STATUS_OK);
    assert_memory_equal(alone.parameters, threaded.parameters, bytes);
    assert_memory_equal(alone.parameters, population[1].parameters, bytes);
    assert_memory_equal(alone.parameters, serial[1].parameters, bytes);
    assert_memory_equal(alone.parameters, crowd[1].parameters, bytes);
    assert_memory_not_equal(population[0].parameters, population[1].parameters, bytes);
    assert_true(alone.test_rmsle == population[1].test_rmsle);
    train_result_free(&alone);
    train_result_free(&threaded);
    for (int i = 0; i < 3; i++) {
        train_result_free(&population[i]);
        train_result_free(&serial[i]);
        train_result_free(&crowd[i]);
    }
}

static void same_seed_same_bits(void **state)
{
    (void)state;
    struct train_data data = make_data(500, 17);
    check_bits(&data, 0);
    check_bits(&data, 7);
}

static void permutation_is_a_bijection(void **state)
{
    (void)state;
    const uint32_t counts[] = {1, 2, 3, 100, 1000, 4096, 4097, 36000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        uint32_t n = counts[i], key = permutation_key(7, 1), fixed = 0;
        unsigned char *seen = calloc(n, 1);
        for (uint32_t x = 0; x < n; x++) {
            uint32_t y = permutation(x, n, permutation_half_bits(n), key);
            assert_true(y < n && !seen[y]);
            seen[y] = 1;
            fixed += x == y;
        }
        assert_true(n < 100 || fixed < 10);
        free(seen);
    }
    assert_int_not_equal(permutation_key(7, 1), permutation_key(7, 2));
    assert_int_not_equal(permutation_key(7, 1), permutation_key(8, 1));
}

static void dropout_keeps_its_share(void **state)
{
    (void)state;
    const float shares[] = {0, 0.2f, 0.5f};
    for (size_t i = 0; i < 3; i++) {
        uint32_t kept = 0, threshold = dropout_threshold(shares[i]), count = 0;
        for (uint32_t row = 0; row < 500; row++)
            for (uint32_t unit = 0; unit < 128; unit++, count++)
                kept += dropout_bits(dropout_words(3, row, unit / 8, 1), unit % 8) < threshold;
        double expected = 1 - (double)shares[i];
        double sigma = sqrt(expected * (1 - expected) / count);
        assert_true(fabs((double)kept / count - expected) <= 4 * sigma);
    }
}

static void learning_rate_follows_schedule(void **state)
{
    (void)state;
    struct train_options options = {.learning_rate = 1, .epochs = 100, .halving_epochs = 40};
    assert_true(learning_rate(&options, 999, 10) == 1);
    options.schedule = SCHEDULE_HALVING;
    assert_true(learning_rate(&options, 399, 10) == 1);
    assert_true(learning_rate(&options, 400, 10) == 0.5);
    assert_true(learning_rate(&options, 800, 10) == 0.25);
    options.schedule = SCHEDULE_COSINE;
    assert_true(learning_rate(&options, 0, 10) == 1);
    assert_true(fabs(learning_rate(&options, 500, 10) - 0.5) < 1e-12);
    options.warmup_share = 0.1f;
    assert_true(fabs(learning_rate(&options, 0, 10) - 0.01) < 1e-12);
    assert_true(fabs(learning_rate(&options, 99, 10) - 1) < 1e-12);
    assert_true(fabs(learning_rate(&options, 550, 10) - 0.5) < 1e-12);
    assert_true(learning_rate(&options, 999, 10) < 1e-4);
}

static void count_part(void *payload, int part)
{
    int *counts = payload;
    counts[part]++;
}

static void crew_does_each_part_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= CREW_LIMIT + 1; threads++) {
        struct crew crew;
        int counts[20] = {0};
        crew_begin(&crew, threads);
        assert_in_range(crew.size, 1, CREW_LIMIT);
        for (int call = 0; call < 200; call++) {
            if (call == 100) {
                const int before = crew.size;
                const bool grown = crew_grow(&crew);
                assert_int_equal(grown, before < CREW_LIMIT);
                assert_int_equal(crew.size, before + grown);
            }
            crew_run(&crew, count_part, counts, call % 21);
        }
        crew_end(&crew);
        for (int part = 0; part < 20; part++) { /* calls with more than `part` parts */
            int expected = 0;
            for (int call = 0; call < 200; call++)
                expected += call % 21 > part;
            assert_int_equal(counts[part], expected);
        }
    }
}

/* ---- training ---- */

struct observed {
    int epochs, interrupt_at;
    volatile sig_atomic_t interrupted;
    double best;
};

static void observe(void *payload, int job, int epoch, double batch_loss, double test_rmsle)
{
    struct observed *observed = payload;
    (void)job;
    (void)batch_loss;
    observed->epochs++;
    observed->best = fmin(observed->best, test_rmsle);
    if (observed->interrupt_at && epoch + 1 == observed->interrupt_at)
        observed->interrupted = 1;
}

static void learns(void **state)
{
    (void)state;
    struct train_data data = make_data(ROWS_LIMIT, 3);
    for (int output = MLP_OUTPUT_RELU; output <= MLP_OUTPUT_LOG; output++) {
        struct train_job job = make_job(&data);
        job.shape.output = output;
        job.options.epochs = 60;
        job.options.schedule = SCHEDULE_COSINE;
        job.options.keep_best = 1;
        struct train_result result;
        assert_int_equal(fit(&result, &job, 1, NULL), STATUS_OK);
        assert_int_equal(result.epochs, 60);
        assert_true(result.test_rmsle < 0.02 && result.train_rmsle < 0.02);
        assert_true(result.seconds > 0);
        float prediction;
        assert_int_equal(mlp_predict(&prediction, data.test_inputs, NULL, 1, result.parameters,
                                     &job.shape, NULL),
                         STATUS_OK);
        assert_true(fabsf(prediction - data.test_targets[0]) < 0.1f);
        if (!job.shape.output_bias)
            assert_true(result.parameters[mlp_bias_offset(&job.shape, 2)] == 0);
        train_result_free(&result);
    }
}

/* ---- output sum ---- */

/* Inputs in [-1, 1]; x_1 is noise. */
static double law(const float *row, const float *offsets)
{
    return log(exp2((double)row[0] + 1) * exp((double)offsets[0]) + 0.5 * exp((double)offsets[1]));
}

/* Forecasts of test rows whose two terms are larger than any of training: the net has learnt the
 * factor of each term, not their sum. */
static void finds_the_terms_of_a_sum(void **state)
{
    (void)state;
    enum { ROWS = 2000, HEADS = 2 };
    static float offsets[(ROWS + TEST_ROWS) * HEADS], predictions[TEST_ROWS];
    struct train_data data = make_data(ROWS, 2);
    for (uint32_t r = 0; r < ROWS + TEST_ROWS; r++) {
        for (uint32_t h = 0; h < HEADS; h++) {
            const float uniform = 2 * philox_uniform(philox(r, h, 12, 0, 1).word[0]) - 1;
            offsets[r * HEADS + h] = r < ROWS ? 3 * uniform : 5 + uniform;
        }
        targets[r] = (float)law(&inputs[(size_t)r * 2], &offsets[(size_t)r * HEADS]);
    }
    data.train_offsets = offsets;
    data.test_offsets = offsets + (size_t)ROWS * HEADS;
    struct train_job job = make_job(&data);
    job.shape = (struct mlp_shape){
        .layer_count = 3, .widths = {2, 32, 32, HEADS}, .output = MLP_OUTPUT_SUM, .output_bias = 1};
    job.options.epochs = 30;
    job.options.schedule = SCHEDULE_COSINE;
    struct train_result result;
    assert_int_equal(fit(&result, &job, 1, NULL), STATUS_OK);
    assert_int_equal(mlp_predict(predictions, data.test_inputs, data.test_offsets, TEST_ROWS,
                                 result.parameters, &job.shape, NULL),
                     STATUS_OK);
    double sum = 0, squares = 0;
    for (size_t r = 0; r < TEST_ROWS; r++) {
        const double difference = (double)predictions[r] - (double)data.test_targets[r];
        sum += fabs(difference);
        squares += difference * difference;
    }
    print_message("mean |ln t'/t| %.4f\n", sum / TEST_ROWS);
    assert_true(sum < 0.05 * TEST_ROWS);
    assert_true(fabs(sqrt(squares / TEST_ROWS) - result.test_rmsle) < 1e-5);
    train_result_free(&result);
}

/* Without a step the forecast is the sum of the offsets' exponentials. */
static void untrained_sum_is_its_offsets(void **state)
{
    (void)state;
    struct train_data data = make_data(100, 3);
    add_offsets(&data, 7);
    struct train_job job = make_job(&data);
    job.shape.output = MLP_OUTPUT_SUM;
    job.shape.widths[3] = 7;
    job.options.learning_rate = 0;
    struct train_result result;
    assert_int_equal(fit(&result, &job, 1, NULL), STATUS_OK);
    double squares = 0;
    for (size_t r = 0; r < TEST_ROWS; r++) {
        double sum = 0;
        for (int h = 0; h < 7; h++)
            sum += exp((double)data.test_offsets[r * 7 + (size_t)h]);
        squares += pow(log(sum) - (double)data.test_targets[r], 2);
    }
    assert_true(fabs(result.test_rmsle - sqrt(squares / TEST_ROWS)) < 1e-6);
    train_result_free(&result);
}

static void keeps_the_best_epoch(void **state)
{
    (void)state;
    struct train_data data = make_data(100, 5);
    for (uint32_t r = 0; r < 100; r++) /* noise: there is nothing to learn but by heart */
        targets[r] = 2 * philox_uniform(philox(r, 0, 0, 0, 2).word[0]);
    struct train_job job = make_job(&data);
    job.options.epochs = 40;
    job.options.keep_best = 1;
    job.options.patience = 5;
    struct observed observed = {.best = INFINITY};
    struct train_progress progress = {.epoch = observe, .payload = &observed};
    struct train_result result;
    assert_int_equal(trainer_host.fit(&result, &job, 1, 1, &progress, NULL), STATUS_OK);
    assert_int_equal(observed.epochs, result.epochs);
    assert_true(result.epochs < 40);
    assert_int_equal(result.best_epoch, result.epochs - 1 - job.options.patience);
    assert_true(result.test_rmsle == observed.best);
    train_result_free(&result);
    job.options.keep_best = 0;
    job.options.patience = 0;
    assert_int_equal(fit(&result, &job, 1, NULL), STATUS_OK);
    assert_int_equal(result.epochs, 40);
    assert_int_equal(result.best_epoch, 39);
    train_result_free(&result);
}

static void trains_without_test_rows(void **state)
{
    (void)state;
    struct train_data data = make_data(100, 2);
    data.test_rows = 0;
    struct train_job job = make_job(&data);
    job.options.batch_size = 1000; /* larger than the data */
    job.options.keep_best = 1;
    struct train_result result;
    assert_int_equal(fit(&result, &job, 0, NULL), STATUS_OK);
    assert_true(isnan(result.test_rmsle) && result.train_rmsle > 0);
    train_result_free(&result);
}

static void interruption_stops(void **state)
{
    (void)state;
    struct train_data data = make_data(100, 2);
    struct train_job jobs[2] = {make_job(&data), make_job(&data)};
    jobs[0].options.epochs = jobs[1].options.epochs = 1000000;
    for (int count = 1; count <= 2; count++) {
        struct observed observed = {.interrupt_at = 3, .best = INFINITY};
        struct train_progress progress = {
            .interrupted = &observed.interrupted, .epoch = observe, .payload = &observed};
        struct train_result results[2];
        struct error error = {0};
        assert_int_equal(trainer_host.fit(results, jobs, count, 2, &progress, &error),
                         STATUS_INTERRUPTED);
        assert_true(observed.epochs < 100000);
        assert_null(results[0].parameters);
        assert_int_equal(error.status, STATUS_INTERRUPTED);
    }
}

static void diverging_loss_is_an_error(void **state)
{
    (void)state;
    struct train_data data = make_data(100, 2);
    struct train_job jobs[2] = {make_job(&data), make_job(&data)};
    jobs[1].options.learning_rate = 1e30f;
    struct train_result results[2];
    struct error error = {0};
    assert_int_equal(trainer_host.fit(results, jobs, 2, 1, NULL, &error), STATUS_FAILED);
    assert_non_null(strstr(error.message, "net 1: loss is not finite after epoch 1"));
    assert_non_null(strstr(error.hint, "smaller learning rate"));
    assert_null(results[0].parameters);
    assert_null(results[1].parameters);
}

/* Inputs that make every prediction 0: all weights into the first layer see 0, no output bias. */
static void dead_output_is_an_error(void **state)
{
    (void)state;
    struct train_data data = make_data(50, 2);
    memset(inputs, 0, sizeof inputs);
    struct train_job job = make_job(&data);
    job.shape.output = MLP_OUTPUT_RELU;
    struct train_result result;
    struct error error = {0};
    assert_int_equal(fit(&result, &job, 1, &error), STATUS_FAILED);
    assert_non_null(strstr(error.message, "stays 0"));
    assert_true(error.hint[0]);
}

/* A net of one weight and an input of 1 is dead exactly when its first weight is negative. */
static void dead_output_starts_again(void **state)
{
    (void)state;
    struct train_data data = make_data(50, 1);
    struct train_job job = make_job(&data);
    for (size_t r = 0; r < 50 + TEST_ROWS; r++)
        inputs[r] = 1;
    job.shape = (struct mlp_shape){.layer_count = 1, .widths = {1, 1}, .output = MLP_OUTPUT_RELU};
    job.options.epochs = 1;
    for (job.seed = 1;; job.seed++) { /* dead first, alive second */
        float first[2], second[2];
        mlp_initialise(first, &job.shape, job.seed);
        mlp_initialise(second, &job.shape, job.seed + 1);
        if (first[0] < 0 && second[0] > 0.1f)
            break;
    }
    struct train_result result;
    assert_int_equal(fit(&result, &job, 1, NULL), STATUS_OK);
    assert_true(result.parameters[0] > 0);
    assert_int_equal(result.epochs, 1);
    train_result_free(&result);
}

static void bad_offsets_are_errors(void **state)
{
    (void)state;
    enum { CASES = 7 };
    struct train_data whole = make_data(50, 2);
    add_offsets(&whole, 7);
    struct train_job jobs[CASES];
    struct train_data data[CASES];
    float bad_offsets[50 * 7] = {[24] = NAN};
    static const char *const messages[CASES] = {"output sum needs train_offsets",
                                                "output sum needs test_offsets",
                                                "train_offsets[3] of row 3 is not finite",
                                                "test_offsets[3] of row 3 is not finite",
                                                "output log takes no train_offsets",
                                                "17 outputs, expected 1 to 16",
                                                "epsilon is 0"};
    for (int i = 0; i < CASES; i++) {
        data[i] = whole;
        jobs[i] = make_job(&data[i]);
        jobs[i].shape.output = MLP_OUTPUT_SUM;
        jobs[i].shape.widths[3] = 7;
    }
    struct train_result result;
    assert_int_equal(fit(&result, &jobs[0], 1, NULL), STATUS_OK);
    train_result_free(&result);
    data[0].train_offsets = NULL;
    data[1].test_offsets = NULL;
    data[2].train_offsets = bad_offsets;
    data[3].test_offsets = bad_offsets;
    data[3].test_rows = 50;
    jobs[4].shape.output = MLP_OUTPUT_LOG;
    jobs[4].shape.widths[3] = 1;
    jobs[5].shape.widths[3] = 17;
    jobs[6].options.epsilon = 0;
    for (int i = 0; i < CASES; i++) {
        struct error error = {0};
        assert_int_equal(fit(&result, &jobs[i], 1, &error), STATUS_FAILED);
        if (!strstr(error.message, messages[i]))
            print_error("case %d: '%s' lacks '%s'\n", i, error.message, messages[i]);
        assert_non_null(strstr(error.message, messages[i]));
        assert_null(result.parameters);
    }
    data[1].test_rows = 0; /* then no test_offsets are needed */
    assert_int_equal(fit(&result, &jobs[1], 1, NULL), STATUS_OK);
    train_result_free(&result);
}

static void bad_jobs_are_errors(void **state)
{
    (void)state;
    struct train_data data = make_data(50, 2), empty = data, broken = data;
    empty.train_rows = 0;
    struct train_job good = make_job(&data), cases[13];
    const char *messages[] = {"inputs",       "no training rows", "batch_size", "epochs is",
                              "schedule",     "halving_epochs",   "dropout",    "learning_rate",
                              "warmup_share", "layers",           "beta1",      "target of",
                              "input 1 of"};
    for (size_t i = 0; i < 13; i++)
        cases[i] = good;
    cases[0].shape.widths[0] = 3;
    cases[1].data = &empty;
    cases[2].options.batch_size = 0;
    cases[3].options.epochs = 0;
    cases[4].options.schedule = 9;
    cases[5].options.schedule = SCHEDULE_HALVING;
    cases[6].options.dropout = 1;
    cases[7].options.learning_rate = NAN;
    cases[8].options.warmup_share = -1;
    cases[9].shape.layer_count = 0;
    cases[10].options.beta1 = 1;
    float bad_targets[50] = {[7] = INFINITY}, bad_inputs[100] = {[9] = NAN};
    broken.train_targets = bad_targets;
    cases[11].data = &broken;
    struct train_data broken_inputs = data;
    broken_inputs.train_inputs = bad_inputs;
    cases[12].data = &broken_inputs;
    for (size_t i = 0; i < 13; i++) {
        struct train_result result;
        struct error error = {0};
        assert_int_equal(fit(&result, &cases[i], 1, &error), STATUS_FAILED);
        if (!strstr(error.message, messages[i]))
            print_error("case %zu: '%s' lacks '%s'\n", i, error.message, messages[i]);
        assert_non_null(strstr(error.message, messages[i]));
        assert_null(result.parameters);
    }
    assert_int_equal(trainer_host.fit(NULL, NULL, 0, 1, NULL, NULL), STATUS_OK);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_matches_reference),
        cmocka_unit_test(gradient_matches_differences),
        cmocka_unit_test(trajectory_matches_reference),
        cmocka_unit_test(silu_matches_doubles),
        cmocka_unit_test(starts_from_initial_parameters),
        cmocka_unit_test(same_seed_same_bits),
        cmocka_unit_test(permutation_is_a_bijection),
        cmocka_unit_test(dropout_keeps_its_share),
        cmocka_unit_test(learning_rate_follows_schedule),
        cmocka_unit_test(crew_does_each_part_once),
        cmocka_unit_test(learns),
        cmocka_unit_test(finds_the_terms_of_a_sum),
        cmocka_unit_test(untrained_sum_is_its_offsets),
        cmocka_unit_test(keeps_the_best_epoch),
        cmocka_unit_test(trains_without_test_rows),
        cmocka_unit_test(interruption_stops),
        cmocka_unit_test(diverging_loss_is_an_error),
        cmocka_unit_test(dead_output_is_an_error),
        cmocka_unit_test(dead_output_starts_again),
        cmocka_unit_test(bad_offsets_are_errors),
        cmocka_unit_test(bad_jobs_are_errors),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
