/* The kernels of the CUDA trainer. All matrices are row-major fp32; every sum runs in a fixed
 * order, without atomics: the bits do not depend on the run, the tile or the number of
 * multiprocessors. Launchers enqueue and return the launch's error.
 */
#ifndef EPOCHCAST_CUDA_TRAINER_KERNELS_H
#define EPOCHCAST_CUDA_TRAINER_KERNELS_H

#include "model/trainer.h"

#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the device decides and the host reads after every epoch. */
struct train_state {
    uint32_t epoch; /* epochs finished */
    int32_t stopped, dead, not_finite, keep;
    int32_t best_epoch, stale_epochs;
    double best_score;
    double batch_loss, score; /* of the last epoch: mean squared log errors */
};

/* What a product does with its sums before it stores them. */
enum epilogue {
    EPILOGUE_STORE,
    EPILOGUE_RELU,  /* max(sum + bias[column], 0); NaN stays NaN */
    EPILOGUE_SILU,  /* silu(sum + bias[column]); its derivative goes to slopes, unless NULL */
    EPILOGUE_SLOPE, /* sum * mask: the derivative of silu */
    EPILOGUE_MASK,  /* mask > 0 ? sum : 0: the derivative of relu from its output */
};

/* c (rows, columns) = a (rows, depth) b (depth, columns); one chain of fmaf per element and slice,
 * depth ascending. Slice s sums depth s * slice_depth onwards into c + s * c_slice_stride. */
struct product {
    int32_t rows, columns, depth;
    const float *a, *b;
    int32_t a_row_stride, a_depth_stride; /* elements; one of them is 1 */
    int32_t b_column_stride, b_depth_stride;
    int32_t ones_row; /* this row of a reads as 1 (a layer's bias); -1: none */
    int32_t slice_depth, slice_count;
    float *c;
    int32_t c_stride;
    size_t c_slice_stride;
    int32_t epilogue; /* enum epilogue */
    const float *bias, *mask;
    float *slopes; /* laid out as c; or NULL */
    float dropout; /* share dropped after relu or silu; 0: none */
    uint32_t step; /* of the epoch: counter of the masks */
};

enum { PRODUCT_LIMIT = 3 };

/* Products that run side by side in one launch. */
struct products {
    struct product product[PRODUCT_LIMIT];
    int32_t first_block[PRODUCT_LIMIT + 1];
    int32_t count;
    const struct train_state *state; /* stopped: nothing is done; NULL: always run */
    uint32_t epoch_steps;
    uint64_t seed;
};
cudaError_t launch_products(struct products *products, int multiprocessors, cudaStream_t stream);

enum { OUTPUT_SLOTS = 256 };

/* The output layer (one column), the loss, and the backward pass down to the last hidden layer. */
struct output_layer {
    const float *inputs; /* (rows, width): the last hidden layer, after dropout */
    const float *weights, *bias, *targets;
    int32_t rows, width, batch_rows;
    int32_t output;      /* enum mlp_output */
    float *delta;        /* (rows): d loss / d z; NULL: forward alone */
    float *hidden_delta; /* (rows, width); NULL: no hidden layer */
    const float *slopes; /* (rows, width): derivative of silu; NULL: relu */
    float dropout_scale; /* 1 / (1 - dropout), for relu */
    int32_t loss;        /* enum loss */
    float loss_scale;
    double *squared_error;           /* (OUTPUT_SLOTS): added to */
    uint32_t *positive;              /* (OUTPUT_SLOTS): rows with an output above 0, added to */
    const struct train_state *state; /* as in products */
};
cudaError_t launch_output_layer(const struct output_layer *layer, cudaStream_t stream);

/* Rates of one step: Adam's, and learning rate * weight decay. */
struct step_rate {
    float adam, decay;
};
/* rates[i] for steps first..first + count - 1 of the epoch that state says. */
cudaError_t launch_schedule(struct step_rate *rates, const struct train_options *options,
                            uint32_t first, uint32_t count, uint32_t epoch_steps,
                            const struct train_state *state, cudaStream_t stream);

enum { NORM_SLOTS = 128 };

/* Flat parameters of a net: layer l's weights are [weight_offset[l], bias_offset[l]). */
struct flat_layout {
    int32_t layer_count;
    uint32_t weight_offset[MLP_LAYER_LIMIT + 1], bias_offset[MLP_LAYER_LIMIT];
};

/* Rows of the next batch, copied while the update runs. */
struct gather {
    const float *train_inputs, *train_targets;
    float *inputs, *targets; /* (batch, width), (batch) */
    int32_t width, rows;
    uint32_t train_rows, first; /* positions first..first + rows - 1 of the epoch's order */
    uint32_t epoch_ahead;       /* 1: of the epoch after the one that state says */
    uint64_t seed;
    const struct train_state *state;
};
cudaError_t launch_gather(const struct gather *gather, cudaStream_t stream);

struct update {
    float *parameters, *m, *v;
    const float *gradients; /* (slices, count) */
    uint32_t count;
    int32_t slice_count;
    struct flat_layout layout;
    float beta1, beta2, epsilon, l2, gradient_clip;
    const struct step_rate *rate; /* of this step */
    double *norms;                /* (NORM_SLOTS): squared norms, used when gradient_clip > 0 */
    struct gather next;
};
/* Clip, Adam, weight decay and the gather of the next batch: one launch, two with a clip. */
cudaError_t launch_update(const struct update *update, cudaStream_t stream);

struct epoch_end {
    struct train_state *state;
    double *train_error, *test_error; /* (OUTPUT_SLOTS), summed and cleared */
    uint32_t *positive;
    double train_rows, test_rows; /* test_rows 0: the train loss decides */
    int32_t relu_output, epochs, patience, keep_best;
    const float *parameters;
    float *best;
    uint32_t count;
};
/* Scores the epoch, decides on best and stop, keeps the parameters if they are the best. */
cudaError_t launch_epoch_end(const struct epoch_end *end, cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
