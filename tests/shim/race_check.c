/* A short training of two nets side by side through every kernel of the trainer, for
 * ThreadSanitizer: see `races`. */
#include "trainer_cuda.h"

#include <math.h>
#include <stdio.h>

enum { ROWS = 150, TEST_ROWS = 20, INPUTS = 17, HEADS = 7 };

/* jobs[1]: jobs[0] with another seed */
static int train(struct train_job *jobs)
{
    jobs[1] = jobs[0];
    jobs[1].seed = 4;
    struct train_result results[2];
    struct error error = {0};
    if (trainer_cuda.fit(results, jobs, 2, 1, NULL, &error) != STATUS_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    for (int i = 0; i < 2; i++) {
        printf("test rmsle %.6f\n", results[i].test_rmsle);
        train_result_free(&results[i]);
    }
    return 0;
}

int main(void)
{
    static float inputs[(ROWS + TEST_ROWS) * INPUTS], targets[ROWS + TEST_ROWS];
    for (int r = 0; r < ROWS + TEST_ROWS; r++) {
        for (int j = 0; j < INPUTS; j++)
            inputs[r * INPUTS + j] = sinf((float)(7 * r + 3 * j));
        targets[r] = 1 + 0.5f * inputs[r * INPUTS];
    }
    struct train_data data = {.inputs = INPUTS,
                              .train_rows = ROWS,
                              .test_rows = TEST_ROWS,
                              .train_inputs = inputs,
                              .train_targets = targets,
                              .test_inputs = inputs + ROWS * INPUTS,
                              .test_targets = targets + ROWS};
    struct train_job jobs[2] = {{
        .shape = {.layer_count = 4, .widths = {INPUTS, 32, 40, 72, 1}, .output = MLP_OUTPUT_LOG},
        .options = {.learning_rate = 0.003f,
                    .beta1 = 0.9f,
                    .beta2 = 0.999f,
                    .epsilon = 1e-3f,
                    .dropout = 0.2f,
                    .l2 = 1e-4f,
                    .gradient_clip = 1,
                    .batch_size = 96,
                    .epochs = 2,
                    .keep_best = 1},
        .seed = 3,
        .data = &data,
    }};
    static float offsets[(ROWS + TEST_ROWS) * HEADS];
    if (train(jobs) != 0)
        return 1;
    for (int i = 0; i < (ROWS + TEST_ROWS) * HEADS; i++)
        offsets[i] = i % 3 == 1 ? (float)MLP_NO_HEAD : 0;
    data.train_offsets = offsets;
    data.test_offsets = offsets + ROWS * HEADS;
    jobs[0].shape.output = MLP_OUTPUT_SUM;
    jobs[0].shape.widths[4] = HEADS;
    return train(jobs);
}
