/* What the machine tells of itself, and what limits this process: trees of /proc and /sys in a
 * temporary folder. */
#include "base/machine.h"
#include "child.h"
#include "test.h"

#include <ftw.h>
#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[] = "/tmp/epochcast-machine-XXXXXX";
static const int64_t gib = INT64_C(1) << 30, mib = INT64_C(1) << 20;

static int make_root(void **state)
{
    (void)state;
    memcpy(root + sizeof root - 7, "XXXXXX", 6);
    return mkdtemp(root) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

static int remove_root(void **state)
{
    (void)state;
    return nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const char *path, const char *text)
{
    char name[512];
    snprintf(name, sizeof name, "%s%s", root, path);
    for (char *slash = strchr(name + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(name, 0777);
        *slash = '/';
    }
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* ---- memory ---- */

static void write_host(const char *cgroup)
{
    write_file("/proc/meminfo", "MemTotal:       25165824 kB\n"
                                "MemFree:         1048576 kB\n"
                                "MemAvailable:   20971520 kB\n");
    write_file("/proc/self/cgroup", cgroup);
}

static void memory_is(int64_t total_bytes, int64_t available_bytes)
{
    struct machine_memory memory;
    machine_memory_read(&memory, root);
    assert_int_equal(memory.total_bytes, total_bytes);
    assert_int_equal(memory.available_bytes, available_bytes);
}

static void without_limits_the_memory_is_the_machines(void **state)
{
    (void)state;
    memory_is(0, 0); /* nothing can be read */
    write_host("0::/\n");
    memory_is(24 * gib, 20 * gib);
    write_file("/sys/fs/cgroup/memory.max", "max\n");
    memory_is(24 * gib, 20 * gib);
}

static void a_containers_limit_is_the_memory(void **state)
{
    (void)state;
    write_host("0::/\n"); /* its own namespace: the group is the root */
    write_file("/sys/fs/cgroup/memory.max", "536870912\n");
    memory_is(512 * mib, 512 * mib);
    write_file("/sys/fs/cgroup/memory.current", "209715200\n");
    memory_is(512 * mib, 312 * mib);
    write_file("/sys/fs/cgroup/memory.stat", "anon 104857600\n"
                                             "file 104857600\n"
                                             "inactive_anon 1\n"
                                             "inactive_file 104857600\n");
    memory_is(512 * mib, 412 * mib); /* the system drops caches first */
}

static void a_limit_above_the_group_counts(void **state)
{
    (void)state;
    write_host("0::/user.slice/job.scope\n");
    write_file("/sys/fs/cgroup/user.slice/job.scope/memory.max", "max\n");
    write_file("/sys/fs/cgroup/user.slice/job.scope/memory.current", "1048576\n");
    write_file("/sys/fs/cgroup/user.slice/memory.max", "4294967296\n");
    write_file("/sys/fs/cgroup/user.slice/memory.current", "3221225472\n"); /* neighbours' too */
    memory_is(4 * gib, 1 * gib);
    write_file("/sys/fs/cgroup/user.slice/job.scope/memory.max", "1073741824\n");
    memory_is(1 * gib, 1023 * mib);
}

static void limits_of_version_1_count(void **state)
{
    (void)state;
    write_host("12:pids:/docker/f00\n"
               "5:cpu,memory:/docker/f00\n"
               "0::/docker/f00\n");
    write_file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    memory_is(24 * gib, 20 * gib);
    write_file("/sys/fs/cgroup/memory/docker/f00/memory.limit_in_bytes", "2147483648\n");
    write_file("/sys/fs/cgroup/memory/docker/f00/memory.usage_in_bytes", "1610612736\n");
    write_file("/sys/fs/cgroup/memory/docker/f00/memory.stat", "inactive_file 1\n"
                                                               "total_inactive_file 536870912\n");
    memory_is(2 * gib, 1 * gib);
}

/* The path is that of the host, the files are those of the group. */
static void a_container_without_a_namespace_is_limited(void **state)
{
    (void)state;
    write_host("4:memory:/docker/f00\n");
    write_file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");
    memory_is(1 * gib, 1 * gib);
}

static void a_full_group_has_nothing_left(void **state)
{
    (void)state;
    write_host("0::/\n");
    write_file("/sys/fs/cgroup/memory.max", "1048576\n");
    write_file("/sys/fs/cgroup/memory.current", "1052672\n");
    memory_is(1 * mib, 0);
}

/* In a child: a limit cannot be taken back. It is far above what sanitizers map. */
static void limited_child(void)
{
    const int64_t bytes = gib << 20;
    const struct rlimit limit = {.rlim_cur = (rlim_t)bytes, .rlim_max = RLIM_INFINITY};
    struct machine_memory memory;
    if (setrlimit(RLIMIT_DATA, &limit) != 0)
        _exit(2);
    machine_memory_read(&memory, root);
    _exit(memory.total_bytes == bytes && memory.available_bytes == bytes - gib ? 0 : 1);
}

static void a_limit_of_the_process_counts(void **state)
{
    (void)state;
    char statm[64];
    write_host("0::/\n");
    write_file("/proc/meminfo", "MemTotal: 1125899906842624 kB\n"
                                "MemAvailable: 1125899906842624 kB\n");
    snprintf(statm, sizeof statm, "900000 100 50 10 0 %ld 0\n",
             (long)(gib / sysconf(_SC_PAGESIZE)));
    write_file("/proc/self/statm", statm);
    const pid_t child = fork();
    if (child == 0)
        limited_child();
    assert_child_succeeds(child);
}

/* ---- the processor ---- */

static void write_cache(int index, const char *level, const char *type, const char *size)
{
    const struct {
        const char *file, *text;
    } files[] = {{"level", level}, {"type", type}, {"size", size}};
    for (int i = 0; i < 3; i++) {
        char path[160];
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", index,
                 files[i].file);
        write_file(path, files[i].text);
    }
}

static void write_core(int processor, const char *socket, const char *core)
{
    char path[160];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/physical_package_id",
             processor);
    write_file(path, socket);
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/core_id", processor);
    write_file(path, core);
}

static struct machine_processor read_processor(void)
{
    struct machine_processor processor;
    machine_processor_read(&processor, root);
    return processor;
}

static void an_unknown_processor_is_empty(void **state)
{
    (void)state;
    const struct machine_processor processor = read_processor();
    assert_string_equal(processor.identity, "");
    assert_string_equal(processor.microarchitecture, "");
    assert_int_equal(processor.l1d_bytes + processor.cache_bytes + processor.core_count, 0);
    assert_true(isnan(processor.clock_mhz));
}

/* Two sockets of two cores of two hyper-threads; processor 3 is switched off. */
static void a_processor_of_two_sockets_is_described(void **state)
{
    (void)state;
    write_file("/proc/cpuinfo", "processor\t: 0\n"
                                "vendor_id\t: GenuineIntel\n"
                                "cpu family\t: 6\n"
                                "model\t\t: 85\n"
                                "model name\t: Intel Xeon Processor\n"
                                "stepping\t: 7\n"
                                "cpu MHz\t\t: 2500.000\n"
                                "\n"
                                "processor\t: 1\n"
                                "stepping\t: 9\n");
    write_cache(0, "1\n", "Data\n", "32K\n");
    write_cache(1, "1\n", "Instruction\n", "64K\n");
    write_cache(2, "2\n", "Unified\n", "1024K\n");
    write_cache(3, "3\n", "Unified\n", "33M\n");
    static const struct {
        int processor;
        const char *socket, *core;
    } cores[] = {{0, "0", "0"}, {1, "0", "4"}, {2, "1", "0"}, {4, "0", "0"},
                 {5, "0", "4"}, {6, "1", "0"}, {7, "1", "4"}};
    for (size_t i = 0; i < sizeof cores / sizeof *cores; i++)
        write_core(cores[i].processor, cores[i].socket, cores[i].core);
    const struct machine_processor processor = read_processor();
    assert_string_equal(processor.model_name, "Intel Xeon Processor");
    assert_string_equal(processor.identity, "GenuineIntel-6-85-7");
    assert_string_equal(processor.microarchitecture, "Cascade Lake");
    assert_int_equal(processor.l1d_bytes, 32 << 10);
    assert_int_equal(processor.l2_bytes, 1 << 20);
    assert_int_equal(processor.l3_bytes, 33 << 20);
    assert_int_equal(processor.cache_bytes, 33 << 20);
    assert_int_equal(processor.socket_count, 2);
    assert_int_equal(processor.core_count, 4);
    assert_true(processor.clock_mhz == 2500);
}

static void an_arm_processor_is_described(void **state)
{
    (void)state;
    write_file("/proc/cpuinfo", "processor\t: 0\n"
                                "BogoMIPS\t: 243.75\n"
                                "CPU implementer\t: 0x41\n"
                                "CPU architecture: 8\n"
                                "CPU variant\t: 0x3\n"
                                "CPU part\t: 0xd0c\n"
                                "CPU revision\t: 1\n");
    const struct machine_processor processor = read_processor();
    assert_string_equal(processor.identity, "0x41-0xd0c-0x3-1");
    assert_string_equal(processor.microarchitecture, "Neoverse N1");
    assert_string_equal(processor.model_name, "");
}

static void microarchitectures_are_known(void **state)
{
    (void)state;
    static const struct {
        const char *vendor;
        int family, model, stepping;
        const char *name;
    } cases[] = {{"AuthenticAMD", 23, 1, 2, "Zen"},
                 {"AuthenticAMD", 23, 8, 2, "Zen+"},
                 {"AuthenticAMD", 23, 49, 0, "Zen 2"},
                 {"AuthenticAMD", 25, 1, 1, "Zen 3"},
                 {"AuthenticAMD", 25, 0x21, 0, "Zen 3"},
                 {"AuthenticAMD", 25, 17, 1, "Zen 4"},
                 {"AuthenticAMD", 25, 0xa0, 2, "Zen 4c"},
                 {"AuthenticAMD", 26, 2, 1, "Zen 5"},
                 {"GenuineIntel", 6, 85, 4, "Skylake-SP"},
                 {"GenuineIntel", 6, 85, 7, "Cascade Lake"},
                 {"GenuineIntel", 6, 85, 11, "Cooper Lake"},
                 {"GenuineIntel", 6, 106, 6, "Ice Lake-SP"},
                 {"GenuineIntel", 6, 143, 8, "Sapphire Rapids"},
                 {"GenuineIntel", 6, 63, 2, "Haswell"},
                 {"0x41", 0xd40, 1, 1, "Neoverse V1"},
                 {"0x41", 0xd4f, 0, 0, "Neoverse V2"},
                 {"0xc0", 0xac3, 0, 0, "Ampere-1"},
                 {"GenuineIntel", 15, 4, 1, ""},
                 {"AuthenticAMD", 6, 85, 4, ""},
                 {"", 0, 0, 0, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(microarchitecture_of(cases[i].vendor, cases[i].family, cases[i].model,
                                                 cases[i].stepping),
                            cases[i].name);
}

static void a_quota_limits_the_processors(void **state)
{
    (void)state;
    write_file("/proc/self/cgroup", "0::/job\n");
    const int all = machine_usable_processors(root);
    assert_true(all >= 1);
    write_file("/sys/fs/cgroup/job/cpu.max", "max 100000\n");
    assert_int_equal(machine_usable_processors(root), all);
    write_file("/sys/fs/cgroup/cpu.max", "50000 100000\n"); /* of the group above */
    assert_int_equal(machine_usable_processors(root), 1);
    write_file("/sys/fs/cgroup/cpu.max", "100000000 100000\n");
    assert_int_equal(machine_usable_processors(root), all);
    write_file("/proc/self/cgroup", "3:cpu,cpuacct:/\n");
    write_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    write_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    assert_int_equal(machine_usable_processors(root), all);
    write_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
    assert_int_equal(machine_usable_processors(root), 1);
}

static void this_machine_has_memory_and_a_processor(void **state)
{
    (void)state;
    struct machine_memory memory;
    struct machine_processor processor;
    machine_memory_read(&memory, "");
    machine_processor_read(&processor, "");
    assert_true(memory.total_bytes > 16 * mib);
    assert_true(memory.available_bytes <= memory.total_bytes);
    assert_true(strlen(processor.identity) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(without_limits_the_memory_is_the_machines),
        TEST(a_containers_limit_is_the_memory),
        TEST(a_limit_above_the_group_counts),
        TEST(limits_of_version_1_count),
        TEST(a_container_without_a_namespace_is_limited),
        TEST(a_full_group_has_nothing_left),
        TEST(a_limit_of_the_process_counts),
        TEST(an_unknown_processor_is_empty),
        TEST(a_processor_of_two_sockets_is_described),
        TEST(an_arm_processor_is_described),
        TEST(microarchitectures_are_known),
        TEST(a_quota_limits_the_processors),
        TEST(this_machine_has_memory_and_a_processor),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
