/* Seconds and peak resident memory of commands on large datasets.
 *
 * bench_scale make FILE ROWS            a dataset of made-up measurements
 * bench_scale run LABEL PROGRAM ARGS... runs it, its output thrown away: a line of JSON
 */
#include "made_rows.h"

#include "base/clock.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void run_child(char **command)
{
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(null, STDOUT_FILENO);
    execvp(command[0], command);
    _exit(127);
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static int run(const char *label, char **command)
{
    int state;
    struct rusage usage;
    const double start_s = monotonic_s();
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0)
        run_child(command);
    if (wait4(child, &state, 0, &usage) != child)
        made_rows_fail("cannot wait for the command");
    printf("{\"command\": \"%s\", \"seconds\": %.2f, \"processor_s\": %.2f, "
           "\"peak_resident_mb\": %.0f, \"exit_code\": %d}\n",
           label, monotonic_s() - start_s, seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime),
           (double)usage.ru_maxrss / 1024, WIFEXITED(state) ? WEXITSTATUS(state) : -1);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "make") == 0)
        write_made_rows(argv[2], 0, (uint32_t)strtoul(argv[3], NULL, 10));
    else if (argc >= 4 && strcmp(argv[1], "run") == 0)
        return run(argv[2], argv + 3);
    else
        made_rows_fail("make FILE ROWS, or run LABEL PROGRAM ARGS...");
    return 0;
}
