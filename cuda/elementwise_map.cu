/* Maps of tensors: bias, sum, activation, its gradient. */
#include "elementwise_storage.cuh"

#include <math.h>

/* 16-byte accesses of a thread that are under way at once, an input. */
static const int MAP_PACKS = 2;

/* ---- maps ---- */

template <class T, int INPUTS> struct map_tensors {
    T *output; /* may be an input */
    const T *inputs[INPUTS];
    int64_t count, pack_count; /* elements; of them so many packs come first */
};

/* output = f(inputs...) of each element. A function is told where it begins and is then called for
 * one element after the other. All loads of a turn come before its stores: none waits for another.
 */
template <class T, int INPUTS, class F>
static __global__ void __launch_bounds__(THREADS)
    map_kernel(const map_tensors<T, INPUTS> tensors, const F function)
{
    const int WIDTH = 16 / (int)sizeof(T);
    const int64_t stride = (int64_t)gridDim.x * THREADS;
    F f = function;
    for (int64_t turn = (int64_t)blockIdx.x * THREADS * MAP_PACKS + threadIdx.x;
         turn < tensors.pack_count; turn += stride * MAP_PACKS) {
        pack<T> packs[MAP_PACKS][INPUTS];
#pragma unroll
        for (int p = 0; p < MAP_PACKS; p++)
            for (int k = 0; k < INPUTS && turn + p * THREADS < tensors.pack_count; k++)
                packs[p][k] = load_pack(tensors.inputs[k] + (turn + p * THREADS) * WIDTH);
#pragma unroll
        for (int p = 0; p < MAP_PACKS && turn + p * THREADS < tensors.pack_count; p++) {
            f.begin((turn + p * THREADS) * WIDTH);
#pragma unroll
            for (int j = 0; j < WIDTH; j++)
                store(&packs[p][0].values[j],
                      f(load(&packs[p][0].values[j]), load(&packs[p][INPUTS - 1].values[j])));
        }
#pragma unroll
        for (int p = 0; p < MAP_PACKS; p++)
            if (turn + p * THREADS < tensors.pack_count)
                store_pack(tensors.output + (turn + p * THREADS) * WIDTH, packs[p][0]);
    }
    for (int64_t i = tensors.pack_count * WIDTH + (int64_t)blockIdx.x * THREADS + threadIdx.x;
         i < tensors.count; i += stride) {
        f.begin(i);
        store(&tensors.output[i],
              f(load(&tensors.inputs[0][i]), load(&tensors.inputs[INPUTS - 1][i])));
    }
}

/* A function of one input ignores its second argument. */
template <class T, int INPUTS, class F>
static cudaError_t launch_map(map_tensors<T, INPUTS> tensors, F f, cudaStream_t stream)
{
    const int64_t width = 16 / (int64_t)sizeof(T);
    bool is_aligned = (uintptr_t)tensors.output % 16 == 0;
    for (int k = 0; k < INPUTS; k++)
        is_aligned = is_aligned && (uintptr_t)tensors.inputs[k] % 16 == 0;
    tensors.pack_count = is_aligned ? tensors.count / width : 0;
    const int64_t turns = (tensors.pack_count + MAP_PACKS - 1) / MAP_PACKS;
    const int64_t rest = tensors.count - tensors.pack_count * width;
    cudaLaunchConfig_t config = grid_of(turns > rest ? turns : rest, stream);
    return cudaLaunchKernelEx(&config, map_kernel<T, INPUTS, F>, tensors, f);
}

/* ---- bias, sum, activation ---- */

/* Two divisions a pack, not an element. */
template <class T> struct add_bias {
    const T *bias;
    uint32_t inner, channels, channel, left; /* left: elements of this channel's row */

    __device__ void begin(int64_t i)
    {
        const uint32_t row = (uint32_t)i / inner;
        left = (row + 1) * inner - (uint32_t)i;
        channel = row % channels;
    }
    __device__ float operator()(float x, float)
    {
        const float y = x + load(&bias[channel]);
        if (--left == 0) {
            left = inner;
            channel = channel + 1 == channels ? 0 : channel + 1;
        }
        return y;
    }
};

extern "C" cudaError_t launch_bias(void *values, const void *bias,
                                   const struct channel_layout *layout, int32_t precision,
                                   cudaStream_t stream)
{
    return by_precision(precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        const map_tensors<T, 1> tensors = {(T *)values, {(const T *)values}, layout->count, 0};
        const add_bias<T> f = {(const T *)bias, (uint32_t)layout->inner, (uint32_t)layout->channels,
                               0, 0};
        return launch_map(tensors, f, stream);
    });
}

struct add {
    __device__ void begin(int64_t)
    {
    }
    __device__ float operator()(float a, float b)
    {
        return a + b;
    }
};

extern "C" cudaError_t launch_sum(void *output, const void *a, const void *b, int64_t count,
                                  int32_t precision, cudaStream_t stream)
{
    return by_precision(precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        const map_tensors<T, 2> tensors = {(T *)output, {(const T *)a, (const T *)b}, count, 0};
        return launch_map(tensors, add{}, stream);
    });
}

template <int ACTIVATION> struct activate {
    __device__ void begin(int64_t)
    {
    }
    __device__ float operator()(float x, float)
    {
        if (ACTIVATION == ACTIVATION_RELU)
            return x < 0 ? 0 : x; /* NaN stays NaN */
        return ACTIVATION == ACTIVATION_TANH ? tanhf(x) : 1 / (1 + expf(-x));
    }
};

/* Times f'(x), from y = f(x). */
template <int ACTIVATION> struct times_derivative {
    __device__ void begin(int64_t)
    {
    }
    __device__ float operator()(float gradient, float y)
    {
        if (ACTIVATION == ACTIVATION_RELU)
            return gradient * (y > 0 ? 1 : 0);
        return gradient * (ACTIVATION == ACTIVATION_TANH ? 1 - y * y : y * (1 - y));
    }
};

/* Launches map F<activation> of the tensors, in the precision's storage type. */
template <template <int> class F, int INPUTS>
static cudaError_t map_by_activation(void *output, const void *const *inputs, int64_t count,
                                     int32_t activation, int32_t precision, cudaStream_t stream)
{
    return by_precision(precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        map_tensors<T, INPUTS> tensors = {(T *)output, {}, count, 0};
        for (int k = 0; k < INPUTS; k++)
            tensors.inputs[k] = (const T *)inputs[k];
        switch (activation) {
        case ACTIVATION_NONE:
            return cudaSuccess;
        case ACTIVATION_RELU:
            return launch_map(tensors, F<ACTIVATION_RELU>{}, stream);
        case ACTIVATION_TANH:
            return launch_map(tensors, F<ACTIVATION_TANH>{}, stream);
        default:
            return launch_map(tensors, F<ACTIVATION_SIGMOID>{}, stream);
        }
    });
}

extern "C" cudaError_t launch_activation(void *output, const void *input, int64_t count,
                                         int32_t activation, int32_t precision, cudaStream_t stream)
{
    return map_by_activation<activate, 1>(output, &input, count, activation, precision, stream);
}

extern "C" cudaError_t launch_activation_backward(void *gradient, const void *output_gradient,
                                                  const void *output, int64_t count,
                                                  int32_t activation, int32_t precision,
                                                  cudaStream_t stream)
{
    const void *const inputs[] = {output_gradient, output};
    return map_by_activation<times_derivative, 2>(gradient, inputs, count, activation, precision,
                                                  stream);
}
