#include "onednn/processor.h"

#include <dnnl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_LIMIT = 256 };

/* Value after "key<spaces>:" of the first matching line of a /proc file; empty when absent. */
static void read_proc(char *value, const char *path, const char *key)
{
    char line[4 * TEXT_LIMIT];
    value[0] = '\0';
    FILE *file = fopen(path, "r");
    if (!file)
        return;
    while (fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, key, strlen(key)) != 0 || !colon)
            continue;
        colon += 1 + strspn(colon + 1, " \t");
        snprintf(value, TEXT_LIMIT, "%.*s", (int)strcspn(colon, "\n"), colon);
        break;
    }
    fclose(file);
}

static int64_t memory_bytes(const char *key, int64_t fallback)
{
    char value[TEXT_LIMIT];
    read_proc(value, "/proc/meminfo", key);
    return value[0] ? 1024 * strtoll(value, NULL, 10) : fallback;
}

int64_t processor_available_bytes(void)
{
    return memory_bytes("MemAvailable", INT64_C(1) << 30);
}

int64_t processor_cache_bytes(void)
{
    int64_t largest = 0;
    for (int index = 0; index < 8; index++) {
        char path[TEXT_LIMIT], unit = 'K';
        long size = 0;
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", index);
        FILE *file = fopen(path, "r");
        if (!file)
            break;
        int read = fscanf(file, "%ld%c", &size, &unit);
        fclose(file);
        int64_t bytes = read >= 1 ? (int64_t)size * (unit == 'M' ? 1 << 20 : 1 << 10) : 0;
        largest = bytes > largest ? bytes : largest;
    }
    return largest;
}

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

void processor_describe(struct device_info *info)
{
    char value[TEXT_LIMIT];
    const struct instruction_set *set = instruction_set();
    read_proc(value, "/proc/cpuinfo", "model name");
    snprintf(info->name, sizeof info->name, "%.63s", value[0] ? value : "unknown processor");
    snprintf(info->technology, sizeof info->technology, "%s", set->name);
    read_proc(value, "/proc/cpuinfo", "cpu MHz");
    double clock_mhz = strtod(value, NULL);
    info->clock_mhz = clock_mhz > 0 ? clock_mhz : NAN;
    info->memory_bytes = memory_bytes("MemTotal", 0);
    info->cache_bytes = processor_cache_bytes();
    info->core_count = info->thread_count;
    info->peak_gflops = set->flops_per_cycle * info->clock_mhz * info->thread_count / 1e3;
    info->bandwidth_gbps = NAN; // no portable source; see measured_copy_gbps
    info->measured_copy_gbps = info->measured_sgemm_gflops = info->measured_call_latency_us = NAN;
}
