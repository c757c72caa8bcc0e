/* Made-up measurements for benchmarks: a dataset of any size in seconds per million rows. */
#ifndef EPOCHCAST_TESTS_BENCH_MADE_ROWS_H
#define EPOCHCAST_TESTS_BENCH_MADE_ROWS_H

#include "base/philox.h"
#include "data/compact_file.h"
#include "layers/sample.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void made_rows_fail(const char *what)
{
    fprintf(stderr, "made rows: %s\n", what);
    exit(1);
}

/* As irregular as measured ones, so that they compress no better. */
static struct measurement made_row(const struct sample_domain *domains, uint32_t index)
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
        made_rows_fail("a draw failed");
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

static void write_made_rows(const char *path, uint32_t first, uint32_t end)
{
    struct compact_file *file;
    struct sample_domain domains[LAYER_KIND_COUNT];
    static const struct dataset_header header = {
        .program_version = "made_rows", .licence = "CC0-1.0", .sampler = "made up", .seed = 1};
    const struct device_info info = {
        .name = "made-up device", .backend = "fake", .device_count = 1, .thread_count = 1};
    struct error error;
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        sample_domain_default(&domains[kind], (enum layer_kind)kind);
    if (compact_file_create(&file, path, &header, &error) != STATUS_OK ||
        compact_file_set_devices(file, &info, 1, &error) != STATUS_OK)
        made_rows_fail(error.message);
    for (uint32_t i = first; i < end; i++) {
        const struct measurement row = made_row(domains, i);
        if (compact_file_append(file, &row, 1, &error) != STATUS_OK)
            made_rows_fail(error.message);
    }
    if (compact_file_publish(file, true, &error) != STATUS_OK)
        made_rows_fail(error.message);
    compact_file_close(file);
}

#endif
