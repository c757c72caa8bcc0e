/* Time and memory of `epochcast merge`.
 *
 * bench_merge make FOLDER ROWS     FOLDER/part-1..4.h5: ROWS different made-up measurements in all,
 *                                  and of every part 5 % that the part before has too
 * bench_merge run PROGRAM FOLDER   merges them; a line of JSON: seconds, peak resident memory
 */
#include "made_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PARTS = 4, PATH_SIZE = 512 };
static const double shared_fraction = 0.05;

static void part_path(char path[PATH_SIZE], const char *folder, int part)
{
    snprintf(path, PATH_SIZE, "%s/part-%d.h5", folder, part + 1);
}

static void make(const char *folder, uint32_t rows)
{
    const uint32_t share = rows / PARTS, shared = (uint32_t)(share * shared_fraction);
    for (uint32_t part = 0; part < PARTS; part++) {
        char path[PATH_SIZE];
        part_path(path, folder, (int)part);
        write_made_rows(path, part * share - (part ? shared : 0),
                        part + 1 == PARTS ? rows : (part + 1) * share);
    }
}

static double megabytes(const char *path)
{
    struct stat now;
    return stat(path, &now) == 0 ? (double)now.st_size / 1e6 : 0;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void run(const char *program, const char *folder)
{
    char paths[PARTS][PATH_SIZE], merged[PATH_SIZE];
    int state;
    double input_mb = 0;
    struct rusage usage;
    for (int part = 0; part < PARTS; part++) {
        part_path(paths[part], folder, part);
        input_mb += megabytes(paths[part]);
    }
    snprintf(merged, sizeof merged, "%s/all.h5", folder);
    const double start_s = now_s();
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        execl(program, program, "merge", paths[0], paths[1], paths[2], paths[3], "-q",
              "--overwrite", "-o", "jsonl", "-O", merged, (char *)NULL);
        _exit(127);
    }
    if (wait4(child, &state, 0, &usage) != child || state != 0)
        made_rows_fail("merge failed");
    printf("{\"seconds\": %.1f, \"peak_resident_mb\": %.0f, \"input_mb\": %.0f, "
           "\"output_mb\": %.0f}\n",
           now_s() - start_s, (double)usage.ru_maxrss / 1024, input_mb, megabytes(merged));
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "make") == 0)
        make(argv[2], (uint32_t)strtoul(argv[3], NULL, 10));
    else if (argc == 4 && strcmp(argv[1], "run") == 0)
        run(argv[2], argv[3]);
    else
        made_rows_fail("make FOLDER ROWS, or run PROGRAM FOLDER");
    return 0;
}
