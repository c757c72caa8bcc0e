/* Blocks run one after the other; the threads of a block are fibers that give way at barriers and
 * shuffles alone. Under AddressSanitizer and ThreadSanitizer each fiber is announced; for the
 * latter this file itself must be built without it, so that a barrier orders memory and nothing
 * else does.
 */
#include "cuda_runtime.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define SHIM_ADDRESS 1
#else
#define SHIM_ADDRESS 0
#endif

/* ThreadSanitizer's fibers, where the program is linked with it. */
extern "C" {
void *__tsan_get_current_fiber(void) __attribute__((weak));
void *__tsan_create_fiber(unsigned) __attribute__((weak));
void __tsan_destroy_fiber(void *) __attribute__((weak));
void __tsan_switch_to_fiber(void *, unsigned) __attribute__((weak));
void __tsan_acquire(void *) __attribute__((weak));
void __tsan_release(void *) __attribute__((weak));
void shim_switch(void **save, void *load);
}

/* Saves the registers that a call preserves on the old stack and takes them from the new one. */
asm(R"(.text
.globl shim_switch
.type shim_switch,@function
shim_switch:
    pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15
    movq %rsp,(%rdi)
    movq %rsi,%rsp
    popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp
    ret
.size shim_switch,.-shim_switch
)");

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace
{
const size_t stack_bytes = 64 * 1024, guard_bytes = 4096, page_bytes = 4096;
const unsigned warp_size = 32;

struct fiber {
    void *stack_pointer = nullptr;
    unsigned char *stack = nullptr;
    dim3 thread;
    unsigned number = 0, phase = 0;
    bool done = false, awaited = false;
    void *sanitizer_fiber = nullptr, *fake_stack = nullptr;
};

/* A meeting of `live` fibers, again and again. Two marks by turns: with one, an early comer's
 * release would leak into the next meeting and hide a race. */
struct meeting {
    unsigned live = 0, arrived = 0, generation = 0;
    char marks[2];
};

struct warp {
    meeting all;
    uint64_t values[2][warp_size];
};

struct block {
    char started, ended; /* marks: the caller before the fibers, the fibers before the caller */
    std::vector<fiber> fibers;
    std::vector<warp> warps;
    std::vector<unsigned> order;
    meeting all;
    unsigned next = 0;
    const std::function<void()> *body = nullptr;
    bool overlaps = false;
};

block current;
fiber caller, *running = &caller;
unsigned shuffle_seed, failing_calls;
cudaError_t failure, last_error;
unsigned long launch_count, legacy_count;
bool is_broken;

/* ---- time: of the host, and when the device has done what it was given ---- */
const shim_times default_times = {3, 6, 2, 0};
shim_times times = default_times;
double host_us, device_us;

void pass_device_time(double us)
{
    device_us = std::max(device_us, host_us) + us;
}
void *guarded;
size_t guarded_bytes;
bool guard_is_up;
#if SHIM_ADDRESS
const void *caller_stack;
size_t caller_stack_bytes;
#endif

void switch_to(fiber *next)
{
    fiber *from = running;
    running = next;
    threadIdx = next->thread;
    if (__tsan_switch_to_fiber)
        __tsan_switch_to_fiber(next->sanitizer_fiber, 1); /* 1: orders nothing */
#if SHIM_ADDRESS
    bool home = next == &caller;
    __sanitizer_start_switch_fiber(from->done ? nullptr : &from->fake_stack,
                                   home ? caller_stack : next->stack,
                                   home ? caller_stack_bytes : stack_bytes);
#endif
    shim_switch(&from->stack_pointer, next->stack_pointer);
#if SHIM_ADDRESS
    __sanitizer_finish_switch_fiber(from->fake_stack, nullptr, nullptr);
#endif
}

/* The next fiber in turn that is not done; the caller when all are. */
fiber *pick()
{
    for (size_t i = 0; i < current.fibers.size(); i++) {
        fiber *candidate = &current.fibers[current.order[current.next]];
        current.next = (current.next + 1) % (unsigned)current.fibers.size();
        if (!candidate->done)
            return candidate;
    }
    return &caller;
}

void yield()
{
    fiber *next = pick();
    if (next != running)
        switch_to(next);
}

void close_if_complete(meeting *meeting)
{
    if (meeting->live && meeting->arrived == meeting->live) {
        meeting->arrived = 0;
        meeting->generation++;
    }
}

void meet(meeting *meeting, bool orders_memory)
{
    unsigned generation = meeting->generation;
    if (orders_memory && __tsan_release)
        __tsan_release(&meeting->marks[generation & 1]);
    meeting->arrived++;
    close_if_complete(meeting);
    while (meeting->generation == generation)
        yield();
    if (orders_memory && __tsan_acquire)
        __tsan_acquire(&meeting->marks[generation & 1]);
}

/* A thread that has returned no longer counts in barriers, as on the device. */
void leave(meeting *meeting)
{
    meeting->live--;
    close_if_complete(meeting);
}

void fiber_main()
{
#if SHIM_ADDRESS
    __sanitizer_finish_switch_fiber(nullptr, &caller_stack, &caller_stack_bytes);
#endif
    if (__tsan_acquire)
        __tsan_acquire(&current.started);
    (*current.body)();
    if (current.overlaps && !running->awaited) {
        fputs("shim: a thread of an overlapping launch has not awaited its predecessor\n", stderr);
        abort();
    }
    if (__tsan_release)
        __tsan_release(&current.ended);
    running->done = true;
    leave(&current.all);
    leave(&current.warps[running->number / warp_size].all);
    switch_to(pick());
    abort(); /* nobody comes back to a fiber that is done */
}

void prepare_fiber(fiber *fiber, unsigned number, unsigned char *stack, dim3 size)
{
    *fiber = {};
    fiber->number = number;
    fiber->thread = dim3(number % size.x, number / size.x % size.y, number / (size.x * size.y));
    fiber->stack = stack;
    if (__tsan_create_fiber)
        fiber->sanitizer_fiber = __tsan_create_fiber(0);
#if SHIM_ADDRESS
    ASAN_UNPOISON_MEMORY_REGION(stack, stack_bytes);
#endif
    void **top = (void **)(stack + stack_bytes - 16);
    *--top = nullptr;
    *--top = (void *)fiber_main;
    for (int i = 0; i < 6; i++) /* the registers that shim_switch takes */
        *--top = nullptr;
    fiber->stack_pointer = top;
}

void order_fibers(unsigned threads, unsigned block_number)
{
    current.order.resize(threads);
    for (unsigned i = 0; i < threads; i++)
        current.order[i] = i;
    unsigned state = shuffle_seed + block_number;
    for (unsigned i = threads - 1; shuffle_seed && i > 0; i--) {
        state = state * 1664525u + 1013904223u;
        std::swap(current.order[i], current.order[(state >> 8) % (i + 1)]);
    }
}

void set_guard(bool up)
{
    if (guarded && guard_is_up != up)
        mprotect(guarded, guarded_bytes, up ? PROT_NONE : PROT_READ | PROT_WRITE);
    guard_is_up = guarded && up;
}

void run_block(dim3 size, unsigned char *stacks, unsigned block_number)
{
    unsigned threads = size.x * size.y * size.z;
    current.fibers.resize(threads);
    current.warps.assign((threads + warp_size - 1) / warp_size, warp());
    current.all = {};
    current.all.live = threads;
    current.next = 0;
    order_fibers(threads, block_number);
    for (unsigned i = 0; i < threads; i++) {
        prepare_fiber(&current.fibers[i], i, stacks + i * (stack_bytes + guard_bytes) + guard_bytes,
                      size);
        current.warps[i / warp_size].all.live++;
    }
    if (__tsan_release)
        __tsan_release(&current.started);
    caller.done = false;
    set_guard(current.overlaps);
    switch_to(pick());
    if (__tsan_acquire)
        __tsan_acquire(&current.ended);
    for (unsigned i = 0; i < threads && __tsan_destroy_fiber; i++)
        __tsan_destroy_fiber(current.fibers[i].sanitizer_fiber);
}

/* Stacks for the largest block, mapped once; an overflow hits the guard below each. */
unsigned char *map_stacks()
{
    const size_t count = 1024, bytes = count * (stack_bytes + guard_bytes);
    void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    for (size_t i = 0; i < count; i++)
        mprotect((unsigned char *)memory + i * (stack_bytes + guard_bytes), guard_bytes, PROT_NONE);
    return (unsigned char *)memory;
}

void run_grid(dim3 grid, dim3 size, bool overlaps, const std::function<void()> &body)
{
    static unsigned char *const stacks = map_stacks();
    if (__tsan_get_current_fiber)
        caller.sanitizer_fiber = __tsan_get_current_fiber();
    current.body = &body;
    current.overlaps = overlaps;
    blockDim = size;
    gridDim = grid;
    for (unsigned i = 0; i < grid.x * grid.y * grid.z; i++) {
        blockIdx = dim3(i % grid.x, i / grid.x % grid.y, i / (grid.x * grid.y));
        run_block(size, stacks, i);
    }
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
void barrier()
{
    meet(&current.all, true);
}

unsigned lane()
{
    return running->number % warp_size;
}

/* Shuffles are no fences: they order no memory. */
uint64_t exchange(uint64_t value, unsigned from)
{
    warp *own = &current.warps[running->number / warp_size];
    unsigned phase = running->phase ^= 1;
    own->values[phase][lane()] = value;
    meet(&own->all, false);
    return own->values[phase][from % warp_size];
}

void await_predecessor()
{
    running->awaited = true;
    set_guard(false);
}

cudaError_t launch(dim3 grid, dim3 size, cudaStream_t stream, bool overlaps,
                   std::function<void()> body)
{
    unsigned threads = size.x * size.y * size.z;
    if (threads == 0 || threads > 1024 || grid.x == 0 || grid.y == 0 || grid.y > 65535 ||
        grid.z == 0 || grid.z > 65535)
        return last_error = cudaErrorInvalidValue;
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
void shim_shuffle_threads(unsigned seed)
{
    shuffle_seed = seed;
}

void shim_fail_call(int calls, cudaError_t error)
{
    failing_calls = (unsigned)calls;
    failure = error;
}

unsigned long shim_launch_count(void)
{
    return launch_count;
}

void shim_guard(void *memory, size_t bytes)
{
    guarded = memory;
    guarded_bytes = (bytes + page_bytes - 1) / page_bytes * page_bytes;
}

unsigned long shim_legacy_count(void)
{
    return legacy_count;
}

void shim_set_times(const struct shim_times *wanted)
{
    times = wanted ? *wanted : default_times;
}

cudaError_t shim_pass_time(cudaStream_t stream, double us)
{
    return submit(stream, [=] { pass_device_time(us); });
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
    return version ? atoi(version) : 90;
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
    *pointer = aligned_alloc(page_bytes, (bytes + page_bytes - 1) / page_bytes * page_bytes);
    if (!*pointer)
        return cudaErrorMemoryAllocation;
    std::memset(*pointer, 0xFF, bytes);
#if SHIM_ADDRESS
    ASAN_POISON_MEMORY_REGION((char *)*pointer + bytes,
                              (page_bytes - bytes % page_bytes) % page_bytes);
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
    return submit(stream, [=] { std::memcpy(to, from, bytes); });
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind)
{
    return cudaMemcpyAsync(to, from, bytes, kind, nullptr);
}

cudaError_t cudaMemsetAsync(void *pointer, int value, size_t bytes, cudaStream_t stream)
{
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
