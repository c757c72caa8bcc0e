/* A map of tensors: output = f(inputs...) of each element, 16 bytes per access. */
#ifndef EPOCHCAST_CUDA_ELEMENTWISE_MAP_CUH
#define EPOCHCAST_CUDA_ELEMENTWISE_MAP_CUH

#include "elementwise_storage.cuh"

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

#endif
