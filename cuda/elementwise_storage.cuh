/* What the elementwise kernels share: storage types, grids. */
#ifndef EPOCHCAST_CUDA_ELEMENTWISE_STORAGE_CUH
#define EPOCHCAST_CUDA_ELEMENTWISE_STORAGE_CUH

#include "elementwise.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <string.h>
#include <type_traits>

static const int THREADS = 256;
static const int64_t BLOCK_LIMIT = 65535;

/* ---- storage types ---- */

static __device__ inline float load(const float *from)
{
    return *from;
}
static __device__ inline float load(const __half *from)
{
    return __half2float(*from);
}
static __device__ inline float load(const __nv_bfloat16 *from)
{
    return __bfloat162float(*from);
}
static __device__ inline void store(float *to, float value)
{
    *to = value;
}
static __device__ inline void store(__half *to, float value)
{
    *to = __float2half_rn(value);
}
static __device__ inline void store(__nv_bfloat16 *to, float value)
{
    *to = __float2bfloat16_rn(value);
}

/* 16 bytes of a storage type: one access. */
template <class T> struct alignas(16) pack {
    T values[16 / sizeof(T)];
};

template <class T> static __device__ inline pack<T> load_pack(const T *from)
{
    const float4 bits = *(const float4 *)from;
    pack<T> result;
    memcpy(&result, &bits, sizeof result);
    return result;
}
template <class T> static __device__ inline void store_pack(T *to, const pack<T> &from)
{
    float4 bits;
    memcpy(&bits, &from, sizeof bits);
    *(float4 *)to = bits;
}

static cudaLaunchConfig_t grid_of(int64_t threads, cudaStream_t stream)
{
    int64_t blocks = (threads + THREADS - 1) / THREADS;
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3((unsigned)(blocks < 1 ? 1 : blocks < BLOCK_LIMIT ? blocks : BLOCK_LIMIT));
    config.blockDim = dim3(THREADS);
    config.stream = stream;
    return config;
}

/* Grid-stride loop over `count` elements. */
#define EACH_INDEX(i, count)                                                                       \
    for (int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x; i < (count);                     \
         i += (int64_t)gridDim.x * THREADS)

/* Launches kernel<T>(arguments...) for the precision's storage type T; `arguments` is a function of
 * a T pointer that returns the launch's error. */
template <class Launch> static cudaError_t by_precision(int32_t precision, Launch launch)
{
    switch (precision) {
    case PRECISION_FP16:
    case PRECISION_AMP:
        return launch((__half *)NULL);
    case PRECISION_BF16:
        return launch((__nv_bfloat16 *)NULL);
    default:
        return launch((float *)NULL);
    }
}

#endif
