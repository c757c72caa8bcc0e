/* Time and memory of `epochcast merge`.
 *
 * bench_merge make FOLDER ROWS     FOLDER/part-1..4.h5: ROWS different made-up measurements in all,
 *                                  and of every part 5 % that the part before has too
 * bench_merge run PROGRAM FOLDER   merges them; a line of JSON: seconds, peak resident memory
 */
#include "base/philox.h"
#include "data/compact_file.h"
#include "layers/sample.h"

#include <math.h>
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

static void fail(const char *what)
{
    fprintf(stderr, "bench_merge: %s\n", what);
    exit(1);
}

static void part_path(char path[PATH_SIZE], const char *folder, int part)
{
    snprintf(path, PATH_SIZE, "%s/part-%d.h5", folder, part + 1);
}

/* As irregular as measured ones, so that they compress no better. */
static struct measurement make_row(const struct sample_domain *domains, uint32_t index)
{
    const struct philox_words words = philox(index, 0, 0, PHILOX_FAKE_TIME, 3);
    struct measurement row = {.draw = index / LAYER_KIND_COUNT,
                              .round = 2,
                              .round_count = 3,
                              .sample_count = 18,
                              .repeats_per_sample = 1 + (int32_t)(words.word[0] % 7),
                              .eager_ms = NAN,
                              .sm_clock_mhz = NAN,
                              .temperature_c = NAN,
                              .engine = -1,
                              .unix_time_s = 1.7e9 + index * 0.07};
    enum stratum stratum;
    if (sample_draw(&row.config, &stratum, &domains[index % LAYER_KIND_COUNT], 1,
                    index / LAYER_KIND_COUNT, NULL) != STATUS_OK)
        fail("a draw failed");
    row.stratum = (int32_t)stratum;
    row.median_ms = 0.01 + layer_cost(&row.config).flops / 5e7 * (1 + words.word[1] / 4294967296.0);
    row.minimum_ms = row.median_ms * (1 - words.word[2] / 4294967296.0 / 10);
    row.maximum_ms = row.median_ms * (1 + words.word[3] / 4294967296.0);
    row.q25_ms = (row.minimum_ms + row.median_ms) / 2;
    row.q75_ms = (row.maximum_ms + row.median_ms) / 2;
    row.ci_ms = row.median_ms * 0.01;
    row.spread_percent = words.word[0] / 4294967296.0 * 10;
    row.setup_ms = words.word[1] / 4294967296.0;
    row.warmup_ms = 20;
    row.measuring_ms = row.median_ms * 18;
    row.pressure_percent = words.word[2] / 4294967296.0 * 50;
    snprintf(row.algorithm, sizeof row.algorithm, "jit:%u", words.word[3] % 5);
    return row;
}

static void write_part(const char *path, uint32_t first, uint32_t end)
{
    struct compact_file *file;
    struct sample_domain domains[LAYER_KIND_COUNT];
    static const struct dataset_header header = {
        .program_version = "bench_merge", .licence = "CC0-1.0", .sampler = "made up", .seed = 1};
    const struct device_info info = {
        .name = "made-up device", .backend = "fake", .device_count = 1, .thread_count = 1};
    struct error error;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        sample_domain_default(&domains[kind], (enum layer_kind)kind);
    if (compact_file_create(&file, path, &header, &error) != STATUS_OK ||
        compact_file_set_devices(file, &info, 1, &error) != STATUS_OK)
        fail(error.message);
    for (uint32_t i = first; i < end; i++) {
        const struct measurement row = make_row(domains, i);
        if (compact_file_append(file, &row, 1, &error) != STATUS_OK)
            fail(error.message);
    }
    if (compact_file_publish(file, true, &error) != STATUS_OK)
        fail(error.message);
    compact_file_close(file);
}

static void make(const char *folder, uint32_t rows)
{
    const uint32_t share = rows / PARTS, shared = (uint32_t)(share * shared_fraction);
    for (uint32_t part = 0; part < PARTS; part++) {
        char path[PATH_SIZE];
        part_path(path, folder, (int)part);
        write_part(path, part * share - (part ? shared : 0),
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
        fail("merge failed");
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
        fail("make FOLDER ROWS, or run PROGRAM FOLDER");
    return 0;
}
