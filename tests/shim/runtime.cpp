/* The runtime's calls: devices, memory, streams, graphs and events, on a clock of their own. */
#include "cuda_runtime.h"
#include "fibers.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace
{
unsigned failing_calls;
cudaError_t failure, last_error;
unsigned long launch_count, legacy_count;
bool is_broken, calls_are_recorded;
std::string calls;

void record(const std::string &call)
{
    if (calls_are_recorded)
        calls += (calls.empty() ? "" : ", ") + call;
}

/* ---- time: of the host, and when the device has done what it was given ---- */
const shim_times default_times = {3, 6, 2, 0};
shim_times times = default_times;
double host_us, device_us;

void pass_device_time(double us)
{
    device_us = std::max(device_us, host_us) + us;
}

cudaError_t outcome()
{
    if (is_broken)
        return last_error = cudaErrorIllegalAddress;
    if (failing_calls && --failing_calls == 0)
        return last_error = failure;
    return cudaSuccess;
}
} // namespace

struct shim_graph {
    std::vector<std::function<void()>> nodes;
};
struct shim_stream {
    shim_graph *capturing = nullptr;
    bool is_invalid = false; /* its capture */
};
struct shim_event {
    bool recorded = false;
    double at_us = 0;
};

static cudaError_t submit(cudaStream_t stream, std::function<void()> work)
{
    cudaError_t error = outcome();
    legacy_count += !stream;
    if (error != cudaSuccess)
        return error;
    if (stream && stream->capturing)
        stream->capturing->nodes.push_back(std::move(work));
    else
        work();
    return cudaSuccess;
}

namespace shim
{
cudaError_t launch(dim3 grid, dim3 size, cudaStream_t stream, bool overlaps,
                   std::function<void()> body)
{
    unsigned threads = size.x * size.y * size.z;
    if (threads == 0 || threads > 1024 || grid.x == 0 || grid.y == 0 || grid.y > 65535 ||
        grid.z == 0 || grid.z > 65535)
        return last_error = cudaErrorInvalidValue;
    record("kernel " + std::to_string(grid.x) + "x" + std::to_string(grid.y));
    host_us += stream && stream->capturing ? 0 : times.kernel_launch;
    return submit(stream, [=] {
        launch_count++;
        pass_device_time(times.kernel);
        run_grid(grid, size, overlaps, body);
    });
}

long long cycles()
{
    const double cycles_per_us = 2000;
    pass_device_time(1);
    return (long long)(device_us * cycles_per_us);
}
} // namespace shim

extern "C" {
void shim_fail_call(int calls, cudaError_t error)
{
    failing_calls = (unsigned)calls;
    failure = error;
}

unsigned long shim_launch_count(void)
{
    return launch_count;
}

unsigned long shim_legacy_count(void)
{
    return legacy_count;
}

void shim_set_times(const struct shim_times *wanted)
{
    times = wanted ? *wanted : default_times;
}

void shim_record_calls(void)
{
    calls_are_recorded = true;
    calls.clear();
}

const char *shim_recorded_calls(void)
{
    calls_are_recorded = false;
    return calls.c_str();
}

cudaError_t shim_library_call(cudaStream_t stream, const char *name, double us)
{
    record(name);
    return submit(stream, [=] { pass_device_time(us); });
}

cudaError_t shim_library_work(cudaStream_t stream, const char *name, double us,
                              void (*work)(const void *payload), const void *payload, size_t bytes)
{
    const unsigned char *first = (const unsigned char *)payload;
    const std::vector<unsigned char> copy(first, first + bytes);
    record(name);
    return submit(stream, [=] {
        pass_device_time(us);
        work(copy.data());
    });
}

void shim_break_device(void)
{
    is_broken = true;
}

const char *cudaGetErrorName(cudaError_t error)
{
    return error == cudaSuccess ? "cudaSuccess" : "cudaErrorOfTheShim";
}

const char *cudaGetErrorString(cudaError_t error)
{
    return error == cudaErrorMemoryAllocation ? "out of memory" : "failure made by a test";
}

cudaError_t cudaGetLastError(void)
{
    return std::exchange(last_error, cudaSuccess);
}

cudaError_t cudaGetDevice(int *device)
{
    *device = 0;
    return outcome();
}

cudaError_t cudaSetDevice(int device)
{
    return device == 0 ? outcome() : cudaErrorInvalidValue;
}

cudaError_t cudaGetDeviceCount(int *count)
{
    *count = 1;
    return outcome();
}

cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute, int)
{
    static const struct {
        cudaDeviceAttr attribute;
        int value;
    } values[] = {{cudaDevAttrMultiProcessorCount, 4},
                  {cudaDevAttrComputeCapabilityMajor, 9},
                  {cudaDevAttrL2CacheSize, 1 << 16}};
    *value = 0;
    for (const auto &known : values)
        if (known.attribute == attribute)
            *value = known.value;
    return outcome();
}

cudaError_t cudaDriverGetVersion(int *version)
{
    *version = CUDART_VERSION;
    return outcome();
}

int shim_ptx_version(void)
{
    const char *version = getenv("SHIM_PTX");
    return version ? (int)strtol(version, nullptr, 10) : 90;
}

cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total_bytes)
{
    *free_bytes = *total_bytes = (size_t)1 << 28;
    return outcome();
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *properties, int)
{
    *properties = {"shim GPU", (size_t)1 << 28};
    return outcome();
}

cudaError_t cudaDeviceGetPCIBusId(char *, int, int)
{
    return cudaErrorInvalidValue;
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    *version = CUDART_VERSION;
    return outcome();
}

/* Fresh memory holds NaN: what nobody wrote shows. */
cudaError_t cudaMalloc(void **pointer, size_t bytes)
{
    cudaError_t error = outcome();
    if (error != cudaSuccess)
        return error;
    *pointer = aligned_alloc(shim::page_bytes,
                             (bytes + shim::page_bytes - 1) / shim::page_bytes * shim::page_bytes);
    if (!*pointer)
        return cudaErrorMemoryAllocation;
    std::memset(*pointer, 0xFF, bytes);
#if SHIM_ADDRESS
    ASAN_POISON_MEMORY_REGION((char *)*pointer + bytes,
                              (shim::page_bytes - bytes % shim::page_bytes) % shim::page_bytes);
#endif
    return cudaSuccess;
}

cudaError_t cudaFree(void *pointer)
{
    free(pointer);
    return cudaSuccess;
}

cudaError_t cudaMallocHost(void **pointer, size_t bytes)
{
    return cudaMalloc(pointer, bytes);
}

cudaError_t cudaFreeHost(void *pointer)
{
    return cudaFree(pointer);
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind,
                            cudaStream_t stream)
{
    record("copy " + std::to_string(bytes));
    return submit(stream, [=] { std::memcpy(to, from, bytes); });
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind)
{
    return cudaMemcpyAsync(to, from, bytes, kind, nullptr);
}

cudaError_t cudaMemsetAsync(void *pointer, int value, size_t bytes, cudaStream_t stream)
{
    record("set " + std::to_string(bytes));
    return submit(stream, [=] { std::memset(pointer, value, bytes); });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned)
{
    cudaError_t error = outcome();
    *stream = error == cudaSuccess ? new shim_stream : nullptr;
    return error;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    delete stream->capturing;
    delete stream;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    if (stream && stream->capturing) {
        stream->is_invalid = true;
        return last_error = cudaErrorStreamCaptureInvalidated;
    }
    host_us = std::max(host_us, device_us);
    return outcome();
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode)
{
    cudaError_t error = outcome();
    if (error == cudaSuccess)
        stream->capturing = new shim_graph;
    return error;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph)
{
    *graph = std::exchange(stream->capturing, nullptr);
    cudaError_t error = outcome();
    if (std::exchange(stream->is_invalid, false))
        error = last_error = cudaErrorStreamCaptureInvalidated;
    if (error != cudaSuccess)
        delete std::exchange(*graph, nullptr);
    return error;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *executable, cudaGraph_t graph, unsigned long long)
{
    cudaError_t error = outcome();
    *executable = error == cudaSuccess ? new shim_graph(*graph) : nullptr;
    return error;
}

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t)
{
    return outcome();
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream)
{
    host_us += times.graph_launch;
    return submit(stream, [=] {
        for (const std::function<void()> &node : executable->nodes)
            node();
    });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    delete graph;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable)
{
    delete executable;
    return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t *event)
{
    return cudaEventCreateWithFlags(event, 0);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned)
{
    cudaError_t error = outcome();
    *event = error == cudaSuccess ? new shim_event : nullptr;
    return error;
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    delete event;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t)
{
    event->recorded = true;
    event->at_us = std::max(host_us, device_us);
    return outcome();
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned flags)
{
    if (flags != cudaEventRecordExternal)
        return cudaEventRecord(event, stream);
    if (times.event_node < 0)
        return last_error = cudaErrorInvalidValue;
    return submit(stream, [=] {
        pass_device_time(0);
        event->recorded = true;
        event->at_us = device_us;
        pass_device_time(times.event_node);
    });
}

cudaError_t cudaEventSynchronize(cudaEvent_t)
{
    host_us = std::max(host_us, device_us);
    return outcome();
}

cudaError_t cudaEventElapsedTime(float *elapsed_ms, cudaEvent_t from, cudaEvent_t to)
{
    *elapsed_ms = (float)((to->at_us - from->at_us) / 1e3);
    return from->recorded && to->recorded ? outcome() : cudaErrorInvalidValue;
}

cudaError_t cudaEventQuery(cudaEvent_t)
{
    return outcome();
}
}
