#include "elementwise_storage.cuh"

#include "base/philox.h"

#include <cub/cub.cuh>
#include <math.h>

static const int COLUMN_LANES = 32;
static const int64_t SLICE_LIMIT = 64;

/* ---- gradient of the bias ---- */

/* Rows (elements of a channel, over the batch) are cut into slices, whose sums are summed again. */
static int64_t slice_count(int64_t rows)
{
    int64_t slices = (rows + 511) / 512;
    return slices < 1 ? 1 : slices < SLICE_LIMIT ? slices : SLICE_LIMIT;
}

/* sums (slices, columns): 32 columns a block side by side, their rows shared by the warps. */
template <class From, class To>
static __global__ void __launch_bounds__(THREADS)
    column_sums_kernel(To *sums, const From *values, int64_t rows, int64_t columns)
{
    __shared__ float partial[THREADS / COLUMN_LANES][COLUMN_LANES];
    int lane = (int)threadIdx.x % COLUMN_LANES, warp = (int)threadIdx.x / COLUMN_LANES;
    int64_t column = (int64_t)blockIdx.x * COLUMN_LANES + lane;
    int64_t slice_rows = (rows + gridDim.y - 1) / gridDim.y, first = blockIdx.y * slice_rows;
    int64_t end = first + slice_rows < rows ? first + slice_rows : rows;
    float sum = 0;
    for (int64_t row = first + warp; row < end && column < columns; row += THREADS / COLUMN_LANES)
        sum += load(&values[row * columns + column]);
    partial[warp][lane] = sum;
    __syncthreads();
    if (warp > 0 || column >= columns)
        return;
    for (int i = 1; i < THREADS / COLUMN_LANES; i++)
        sum += partial[i][lane];
    store(&sums[blockIdx.y * columns + column], sum);
}

template <class From, class To>
static cudaError_t launch_column_sums(To *sums, const From *values, int64_t rows, int64_t columns,
                                      int64_t slices, cudaStream_t stream)
{
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3((unsigned)((columns + COLUMN_LANES - 1) / COLUMN_LANES),
                          (unsigned)slices);
    config.blockDim = dim3(THREADS);
    config.stream = stream;
    return cudaLaunchKernelEx(&config, column_sums_kernel<From, To>, sums, values, rows, columns);
}

/* sums (slices, channels) of NCHW: a block a channel and slice of the images. */
template <class T>
static __global__ void __launch_bounds__(THREADS)
    channel_sums_kernel(float *sums, const T *values, int64_t images, int64_t channels,
                        int64_t inner)
{
    typedef cub::BlockReduce<float, THREADS> reduce;
    __shared__ typename reduce::TempStorage storage;
    int64_t slice_images = (images + gridDim.y - 1) / gridDim.y, first = blockIdx.y * slice_images;
    int64_t end = first + slice_images < images ? first + slice_images : images;
    float sum = 0;
    for (int64_t image = first; image < end; image++)
        for (int64_t i = threadIdx.x; i < inner; i += THREADS)
            sum += load(&values[(image * channels + blockIdx.x) * inner + i]);
    sum = reduce(storage).Sum(sum);
    if (threadIdx.x == 0)
        sums[blockIdx.y * channels + blockIdx.x] = sum;
}

static int64_t bias_slices(const struct channel_layout *layout)
{
    int64_t rows = layout->count / layout->channels;
    int64_t slices = slice_count(rows), images = rows / layout->inner;
    return layout->inner == 1 || slices < images ? slices : images;
}

extern "C" int64_t bias_gradient_scratch(const struct channel_layout *layout)
{
    return bias_slices(layout) * layout->channels;
}

template <class T>
static cudaError_t slice_sums(float *sums, const T *values, const struct channel_layout *layout,
                              cudaStream_t stream)
{
    int64_t images = layout->count / layout->channels / layout->inner;
    int64_t slices = bias_slices(layout);
    if (layout->inner == 1)
        return launch_column_sums(sums, values, images, layout->channels, slices, stream);
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3((unsigned)layout->channels, (unsigned)slices);
    config.blockDim = dim3(THREADS);
    config.stream = stream;
    return cudaLaunchKernelEx(&config, channel_sums_kernel<T>, sums, values, images,
                              layout->channels, layout->inner);
}

extern "C" cudaError_t launch_bias_gradient(void *bias_gradient, const void *gradient,
                                            float *scratch, const struct channel_layout *layout,
                                            int32_t precision, cudaStream_t stream)
{
    return by_precision(precision, [&](auto *type) {
        typedef decltype(type) pointer;
        cudaError_t error = slice_sums(scratch, (pointer)gradient, layout, stream);
        if (error != cudaSuccess)
            return error;
        return launch_column_sums((pointer)bias_gradient, (const float *)scratch,
                                  bias_slices(layout), layout->channels, 1, stream);
    });
}

/* ---- optimizers ---- */

static const float rate = 1e-8f, decay = 0.9f, decay2 = 0.999f, tiny = 1e-7f;
static const float shrink = 1 - 1.0f / (1 << 24); /* of adamw */

/* The new parameter; s and t are its state. */
static __device__ inline float step(float w, float g, float *s, float *t, int32_t optimizer)
{
    switch (optimizer) {
    case OPTIMIZER_SGD:
        return w - rate * g;
    case OPTIMIZER_MOMENTUM:
        *s = decay * *s + g;
        return w - rate * *s;
    case OPTIMIZER_ADAGRAD:
        *s += g * g;
        return w - rate * g / (sqrtf(*s) + tiny);
    case OPTIMIZER_ADADELTA: {
        *s = decay * *s + (1 - decay) * g * g;
        float delta = sqrtf(*t + tiny) / sqrtf(*s + tiny) * g;
        *t = decay * *t + (1 - decay) * delta * delta;
        return w - rate * delta;
    }
    case OPTIMIZER_RMSPROP:
        *s = decay * *s + (1 - decay) * g * g;
        return w - rate * g / (sqrtf(*s) + tiny);
    default: /* adam, adamw */
        *s = decay * *s + (1 - decay) * g;
        *t = decay2 * *t + (1 - decay2) * g * g;
        w = optimizer == OPTIMIZER_ADAMW ? shrink * w : w;
        return w - rate * *s / (sqrtf(*t) + tiny);
    }
}

static __host__ __device__ inline int64_t gradient_count(const struct optimizer_update *update)
{
    return update->owners ? update->rows * update->width : update->count;
}

/* That element `i` of the gradient is of; -1: of none. */
static __device__ inline int64_t parameter_of(const struct optimizer_update *update, int64_t i)
{
    if (!update->owners)
        return i;
    const int64_t row = update->owners[i / update->width];
    return row < 0 ? -1 : row * update->width + i % update->width;
}

template <class G, class P>
static __global__ void optimizer_kernel(const struct optimizer_update update)
{
    P *parameters = (P *)update.parameters;
    const G *gradient = (const G *)update.gradient;
    EACH_INDEX (i, gradient_count(&update)) {
        const int64_t at = parameter_of(&update, i);
        if (at < 0)
            continue;
        float s = update.state[0] ? update.state[0][at] : 0;
        float t = update.state[1] ? update.state[1][at] : 0;
        store(&parameters[at],
              step(load(&parameters[at]), load(&gradient[i]), &s, &t, update.optimizer));
        if (update.state[0])
            update.state[0][at] = s;
        if (update.state[1])
            update.state[1][at] = t;
    }
}

extern "C" cudaError_t launch_optimizer(const struct optimizer_update *update, int32_t precision,
                                        cudaStream_t stream)
{
    cudaLaunchConfig_t config = grid_of(gradient_count(update), stream);
    return by_precision(precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        return cudaLaunchKernelEx(&config,
                                  update->has_float_parameters ? optimizer_kernel<T, float>
                                                               : optimizer_kernel<T, T>,
                                  *update);
    });
}

/* ---- casts ---- */

template <class To, class From>
static __global__ void cast_kernel(To *to, const From *from, int64_t count)
{
    EACH_INDEX (i, count)
        store(&to[i], load(&from[i]));
}

extern "C" cudaError_t launch_narrow(void *to, const float *from, int64_t count, int32_t precision,
                                     cudaStream_t stream)
{
    const cudaLaunchConfig_t config = grid_of(count, stream);
    return by_precision(precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        return cudaLaunchKernelEx(&config, cast_kernel<T, float>, (T *)to, from, count);
    });
}

extern "C" cudaError_t launch_widen(float *to, const void *from, int64_t count, int32_t precision,
                                    cudaStream_t stream)
{
    const cudaLaunchConfig_t config = grid_of(count, stream);
    return by_precision(precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        return cudaLaunchKernelEx(&config, cast_kernel<float, T>, to, (const T *)from, count);
    });
}

/* ---- single elements ---- */

static __device__ inline float load(const int32_t *from)
{
    return (float)*from;
}

template <class T>
static __global__ void pick_kernel(float *values, const T *tensor, const int64_t *places,
                                   int64_t count)
{
    EACH_INDEX (i, count)
        values[i] = load(&tensor[places[i]]);
}

extern "C" cudaError_t launch_pick(float *values, const void *tensor, const int64_t *places,
                                   int64_t count, int32_t precision, cudaStream_t stream)
{
    cudaLaunchConfig_t config = grid_of(count, stream);
    return by_precision(precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> element;
        return cudaLaunchKernelEx(&config, pick_kernel<element>, values, (const element *)tensor,
                                  places, count);
    });
}

extern "C" cudaError_t launch_pick_indices(float *values, const int32_t *tensor,
                                           const int64_t *places, int64_t count,
                                           cudaStream_t stream)
{
    const cudaLaunchConfig_t config = grid_of(count, stream);
    return cudaLaunchKernelEx(&config, pick_kernel<int32_t>, values, tensor, places, count);
}

/* ---- noise, nothing ---- */

template <class T>
static __global__ void noise_kernel(T *values, int64_t count, float amplitude, uint32_t stream_id,
                                    uint64_t seed)
{
    EACH_INDEX (group, (count + 3) / 4) {
        struct philox_words words = philox((uint32_t)group, stream_id, 0, PHILOX_NOISE, seed);
#pragma unroll
        for (int j = 0; j < 4; j++)
            if (4 * group + j < count)
                store(&values[4 * group + j], amplitude * (2 * philox_uniform(words.word[j]) - 1));
    }
}

extern "C" cudaError_t launch_noise(void *values, int64_t count, float amplitude,
                                    uint32_t stream_id, uint64_t seed, int32_t precision,
                                    cudaStream_t stream)
{
    cudaLaunchConfig_t config = grid_of((count + 3) / 4, stream);
    return by_precision(precision, [&](auto *type) {
        typedef decltype(type) pointer;
        return cudaLaunchKernelEx(&config, noise_kernel<std::remove_pointer_t<pointer>>,
                                  (pointer)values, count, amplitude, stream_id, seed);
    });
}

static __global__ void indices_kernel(int32_t *values, int64_t count, int32_t bound,
                                      uint32_t stream_id, uint64_t seed)
{
    EACH_INDEX (i, count) {
        const uint32_t word =
            philox((uint32_t)(i / 4), stream_id, 0, PHILOX_NOISE, seed).word[i % 4];
        values[i] = (int32_t)((uint64_t)word * (uint32_t)bound >> 32);
    }
}

extern "C" cudaError_t launch_indices(int32_t *values, int64_t count, int32_t bound,
                                      uint32_t stream_id, uint64_t seed, cudaStream_t stream)
{
    const cudaLaunchConfig_t config = grid_of(count, stream);
    return cudaLaunchKernelEx(&config, indices_kernel, values, count, bound, stream_id, seed);
}

static __global__ void empty_kernel()
{
}

extern "C" cudaError_t launch_empty(cudaStream_t stream)
{
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(1);
    config.blockDim = dim3(1);
    config.stream = stream;
    return cudaLaunchKernelEx(&config, empty_kernel);
}

static __global__ void spin_kernel(long long cycles)
{
    const long long first = clock64();
    while (clock64() - first < cycles)
        ;
}

extern "C" cudaError_t launch_spin(cudaStream_t stream)
{
    const long long cycles = 30000; /* at 2 GHz */
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(1);
    config.blockDim = dim3(1);
    config.stream = stream;
    return cudaLaunchKernelEx(&config, spin_kernel, cycles);
}
