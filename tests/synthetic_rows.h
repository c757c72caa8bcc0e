/* Datasets built in memory for tests of predictors: configs of the sampler, times of a law, noise
 * of Philox. */
#ifndef EPOCHCAST_TESTS_SYNTHETIC_ROWS_H
#define EPOCHCAST_TESTS_SYNTHETIC_ROWS_H

#include "base/philox.h"
#include "data/dataset.h"
#include "layers/sample.h"
#include "predictors/mlp_options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline struct device_info synthetic_device(const char *name, double gflops, double gbps)
{
    struct device_info device = {.device_count = 1,
                                 .thread_count = 1,
                                 .cache = CACHE_STEP,
                                 .memory_bytes = INT64_C(1) << 30,
                                 .clock_mhz = gflops,
                                 .bandwidth_gbps = gbps,
                                 .core_count = gflops / 10,
                                 .peak_gflops = gflops,
                                 .measured_copy_gbps = NAN,
                                 .measured_sgemm_gflops = NAN,
                                 .measured_call_latency_us = NAN};
    snprintf(device.name, sizeof device.name, "%s", name);
    snprintf(device.backend, sizeof device.backend, "fake");
    return device;
}

/* A plausible law: launch + work at peak + traffic at full bandwidth. */
static inline double synthetic_ms(const struct layer_config *config,
                                  const struct device_info *device)
{
    const struct cost cost = layer_cost(config);
    return 0.005 + cost.flops / (device->peak_gflops * 1e6) +
           (cost.bytes_read + cost.bytes_written) / (device->bandwidth_gbps * 1e6);
}

static inline double synthetic_normal(uint32_t index, uint64_t seed)
{
    const struct philox_words words = philox(index, 0, 0, PHILOX_FAKE_TIME, seed);
    const double u = (words.word[0] + 0.5) / 4294967296.0;
    const double v = (words.word[1] + 0.5) / 4294967296.0;
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* count rows, of kinds[i % kind_count] on devices[i % device_count], times exp(noise N(0, 1)) of
 * the law. Free with synthetic_rows_free. */
static inline void synthetic_rows_create(struct dataset_rows *rows, size_t count,
                                         const enum layer_kind *kinds, size_t kind_count,
                                         const struct device_info *devices, int device_count,
                                         double noise)
{
    *rows = (struct dataset_rows){.count = count, .device_count = device_count};
    rows->rows = calloc(count, sizeof *rows->rows);
    rows->devices = calloc((size_t)device_count, sizeof *rows->devices);
    if (!rows->rows || !rows->devices)
        abort();
    memcpy(rows->devices, devices, (size_t)device_count * sizeof *devices);
    struct sample_domain domains[LAYER_KIND_COUNT];
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        sample_domain_default(&domains[kind], (enum layer_kind)kind);
    for (size_t i = 0; i < count; i++) {
        struct measurement *row = &rows->rows[i];
        enum stratum stratum;
        const enum layer_kind kind = kinds[i % kind_count];
        if (sample_draw(&row->config, &stratum, &domains[kind], 7, (uint32_t)i, NULL) != STATUS_OK)
            abort();
        row->device = (int32_t)((i / kind_count) % (size_t)device_count);
        row->outcome = OUTCOME_OK;
        row->median_ms = synthetic_ms(&row->config, &devices[row->device]) *
                         exp(noise * synthetic_normal((uint32_t)i, 11));
    }
}

static inline void synthetic_rows_free(struct dataset_rows *rows)
{
    free(rows->rows);
    free(rows->devices);
}

/* The default preset, made small enough for a test. */
static inline struct mlp_options small_fit_options(void)
{
    struct mlp_options options;
    if (mlp_options_preset(&options, "default", NULL) != STATUS_OK)
        abort();
    options.hidden[0] = options.hidden[1] = 32;
    options.hidden_count = 2;
    options.several_hidden_count = 0;
    options.train.batch_size = 64;
    options.train.epochs = 10;
    options.minimum_steps = 1500;
    options.threads = 1;
    return options;
}

#endif
