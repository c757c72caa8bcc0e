#include "onednn/processor.h"

#include "base/machine.h"

#include <dnnl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_LIMIT = 256 };

/* A number of a /proc or /sys file, after `key`; NaN when absent. */
static double read_number(const char *path, const char *key)
{
    char line[TEXT_LIMIT];
    FILE *file = fopen(path, "r");
    if (!file)
        return NAN;
    const char *at = fgets(line, sizeof line, file) ? strstr(line, key) : NULL;
    fclose(file);
    return at ? strtod(at + strlen(key), NULL) : NAN;
}

void processor_conditions(struct conditions *conditions)
{
    *conditions = (struct conditions){
        .sm_clock_mhz = read_number("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "") /
                        1e3,
        .maximum_sm_clock_mhz = NAN,
        .temperature_c = read_number("/sys/class/thermal/thermal_zone0/temp", "") / 1e3,
        .stall_ms = read_number("/proc/pressure/cpu", "total=") / 1e3,
    };
}

/* What the library will use, widest first. Operations a cycle and core: two fused units. */
struct instruction_set {
    dnnl_cpu_isa_t isa;
    const char *name;
    int vector_floats;
    double flops_per_cycle;
};
static const struct instruction_set *instruction_set(void)
{
    static const struct instruction_set sets[] = {
        {dnnl_cpu_isa_avx512_core, "x86-64 avx512", 16, 64},
        {dnnl_cpu_isa_avx2, "x86-64 avx2", 8, 32},
        {dnnl_cpu_isa_sse41, "x86-64 sse4.1", 4, 8},
        {(dnnl_cpu_isa_t)0, "generic", 4, NAN}, /* contained in all */
    };
    const struct instruction_set *set = sets;
    while ((dnnl_get_effective_cpu_isa() & set->isa) != set->isa)
        set++;
    return set;
}

int processor_vector_floats(void)
{
    return instruction_set()->vector_floats;
}

/* aarch64 systems do not name their processors. */
static const char *name_of(const struct machine_processor *processor)
{
    return processor->model_name[0]          ? processor->model_name
           : processor->microarchitecture[0] ? processor->microarchitecture
                                             : "unknown processor";
}

void processor_describe(struct device_info *info)
{
    struct machine_processor processor;
    struct machine_memory memory;
    const struct instruction_set *set = instruction_set();
    machine_processor_read(&processor, "");
    machine_memory_read(&memory, "");
    snprintf(info->name, sizeof info->name, "%s", name_of(&processor));
    snprintf(info->technology, sizeof info->technology, "%s", set->name);
    snprintf(info->processor, sizeof info->processor, "%s", processor.identity);
    snprintf(info->microarchitecture, sizeof info->microarchitecture, "%s",
             processor.microarchitecture);
    info->l1d_bytes = processor.l1d_bytes;
    info->l2_bytes = processor.l2_bytes;
    info->l3_bytes = processor.l3_bytes;
    info->socket_count = processor.socket_count;
    info->machine_core_count = processor.core_count;
    info->clock_mhz = processor.clock_mhz;
    info->memory_bytes = memory.total_bytes;
    info->cache_bytes = processor.cache_bytes;
    info->core_count = info->thread_count;
    info->peak_gflops = set->flops_per_cycle * info->clock_mhz * info->thread_count / 1e3;
    info->bandwidth_gbps = NAN; // no portable source; see measured_copy_gbps
    info->measured_copy_gbps = info->measured_sgemm_gflops = info->measured_call_latency_us = NAN;
}
