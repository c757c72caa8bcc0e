/* Operations of two tensors, of which the second may be repeated; the gradients that are maps. */
#include "elementwise_map.cuh"

/* ---- two tensors of one shape ---- */

template <int OPERATION> static __device__ inline float combine(float a, float b)
{
    switch (OPERATION) {
    case BINARY_ADD:
        return a + b;
    case BINARY_MULTIPLY:
        return a * b;
    case BINARY_SUBTRACT:
        return a - b;
    default:
        return a / b;
    }
}

template <int OPERATION> struct of_both {
    __device__ void begin(int64_t)
    {
    }
    __device__ float operator()(float a, float b)
    {
        return combine<OPERATION>(a, b);
    }
};

/* ---- a repeated one ---- */

/* Four divisions a pack, not an element. */
template <class T, int OPERATION> struct with_repeated {
    const T *second;
    uint32_t block, block_step, inner, elements;
    uint32_t base, left, within, element; /* left: elements of this block */

    __device__ void begin(int64_t i)
    {
        const uint32_t at = (uint32_t)i % block, place = at / inner;
        base = (uint32_t)i / block * block_step;
        left = block - at;
        within = at - place * inner;
        element = place % elements;
    }
    __device__ float operator()(float a, float)
    {
        const float y = combine<OPERATION>(a, load(&second[base + element]));
        if (++within == inner) {
            within = 0;
            element = element + 1 == elements ? 0 : element + 1;
        }
        if (--left == 0) {
            left = block;
            base += block_step;
            within = element = 0;
        }
        return y;
    }
};

template <class T, int OPERATION>
static cudaError_t launch_operation(T *output, const T *a, const T *b, int64_t count,
                                    const struct repeated_layout *layout, cudaStream_t stream)
{
    if (!layout) {
        const map_tensors<T, 2> both = {output, {a, b}, count, 0};
        return launch_map(both, of_both<OPERATION>{}, stream);
    }
    const map_tensors<T, 1> first = {output, {a}, count, 0};
    const with_repeated<T, OPERATION> f = {b,
                                           (uint32_t)layout->block,
                                           (uint32_t)layout->block_step,
                                           (uint32_t)layout->inner,
                                           (uint32_t)layout->elements,
                                           0,
                                           0,
                                           0,
                                           0};
    return launch_map(first, f, stream);
}

extern "C" cudaError_t launch_binary(void *output, const void *a, const void *b, int64_t count,
                                     const struct repeated_layout *layout, int32_t operation,
                                     int32_t precision, cudaStream_t stream)
{
    return by_precision(precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        T *to = (T *)output;
        const T *first = (const T *)a, *second = (const T *)b;
        switch (operation) {
#define LAUNCH(value, text)                                                                        \
    case value:                                                                                    \
        return launch_operation<T, value>(to, first, second, count, layout, stream);
            BINARY_LIST(LAUNCH)
        default:
            return cudaErrorInvalidValue;
        }
    });
}

/* ---- gradients ---- */

struct negative {
    __device__ void begin(int64_t)
    {
    }
    __device__ float operator()(float x, float)
    {
        return -x;
    }
};

extern "C" cudaError_t launch_negative(void *output, const void *input, int64_t count,
                                       int32_t precision, cudaStream_t stream)
{
    return by_precision(precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        const map_tensors<T, 1> tensors = {(T *)output, {(const T *)input}, count, 0};
        return launch_map(tensors, negative{}, stream);
    });
}

/* -x a / b^2 */
template <class T> struct divisor_gradient {
    const T *b;
    int64_t i;

    __device__ void begin(int64_t first)
    {
        i = first;
    }
    __device__ float operator()(float x, float a)
    {
        const float divisor = load(&b[i++]);
        return -x * a / (divisor * divisor);
    }
};

extern "C" cudaError_t launch_divisor_gradient(void *output, const void *x, const void *a,
                                               const void *b, int64_t count, int32_t precision,
                                               cudaStream_t stream)
{
    return by_precision(precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        const map_tensors<T, 2> tensors = {(T *)output, {(const T *)x, (const T *)a}, count, 0};
        return launch_map(tensors, divisor_gradient<T>{(const T *)b, 0}, stream);
    });
}

template <class T> struct divisor_share {
    const T *b;
    int64_t i;

    __device__ void begin(int64_t first)
    {
        i = first;
    }
    __device__ float operator()(float x, float)
    {
        const float divisor = load(&b[i++]);
        return -x / (divisor * divisor);
    }
};

extern "C" cudaError_t launch_divisor_share(void *output, const void *x, const void *b,
                                            int64_t count, int32_t precision, cudaStream_t stream)
{
    return by_precision(precision, [&](auto *type) {
        typedef std::remove_pointer_t<decltype(type)> T;
        const map_tensors<T, 1> tensors = {(T *)output, {(const T *)x}, count, 0};
        return launch_map(tensors, divisor_share<T>{(const T *)b, 0}, stream);
    });
}
