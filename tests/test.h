/* cmocka with the headers that it needs, and the end of every test program:
 *
 *     int main(int argc, char **argv) { ... return RUN_TESTS(argc, argv, tests, NULL, NULL); }
 *
 * `test_x` runs every case, `test_x NAME` the cases of that name (a pattern: * and ?), `test_x
 * --list` prints their names.
 */
#ifndef EPOCHCAST_TESTS_TEST_H
#define EPOCHCAST_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

/* Cases of that name; with none, prints all names. */
static inline size_t test_count(const struct CMUnitTest *tests, size_t count, const char *pattern)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += fnmatch(pattern, tests[i].name, 0) == 0;
    for (size_t i = 0; i < count && found == 0; i++)
        printf("%s\n", tests[i].name);
    return found;
}

/* Exit code: failed cases; 2 when no case has the name that was asked for. */
#define RUN_TESTS(argc, argv, tests, setup, teardown)                                              \
    ((argc) > 1 && test_count((tests), sizeof(tests) / sizeof *(tests), (argv)[1]) == 0            \
         ? (strcmp((argv)[1], "--list") == 0 ? 0 : 2)                                              \
         : (cmocka_set_test_filter((argc) > 1 ? (argv)[1] : NULL),                                 \
            cmocka_run_group_tests((tests), (setup), (teardown))))

#endif
