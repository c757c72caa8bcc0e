/* Which device is which, and what it is called. */
#include "bench/device_identity.h"
#include "test.h"

#include <math.h>
#include <stdio.h>

static void expect_cache_label(const char *backend, int threads, int32_t cache, const char *wanted)
{
    struct device_info info = {.thread_count = threads, .cache = cache};
    char label[DEVICE_LABEL_LIMIT];
    snprintf(info.name, sizeof info.name, "AMD EPYC");
    snprintf(info.backend, sizeof info.backend, "%s", backend);
    device_label(label, &info);
    assert_string_equal(label, wanted);
}

static void expect_label(const char *backend, int threads, const char *wanted)
{
    expect_cache_label(backend, threads, CACHE_STEP, wanted);
}

static void a_device_is_called_with_its_caches_unless_they_are_those_of_a_step(void **state)
{
    (void)state;
    expect_cache_label("cpu", 1, CACHE_HOT, "AMD EPYC, 1 thread, hot cache");
    expect_cache_label("cpu", 2, CACHE_COLD, "AMD EPYC, 2 threads, cold cache");
    expect_cache_label("cuda", 1, CACHE_HOT, "AMD EPYC, hot cache");
    expect_cache_label("import", 1, CACHE_HOT, "AMD EPYC"); /* another protocol */
}

static void a_processor_is_called_with_its_threads(void **state)
{
    (void)state;
    expect_label("cpu", 1, "AMD EPYC, 1 thread");
    expect_label("cpu", 16, "AMD EPYC, 16 threads");
    expect_label("cpu", 0, "AMD EPYC"); /* an import that does not say */
    expect_label("cuda", 1, "AMD EPYC");
    expect_label("import", 1, "AMD EPYC");
}

static void the_longest_label_fits(void **state)
{
    (void)state;
    struct device_info info = {.backend = "cpu", .thread_count = INT32_MAX, .cache = CACHE_COLD};
    char label[DEVICE_LABEL_LIMIT];
    memset(info.name, 'n', sizeof info.name - 1);
    device_label(label, &info);
    assert_non_null(strstr(label, "n, 2147483647 threads, cold cache"));
}

/* ---- same or not ---- */

static struct device_info epyc(void)
{
    return (struct device_info){.name = "AMD EPYC",
                                .backend = "cpu",
                                .technology = "x86-64 avx512",
                                .library = "oneDNN 2.6.3",
                                .thread_count = 1,
                                .memory_bytes = 1,
                                .clock_mhz = 2596,
                                .processor = "AuthenticAMD-25-17-1",
                                .microarchitecture = "Zen 4",
                                .l1d_bytes = 32 << 10,
                                .l2_bytes = 1 << 20,
                                .l3_bytes = 32 << 20,
                                .socket_count = 1,
                                .machine_core_count = 2,
                                .measured_sgemm_gflops = 101,
                                .measured_copy_gbps = 22,
                                .measured_call_latency_us = 0.2};
}

#define CHANGED(assignment)                                                                        \
    ({                                                                                             \
        struct device_info other_ = epyc();                                                        \
        other_.assignment;                                                                         \
        other_;                                                                                    \
    })

static void each_member_of_the_identity_tells_devices_apart(void **state)
{
    (void)state;
    const struct device_info one = epyc();
    const struct device_info others[] = {
        CHANGED(name[4] = 'e'),          CHANGED(backend[1] = 'x'),
        CHANGED(technology[0] = 'y'),    CHANGED(library[7] = '3'),
        CHANGED(thread_count = 2),       CHANGED(cache = CACHE_STEP),
        CHANGED(processor[13] = '6'),    CHANGED(microarchitecture[4] = '3'),
        CHANGED(l1d_bytes = 48 << 10),   CHANGED(l2_bytes = 2 << 20),
        CHANGED(l3_bytes = 16 << 20),    CHANGED(socket_count = 2),
        CHANGED(machine_core_count = 8),
    };
    const struct device_info again = epyc();
    assert_true(device_is_same(&one, &again));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_false(device_is_same(&one, &others[i]));
        assert_false(device_is_same(&others[i], &one));
        assert_int_equal(device_find(&one, 1, &others[i]), -1);
    }
}

/* They keep one name, as with other threads, and no model tells them apart. */
static void caches_are_a_setting_of_one_machine(void **state)
{
    (void)state;
    struct device_info both[] = {epyc(), CHANGED(cache = CACHE_STEP)};
    struct device_info other = CHANGED(cache = CACHE_STEP);
    const struct device_info *first, *second;
    assert_true(device_cache_conflict(&first, &second, both, 2));
    assert_int_equal(first->cache, CACHE_HOT);
    assert_int_equal(second->cache, CACHE_STEP);
    device_number(&other, both, 1);
    assert_string_equal(other.name, both[0].name);
    both[1].thread_count = 2;
    assert_false(device_cache_conflict(&first, &second, both, 2));
    both[1] = both[0];
    assert_false(device_cache_conflict(&first, &second, both, 2));
}

static void what_varies_does_not_tell_devices_apart(void **state)
{
    (void)state;
    const struct device_info one = epyc();
    const struct device_info others[] = {
        CHANGED(memory_bytes = 2), CHANGED(clock_mhz = 4400), CHANGED(measured_sgemm_gflops = 400),
        CHANGED(measured_copy_gbps = NAN), CHANGED(measured_call_latency_us = 9)};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_true(device_is_same(&one, &others[i]));
        assert_int_equal(device_find(&one, 1, &others[i]), 0);
    }
}

/* A file of an earlier program knows the name and the library alone. */
static struct device_info old_epyc(void)
{
    struct device_info old = epyc();
    memset(old.processor, 0, sizeof old.processor);
    memset(old.microarchitecture, 0, sizeof old.microarchitecture);
    old.l1d_bytes = old.l2_bytes = old.l3_bytes = 0;
    old.socket_count = old.machine_core_count = 0;
    return old;
}

static void older_devices_compare_by_what_they_have(void **state)
{
    (void)state;
    const struct device_info new = epyc(), other = CHANGED(l3_bytes = 16 << 20);
    struct device_info old = old_epyc();
    assert_true(device_is_same(&old, &new));
    assert_true(device_is_same(&old, &other));
    device_complete(&old, &new);
    assert_string_equal(old.processor, new.processor);
    assert_string_equal(old.microarchitecture, new.microarchitecture);
    assert_true(old.l1d_bytes == new.l1d_bytes &&old.l2_bytes == new.l2_bytes &&old.l3_bytes ==
                new.l3_bytes);
    assert_true(old.socket_count == new.socket_count &&old.machine_core_count ==
                new.machine_core_count);
    assert_false(device_is_same(&old, &other));
    old.library[0] = 'O';
    assert_false(device_is_same(&old, &new));
}

static void rates_tell_machines_apart_where_they_are_joined(void **state)
{
    (void)state;
    const struct device_info one = epyc(), near = CHANGED(measured_copy_gbps = 26),
                             fast = CHANGED(measured_sgemm_gflops = 122),
                             far = CHANGED(measured_copy_gbps = 27);
    assert_int_equal(device_find_joined(&one, 1, &near), 0);
    assert_int_equal(device_find_joined(&one, 1, &fast), -1);
    assert_int_equal(device_find_joined(&one, 1, &far), -1);
    assert_null(device_rate_difference(&one, &near));
    assert_string_equal(device_rate_difference(&one, &fast), "measured_sgemm_gflops");
    assert_string_equal(device_rate_difference(&far, &one), "measured_copy_gbps");
    const struct device_info unknown = CHANGED(measured_copy_gbps = NAN);
    assert_null(device_rate_difference(&one, &unknown));
}

static void of_several_the_nearest_is_found(void **state)
{
    (void)state;
    const struct device_info two[] = {epyc(), CHANGED(measured_copy_gbps = 100)};
    const struct device_info slow = CHANGED(measured_copy_gbps = 20),
                             fast = CHANGED(measured_copy_gbps = 90);
    assert_int_equal(device_find(two, 2, &slow), 0);
    assert_int_equal(device_find(two, 2, &fast), 1);
    assert_int_equal(device_find_joined(two, 2, &fast), 1);
    const struct device_info unknown = CHANGED(measured_copy_gbps = NAN);
    assert_int_equal(device_find(two, 2, &unknown), 0);
}

/* ---- numbers ---- */

static void add(struct device_info *devices, int *count, struct device_info device)
{
    device_number(&device, devices, *count);
    devices[(*count)++] = device;
}

static void machines_of_one_name_are_numbered(void **state)
{
    (void)state;
    struct device_info devices[5] = {{.name = ""}};
    int count = 0;
    add(devices, &count, epyc());
    add(devices, &count, CHANGED(l3_bytes = 16 << 20));
    add(devices, &count, CHANGED(measured_copy_gbps = 90));
    add(devices, &count, CHANGED(thread_count = 2)); /* the first machine */
    struct device_info second = CHANGED(l3_bytes = 16 << 20);
    second.thread_count = 2;
    add(devices, &count, second);
    static const char *const names[] = {"AMD EPYC", "AMD EPYC (2)", "AMD EPYC (3)", "AMD EPYC",
                                        "AMD EPYC (2)"};
    static const int instances[] = {0, 2, 3, 0, 2};
    for (int i = 0; i < count; i++) {
        assert_string_equal(devices[i].name, names[i]);
        assert_int_equal(devices[i].instance, instances[i]);
    }
    const struct device_info again = CHANGED(l3_bytes = 16 << 20);
    assert_int_equal(device_find(devices, count, &again), 1); /* whatever its number */
    assert_int_equal(device_find(devices, count, &second), 4);
}

static void names_of_users_are_no_numbers(void **state)
{
    (void)state;
    struct device_info devices[3] = {{.name = ""}};
    int count = 0;
    struct device_info named = epyc();
    snprintf(named.name, sizeof named.name, "AMD EPYC (2)"); /* instance 0: called so */
    const struct device_info other = epyc();
    assert_int_equal(device_find(&named, 1, &other), -1);
    add(devices, &count, named);
    add(devices, &count, epyc());
    add(devices, &count, CHANGED(l3_bytes = 1));
    assert_string_equal(devices[1].name, "AMD EPYC");
    assert_string_equal(devices[2].name, "AMD EPYC (3)");
}

static void the_longest_name_is_numbered(void **state)
{
    (void)state;
    struct device_info devices[2] = {{.name = ""}}, device = epyc();
    int count = 0;
    memset(device.name, 'n', sizeof device.name - 1);
    add(devices, &count, device);
    device.l3_bytes = 1;
    add(devices, &count, device);
    assert_non_null(strstr(devices[1].name, "nn (2)"));
    assert_int_equal(device_find(devices, count, &device), 1);
}

static void a_note_says_what_differs(void **state)
{
    (void)state;
    struct device_info devices[3] = {{.name = ""}};
    char text[DEVICE_NOTE_LIMIT];
    int count = 0;
    add(devices, &count, epyc());
    struct device_info other = CHANGED(measured_sgemm_gflops = 400);
    other.measured_copy_gbps = 100;
    add(devices, &count, other);
    add(devices, &count, CHANGED(thread_count = 2));
    assert_false(device_namesake_note(text, devices, 0));
    assert_true(device_namesake_note(text, devices, 1));
    assert_string_equal(text, "'AMD EPYC (2)' is another device than 'AMD EPYC', "
                              "or the machine was busy during one of the sweeps: "
                              "measured_sgemm_gflops 400 against 101, "
                              "measured_copy_gbps 100 against 22");
    assert_false(device_namesake_note(text, devices, 2)); /* one machine */
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_processor_is_called_with_its_threads),
        cmocka_unit_test(a_device_is_called_with_its_caches_unless_they_are_those_of_a_step),
        cmocka_unit_test(caches_are_a_setting_of_one_machine),
        cmocka_unit_test(the_longest_label_fits),
        cmocka_unit_test(each_member_of_the_identity_tells_devices_apart),
        cmocka_unit_test(what_varies_does_not_tell_devices_apart),
        cmocka_unit_test(older_devices_compare_by_what_they_have),
        cmocka_unit_test(rates_tell_machines_apart_where_they_are_joined),
        cmocka_unit_test(of_several_the_nearest_is_found),
        cmocka_unit_test(machines_of_one_name_are_numbered),
        cmocka_unit_test(names_of_users_are_no_numbers),
        cmocka_unit_test(the_longest_name_is_numbered),
        cmocka_unit_test(a_note_says_what_differs),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
