/* The functions of the layer kind `activation` and their slopes, as maps. The definitions are
 * host/layers/function.c's. */
#include "elementwise_map.cuh"

#include <math.h>

static __device__ inline float logistic(float x)
{
    return 1 / (1 + expf(-x));
}
static __device__ inline float softplus(float x)
{
    return fmaxf(x, 0) + log1pf(expf(-fabsf(x)));
}
/* x sigmoid(a x) */
static __device__ inline float swish_slope(float a, float x)
{
    const float s = logistic(a * x);
    return s + a * x * s * (1 - s);
}
/* sqrt(2 / pi) (x + 0.044715 x^3) */
static __device__ inline float gelu_argument(float x)
{
    return 0.7978845608f * x * (1 + 0.044715f * x * x);
}

template <int FUNCTION> struct value_of {
    __device__ void begin(int64_t)
    {
    }
    __device__ float operator()(float x, float)
    {
        switch (FUNCTION) { /* NaN stays NaN */
        case FUNCTION_RELU:
            return x < 0 ? 0 : x;
        case FUNCTION_LEAKY_RELU:
            return x < 0 ? 0.01f * x : x;
        case FUNCTION_RELU6:
            return x < 0 ? 0 : x > 6 ? 6 : x;
        case FUNCTION_GELU:
            return 0.5f * x * (1 + erff(0.7071067812f * x));
        case FUNCTION_GELU_TANH:
            return 0.5f * x * (1 + tanhf(gelu_argument(x)));
        case FUNCTION_QUICK_GELU:
            return x * logistic(1.702f * x);
        case FUNCTION_SILU:
            return x * logistic(x);
        case FUNCTION_TANH:
            return tanhf(x);
        case FUNCTION_SIGMOID:
            return logistic(x);
        case FUNCTION_EXP:
            return expf(x);
        case FUNCTION_HARD_SWISH:
            return x * fminf(fmaxf(x + 3, 0), 6) * (1.0f / 6);
        case FUNCTION_SOFTPLUS:
            return softplus(x);
        case FUNCTION_ELU:
            return x > 0 ? x : expm1f(x);
        default:
            return x * tanhf(softplus(x));
        }
    }
};

/* Times the slope, from what is kept: y = f(x) or x. */
template <int FUNCTION> struct times_slope {
    __device__ void begin(int64_t)
    {
    }
    __device__ float operator()(float gradient, float kept)
    {
        return gradient * slope(kept);
    }
    static __device__ float slope(float kept)
    {
        switch (FUNCTION) {
        case FUNCTION_RELU:
            return kept > 0 ? 1 : 0;
        case FUNCTION_LEAKY_RELU:
            return kept > 0 ? 1 : 0.01f;
        case FUNCTION_RELU6:
            return kept > 0 && kept < 6 ? 1 : 0;
        case FUNCTION_GELU:
            return 0.5f * (1 + erff(0.7071067812f * kept)) +
                   kept * 0.3989422804f * expf(-0.5f * kept * kept);
        case FUNCTION_GELU_TANH:
            return gelu_tanh_slope(kept);
        case FUNCTION_QUICK_GELU:
            return swish_slope(1.702f, kept);
        case FUNCTION_SILU:
            return swish_slope(1, kept);
        case FUNCTION_TANH:
            return 1 - kept * kept;
        case FUNCTION_SIGMOID:
            return kept * (1 - kept);
        case FUNCTION_EXP:
            return kept;
        case FUNCTION_HARD_SWISH:
            return kept <= -3 ? 0 : kept >= 3 ? 1 : (2 * kept + 3) * (1.0f / 6);
        case FUNCTION_SOFTPLUS:
            return logistic(kept);
        case FUNCTION_ELU:
            return kept > 0 ? 1 : kept + 1;
        default:
            return mish_slope(kept);
        }
    }
    static __device__ float gelu_tanh_slope(float x)
    {
        const float t = tanhf(gelu_argument(x));
        return 0.5f * (1 + t) +
               0.5f * x * (1 - t * t) * 0.7978845608f * (1 + 3 * 0.044715f * x * x);
    }
    static __device__ float mish_slope(float x)
    {
        const float t = tanhf(softplus(x));
        return t + x * (1 - t * t) * logistic(x);
    }
};

/* Launches map F<function> of the tensors, in the precision's storage type. */
template <template <int> class F, int INPUTS>
static cudaError_t map_by_function(void *output, const void *const *inputs, int64_t count,
                                   int32_t function, int32_t precision, cudaStream_t stream)
{
    return by_precision(precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        map_tensors<T, INPUTS> tensors = {(T *)output, {}, count, 0};
        for (int k = 0; k < INPUTS; k++)
            tensors.inputs[k] = (const T *)inputs[k];
        switch (function) {
#define MAP(value, text)                                                                           \
    case value:                                                                                    \
        return launch_map(tensors, F<value>{}, stream);
            FUNCTION_LIST(MAP)
        default:
            return cudaErrorInvalidValue;
        }
    });
}

extern "C" cudaError_t launch_function(void *output, const void *input, int64_t count,
                                       int32_t function, int32_t precision, cudaStream_t stream)
{
    return map_by_function<value_of, 1>(output, &input, count, function, precision, stream);
}

extern "C" cudaError_t launch_function_backward(void *gradient, const void *output_gradient,
                                                const void *kept, int64_t count, int32_t function,
                                                int32_t precision, cudaStream_t stream)
{
    const void *const inputs[] = {output_gradient, kept};
    return map_by_function<times_slope, 2>(gradient, inputs, count, function, precision, stream);
}
