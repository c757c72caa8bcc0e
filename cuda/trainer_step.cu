/* The kernels of a training step beside the products: schedule, update, gather, the end
 * of an epoch. */
#include "trainer/trainer_math.h"
#include "trainer_arch.h"

enum { THREADS = 128, WARPS = THREADS / LANES };

/* ---- schedule ---- */

static __global__ void __launch_bounds__(THREADS)
    schedule_kernel(struct step_rate *first_rates, uint32_t first, uint32_t count,
                    const struct nets nets)
{
    let_successor_begin();
    const struct net_job &job = own_job(nets);
    uint32_t i = blockIdx.x * THREADS + threadIdx.x;
    await_predecessor();
    if (i >= count || first + i >= job.epoch_steps)
        return;
    struct step_rate *rates = own(first_rates, nets);
    uint32_t step = nets.states[blockIdx.z].epoch * job.epoch_steps + first + i;
    double rate = learning_rate(&job.options, step, job.epoch_steps);
    rates[i].adam = (float)adam_rate(&job.options, rate, step);
    rates[i].decay = (float)(rate * (double)job.options.weight_decay);
}

extern "C" cudaError_t launch_schedule(struct step_rate *rates, uint32_t first, uint32_t count,
                                       const struct nets *nets, const struct launch *launch)
{
    return launch_nets(launch, *nets, blocks_of(count, THREADS), THREADS, schedule_kernel, rates,
                       first, count, *nets);
}

extern "C" cudaError_t trainer_architecture(int *architecture)
{
    cudaFuncAttributes attributes = {};
    cudaError_t error = cudaFuncGetAttributes(&attributes, schedule_kernel);
    *architecture = attributes.ptxVersion;
    return error;
}

/* ---- gather ---- */

/* The batch of step `step` of the epoch that `epoch` counts, by `blocks` blocks; a warp a row. */
static __device__ inline void gather_rows(const struct gather &gather, uint32_t step,
                                          uint32_t epoch, uint32_t block, uint32_t blocks)
{
    const struct net_job &job = own_job(gather.nets);
    float *inputs = own(gather.inputs, gather.nets), *targets = own(gather.targets, gather.nets);
    float *offsets = own(gather.offsets, gather.nets);
    struct row_range range = {ROWS_TRAIN, step * gather.batch_rows, gather.batch_rows};
    uint32_t key = permutation_key(job.seed, epoch), rows = (uint32_t)own_rows(range, job);
    int half_bits = permutation_half_bits(job.train_rows);
    size_t width = (size_t)gather.width, heads = (size_t)gather.heads;
    for (uint32_t r = block * WARPS + threadIdx.x / LANES; r < rows; r += blocks * WARPS) {
        size_t row = permutation(range.first + r, job.train_rows, half_bits, key);
        for (size_t j = threadIdx.x % LANES; j < width; j += LANES)
            inputs[r * width + j] = job.train_inputs[row * width + j];
        if (threadIdx.x % LANES == 0)
            targets[r] = job.train_targets[row];
        if (offsets && threadIdx.x % LANES < heads)
            offsets[r * heads + threadIdx.x % LANES] =
                job.train_offsets[row * heads + threadIdx.x % LANES];
    }
}

static dim3 gather_blocks(const struct gather *gather)
{
    dim3 blocks = blocks_of(gather->batch_rows, WARPS);
    blocks.x = blocks.x < 1024 ? blocks.x : 1024;
    return blocks;
}

static __global__ void __launch_bounds__(THREADS) gather_kernel(const struct gather gather)
{
    let_successor_begin();
    await_predecessor();
    gather_rows(gather, 0, gather.nets.states[blockIdx.z].epoch, blockIdx.x, gridDim.x);
}

extern "C" cudaError_t launch_gather(const struct gather *gather, const struct launch *launch)
{
    return launch_nets(launch, gather->nets, gather_blocks(gather), THREADS, gather_kernel,
                       *gather);
}

/* ---- update ---- */

static __device__ inline bool is_weight(const struct flat_layout &layout, uint32_t k)
{
    bool weight = false;
    for (int layer = 0; layer < layout.layer_count; layer++)
        weight |= k >= layout.weight_offset[layer] && k < layout.bias_offset[layer];
    return weight;
}

/* min(1, limit / norm) in every thread: a warp sums the tiles' squares. All threads call it. */
static __device__ inline float clip_scale(const struct update &update, float gradient_clip)
{
    __shared__ float scale;
    const double *squares = own(update.norm_squares, update.gather.nets);
    double sum = 0, limit = (double)gradient_clip;
    if (threadIdx.x < LANES) {
        for (int i = (int)threadIdx.x; i < update.norm_count; i += LANES)
            sum += squares[i];
        sum = warp_sum(sum);
        if (threadIdx.x == 0)
            scale = sqrt(sum) > limit ? (float)(limit / sqrt(sum)) : 1;
    }
    __syncthreads();
    return scale;
}

/* Parameter k: the slices in order, then L2, as the host engine sums its chunks; then Adam. */
static __device__ inline void update_parameter(const struct update &update, uint32_t k, int slices,
                                               float scale)
{
    const struct nets &nets = update.gather.nets;
    const struct train_options &options = own_job(nets).options;
    const struct step_rate rate = own(update.rates, nets)[update.step];
    const float *gradients = own(update.gradients, nets);
    float *own_m = own(update.m, nets), *own_v = own(update.v, nets);
    float *parameters = own(update.parameters, nets);
    bool weight = is_weight(update.layout, k);
    float m = own_m[k], v = own_v[k], parameter = parameters[k], g = gradients[k];
    for (int slice = 1; slice < slices; slice++)
        g += gradients[(size_t)slice * update.count + k];
    if (weight && options.l2 > 0)
        g += options.l2 * parameter;
    g *= scale;
    m += (g - m) * (1.0f - options.beta1);
    v += (g * g - v) * (1.0f - options.beta2);
    float decay = weight ? rate.decay : 0;
    own_m[k] = m;
    own_v[k] = v;
    parameters[k] = parameter - (rate.adam * m / (sqrtf(v) + options.epsilon) + decay * parameter);
}

/* The first blocks update, a parameter a thread; the rest gather. */
static __global__ void __launch_bounds__(THREADS)
    update_kernel(const struct update update, uint32_t update_blocks)
{
    let_successor_begin();
    const struct net_job &job = own_job(update.gather.nets);
    struct row_range range = {ROWS_TRAIN, update.step * update.gather.batch_rows,
                              update.gather.batch_rows};
    uint32_t rows = (uint32_t)own_rows(range, job), k = blockIdx.x * THREADS + threadIdx.x;
    int slices = (int)((rows + update.slice_rows - 1) / update.slice_rows);
    await_predecessor();
    if (rows == 0) /* the net's epoch has fewer steps than that of others */
        return;
    if (blockIdx.x >= update_blocks) {
        bool ends_epoch = update.step + 1 == job.epoch_steps;
        uint32_t epoch = update.gather.nets.states[blockIdx.z].epoch + ends_epoch;
        gather_rows(update.gather, ends_epoch ? 0 : update.step + 1, epoch,
                    blockIdx.x - update_blocks, gridDim.x - update_blocks);
        return;
    }
    float scale = 1;
    if (job.options.gradient_clip > 0)
        scale = clip_scale(update, job.options.gradient_clip);
    if (k < update.count)
        update_parameter(update, k, slices, scale);
}

extern "C" cudaError_t launch_update(const struct update *update, const struct launch *launch)
{
    dim3 blocks = blocks_of(update->count, THREADS);
    uint32_t update_blocks = blocks.x;
    blocks.x += gather_blocks(&update->gather).x;
    return launch_nets(launch, update->gather.nets, blocks, THREADS, update_kernel, *update,
                       update_blocks);
}

/* ---- end of an epoch ---- */

/* As train_once and keep_best of the host engine. */
static __device__ inline void judge(struct train_state *state, const struct train_options &options,
                                    bool relu_output, bool any_positive)
{
    bool finite = isfinite(state->batch_loss) && isfinite(state->score);
    bool better = finite && state->score < state->best_score;
    state->not_finite = !finite;
    state->dead = finite && relu_output && !any_positive && state->batch_loss > 0;
    state->keep = 0;
    if (finite && !state->dead) {
        state->stale_epochs = better ? 0 : state->stale_epochs + 1;
        state->keep = better || !options.keep_best;
        if (better)
            state->best_score = state->score;
        if (state->keep)
            state->best_epoch = (int32_t)state->epoch;
    }
    state->epoch++;
    bool patient = options.patience <= 0 || state->stale_epochs < options.patience;
    state->stopped = !finite || state->dead || !patient || state->epoch >= (uint32_t)options.epochs;
}

/* A block a net, a slot a thread. */
static __global__ void __launch_bounds__(OUTPUT_SLOTS) epoch_end_kernel(const struct epoch_end end)
{
    __shared__ double scratch[3][OUTPUT_SLOTS / LANES];
    let_successor_begin();
    const struct net_job &job = own_job(end.nets);
    double *train_error = own(end.train_error, end.nets) + threadIdx.x;
    double *test_error = own(end.test_error, end.nets) + threadIdx.x;
    uint32_t *positive = own(end.positive, end.nets) + threadIdx.x;
    struct train_state *state = &end.nets.states[blockIdx.z];
    await_predecessor();
    double train_sum = block_sum<OUTPUT_SLOTS>(*train_error, scratch[0]);
    double test_sum = block_sum<OUTPUT_SLOTS>(*test_error, scratch[1]);
    double positives = block_sum<OUTPUT_SLOTS>((double)*positive, scratch[2]);
    *train_error = *test_error = 0;
    *positive = 0;
    if (threadIdx.x > 0)
        return;
    state->keep = 0; /* a stopped training keeps what it has */
    if (state->stopped)
        return;
    state->batch_loss = train_sum / (double)job.train_rows;
    state->score = job.test_rows > 0 ? test_sum / (double)job.test_rows : state->batch_loss;
    judge(state, job.options, end.relu_output, positives > 0);
}

static __global__ void __launch_bounds__(THREADS) keep_kernel(const struct epoch_end end)
{
    let_successor_begin();
    uint32_t k = blockIdx.x * THREADS + threadIdx.x;
    const float *parameters = own(end.parameters, end.nets);
    float *best = own(end.best, end.nets);
    await_predecessor();
    if (k < end.count && end.nets.states[blockIdx.z].keep)
        best[k] = parameters[k];
}

extern "C" cudaError_t launch_epoch_end(const struct epoch_end *end, const struct launch *launch)
{
    cudaError_t error = launch_nets(launch, end->nets, dim3(1), OUTPUT_SLOTS, epoch_end_kernel,
                                    *end);
    if (error != cudaSuccess)
        return error;
    return launch_nets(launch, end->nets, blocks_of(end->count, THREADS), THREADS, keep_kernel,
                       *end);
}
