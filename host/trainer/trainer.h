/* The trainer interface: one definition, two engines (host, cuda) that follow the same trajectory,
 * with the same initial weights, batches and dropout masks, all from Philox counters.
 *
 * An epoch visits the rows in the order of a Feistel permutation keyed by (seed, epoch), in
 * batches; the last batch may be smaller (its mean is over its own rows). After each epoch the test
 * RMSLE is taken; the parameters of the best epoch are returned. trainer_math.h holds the shared
 * arithmetic (permutation, dropout decision, learning rate), used by both engines.
 *
 * With output sum, all that is said of ln(1 + t) here holds for ln t.
 *
 * An output of kind relu can die: every prediction of a whole epoch is 0, so that no gradient is
 * left. The job then starts again with the initial weights of seed + 1 (+ 2, ...), up to
 * TRAIN_RESTART_LIMIT times; batches and masks stay those of `seed`.
 *
 * The jobs of one fit are a population: ensembles, the folds of a cross-validation, the recipes of
 * a search. The host trains them over its threads, a GPU side by side in one graph where their
 * shapes are the same. The result of a net does not depend on the others, to the bit.
 */
#ifndef EPOCHCAST_TRAINER_TRAINER_H
#define EPOCHCAST_TRAINER_TRAINER_H

#include "base/error.h"
#include "base/term.h"
#include "trainer/mlp.h"

#include <signal.h>

#define SCHEDULE_LIST(X)                                                                           \
    X(SCHEDULE_CONSTANT, "constant") X(SCHEDULE_HALVING, "halving") X(SCHEDULE_COSINE, "cosine")
enum schedule { SCHEDULE_LIST(CHOICE_ENUMERATOR) };
extern const struct choice choice_schedule;

/* Loss of a row's difference d = ln(1 + t') - ln(1 + t). squared: d^2 (as in RMSLE); log-cosh: 2
 * s^2 ln cosh(d / s), d^2 for small and 2 s |d| for large differences, s = loss_scale. */
#define LOSS_LIST(X) X(LOSS_SQUARED, "squared") X(LOSS_LOG_COSH, "log-cosh")
enum training_loss { LOSS_LIST(CHOICE_ENUMERATOR) };
extern const struct choice choice_loss;

enum { TRAIN_RESTART_LIMIT = 4 };

struct train_options {
    /* Adam as in TensorFlow and Keras: epsilon ("epsilon hat") is added to the uncorrected sqrt(v):
     * W -= lr * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon). */
    float learning_rate, beta1, beta2, epsilon;
    float l2;           /* in the loss: gradient += l2 * W (weights only) */
    float weight_decay; /* decoupled (AdamW): W -= lr * weight_decay * W (weights only) */
    float dropout; /* probability of dropping a unit of the last hidden layer; kept / (1 - p) */
    float gradient_clip;    /* global norm, the L2 term included; 0: off */
    int32_t loss;           /* enum training_loss */
    float loss_scale;       /* log-cosh */
    int32_t schedule;       /* enum schedule */
    int32_t halving_epochs; /* halving: lr * 0.5^(epoch / halving_epochs) */
    float warmup_share;     /* cosine: share of all steps that ramps up linearly */
    int32_t batch_size, epochs;
    int32_t patience;  /* stop after this many epochs without a better test RMSLE; 0: never */
    int32_t keep_best; /* 1: return the best epoch's parameters, 0: the last's */
};

/* One training set; standardised inputs, row-major. Borrowed. */
struct train_data {
    int32_t inputs;
    size_t train_rows, test_rows;
    const float *train_inputs;  /* (train_rows, inputs) */
    const float *train_targets; /* (train_rows): ln(1 + t), t in target units; output sum: ln t */
    const float *train_offsets; /* (train_rows, heads) of output sum; NULL: other outputs */
    const float
        *test_inputs; /* (test_rows, inputs); test_rows may be 0: then the train loss decides */
    const float *test_targets;
    const float *test_offsets;
};

struct train_job {
    struct mlp_shape shape;
    struct train_options options;
    uint64_t seed;
    const float *initial; /* parameters to start from (fine-tuning), borrowed; NULL: by seed */
    const struct train_data *data;
    int32_t may_fail; /* 1: its result reports a failed training; the others continue */
};

/* Checks that options, shape and data can be trained; the message names the job. Every engine's fit
 * calls it first. */
enum status train_job_check(const struct train_job *job, int number, struct error *error);

struct train_result {
    float *parameters; /* (mlp_parameter_count), freed by train_result_free */
    int32_t epochs, best_epoch;
    double train_rmsle, test_rmsle; /* roots; of the returned parameters, no dropout */
    double seconds;     /* of the training; nets that share a graph divide its time evenly */
    struct error error; /* of a job with may_fail: status other than STATUS_OK if it failed; then
                           there are no parameters */
};
void train_result_free(struct train_result *result);

/* Optional observer, called after every epoch (tests, progress). */
struct train_progress {
    struct progress *progress;                /* or NULL */
    const volatile sig_atomic_t *interrupted; /* or NULL */
    void (*epoch)(void *payload, int job, int epoch, double batch_loss, double test_rmsle);
    void *payload;
};

struct trainer {
    const char *name; /* "host", "cuda" */
    /* Trains job_count independent nets. results[job] is filled; on error none is kept. A loss that
     * is not finite, and an output that stays dead, are errors that name job and epoch; with
     * may_fail, only the job's result has the error. threads: 0 = all. */
    enum status (*fit)(struct train_result *results, const struct train_job *jobs, int job_count,
                       int threads, const struct train_progress *progress, struct error *error);
};
extern const struct trainer trainer_host;

#endif
