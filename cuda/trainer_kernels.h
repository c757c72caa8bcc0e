/* The kernels of the CUDA trainer. Nets of one shape train side by side: blockIdx.z is the net, and
 * its results do not depend on the others. All matrices are row-major fp32; every sum runs in a
 * fixed order, without atomics: the bits do not depend on the run, the tile, the number of nets or
 * of multiprocessors. Launchers enqueue and return the launch's error.
 */
#ifndef EPOCHCAST_CUDA_TRAINER_KERNELS_H
#define EPOCHCAST_CUDA_TRAINER_KERNELS_H

#include "trainer/trainer.h"

#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the device decides about a net and the host reads after every epoch. */
struct train_state {
    uint32_t epoch; /* epochs finished */
    int32_t stopped, dead, not_finite, keep;
    int32_t best_epoch, stale_epochs;
    double best_score;
    double batch_loss, score; /* of the last epoch: mean squared log errors */
};

/* What the host decides about a net; constant while it trains. */
struct net_job {
    struct train_options options;
    uint64_t seed;
    const float *train_inputs, *train_targets, *test_inputs, *test_targets;
    const float *train_offsets, *test_offsets; /* NULL: output without offsets */
    uint32_t train_rows, test_rows, epoch_steps;
};

/* The nets of a launch. What follows points to net 0's arrays; those of net n stand n *
 * stride_bytes further. */
struct nets {
    const struct net_job *jobs; /* (count) */
    struct train_state *states; /* (count) */
    size_t stride_bytes;
    int32_t count;
};

/* The architecture that the kernels loaded on the current device were compiled for, as
 * __CUDA_ARCH__ / 10: below the device's own where the driver translated older code. */
cudaError_t trainer_architecture(int *architecture);

/* How kernels are launched. */
struct launch {
    cudaStream_t stream;
    int32_t multiprocessors;
    bool overlaps; /* a kernel may begin before the one before it has ended: trainer_arch.h */
};

/* The rows of a launch: first..first + limit - 1 of a split, of each net as far as it has them. */
enum row_split { ROWS_TRAIN, ROWS_TEST };
struct row_range {
    int32_t split; /* enum row_split */
    uint32_t first, limit;
};

/* What a product does with its sums before it stores them. */
enum epilogue {
    EPILOGUE_STORE,
    EPILOGUE_RELU,  /* max(sum + bias[column], 0); NaN stays NaN */
    EPILOGUE_SILU,  /* silu(sum + bias[column]); its derivative goes to slopes, unless NULL */
    EPILOGUE_SLOPE, /* sum * mask: the derivative of silu */
    EPILOGUE_MASK,  /* mask > 0 ? sum : 0: the derivative of relu from its output */
};

/* Squared norms of a gradient, one for each tile of 32 x 16, whatever the tiles of the product. */
enum { NORM_ROWS = 32, NORM_COLUMNS = 16 };
struct norm_tiles {
    double *squares;      /* (tiles down, tiles across); NULL: none wanted */
    uint32_t *arrived;    /* likewise: slices that have arrived; 0 between launches */
    const float *weights; /* for L2: of all rows but ones_row */
};

/* c (rows, columns) = a (rows, depth) b (depth, columns); one chain of fmaf per element and slice,
 * depth ascending. Slice s sums depth s * slice_depth onwards into c + s * c_slice_stride. One of
 * `rows` and `depth` is the most that any net has: sums_rows says which. */
struct product {
    int32_t rows, columns, depth;
    int32_t sums_rows;  /* 1: depth is the launch's rows; 0: rows is */
    const float *a, *b; /* a NULL: the inputs of the rows, as the data have them */
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
    int32_t drops; /* 1: the job's dropout follows relu or silu */
    struct norm_tiles norm;
};

enum { PRODUCT_LIMIT = 3 };

/* Products that run side by side in one launch. */
struct products {
    struct product product[PRODUCT_LIMIT];
    int32_t count;
    int32_t tiles_down[PRODUCT_LIMIT], first_tile[PRODUCT_LIMIT + 1]; /* filled by the launcher */
    struct row_range rows;
    uint32_t step; /* of the epoch: counter of the masks */
    struct nets nets;
};
cudaError_t launch_products(struct products *products, const struct launch *launch);

enum { OUTPUT_SLOTS = 256 };

/* The output layer (one column, or the heads of a sum), the loss, and the backward pass down to the
 * last hidden layer. */
struct output_layer {
    const float
        *inputs; /* (rows, width): the last hidden layer, after dropout; NULL: as product.a */
    const float *weights, *bias;
    const float *targets; /* NULL: as the data have them */
    const float *offsets; /* (rows, heads); NULL: as the data have them, if they have any */
    int32_t width, heads;
    int32_t output;        /* enum mlp_output */
    float *delta;          /* (rows, heads): d loss / d z; NULL: forward alone */
    float *hidden_delta;   /* (rows, width); NULL: no hidden layer */
    const float *slopes;   /* (rows, width): derivative of silu; NULL: relu */
    double *squared_error; /* (OUTPUT_SLOTS): added to */
    uint32_t *positive;    /* (OUTPUT_SLOTS): rows with an output above 0, added to */
    struct row_range rows;
    struct nets nets;
};
cudaError_t launch_output_layer(const struct output_layer *layer, const struct launch *launch);

/* Rates of one step: Adam's, and learning rate * weight decay. */
struct step_rate {
    float adam, decay;
};
/* rates[i] for steps first..first + count - 1 of each net's running epoch. */
cudaError_t launch_schedule(struct step_rate *rates, uint32_t first, uint32_t count,
                            const struct nets *nets, const struct launch *launch);

/* Flat parameters of a net: layer l's weights are [weight_offset[l], bias_offset[l]). */
struct flat_layout {
    int32_t layer_count;
    uint32_t weight_offset[MLP_LAYER_LIMIT + 1], bias_offset[MLP_LAYER_LIMIT];
};

/* Where a step's batch is put. */
struct gather {
    float *inputs, *targets; /* (batch_rows, width), (batch_rows) */
    float *offsets;          /* (batch_rows, heads); NULL: none */
    int32_t width, heads;
    uint32_t batch_rows;
    struct nets nets;
};
/* The first batch of each net's running epoch. */
cudaError_t launch_gather(const struct gather *gather, const struct launch *launch);

struct update {
    float *parameters, *m, *v;
    const float *gradients; /* (slices, count) */
    uint32_t count, slice_rows;
    struct flat_layout layout;
    const struct step_rate *rates; /* (steps of the epoch) */
    uint32_t step;                 /* of the epoch */
    const double *norm_squares;    /* (norm_count), used by jobs that clip */
    int32_t norm_count;
    struct gather gather; /* of the next batch, meanwhile */
};
/* Clip, Adam, weight decay and the gather of the next batch. */
cudaError_t launch_update(const struct update *update, const struct launch *launch);

struct epoch_end {
    double *train_error, *test_error; /* (OUTPUT_SLOTS), summed and cleared */
    uint32_t *positive;               /* likewise */
    int32_t relu_output;
    const float *parameters;
    float *best;
    uint32_t count;
    struct nets nets;
};
/* Scores the epoch (without test rows the train loss decides), decides on best and stop, keeps the
 * parameters if they are the best. A net that has stopped is left as it was; its other arrays are
 * not: only this launch looks at `stopped`. */
cudaError_t launch_epoch_end(const struct epoch_end *end, const struct launch *launch);

#ifdef __cplusplus
}
#endif

#endif
