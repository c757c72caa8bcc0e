/* Arithmetic that both trainer engines share, to the bit: dropout decisions and the learning rate.
 * Compiles as C and as CUDA. Philox counters: (step, row, group, purpose). */
#ifndef EPOCHCAST_TRAINER_TRAINER_MATH_H
#define EPOCHCAST_TRAINER_TRAINER_MATH_H

#include "base/permutation.h"
#include "trainer/trainer.h"

#include <math.h>

/* A unit is kept when its 16 random bits are below this. */
PHILOX_FUNCTION uint32_t dropout_threshold(float dropout)
{
    return (uint32_t)((1.0 - (double)dropout) * 65536.0 + 0.5);
}

/* Eight decisions per call: unit 8 * group + lane of row `row` of the batch in `step` has 16 bits:
 * lane even is the low half of word lane / 2, odd the high half. */
PHILOX_FUNCTION struct philox_words dropout_words(uint32_t step, uint32_t row, uint32_t group,
                                                  uint64_t seed)
{
    return philox(step, row, group, PHILOX_DROPOUT, seed);
}
PHILOX_FUNCTION uint32_t dropout_bits(struct philox_words words, uint32_t lane)
{
    /* selections, not an index: a GPU would put an indexed array into local memory */
    uint32_t low = lane & 2 ? words.word[1] : words.word[0];
    uint32_t high = lane & 2 ? words.word[3] : words.word[2];
    return ((lane & 4 ? high : low) >> (16 * (lane & 1))) & 0xFFFFu;
}

/* Learning rate of step `step` (from 0) of a training of `epochs` epochs of `epoch_steps` steps.
 * halving: whole halvings, at epochs halving_epochs, 2 * halving_epochs, ...; cosine: linear from
 * 1 / warm-up steps to 1, then half a cosine to 0. */
PHILOX_FUNCTION double learning_rate(const struct train_options *options, uint32_t step,
                                     uint32_t epoch_steps)
{
    double full = (double)options->learning_rate;
    if (options->schedule == SCHEDULE_HALVING)
        return full * pow(0.5, (double)(step / epoch_steps / (uint32_t)options->halving_epochs));
    if (options->schedule != SCHEDULE_COSINE)
        return full;
    double steps = (double)options->epochs * epoch_steps;
    double warmup = floor((double)options->warmup_share * steps);
    if (step < warmup)
        return full * (step + 1) / warmup;
    return full * 0.5 * (1 + cos(3.14159265358979323846 * (step - warmup) / (steps - warmup)));
}

/* Half the derivative of the loss of a row, d the difference of its logarithms. */
PHILOX_FUNCTION float loss_slope(int32_t loss, float loss_scale, float d)
{
    return loss == LOSS_LOG_COSH ? loss_scale * tanhf(d / loss_scale) : d;
}

/* Adam's rate of step t = step + 1: rate * sqrt(1 - beta2^t) / (1 - beta1^t); see
 * train_options.epsilon. */
PHILOX_FUNCTION double adam_rate(const struct train_options *options, double rate, uint32_t step)
{
    double t = (double)step + 1;
    return rate * sqrt(1 - pow((double)options->beta2, t)) / (1 - pow((double)options->beta1, t));
}

#endif
