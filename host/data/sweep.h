/* sample -> measure -> append, until the count or the time budget is reached. */
#ifndef EPOCHCAST_DATA_SWEEP_H
#define EPOCHCAST_DATA_SWEEP_H

#include "base/term.h"
#include "data/dataset.h"
#include "layers/sample.h"

#include <signal.h>

struct sweep_options {
    struct sample_domain
        *domains; /* one a kind, visited in turn: draw i measures domain i % count */
    int domain_count;
    int64_t samples;      /* rows at most; 0: no limit */
    double time_budget_s; /* 0: none; at least one of the two */
    uint64_t seed;
    struct measure_options measure;
    struct progress *progress;                /* or NULL */
    const volatile sig_atomic_t *interrupted; /* or NULL; set: finish the point, flush, return */
};

struct sweep_report {
    int64_t rows, outcome_count[OUTCOME_COUNT];
    double seconds, measuring_s, warmup_s, setup_s;
    /* Sums over the rows that have an eager time: per call, as sampled and as enqueued singly. */
    double sampled_ms, eager_ms;
};

/* STATUS_INTERRUPTED when interrupted: rows so far are flushed. */
enum status sweep_run(struct sweep_report *report, struct dataset *dataset, int32_t device_row,
                      struct device *device, const struct sweep_options *options,
                      struct error *error);

#endif
