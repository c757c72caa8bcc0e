/* The CUDA trainer on a GPU: against the double-precision reference and the host engine, and to the
 * bit against itself, its other tiles and the shim.
 */
#include "gpu_or_skip.h"
#include "test.h"
#include "trainer_population_cases.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void runs_have_the_same_bits(void **state)
{
    (void)state;
    struct train_data data = make_data(1000, 17);
    struct train_job jobs[2] = {tuned_job(&data, MLP_OUTPUT_LOG),
                                tuned_job(&data, MLP_OUTPUT_RELU)};
    struct train_result results[2][2];
    jobs[0].options.batch_size = 300; /* five slices, tail of 100 rows */
    jobs[0].options.gradient_clip = 0.05f;
    for (int run = 0; run < 2; run++)
        assert_int_equal(trainer_cuda.fit(results[run], jobs, 2, 1, NULL, NULL), STATUS_OK);
    size_t bytes = mlp_parameter_count(&jobs[0].shape) * sizeof(float);
    for (int job = 0; job < 2; job++) {
        assert_memory_equal(results[0][job].parameters, results[1][job].parameters, bytes);
        assert_true(results[0][job].train_rmsle == results[1][job].train_rmsle);
        assert_true(results[0][job].test_rmsle == results[1][job].test_rmsle);
        train_result_free(&results[0][job]);
        train_result_free(&results[1][job]);
    }
}

/* ---- at the paper's size ---- */

enum { MANY_ROWS = 40000, PAPER_INPUTS = 17 };

static struct train_data many_rows(float *memory)
{
    const size_t rows = MANY_ROWS + TEST_ROWS, width = PAPER_INPUTS;
    float *labels = memory + rows * width;
    for (size_t r = 0; r < rows; r++) {
        float *row = memory + r * width;
        for (size_t j = 0; j < width; j++)
            row[j] = 2 * philox_uniform(philox((uint32_t)r, (uint32_t)j, 9, 0, 1).word[0]) - 1;
        labels[r] = log1pf(expf(1 + 0.8f * row[0]) + fabsf(row[1]));
    }
    return (struct train_data){.inputs = PAPER_INPUTS,
                               .train_rows = MANY_ROWS,
                               .test_rows = TEST_ROWS,
                               .train_inputs = memory,
                               .train_targets = labels,
                               .test_inputs = memory + MANY_ROWS * width,
                               .test_targets = labels + MANY_ROWS};
}

/* Rounding makes the two engines drift apart; what they learn is the same. */
static void paper_sized_training_learns(void **state)
{
    (void)state;
    float *memory = malloc((MANY_ROWS + TEST_ROWS) * (PAPER_INPUTS + 1) * sizeof *memory);
    assert_non_null(memory);
    struct train_data data = many_rows(memory);
    struct train_job job = tuned_job(&data, MLP_OUTPUT_LOG);
    job.shape = (struct mlp_shape){
        .layer_count = 5, .widths = {17, 32, 64, 128, 128, 1}, .output = MLP_OUTPUT_LOG};
    job.options.batch_size = 128;
    job.options.epochs = 3;
    struct train_result host = train(&trainer_host, &job, NULL);
    struct train_result cuda = train(&trainer_cuda, &job, NULL);
    print_message("3 epochs of 40,000 rows: %.2f s, test rmsle %.5f; host %.2f s, %.5f\n",
                  cuda.seconds, cuda.test_rmsle, host.seconds, host.test_rmsle);
    assert_int_equal(cuda.epochs, 3);
    assert_true(cuda.test_rmsle < 0.1);
    assert_true(fabs(cuda.test_rmsle - host.test_rmsle) < 0.2 * host.test_rmsle);
    train_result_free(&host);
    train_result_free(&cuda);
    free(memory);
}

int main(int argc, char **argv)
{
    if (!has_gpu())
        return SKIPPED;
    const struct CMUnitTest tests[] = {
        TRAINER_DEVICE_TESTS,
        TRAINER_POPULATION_TESTS,
        cmocka_unit_test(runs_have_the_same_bits),
        cmocka_unit_test(paper_sized_training_learns),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
