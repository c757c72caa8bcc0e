/* Runs a grid: blocks one after the other; the threads of a block are fibers that give way only at
 * barriers and shuffles. Under AddressSanitizer and ThreadSanitizer each fiber is announced;
 * for the latter this file itself must be built without it, so that a barrier orders memory and
 * nothing else does.
 */
#include "fibers.h"

#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>
#include <utility>
#include <vector>

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
const size_t stack_bytes = 64 * 1024, guard_bytes = 4096;
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
unsigned shuffle_seed;
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
} // namespace

namespace shim
{
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
} // namespace shim

extern "C" {
void shim_shuffle_threads(unsigned seed)
{
    shuffle_seed = seed;
}

void shim_guard(void *memory, size_t bytes)
{
    guarded = memory;
    guarded_bytes = (bytes + shim::page_bytes - 1) / shim::page_bytes * shim::page_bytes;
}
}
