/* Inside of the host trainer: one net in training and its steps. A batch is cut into chunks, which
 * depend only on the batch size; each has its own gradient. Threads divide the chunks, and the
 * gradients are summed in chunk order: the bits do not depend on the number of threads. */
#ifndef EPOCHCAST_TRAINER_TRAINER_HOST_H
#define EPOCHCAST_TRAINER_TRAINER_HOST_H

#include "trainer/crew.h"
#include "trainer/trainer.h"

/* Products of CHUNK_ROWS_ENOUGH rows reach sgemm's full speed; half a batch leaves work for two. */
enum { CHUNK_ROWS_MINIMUM = 64, CHUNK_ROWS_ENOUGH = 128, CHUNK_LIMIT = 8 };

/* What a thread needs for a chunk. */
struct host_scratch {
    float *inputs, *targets, *offsets;   /* (chunk_rows, inputs), (chunk_rows), (chunk_rows, heads
                                            of output sum): gathered */
    float *activations[MLP_LAYER_LIMIT]; /* [l]: (chunk_rows, widths[l + 1]), output of layer l */
    float *slopes[MLP_LAYER_LIMIT]; /* silu: as activations, d output / d z; of hidden layers */
    float *deltas[2];               /* (chunk_rows, widest): d loss / d z of two layers */
    int failures;                   /* products that failed */
};

struct host_chunk {
    float *gradient;      /* (parameter_count); that of the first chunk is the net's mean */
    double squared_error; /* sum over the chunk's rows */
    size_t positive;      /* rows with an output above 0 */
};

struct host_net {
    const struct train_job *job;
    size_t parameter_count, chunk_rows, epoch_steps;
    struct crew crew;                        /* threads that divide the chunks */
    float *parameters, *best, *m, *v, *mean; /* (parameter_count) */
    float *transposed; /* W of the layers as (outputs, inputs): sgemm is faster without
                          transposition */
    struct host_chunk chunks[CHUNK_LIMIT];
    struct host_scratch scratches[CHUNK_LIMIT]; /* as many as chunks; of the crew's members */
    int chunk_count;
    void *memory; /* of all the arrays above */
};

/* job has been checked. *net must not move until host_net_free. */
enum status host_net_create(struct host_net *net, const struct train_job *job, int threads,
                            struct error *error);
void host_net_free(struct host_net *net);

struct host_batch {
    uint32_t epoch, step; /* from 0; steps count over all epochs */
    size_t first, rows;   /* positions in the epoch's order */
};
struct host_batch host_batch_at(const struct host_net *net, uint32_t step);

/* net->mean = gradient of the batch's loss, L2 included. Adds to the sums of the batch. */
void host_net_gradient(struct host_net *net, const struct host_batch *batch, double *squared_error,
                       size_t *positive);
/* An error when any product failed so far. */
enum status host_net_check(const struct host_net *net, struct error *error);
/* Clip, Adam, weight decay. */
void host_net_update(struct host_net *net, uint32_t step);

/* Mean squared log error of all training or all test rows without dropout; NaN without rows. */
double host_net_evaluate_train(struct host_net *net);
double host_net_evaluate_test(struct host_net *net);

#endif
