/* Cases that run in a process of their own, as they change its limits. */
#ifndef EPOCHCAST_TESTS_CHILD_H
#define EPOCHCAST_TESTS_CHILD_H

#include "test.h"

#include <sys/types.h>
#include <sys/wait.h>

static inline void assert_child_succeeds(pid_t child)
{
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
}

#endif
