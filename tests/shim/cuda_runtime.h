/* The CUDA runtime as far as our kernels and their launchers use it, on the CPU: kernels run block
 * after block, one fiber a thread; streams run at once, or record into a graph while they capture.
 * A program that is built against this header instead of the toolkit's runs the same sources
 * without a GPU. What it cannot show: speed, bank conflicts, weak memory order, blocks at once.
 */
#ifndef SHIM_CUDA_RUNTIME_H
#define SHIM_CUDA_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#define CUDART_VERSION 13000
#define __host__
#define __device__
#define __global__
#define __constant__    static const
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static

#ifdef __cplusplus
extern "C" {
#define __restrict__ __restrict
#endif

typedef enum cudaError {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInsufficientDriver = 35,
    cudaErrorNoDevice = 100,
    cudaErrorNotReady = 600,
    cudaErrorIllegalAddress = 700,
    cudaErrorStreamCaptureInvalidated = 901,
} cudaError_t;

typedef struct shim_stream *cudaStream_t;
typedef struct shim_graph *cudaGraph_t, *cudaGraphExec_t;
typedef struct shim_event *cudaEvent_t;
enum cudaMemcpyKind {
    cudaMemcpyHostToHost,
    cudaMemcpyHostToDevice,
    cudaMemcpyDeviceToHost,
    cudaMemcpyDeviceToDevice,
    cudaMemcpyDefault
};
enum cudaStreamCaptureMode {
    cudaStreamCaptureModeGlobal,
    cudaStreamCaptureModeThreadLocal,
    cudaStreamCaptureModeRelaxed
};
enum cudaDeviceAttr {
    cudaDevAttrClockRate = 13,
    cudaDevAttrMultiProcessorCount = 16,
    cudaDevAttrMemoryClockRate = 36,
    cudaDevAttrGlobalMemoryBusWidth = 37,
    cudaDevAttrL2CacheSize = 38,
    cudaDevAttrComputeCapabilityMajor = 75,
    cudaDevAttrComputeCapabilityMinor = 76,
};
enum { cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2, cudaEventRecordExternal = 1 };
struct cudaDeviceProp {
    char name[256];
    size_t totalGlobalMem;
};

const char *cudaGetErrorName(cudaError_t error);
const char *cudaGetErrorString(cudaError_t error);
cudaError_t cudaGetLastError(void);
cudaError_t cudaGetDevice(int *device);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDeviceCount(int *count);
cudaError_t cudaDriverGetVersion(int *version);
int shim_ptx_version(void); /* of all kernels: 90, or what SHIM_PTX says */
cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute, int device);
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *properties, int device);
cudaError_t cudaDeviceGetPCIBusId(char *bus_id, int size, int device);
cudaError_t cudaRuntimeGetVersion(int *version);
cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total_bytes);

cudaError_t cudaMalloc(void **pointer, size_t bytes);
cudaError_t cudaFree(void *pointer);
cudaError_t cudaMallocHost(void **pointer, size_t bytes);
cudaError_t cudaFreeHost(void *pointer);
cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind,
                            cudaStream_t stream);
cudaError_t cudaMemsetAsync(void *pointer, int value, size_t bytes, cudaStream_t stream);

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *executable, cudaGraph_t graph,
                                 unsigned long long flags);
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream);
cudaError_t cudaGraphUpload(cudaGraphExec_t executable, cudaStream_t stream);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable);
cudaError_t cudaEventCreate(cudaEvent_t *event);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned flags);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaEventElapsedTime(float *elapsed_ms, cudaEvent_t from, cudaEvent_t to);
cudaError_t cudaEventQuery(cudaEvent_t event);

/* For tests. Threads of a block take turns in an order drawn from `seed`; 0: ascending. */
void shim_shuffle_threads(unsigned seed);
/* The call number `calls` from now on (1: the next) fails with `error`; 0: none. */
void shim_fail_call(int calls, cudaError_t error);
/* Kernel launches so far. */
unsigned long shim_launch_count(void);
/* Ends the program where the first thread of a block of an overlapping launch touches that memory,
 * of cudaMalloc, before it has awaited its predecessor; NULL: no memory. */
void shim_guard(void *memory, size_t bytes);
/* Copies and launches so far in the legacy stream, which non-blocking streams do not wait for. */
unsigned long shim_legacy_count(void);
/* Events read a clock of the shim's own: the host launches, and the device, when it has nothing
 * left to do, waits for it. All in us. */
struct shim_times {
    double kernel;        /* each takes so long */
    double graph_launch;  /* the host, for a graph ... */
    double kernel_launch; /* ... for a kernel outside one */
    double
        event_node; /* in a graph, between an event and what comes next; < 0: there may be none */
};
void shim_set_times(const struct shim_times *times); /* NULL: the default */
/* Work of a library: nothing but its time passes on the device. */
cudaError_t shim_library_call(cudaStream_t stream, const char *name, double us);
/* The same for one that computes: work(payload) runs whenever the call does, also when a graph of
 * it is launched. The payload is copied. */
cudaError_t shim_library_work(cudaStream_t stream, const char *name, double us,
                              void (*work)(const void *payload), const void *payload, size_t bytes);
/* Names the calls that reach a stream from here on, until they are read: "kernel 4x1, gemm, set 64"
 * (a kernel by its grid, cudaMemset and cudaMemcpy by their bytes). Valid until the next recording.
 */
void shim_record_calls(void);
const char *shim_recorded_calls(void);
/* Every call from here on fails, as after an illegal address. */
void shim_break_device(void);

#ifdef __cplusplus
}

#include <cmath>
#include <cstring>
#include <functional>

struct dim3 {
    unsigned x, y, z;
    dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_)
    {
    }
};
struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) [[gnu::may_alias]] float4 {
    float x, y, z, w;
};

/* Of the running fiber; written by the shim alone. */
extern dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace shim
{
void barrier();
uint64_t exchange(uint64_t value, unsigned lane); /* what that lane of the warp gave */
unsigned lane();
long long cycles();
void await_predecessor();
/* overlaps: every thread has to await the predecessor; the program ends where one does not. */
cudaError_t launch(dim3 grid, dim3 block, cudaStream_t stream, bool overlaps,
                   std::function<void()> body);

template <class T> T shuffle(T value, unsigned from)
{
    static_assert(sizeof(T) <= sizeof(uint64_t), "shuffles carry up to 8 bytes");
    uint64_t bits = 0;
    T result;
    std::memcpy(&bits, &value, sizeof value);
    bits = exchange(bits, from);
    std::memcpy(&result, &bits, sizeof result);
    return result;
}
} // namespace shim

static inline void __syncthreads()
{
    shim::barrier();
}
/* Reading the clock takes a while: a thread that waits for it gets there. */
static inline long long clock64()
{
    return shim::cycles();
}
template <class T> static inline T __shfl_sync(unsigned, T value, int from)
{
    return shim::shuffle(value, (unsigned)from);
}
template <class T> static inline T __shfl_xor_sync(unsigned, T value, int mask)
{
    return shim::shuffle(value, shim::lane() ^ (unsigned)mask);
}
static inline void __threadfence()
{
}
static inline unsigned atomicAdd(unsigned *value, unsigned more)
{
    unsigned before = *value;
    *value += more;
    return before;
}
static inline void cudaTriggerProgrammaticLaunchCompletion()
{
}
static inline void cudaGridDependencySynchronize()
{
    shim::await_predecessor();
}

struct cudaFuncAttributes {
    int ptxVersion;
};
template <class... Arguments>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *attributes, void (*)(Arguments...))
{
    attributes->ptxVersion = shim_ptx_version();
    return cudaSuccess;
}

enum cudaLaunchAttributeID { cudaLaunchAttributeProgrammaticStreamSerialization = 6 };
struct cudaLaunchAttribute {
    cudaLaunchAttributeID id;
    struct {
        int programmaticStreamSerializationAllowed;
    } val;
};
struct cudaLaunchConfig_t {
    dim3 gridDim, blockDim;
    size_t dynamicSmemBytes;
    cudaStream_t stream;
    cudaLaunchAttribute *attrs;
    unsigned numAttrs;
};
template <class... Expected, class... Actual>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t *config, void (*kernel)(Expected...),
                               Actual &&...arguments)
{
    std::function<void()> body = [kernel, arguments...] { kernel(arguments...); };
    bool overlaps = config->numAttrs > 0 &&
                    config->attrs->val.programmaticStreamSerializationAllowed;
    return shim::launch(config->gridDim, config->blockDim, config->stream, overlaps, body);
}
#endif

#endif
