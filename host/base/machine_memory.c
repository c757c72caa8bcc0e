#include "base/machine.h"

#include "base/machine_cgroup.h"
#include "base/machine_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void lower(int64_t *value, int64_t limit)
{
    if (limit >= 0 && limit < *value)
        *value = limit;
}

/* ---- control groups ---- */

/* The names of the controller's files, by version. */
struct group_files {
    const char *limit, *usage, *cached;
};
static const struct group_files legacy = {"memory.limit_in_bytes", "memory.usage_in_bytes",
                                          "total_inactive_file"},
                                unified = {"memory.max", "memory.current", "inactive_file"};

/* The limit of one group, and what is left of it. */
static void lower_by_group(void *payload, const char *root, const char *folder, bool is_unified)
{
    struct machine_memory *memory = payload;
    const struct group_files *files = is_unified ? &unified : &legacy;
    char text[MACHINE_TEXT_LIMIT];
    const int64_t limit = machine_number(root, "%s/%s", folder, files->limit);
    const int64_t used = machine_number(root, "%s/%s", folder, files->usage);
    if (limit < 0)
        return;
    machine_file(text, root, "%s/memory.stat", folder);
    const char *cached = machine_value(text, files->cached);
    const int64_t busy = used - (cached ? strtoll(cached, NULL, 10) : 0);
    lower(&memory->total_bytes, limit);
    lower(&memory->available_bytes, busy > limit ? 0 : busy > 0 ? limit - busy : limit);
}

/* ---- the process's own limits ---- */

/* pages: column of /proc/self/statm with what counts against the limit. */
static void lower_by_limit(struct machine_memory *memory, const char *root,
                           __rlimit_resource_t resource, int column)
{
    char text[MACHINE_TEXT_LIMIT];
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return;
    machine_file(text, root, "/proc/self/statm");
    const char *at = text;
    for (; column > 0 && at; column--)
        at = (at = strchr(at, ' ')) ? at + 1 : NULL;
    const int64_t used = at ? strtoll(at, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
    const int64_t bytes = limit.rlim_cur > INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_cur;
    lower(&memory->total_bytes, bytes);
    lower(&memory->available_bytes, bytes > used ? bytes - used : 0);
}

/* Of a line "MemTotal:  25165824 kB" of /proc/meminfo; 0: none. */
static int64_t bytes_of(const char *meminfo, const char *key)
{
    const char *value = machine_value(meminfo, key);
    return value ? 1024 * strtoll(value, NULL, 10) : 0;
}

void machine_memory_read(struct machine_memory *memory, const char *root)
{
    char meminfo[MACHINE_TEXT_LIMIT];
    machine_file(meminfo, root, "/proc/meminfo");
    memory->total_bytes = bytes_of(meminfo, "MemTotal");
    memory->available_bytes = bytes_of(meminfo, "MemAvailable");
    if (memory->total_bytes == 0)
        return;
    machine_each_group(root, "memory", lower_by_group, memory);
    lower_by_limit(memory, root, RLIMIT_AS, 0);
    lower_by_limit(memory, root, RLIMIT_DATA, 5);
}
