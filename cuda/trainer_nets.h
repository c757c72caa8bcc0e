/* Inside of the CUDA trainer: nets of one shape side by side on the device, and the launches of
 * their steps. A step is
 *   one product per hidden layer (forward), the output layer with the loss, one launch per hidden
 *   layer (backward: the gradient of the layer's input beside that of its weights), the update;
 * with 4 hidden layers 10 launches, for all nets together. The update gathers the next step's batch
 * meanwhile.
 */
#ifndef EPOCHCAST_CUDA_TRAINER_NETS_H
#define EPOCHCAST_CUDA_TRAINER_NETS_H

#include "trainer_data.h"
#include "trainer_kernels.h"

/* A weight gradient is summed by slices of a batch, then over them: like the host engine's chunks,
 * which are larger. */
enum { SLICE_ROWS_MINIMUM = 64, SLICE_LIMIT = 8 };
enum { EVALUATION_ROWS = 4096 };

/* What a job's shape, batch size and rows decide. Jobs go side by side where batch_rows and shape
 * are the same and epochs are about as long. */
struct net_plan {
    struct mlp_shape shape;
    size_t parameter_count;
    int32_t batch_rows, slice_rows, slice_count;
    uint32_t epoch_steps;
    size_t train_rows, test_rows;
};
struct net_plan net_plan_of(const struct train_job *job);
bool net_plans_fit(const struct net_plan *a, const struct net_plan *b);

/* What a net owns. */
struct net_arrays {
    float *parameters, *best, *m, *v;      /* (parameter_count) */
    float *gradients;                      /* (slice_count, parameter_count) */
    float *inputs, *targets;               /* the batch */
    float *offsets;                        /* likewise (batch_rows, heads); NULL: none */
    float *activations[MLP_LAYER_LIMIT];   /* hidden layer l: (rows, widths[l + 1]) */
    float *slopes[MLP_LAYER_LIMIT];        /* silu: its derivative, as activations; else NULL */
    float *hidden_deltas[MLP_LAYER_LIMIT]; /* likewise, of the batch */
    float *delta;                          /* (batch_rows, heads) */
    struct step_rate *rates;               /* (epoch_steps) */
    double *train_error, *test_error;
    uint32_t *positive, *test_positive;
    struct norm_tiles norms[MLP_LAYER_LIMIT]; /* squares and arrived of all layers are contiguous */
};

struct cuda_nets {
    int count;
    const struct train_job *const *jobs; /* (count) */
    struct net_plan plan;                /* that of the largest: steps and rows are the most */
    struct launch launch;
    struct nets nets;
    struct net_arrays first; /* net n's stand n * nets.stride_bytes further */
    int32_t norm_count;      /* tiles of all layers */
    size_t cleared_bytes;    /* from first.m on: m, v, gradients, sums, arrivals */
    void *memory, *job_memory;
};

/* Bytes that each net of the plan takes on the device. */
size_t cuda_nets_bytes_each(const struct net_plan *plan);

/* jobs have been checked and fit one another; they and data (one a job, on the device) stay with
 * the caller, as does the stream. STATUS_OUT_OF_MEMORY says how much was asked for. */
enum status cuda_nets_create(struct cuda_nets *nets, const struct train_job *const *jobs,
                             const struct cuda_train_data *const *data, int count,
                             cudaStream_t stream, struct error *error);
void cuda_nets_free(struct cuda_nets *nets);

/* Where the nets' batches are put. */
struct gather cuda_nets_gather(const struct cuda_nets *nets);

/* Fresh weights of each job's seed + restarts[net], states cleared, the first batches gathered. */
enum status cuda_nets_start(struct cuda_nets *nets, const int *restarts, struct error *error);

/* Enqueue, of all nets: rates of steps first..first + count - 1 of the running epoch; one step of
 * it; what comes after its last step. */
enum status cuda_nets_schedule(struct cuda_nets *nets, uint32_t first, uint32_t count,
                               struct error *error);
enum status cuda_nets_gradient(struct cuda_nets *nets, uint32_t index, struct error *error);
enum status cuda_nets_update(struct cuda_nets *nets, uint32_t index, struct error *error);
enum status cuda_nets_epoch_end(struct cuda_nets *nets, struct error *error);
/* Adds the squared errors of all rows of a split (enum row_split) to the test slots; `parameters`
 * are first.parameters or first.best. No dropout. */
enum status cuda_nets_evaluate(struct cuda_nets *nets, const float *parameters, int32_t split,
                               struct error *error);

/* values (count): a net's part of an array; waits for the stream. */
enum status cuda_nets_download(void *values, const struct cuda_nets *nets, int net,
                               const void *first, size_t bytes, struct error *error);
/* rmsles (nets): roots of the mean squared log errors of the best parameters on a split; NaN where
 * it has no rows. Waits for the stream. */
enum status cuda_nets_rmsle(double *rmsles, struct cuda_nets *nets, int32_t split,
                            struct error *error);

#endif
