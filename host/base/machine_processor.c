#include "base/machine.h"

#include "base/machine_cgroup.h"
#include "base/machine_file.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LIMIT = 16, PROCESSOR_LIMIT = 4096, OFFLINE_LIMIT = 64 };

/* ---- /proc/cpuinfo ---- */

/* The value of the first processor, cut at the end of its line; "" when it has none. */
static void copy_value(char *value, size_t size, const char *cpuinfo, const char *key)
{
    const char *found = machine_value(cpuinfo, key);
    const int length = found ? (int)strcspn(found, "\n") : 0;
    snprintf(value, size, "%.*s", length, found ? found : "");
}

static int number_of(const char *cpuinfo, const char *key)
{
    const char *value = machine_value(cpuinfo, key);
    return value ? (int)strtol(value, NULL, 0) : -1;
}

static void identify(struct machine_processor *processor, const char *cpuinfo)
{
    char vendor[16], variant[8];
    const size_t size = sizeof processor->identity;
    copy_value(vendor, sizeof vendor, cpuinfo, "vendor_id");
    int family = number_of(cpuinfo, "cpu family"), model = number_of(cpuinfo, "model"),
        stepping = number_of(cpuinfo, "stepping");
    if (*vendor && family >= 0) {
        snprintf(processor->identity, size, "%s-%d-%d-%d", vendor, family, model, stepping);
    } else {
        copy_value(vendor, sizeof vendor, cpuinfo, "CPU implementer");
        copy_value(variant, sizeof variant, cpuinfo, "CPU variant");
        family = number_of(cpuinfo, "CPU part");
        model = stepping = number_of(cpuinfo, "CPU revision");
        if (*vendor && family >= 0)
            snprintf(processor->identity, size, "%s-0x%03x-%s-%d", vendor, (unsigned)family,
                     variant, stepping);
    }
    snprintf(processor->microarchitecture, sizeof processor->microarchitecture, "%s",
             microarchitecture_of(vendor, family, model, stepping));
}

/* ---- /sys: caches ---- */

static int64_t cache_size(const char *text)
{
    char *unit;
    const int64_t number = strtoll(text, &unit, 10);
    return number << (*unit == 'G' ? 30 : *unit == 'M' ? 20 : *unit == 'K' ? 10 : 0);
}

static void read_caches(struct machine_processor *processor, const char *root)
{
    int64_t *const of_level[] = {NULL, &processor->l1d_bytes, &processor->l2_bytes,
                                 &processor->l3_bytes};
    for (int index = 0; index < CACHE_LIMIT; index++) {
        static const char folder[] = "/sys/devices/system/cpu/cpu0/cache";
        char size[MACHINE_TEXT_LIMIT], type[MACHINE_TEXT_LIMIT];
        if (!machine_file(size, root, "%s/index%d/size", folder, index))
            break;
        machine_file(type, root, "%s/index%d/type", folder, index);
        const int64_t level = machine_number(root, "%s/index%d/level", folder, index);
        const int64_t bytes = cache_size(size);
        if (level >= 1 && level <= 3 && strcmp(type, "Instruction") != 0)
            *of_level[level] = bytes;
        processor->cache_bytes = bytes > processor->cache_bytes ? bytes : processor->cache_bytes;
    }
}

/* ---- /sys: sockets and cores ---- */

static int compare_numbers(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int32_t count_distinct(int64_t *numbers, int count)
{
    int32_t distinct = count > 0;
    qsort(numbers, (size_t)count, sizeof *numbers, compare_numbers);
    for (int i = 1; i < count; i++)
        distinct += numbers[i] != numbers[i - 1];
    return distinct;
}

/* Processors that are switched off have no topology. */
static void read_topology(struct machine_processor *processor, const char *root)
{
    int64_t sockets[PROCESSOR_LIMIT], cores[PROCESSOR_LIMIT];
    int count = 0, missing = 0;
    for (int i = 0; i < PROCESSOR_LIMIT && missing < OFFLINE_LIMIT; i++) {
        static const char folder[] = "/sys/devices/system/cpu";
        const int64_t core = machine_number(root, "%s/cpu%d/topology/core_id", folder, i);
        missing = core < 0 ? missing + 1 : 0;
        if (core < 0)
            continue;
        const int64_t socket = machine_number(root, "%s/cpu%d/topology/physical_package_id", folder,
                                              i);
        sockets[count] = socket > 0 ? socket : 0;
        cores[count] = sockets[count] << 32 | core;
        count++;
    }
    processor->core_count = count_distinct(cores, count);
    processor->socket_count = count_distinct(sockets, count);
}

void machine_processor_read(struct machine_processor *processor, const char *root)
{
    char cpuinfo[MACHINE_TEXT_LIMIT];
    *processor = (struct machine_processor){.clock_mhz = NAN};
    machine_file(cpuinfo, root, "/proc/cpuinfo");
    copy_value(processor->model_name, sizeof processor->model_name, cpuinfo, "model name");
    identify(processor, cpuinfo);
    const char *clock = machine_value(cpuinfo, "cpu MHz");
    const double clock_mhz = clock ? strtod(clock, NULL) : 0;
    processor->clock_mhz = clock_mhz > 0 ? clock_mhz : NAN;
    read_caches(processor, root);
    read_topology(processor, root);
}

/* ---- processors that may be used ---- */

/* Processors' time per time, of one group: v2 "max 100000" or "150000 100000"; v1 two files. */
static void lower_by_quota(void *payload, const char *root, const char *folder, bool is_unified)
{
    double *processors = payload, quota_us = -1, period_us = -1;
    char text[MACHINE_TEXT_LIMIT];
    if (is_unified && machine_file(text, root, "%s/cpu.max", folder)) {
        if (sscanf(text, "%lf %lf", &quota_us, &period_us) != 2)
            return;
    } else if (!is_unified) {
        quota_us = (double)machine_number(root, "%s/cpu.cfs_quota_us", folder);
        period_us = (double)machine_number(root, "%s/cpu.cfs_period_us", folder);
    }
    if (quota_us > 0 && period_us > 0)
        *processors = fmin(*processors, quota_us / period_us);
}

int machine_usable_processors(const char *root)
{
    cpu_set_t bound;
    const int count = sched_getaffinity(0, sizeof bound, &bound) == 0 ? CPU_COUNT(&bound) : 1;
    double processors = count;
    machine_each_group(root, "cpu", lower_by_quota, &processors);
    return processors > 1 ? (int)ceil(processors) : 1;
}
