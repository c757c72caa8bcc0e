/* The cuda backend on a GPU computes what its layers mean, in every precision: every tensor of a
 * training step against naive double-precision loops. And what the measuring relies on: updates,
 * links, recordings, accounts of memory. A mismatch is said and counted and the test goes on: time
 * on a GPU is scarce.
 */
#include "gpu_layer_cases.h"
#include "gpu_measuring_cases.h"
#include "gpu_or_skip.h"

/* ---- groups: an error that a device does not get over ends one of them alone ---- */

enum { GROUP_LIMIT = 8 };

#define KIND_GROUP(KIND, kind) {#kind, {cmocka_unit_test(kind##_is_right)}},

static const struct group {
    const char *name;
    struct CMUnitTest tests[GROUP_LIMIT];
} groups[] = {
    LAYER_KINDS(KIND_GROUP){"pooling", {cmocka_unit_test(unsupported_is_an_outcome)}},
    {"links",
     {cmocka_unit_test(operands_are_the_hosts_noise), cmocka_unit_test(residuals_are_linked),
      cmocka_unit_test(linked_layers_pass_tensors)}},
    {"updates", {cmocka_unit_test(optimizers_are_right)}},
    {"measuring",
     {cmocka_unit_test(replays_last_as_long_as_their_kernels),
      cmocka_unit_test(replays_what_was_recorded), cmocka_unit_test(measurements_are_complete),
      cmocka_unit_test(cold_caches_are_not_faster), cmocka_unit_test(clock_runs),
      cmocka_unit_test(conditions_and_trainer_are_there),
      cmocka_unit_test(device_describes_itself)}},
    {"failures",
     {cmocka_unit_test(memory_is_accounted_before_use),
      cmocka_unit_test(device_goes_on_after_failures),
      cmocka_unit_test(failed_recordings_are_survived)}},
    {"autotune", {cmocka_unit_test(autotune_is_right)}},
};

static int run_group(const struct group *group)
{
    size_t count = 0;
    while (count < GROUP_LIMIT && group->tests[count].test_func)
        count++;
    return _cmocka_run_group_tests(group->name, group->tests, count, setup, teardown);
}

/* test_backend_gpu [GROUP [PATTERN]]; --groups lists them. */
int main(int count, char **arguments)
{
    const char *wanted = count > 1 ? arguments[1] : NULL;
    int failed = 0, run = 0;
    if (wanted && strcmp(wanted, "--groups") == 0) {
        for (size_t i = 0; i < COUNT(groups); i++)
            puts(groups[i].name);
        return 0;
    }
    if (!has_gpu())
        return SKIPPED;
    if (count > 2)
        cmocka_set_test_filter(arguments[2]);
    for (size_t i = 0; i < COUNT(groups); i++)
        if (!wanted || strcmp(wanted, groups[i].name) == 0) {
            failed += run_group(&groups[i]);
            run++;
        }
    return failed > 0 || run == 0;
}
