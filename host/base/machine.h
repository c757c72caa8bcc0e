/* Memory and processor of this machine, from /proc and /sys. `root` is the folder that holds them:
 * "" is the machine itself, a test has its own. An unreadable figure is 0 or "".
 */
#ifndef EPOCHCAST_BASE_MACHINE_H
#define EPOCHCAST_BASE_MACHINE_H

#include <stdint.h>

/* Memory that this process may use: the least of the machine's, of the limits of its control groups
 * (containers, batch systems: cgroup v2 memory.max, v1 memory.limit_in_bytes, of the group and of
 * every group above it) and of its own limits (ulimit -v, -d). */
struct machine_memory {
    int64_t total_bytes;
    int64_t available_bytes; /* of it now; file caches count as available */
};
void machine_memory_read(struct machine_memory *memory, const char *root);

struct machine_processor {
    char model_name[64]; /* "AMD EPYC"; "" on most aarch64 machines */
    /* Vendor, family, model, stepping: "AuthenticAMD-25-17-1"; aarch64: implementer, part, variant,
     * revision: "0x41-0xd0c-0x3-1". */
    char identity[48];
    char microarchitecture[32];            /* "Zen 4"; "" unknown to microarchitecture_of */
    int64_t l1d_bytes, l2_bytes, l3_bytes; /* of the caches that the first processor uses */
    int64_t cache_bytes;                   /* the largest of them */
    int32_t socket_count, core_count;      /* of the machine; hyper-threads are one core */
    double clock_mhz;                      /* now */
};
void machine_processor_read(struct machine_processor *processor, const char *root);

/* Processors that this process may keep busy at a time: those it is bound to (taskset, cpusets), or
 * fewer where its control groups limit the time (v2 cpu.max, v1 cpu.cfs_quota_us); at least 1. */
int machine_usable_processors(const char *root);

/* Name of the microarchitecture. x86: vendor as CPUID has it, family, model and stepping as
 * /proc/cpuinfo has them; aarch64: implementer "0x41" and part number as family. "" unknown. */
const char *microarchitecture_of(const char *vendor, int family, int model, int stepping);

#endif
