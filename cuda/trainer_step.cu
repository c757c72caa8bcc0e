/* The kernels of a training step beside the products: output layer and loss, schedule, update,
 * gather, the end of an epoch. */
#include "model/trainer_math.h"
#include "trainer_kernels.h"

#include <cub/cub.cuh>

enum { THREADS = 128, LANES = 32, WARPS = THREADS / LANES };

static cudaLaunchConfig_t grid_of(size_t blocks, cudaStream_t stream)
{
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3((unsigned)(blocks > 0 ? blocks : 1));
    config.blockDim = dim3(THREADS);
    config.stream = stream;
    return config;
}

/* ---- output layer ---- */

/* The same sum in every lane, in an order that the width alone decides. */
static __device__ inline float warp_dot(const float *a, const float *b, int count)
{
    float sum = 0;
    for (int j = (int)threadIdx.x % LANES; j < count; j += LANES)
        sum = fmaf(a[j], b[j], sum);
    for (int mask = LANES / 2; mask > 0; mask /= 2)
        sum += __shfl_xor_sync(0xFFFFFFFFu, sum, mask);
    return sum;
}

/* d loss / d z of a row whose log error is `difference`. */
static __device__ inline float slope_of(const struct output_layer &layer, float z, float difference)
{
    bool relu = layer.output == MLP_OUTPUT_RELU;
    float slope = !relu ? 1.0f : z > 0 ? 1 / (1 + z) : 0.0f;
    return 2.0f / (float)layer.batch_rows * loss_slope(layer.loss, layer.loss_scale, difference) *
           slope;
}

static __device__ inline void spread_delta(const struct output_layer &layer, int row, float delta)
{
    int lane = (int)threadIdx.x % LANES;
    if (lane == 0)
        layer.delta[row] = delta;
    for (int j = lane; layer.hidden_delta && j < layer.width; j += LANES) {
        size_t k = (size_t)row * (size_t)layer.width + (size_t)j;
        float factor = layer.inputs[k] > 0 ? layer.dropout_scale : 0;
        layer.hidden_delta[k] = delta * layer.weights[j] *
                                (layer.slopes ? layer.slopes[k] : factor);
    }
}

/* A warp a row; block b has its own slots, so that nothing is added atomically. */
static __global__ void __launch_bounds__(THREADS) output_kernel(const struct output_layer layer)
{
    typedef cub::BlockReduce<double, THREADS> reduce;
    __shared__ typename reduce::TempStorage error_storage, positive_storage;
    if (layer.state && layer.state->stopped)
        return;
    double squared_error = 0, positive = 0; /* a count is exact in a double */
    for (int row = (int)(blockIdx.x * WARPS + threadIdx.x / LANES); row < layer.rows;
         row += (int)gridDim.x * WARPS) {
        float z = warp_dot(layer.inputs + (size_t)row * (size_t)layer.width, layer.weights,
                           layer.width) +
                  layer.bias[0];
        bool relu = layer.output == MLP_OUTPUT_RELU;
        float time = relu && z < 0 ? 0 : z; /* NaN stays NaN */
        float difference = (relu ? log1pf(time) : time) - layer.targets[row];
        if (threadIdx.x % LANES == 0) {
            squared_error += (double)difference * (double)difference;
            positive += z > 0;
        }
        if (layer.delta)
            spread_delta(layer, row, slope_of(layer, z, difference));
    }
    squared_error = reduce(error_storage).Sum(squared_error);
    positive = reduce(positive_storage).Sum(positive);
    if (threadIdx.x == 0) {
        layer.squared_error[blockIdx.x] += squared_error;
        layer.positive[blockIdx.x] += (uint32_t)positive;
    }
}

extern "C" cudaError_t launch_output_layer(const struct output_layer *layer, cudaStream_t stream)
{
    int blocks = (layer->rows + WARPS - 1) / WARPS;
    cudaLaunchConfig_t config = grid_of((size_t)(blocks < OUTPUT_SLOTS ? blocks : OUTPUT_SLOTS),
                                        stream);
    return cudaLaunchKernelEx(&config, output_kernel, *layer);
}

/* ---- schedule ---- */

static __global__ void __launch_bounds__(THREADS)
    schedule_kernel(struct step_rate *rates, const struct train_options options, uint32_t first,
                    uint32_t count, uint32_t epoch_steps, const struct train_state *state)
{
    uint32_t i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= count || state->stopped)
        return;
    uint32_t step = state->epoch * epoch_steps + first + i;
    double rate = learning_rate(&options, step, epoch_steps);
    rates[i].adam = (float)adam_rate(&options, rate, step);
    rates[i].decay = (float)(rate * (double)options.weight_decay);
}

extern "C" cudaError_t launch_schedule(struct step_rate *rates, const struct train_options *options,
                                       uint32_t first, uint32_t count, uint32_t epoch_steps,
                                       const struct train_state *state, cudaStream_t stream)
{
    cudaLaunchConfig_t config = grid_of((count + THREADS - 1) / THREADS, stream);
    return cudaLaunchKernelEx(&config, schedule_kernel, rates, *options, first, count, epoch_steps,
                              state);
}

/* ---- gather ---- */

/* A warp a row. */
static __device__ inline void gather_rows(const struct gather &gather, uint32_t block,
                                          uint32_t blocks)
{
    uint32_t epoch = gather.state->epoch + gather.epoch_ahead, lane = threadIdx.x % LANES;
    uint32_t key = permutation_key(gather.seed, epoch);
    int half_bits = permutation_half_bits(gather.train_rows);
    for (uint32_t r = block * WARPS + threadIdx.x / LANES; r < (uint32_t)gather.rows;
         r += blocks * WARPS) {
        size_t row = permutation(gather.first + r, gather.train_rows, half_bits, key);
        size_t width = (size_t)gather.width;
        for (size_t j = lane; j < width; j += LANES)
            gather.inputs[r * width + j] = gather.train_inputs[row * width + j];
        if (lane == 0)
            gather.targets[r] = gather.train_targets[row];
    }
}

static uint32_t gather_blocks(const struct gather *gather)
{
    uint32_t blocks = ((uint32_t)gather->rows + WARPS - 1) / WARPS;
    return blocks < 1024 ? blocks : 1024;
}

static __global__ void __launch_bounds__(THREADS) gather_kernel(const struct gather gather)
{
    if (!gather.state->stopped)
        gather_rows(gather, blockIdx.x, gridDim.x);
}

extern "C" cudaError_t launch_gather(const struct gather *gather, cudaStream_t stream)
{
    cudaLaunchConfig_t config = grid_of(gather_blocks(gather), stream);
    return cudaLaunchKernelEx(&config, gather_kernel, *gather);
}

/* ---- update ---- */

static __device__ inline bool is_weight(const struct flat_layout &layout, uint32_t k)
{
    bool weight = false;
    for (int layer = 0; layer < layout.layer_count; layer++)
        weight |= k >= layout.weight_offset[layer] && k < layout.bias_offset[layer];
    return weight;
}

/* The slices in order, then L2: as the host engine sums its chunks. */
static __device__ inline float gradient_of(const struct update &update, uint32_t k, bool weight)
{
    float gradient = update.gradients[k];
    for (int slice = 1; slice < update.slice_count; slice++)
        gradient += update.gradients[(size_t)slice * update.count + k];
    return weight && update.l2 > 0 ? gradient + update.l2 * update.parameters[k] : gradient;
}

static __global__ void __launch_bounds__(THREADS) norm_kernel(const struct update update)
{
    typedef cub::BlockReduce<double, THREADS> reduce;
    __shared__ typename reduce::TempStorage storage;
    if (update.next.state->stopped)
        return;
    double sum = 0;
    for (uint32_t k = blockIdx.x * THREADS + threadIdx.x; k < update.count;
         k += gridDim.x * THREADS) {
        double gradient = (double)gradient_of(update, k, is_weight(update.layout, k));
        sum += gradient * gradient;
    }
    sum = reduce(storage).Sum(sum);
    if (threadIdx.x == 0)
        update.norms[blockIdx.x] = sum;
}

static __device__ inline float clip_scale(const struct update &update)
{
    double sum = 0, limit = (double)update.gradient_clip;
    for (int i = 0; i < NORM_SLOTS; i++)
        sum += update.norms[i];
    return sqrt(sum) > limit ? (float)(limit / sqrt(sum)) : 1;
}

/* The first blocks update, a parameter a thread; the rest gather. */
static __global__ void __launch_bounds__(THREADS)
    update_kernel(const struct update update, uint32_t update_blocks)
{
    if (update.next.state->stopped)
        return;
    if (blockIdx.x >= update_blocks) {
        gather_rows(update.next, blockIdx.x - update_blocks, gridDim.x - update_blocks);
        return;
    }
    uint32_t k = blockIdx.x * THREADS + threadIdx.x;
    if (k >= update.count)
        return;
    bool weight = is_weight(update.layout, k);
    float scale = update.gradient_clip > 0 ? clip_scale(update) : 1;
    float g = gradient_of(update, k, weight) * scale;
    float m = update.m[k], v = update.v[k], parameter = update.parameters[k];
    m += (g - m) * (1.0f - update.beta1);
    v += (g * g - v) * (1.0f - update.beta2);
    float decay = weight ? update.rate->decay : 0;
    update.m[k] = m;
    update.v[k] = v;
    update.parameters[k] = parameter - (update.rate->adam * m / (sqrtf(v) + update.epsilon) +
                                        decay * parameter);
}

extern "C" cudaError_t launch_update(const struct update *update, cudaStream_t stream)
{
    if (update->gradient_clip > 0) {
        cudaLaunchConfig_t norm = grid_of(NORM_SLOTS, stream);
        cudaError_t error = cudaLaunchKernelEx(&norm, norm_kernel, *update);
        if (error != cudaSuccess)
            return error;
    }
    uint32_t blocks = (update->count + THREADS - 1) / THREADS;
    cudaLaunchConfig_t config = grid_of(blocks + gather_blocks(&update->next), stream);
    return cudaLaunchKernelEx(&config, update_kernel, *update, blocks);
}

/* ---- end of an epoch ---- */

static __device__ inline double sum_slots(double *slots)
{
    double sum = 0;
    for (int i = 0; i < OUTPUT_SLOTS; i++) {
        sum += slots[i];
        slots[i] = 0;
    }
    return sum;
}

/* As train_once and keep_best of the host engine. */
static __device__ inline void judge(struct train_state *state, const struct epoch_end &end,
                                    bool any_positive)
{
    bool finite = isfinite(state->batch_loss) && isfinite(state->score);
    bool better = finite && state->score < state->best_score;
    state->not_finite = !finite;
    state->dead = finite && end.relu_output && !any_positive && state->batch_loss > 0;
    state->keep = 0;
    if (finite && !state->dead) {
        state->stale_epochs = better ? 0 : state->stale_epochs + 1;
        state->keep = better || !end.keep_best;
        if (better)
            state->best_score = state->score;
        if (state->keep)
            state->best_epoch = (int32_t)state->epoch;
    }
    state->epoch++;
    bool patient = end.patience <= 0 || state->stale_epochs < end.patience;
    state->stopped = !finite || state->dead || !patient || state->epoch >= (uint32_t)end.epochs;
}

static __global__ void epoch_end_kernel(const struct epoch_end end)
{
    struct train_state *state = end.state;
    state->keep = 0; /* a stopped training keeps what it has */
    if (state->stopped)
        return;
    bool any_positive = false;
    for (int i = 0; i < OUTPUT_SLOTS; i++) {
        any_positive |= end.positive[i] > 0;
        end.positive[i] = 0;
    }
    state->batch_loss = sum_slots(end.train_error) / end.train_rows;
    double test_error = sum_slots(end.test_error);
    state->score = end.test_rows > 0 ? test_error / end.test_rows : state->batch_loss;
    judge(state, end, any_positive);
}

static __global__ void __launch_bounds__(THREADS) keep_kernel(const struct epoch_end end)
{
    uint32_t k = blockIdx.x * THREADS + threadIdx.x;
    if (k < end.count && end.state->keep)
        end.best[k] = end.parameters[k];
}

extern "C" cudaError_t launch_epoch_end(const struct epoch_end *end, cudaStream_t stream)
{
    cudaLaunchConfig_t one = grid_of(1, stream);
    one.blockDim = dim3(1);
    cudaError_t error = cudaLaunchKernelEx(&one, epoch_end_kernel, *end);
    if (error != cudaSuccess)
        return error;
    cudaLaunchConfig_t config = grid_of((end->count + THREADS - 1) / THREADS, stream);
    return cudaLaunchKernelEx(&config, keep_kernel, *end);
}
