/* The output layer of a training step: one column or the heads of a sum, the loss, and the
 * derivatives down to the last hidden layer. */
#include "trainer/log_sum.h"
#include "trainer/trainer_math.h"
#include "trainer_arch.h"

enum { THREADS = 128, WARPS = THREADS / LANES };

/* The same sum in every lane, in an order that the width alone decides. */
static __device__ inline float warp_dot(const float *a, const float *b, int count, int b_stride)
{
    float sum = 0;
    for (int j = (int)threadIdx.x % LANES; j < count; j += LANES)
        sum = fmaf(a[j], b[j * b_stride], sum);
    return warp_sum(sum);
}

/* The net's part of an output layer. */
struct own_output {
    const float *inputs, *weights, *bias, *targets, *offsets, *slopes;
    float *delta, *hidden_delta;
    float dropout_scale;
    int32_t rows;
};

/* The row's z of the lane's head; lanes behind the heads have the last one's. */
static __device__ inline float lane_z(const struct output_layer &layer,
                                      const struct own_output &net, int row)
{
    int lane = (int)threadIdx.x % LANES, last = layer.heads - 1;
    float own = 0;
#pragma unroll 1
    for (int head = 0; head < layer.heads; head++) {
        float z = warp_dot(net.inputs + (size_t)row * (size_t)layer.width, net.weights + head,
                           layer.width, layer.heads) +
                  net.bias[head];
        if (head == (lane < last ? lane : last))
            own = z;
    }
    return own;
}

/* A row's prediction and its derivative by the z of the lane's head. */
struct answer {
    float log_time, slope;
};

/* As log_sum(), a head a lane: the sum runs in another order. */
static __device__ inline struct answer sum_heads(float z, const float *offsets, int heads)
{
    int lane = (int)threadIdx.x % LANES;
    float term = lane < heads ? z + offsets[lane] : -INFINITY;
    float highest = warp_largest(term), depth = term - highest;
    float part = depth < -LOG_SUM_DEPTH ? 0 : activation_exp(depth); /* NaN stays NaN */
    float sum = warp_sum(part);
    return {highest + logf(sum), part / sum};
}

static __device__ inline struct answer answer_of(const struct output_layer &layer,
                                                 const struct own_output &net, int row, float z)
{
    if (layer.output == MLP_OUTPUT_SUM)
        return sum_heads(z, net.offsets + (size_t)row * (size_t)layer.heads, layer.heads);
    if (layer.output == MLP_OUTPUT_LOG)
        return {z, 1};
    float time = z < 0 ? 0 : z; /* NaN stays NaN */
    return {log1pf(time), z > 0 ? 1 / (1 + z) : 0};
}

/* Derivative of the batch's loss by the prediction of a row. */
static __device__ inline float slope_of(const struct output_layer &layer,
                                        const struct own_output &net, float difference)
{
    const struct train_options &options = own_job(layer.nets).options;
    return 2.0f / (float)net.rows * loss_slope(options.loss, options.loss_scale, difference);
}

/* delta: d loss / d z of the lane's head. */
static __device__ inline void spread_delta(const struct own_output &net, int width, int heads,
                                           int row, float delta)
{
    int lane = (int)threadIdx.x % LANES;
    if (lane < heads)
        net.delta[row * heads + lane] = delta;
    for (int first = 0; net.hidden_delta && first < width; first += LANES) {
        int j = first + lane;
        size_t k = (size_t)row * (size_t)width + (size_t)j;
        float sum = 0;
#pragma unroll 1
        for (int head = 0; head < heads; head++) {
            float head_delta = __shfl_sync(0xFFFFFFFFu, delta, head);
            sum = j < width ? fmaf(head_delta, net.weights[j * heads + head], sum) : 0;
        }
        if (j < width)
            net.hidden_delta[k] = sum * (net.slopes          ? net.slopes[k]
                                         : net.inputs[k] > 0 ? net.dropout_scale
                                                             : 0);
    }
}

static __device__ inline struct own_output own_output_of(const struct output_layer &layer)
{
    const struct net_job &job = own_job(layer.nets);
    struct own_output net = {};
    net.inputs = layer.inputs ? own(layer.inputs, layer.nets)
                              : own_inputs(layer.rows, job, layer.width);
    net.targets = layer.targets ? own(layer.targets, layer.nets) : own_targets(layer.rows, job);
    net.offsets = layer.offsets ? own(layer.offsets, layer.nets)
                                : own_offsets(layer.rows, job, layer.heads);
    net.weights = own(layer.weights, layer.nets);
    net.bias = own(layer.bias, layer.nets);
    net.slopes = own(layer.slopes, layer.nets);
    net.delta = own(layer.delta, layer.nets);
    net.hidden_delta = own(layer.hidden_delta, layer.nets);
    net.dropout_scale = 1.0f / (1.0f - job.options.dropout);
    net.rows = own_rows(layer.rows, job);
    return net;
}

/* A warp a row; block b has its own slots, so that nothing is added atomically. */
static __global__ void __launch_bounds__(THREADS) output_kernel(const struct output_layer layer)
{
    __shared__ double scratch[2][WARPS];
    let_successor_begin();
    const struct own_output net = own_output_of(layer);
    double squared_error = 0, positive = 0; /* a count is exact in a double */
    await_predecessor();
    for (int row = (int)(blockIdx.x * WARPS + threadIdx.x / LANES); row < net.rows;
         row += (int)gridDim.x * WARPS) {
        float z = lane_z(layer, net, row);
        const struct answer answer = answer_of(layer, net, row, z);
        float difference = answer.log_time - net.targets[row];
        if (threadIdx.x % LANES == 0) {
            squared_error += (double)difference * (double)difference;
            positive += z > 0;
        }
        if (net.delta)
            spread_delta(net, layer.width, layer.heads, row,
                         slope_of(layer, net, difference) * answer.slope);
    }
    squared_error = block_sum<THREADS>(squared_error, scratch[0]);
    positive = block_sum<THREADS>(positive, scratch[1]);
    if (threadIdx.x == 0) {
        own(layer.squared_error, layer.nets)[blockIdx.x] += squared_error;
        own(layer.positive, layer.nets)[blockIdx.x] += (uint32_t)positive;
    }
}

/* Below OUTPUT_SLOTS blocks each warp has one row at most: which slot it adds to does not depend on
 * the other nets. */
extern "C" cudaError_t launch_output_layer(const struct output_layer *layer,
                                           const struct launch *launch)
{
    dim3 blocks = blocks_of(layer->rows.limit, WARPS);
    if (blocks.x > OUTPUT_SLOTS)
        blocks.x = OUTPUT_SLOTS;
    return launch_nets(launch, layer->nets, blocks, THREADS, output_kernel, *layer);
}
