/* The cpu backend: oneDNN on this machine's processor. One thread unless told otherwise: on a
 * shared machine a spinning barrier against a preempted partner spoils every measurement.
 */
#include "onednn/cpu_plan.h"
#include "onednn/processor.h"
#include "onednn/speed.h"
#include "onednn/version.h"

#include "base/machine.h"
#include "base/philox.h"

#include <errno.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

extern const struct backend backend_cpu;

static const int64_t arena_limit_bytes = INT64_C(8) << 30, arena_minimum_bytes = 64 << 20,
                     unknown_arena_bytes = 512 << 20, flush_minimum_bytes = 64 << 20,
                     page_bytes = 4096;

static enum status cpu_device_count(int *count, struct error *error)
{
    (void)error;
    *count = 1;
    return STATUS_OK;
}

/* CLOCK_MONOTONIC_RAW: not slewed by NTP. */
static double raw_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}

/* One thread asks for its own count: it is the cheaper call, and samples are short. */
static long involuntary_switches(const struct cpu_device *cpu)
{
    struct rusage usage;
    getrusage(cpu->thread_count == 1 ? RUSAGE_THREAD : RUSAGE_SELF, &usage);
    return usage.ru_nivcsw;
}

static void *map_memory(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* Half of the memory that is free, within the arena's limits. */
static int64_t default_arena_bytes(void)
{
    struct machine_memory memory;
    machine_memory_read(&memory, "");
    const int64_t bytes = memory.total_bytes > 0 ? memory.available_bytes / 2 : unknown_arena_bytes;
    return bytes < arena_minimum_bytes ? arena_minimum_bytes
           : bytes > arena_limit_bytes ? arena_limit_bytes
                                       : bytes;
}

/* The arena is mapped, not touched: a config pays for what it uses. One whose size nobody asked for
 * is halved until the system grants it. */
static enum status map_arena(struct cpu_device *cpu, int64_t wanted_bytes, struct error *error)
{
    int64_t bytes = wanted_bytes ? wanted_bytes : default_arena_bytes();
    bytes -= bytes % page_bytes;
    cpu->arena = bytes > 0 ? map_memory((size_t)bytes) : NULL;
    while (!cpu->arena && !wanted_bytes && bytes / 2 >= arena_minimum_bytes) {
        bytes = bytes / 2 - bytes / 2 % page_bytes;
        cpu->arena = map_memory((size_t)bytes);
    }
    cpu->arena_bytes = cpu->arena ? (size_t)bytes : 0;
    if (cpu->arena)
        return STATUS_OK;
    FAIL(error, STATUS_NO_DEVICE, "cpu: cannot map an arena of %lld bytes: %s", (long long)bytes,
         strerror(errno));
    return HINT(error, STATUS_NO_DEVICE,
                "'ulimit -v' or the container limits this process's memory: raise the limit");
}

static enum status fill_noise_block(struct cpu_device *cpu, uint64_t seed, struct error *error)
{
    cpu->noise = map_memory(CPU_NOISE_COUNT * sizeof *cpu->noise);
    if (!cpu->noise)
        return FAIL(error, STATUS_NO_DEVICE, "cpu: no memory for the noise block");
    for (uint32_t i = 0; i < CPU_NOISE_COUNT; i += 4) {
        struct philox_words words = philox(i / 4, 0, 0, PHILOX_NOISE, seed);
        for (uint32_t j = 0; j < 4; j++)
            cpu->noise[i + j] = 2 * philox_uniform(words.word[j]) - 1;
    }
    return STATUS_OK;
}

static enum status create_engine(struct cpu_device *cpu, struct error *error)
{
    dnnl_status_t status = dnnl_engine_create(&cpu->target.engine, dnnl_cpu, 0);
    if (status == dnnl_success)
        status = dnnl_stream_create(&cpu->stream, cpu->target.engine, dnnl_stream_default_flags);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_create(&cpu->target.attributes);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(cpu->target.attributes,
                                                         dnnl_scratchpad_mode_user);
    if (status != dnnl_success)
        return FAIL(error, STATUS_NO_DEVICE, "cpu: oneDNN has no engine on this machine: status %d",
                    (int)status);
    return STATUS_OK;
}

static void cpu_close(struct device *device)
{
    struct cpu_device *cpu = (struct cpu_device *)device;
    dnnl_primitive_attr_destroy(cpu->target.attributes);
    dnnl_stream_destroy(cpu->stream);
    dnnl_engine_destroy(cpu->target.engine);
    if (cpu->arena)
        munmap(cpu->arena, cpu->arena_bytes);
    if (cpu->noise)
        munmap(cpu->noise, CPU_NOISE_COUNT * sizeof *cpu->noise);
    free(cpu);
}

static enum status fill_device(struct cpu_device *cpu, const struct device_options *options,
                               struct error *error)
{
    TRY(map_arena(cpu, options->arena_bytes, error));
    TRY(fill_noise_block(cpu, options->seed, error));
    return create_engine(cpu, error);
}

static enum status cpu_open(struct device **device, int index, const struct device_options *options,
                            struct error *error)
{
    (void)index;
    struct cpu_device *cpu;
    TRY(ALLOCATE(&cpu, 1, "cpu device", error));
    cpu->base.backend = &backend_cpu;
    cpu->thread_count = options->thread_count > 0 ? options->thread_count : 1;
    struct machine_processor processor;
    machine_processor_read(&processor, "");
    const int64_t cache_bytes = processor.cache_bytes;
    cpu->cache_bytes = cache_bytes;
    cpu->flush_bytes = (size_t)(2 * cache_bytes > flush_minimum_bytes ? 2 * cache_bytes
                                                                      : flush_minimum_bytes);
    omp_set_num_threads(cpu->thread_count);
    dnnl_set_primitive_cache_capacity(0); // a cached primitive would make setup_ms too short
    enum status status = fill_device(cpu, options, error);
    *device = &cpu->base;
    if (status != STATUS_OK) {
        cpu_close(&cpu->base);
        *device = NULL;
    }
    return status;
}

static enum status cpu_timer_start(struct device *device, struct error *error)
{
    (void)error;
    struct cpu_device *cpu = (struct cpu_device *)device;
    cpu->involuntary_switches = involuntary_switches(cpu);
    cpu->started_ms = raw_clock_ms();
    return STATUS_OK;
}

static enum status cpu_timer_stop(struct device *device, double *elapsed_ms, struct error *error)
{
    struct cpu_device *cpu = (struct cpu_device *)device;
    if (dnnl_stream_wait(cpu->stream) != dnnl_success)
        return FAIL(error, STATUS_FAILED, "oneDNN: waiting for the stream failed");
    *elapsed_ms = raw_clock_ms() - cpu->started_ms;
    return STATUS_OK;
}

/* Preempted since timer_start. */
static bool cpu_disturbed(struct device *device)
{
    const struct cpu_device *cpu = (const struct cpu_device *)device;
    return involuntary_switches(cpu) != cpu->involuntary_switches;
}

/* Writes twice the last-level cache, where the arena is free; where less is free the layers are
 * larger than the cache. */
static void cpu_flush_cache(struct device *device)
{
    struct cpu_device *cpu = (struct cpu_device *)device;
    volatile unsigned char *end = cpu->arena + cpu->arena_bytes - cpu->written_bytes;
    size_t bytes = (size_t)(end - cpu->arena) - cpu->noise_bytes;
    bytes = bytes < cpu->flush_bytes ? bytes : cpu->flush_bytes;
    for (size_t i = 64; i <= bytes; i += 64)
        *(end - i) += 1;
}

static void cpu_room(struct device *device, struct operand_room *room)
{
    const struct cpu_device *cpu = (const struct cpu_device *)device;
    *room = (struct operand_room){
        .cache_bytes = cpu->cache_bytes,
        .free_bytes = (int64_t)(cpu->arena_bytes - cpu->read_bytes - cpu->written_bytes)};
}

static void cpu_reset(struct device *device)
{
    struct cpu_device *cpu = (struct cpu_device *)device;
    cpu->read_bytes = cpu->written_bytes = 0;
}

static enum status cpu_describe(struct device *device, bool measure, struct device_info *info,
                                struct error *error)
{
    struct cpu_device *cpu = (struct cpu_device *)device;
    *info = (struct device_info){.backend = "cpu",
                                 .connectivity = "memory bus",
                                 .device_count = 1,
                                 .thread_count = cpu->thread_count};
    onednn_version(info->library, sizeof info->library);
    processor_describe(info);
    return measure ? cpu_measure_speed(info, cpu, error) : STATUS_OK;
}

static void cpu_conditions(struct device *device, struct conditions *conditions)
{
    (void)device;
    processor_conditions(conditions);
}

#define CPU_BENCH(KIND, kind) [LAYER_##KIND] = &cpu_bench,
const struct backend backend_cpu = {
    .name = "cpu",
    .help = "this machine's processor, with oneDNN",
    .timing = TIMING_HOST_CLOCK,
    .device_count = cpu_device_count,
    .open = cpu_open,
    .close = cpu_close,
    .describe = cpu_describe,
    .timer_start = cpu_timer_start,
    .timer_stop = cpu_timer_stop,
    .flush_cache = cpu_flush_cache,
    .room = cpu_room,
    .reset = cpu_reset,
    .disturbed = cpu_disturbed,
    .conditions = cpu_conditions,
    .bench = {LAYER_KINDS(CPU_BENCH)},
};
