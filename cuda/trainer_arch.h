/* What the trainer's kernels share on the device, and all that depends on its compute capability.
 *
 * The rule of overlapping launches (programmatic dependent launch): every kernel lets its successor
 * begin first thing, so that the successor's prologue runs beside it; and every thread of every
 * kernel calls await_predecessor() before it returns and before it touches memory that any kernel
 * writes. Earlier it reads its arguments and the jobs alone (struct net_job: copied before the
 * first launch, written by no kernel) and writes nothing but shared memory.
 *
 * Why that is enough: await_predecessor() returns when the predecessor's grid has ended and its
 * stores are visible. That grid had awaited its own predecessor, so all earlier ones have ended,
 * too: behind it a kernel may read and write as if launches did not overlap. A kernel that left it
 * out would break this chain for its successors, not for itself alone. The shim ends a program that
 * breaks the rule (shim_guard). Copies, memsets and graph launches in the stream wait for the last
 * kernel as always.
 */
#ifndef EPOCHCAST_CUDA_TRAINER_ARCH_H
#define EPOCHCAST_CUDA_TRAINER_ARCH_H

#include "trainer_kernels.h"

#if defined(__CUDACC__) && (!defined(__CUDA_ARCH__) || __CUDA_ARCH__ < 900)
#define OVERLAPS 0 /* launches that overlap: from Hopper on */
#else
#define OVERLAPS 1
#endif
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
#define COPIES_ASYNC 1 /* into shared memory: from Ampere on */
#else
#define COPIES_ASYNC 0
#endif

enum { LANES = 32 };

/* Blocks for so many items, at least one. */
static inline dim3 blocks_of(size_t items, size_t items_each)
{
    size_t blocks = (items + items_each - 1) / items_each;
    return dim3((unsigned)(blocks > 0 ? blocks : 1));
}

static __device__ inline void let_successor_begin()
{
#if OVERLAPS
    cudaTriggerProgrammaticLaunchCompletion();
#endif
}

static __device__ inline void await_predecessor()
{
#if OVERLAPS
    cudaGridDependencySynchronize();
#endif
}

/* A float into shared memory, or 0 where it is not `present`: then `from` is not read. It is there
 * after await_copies() and a barrier. Without branches around them ptxas keeps copies together. */
static __device__ inline void copy_async(float *to, const float *from, bool present)
{
#if COPIES_ASYNC
    uint32_t place = (uint32_t)__cvta_generic_to_shared(to), bytes = present ? 4 : 0;
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(place), "l"(from), "r"(bytes)
                 : "memory");
#else
    *to = present ? *from : 0;
#endif
}

/* Likewise four, all present or none; both addresses are multiples of 16. */
static __device__ inline void copy_four_async(float *to, const float *from, bool present)
{
#if COPIES_ASYNC
    uint32_t place = (uint32_t)__cvta_generic_to_shared(to), bytes = present ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(place), "l"(from), "r"(bytes)
                 : "memory");
#else
    const float4 none = {0, 0, 0, 0};
    *(float4 *)to = present ? *(const float4 *)from : none;
#endif
}

static __device__ inline void await_copies()
{
#if COPIES_ASYNC
    asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}

/* ---- nets ---- */

static __device__ inline const struct net_job &own_job(const struct nets &nets)
{
    return nets.jobs[blockIdx.z];
}

/* The block's net's part of an array; NULL stays NULL. */
template <class T> static __device__ inline T *own(T *first, const struct nets &nets)
{
    size_t offset = (size_t)blockIdx.z * nets.stride_bytes;
    return first ? (T *)((uintptr_t)first + offset) : nullptr;
}

/* Rows of the range that the net has. */
static __device__ inline int32_t own_rows(const struct row_range &range, const struct net_job &job)
{
    uint32_t rows = range.split == ROWS_TEST ? job.test_rows : job.train_rows;
    uint32_t left = rows > range.first ? rows - range.first : 0;
    return (int32_t)(left < range.limit ? left : range.limit);
}

static __device__ inline const float *own_inputs(const struct row_range &range,
                                                 const struct net_job &job, int32_t width)
{
    return (range.split == ROWS_TEST ? job.test_inputs : job.train_inputs) +
           (size_t)range.first * (size_t)width;
}

/* NULL: the job has none. */
static __device__ inline const float *own_offsets(const struct row_range &range,
                                                  const struct net_job &job, int32_t heads)
{
    const float *offsets = range.split == ROWS_TEST ? job.test_offsets : job.train_offsets;
    return offsets ? offsets + (size_t)range.first * (size_t)heads : nullptr;
}

static __device__ inline const float *own_targets(const struct row_range &range,
                                                  const struct net_job &job)
{
    return (range.split == ROWS_TEST ? job.test_targets : job.train_targets) + range.first;
}

/* ---- sums ---- */

/* In every lane, in an order that nothing changes. */
template <class T> static __device__ inline T warp_sum(T value)
{
    for (int mask = LANES / 2; mask > 0; mask /= 2)
        value += __shfl_xor_sync(0xFFFFFFFFu, value, mask);
    return value;
}

/* The largest that is a number, likewise. */
static __device__ inline float warp_largest(float value)
{
    for (int mask = LANES / 2; mask > 0; mask /= 2)
        value = fmaxf(value, __shfl_xor_sync(0xFFFFFFFFu, value, mask));
    return value;
}

/* In every thread of the block: warps' sums, then those in their order. All threads call it;
 * `scratch` is free again after the next barrier. */
template <int THREADS> static __device__ inline double block_sum(double value, double *scratch)
{
    value = warp_sum(value);
    if (threadIdx.x % LANES == 0)
        scratch[threadIdx.x / LANES] = value;
    __syncthreads();
    double sum = scratch[0];
    for (int warp = 1; warp < THREADS / LANES; warp++)
        sum += scratch[warp];
    return sum;
}

/* ---- launches ---- */

template <class... Expected, class... Actual>
static inline cudaError_t launch_nets(const struct launch *launch, const struct nets &nets,
                                      dim3 grid, unsigned threads, void (*kernel)(Expected...),
                                      const Actual &...arguments)
{
    cudaLaunchAttribute overlaps = {};
    overlaps.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    overlaps.val.programmaticStreamSerializationAllowed = 1;
    cudaLaunchConfig_t config = {};
    grid.z = (unsigned)nets.count;
    config.gridDim = grid;
    config.blockDim = dim3(threads);
    config.stream = launch->stream;
    config.attrs = &overlaps;
    config.numAttrs = launch->overlaps ? 1 : 0;
    return cudaLaunchKernelEx(&config, kernel, arguments...);
}

#endif
