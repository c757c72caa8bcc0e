/* Maps of tensors: bias, sum, activation, its gradient. */
#include "elementwise_map.cuh"

#include <math.h>

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
