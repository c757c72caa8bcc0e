/* Inside of the CUDA trainer: one net on the device and the launches of its steps. A step is
 *   one product per hidden layer (forward), the output layer with the loss, one launch per hidden
 *   layer (backward: the gradient of the layer's input beside that of its weights), the update;
 * with 4 hidden layers 10 launches. The update gathers the next step's batch meanwhile.
 */
#ifndef EPOCHCAST_CUDA_TRAINER_NET_H
#define EPOCHCAST_CUDA_TRAINER_NET_H

#include "trainer_kernels.h"

/* As the host engine's chunks: a weight gradient is summed by slices of a batch, then over them. */
enum { SLICE_ROWS_MINIMUM = 64, SLICE_LIMIT = 8 };
enum { EVALUATION_ROWS = 4096 };

/* A job's data on the device. */
struct cuda_train_data {
    const struct train_data *source; /* borrowed; NULL: nothing is uploaded */
    float *train_inputs, *train_targets, *test_inputs, *test_targets;
    void *memory;
};
enum status cuda_train_data_create(struct cuda_train_data *data, const struct train_data *source,
                                   struct error *error);
void cuda_train_data_free(struct cuda_train_data *data);

struct cuda_net {
    const struct train_job *job;
    const struct cuda_train_data *data;
    cudaStream_t stream;
    int multiprocessors;
    size_t parameter_count;
    uint32_t epoch_steps;
    int32_t batch_rows, slice_rows, slice_count;
    struct train_state *state;
    float *parameters, *best, *m, *v;      /* (parameter_count) */
    float *gradients;                      /* (slice_count, parameter_count) */
    float *inputs, *targets;               /* the batch */
    float *activations[MLP_LAYER_LIMIT];   /* hidden layer l: (rows, widths[l + 1]) */
    float *slopes[MLP_LAYER_LIMIT];        /* silu: its derivative, as activations; else NULL */
    float *hidden_deltas[MLP_LAYER_LIMIT]; /* likewise, of the batch */
    float *delta;                          /* (batch_rows) */
    struct step_rate *rates;               /* (epoch_steps) */
    double *train_error, *test_error, *norms;
    uint32_t *positive, *test_positive;
    void *memory;
};

/* job has been checked; it, data and stream stay with the caller. STATUS_OUT_OF_MEMORY says how
 * much was asked for. */
enum status cuda_net_create(struct cuda_net *net, const struct train_job *job,
                            const struct cuda_train_data *data, cudaStream_t stream,
                            struct error *error);
void cuda_net_free(struct cuda_net *net);

/* Fresh weights of `seed`, state cleared, the first batch gathered. */
enum status cuda_net_start(struct cuda_net *net, uint64_t seed, struct error *error);

/* Enqueue: rates of steps first..first + count - 1 of the running epoch; one step of it; what comes
 * after its last step. */
enum status cuda_net_schedule(struct cuda_net *net, uint32_t first, uint32_t count,
                              struct error *error);
enum status cuda_net_gradient(struct cuda_net *net, uint32_t index, struct error *error);
enum status cuda_net_update(struct cuda_net *net, uint32_t index, struct error *error);
enum status cuda_net_epoch_end(struct cuda_net *net, struct error *error);

/* Root of the mean squared log error of the parameters in `parameters` (on the device), no dropout;
 * waits for the stream. */
enum status cuda_net_rmsle(double *rmsle, struct cuda_net *net, const float *parameters,
                           const float *inputs, const float *targets, size_t rows,
                           struct error *error);

#endif
