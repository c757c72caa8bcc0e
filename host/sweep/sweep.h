/* queue -> worker -> dataset, until every config had its rounds or the time is used up. */
#ifndef EPOCHCAST_SWEEP_SWEEP_H
#define EPOCHCAST_SWEEP_SWEEP_H

#include "base/term.h"
#include "bench/worker.h"
#include "data/dataset.h"
#include "layers/sample.h"
#include "sweep/visit_queue.h"

#include <signal.h>

enum { SWEEP_ROUNDS = 3, CANARY_INTERVAL = 50 };

/* Picks one of several draws, e.g. the one that a model is least sure of. */
struct sweep_selection {
    enum status (*choose)(int *chosen, void *payload, const struct layer_config *configs, int count,
                          struct error *error);
    void *payload;
};
enum { SELECTION_DRAWS = 8 };

struct sweep_options {
    /* One per kind, in turn: draw i measures domain i % count. */
    struct sample_domain *domains;
    int domain_count;
    int64_t samples;      /* maximum of configs, all shards together; 0: no limit */
    double time_budget_s; /* over all runs of this sweep; 0: none; at least one of the two limits is
                             set */
    int rounds;           /* visits of each config; 1..ROUND_MAXIMUM */
    int shard, shard_count; /* this sweep has the draws with i % shard_count == shard */
    const struct sweep_selection *selection; /* or NULL: every draw; else one of SELECTION_DRAWS */
    int64_t check_every; /* of so many configs the results of one are compared with their
                          * definition, in its first round (bench/check.h); 0: of none */
    uint64_t seed;
    struct measure_options measure;           /* cap_ms: of all rounds together */
    const struct dataset_rows *done;          /* rows that the file already holds, or NULL */
    struct progress *progress;                /* or NULL */
    const volatile sig_atomic_t *interrupted; /* or NULL; set: finish the point, flush, return */
};

struct sweep_report {
    int64_t rows;                         /* visits of this run */
    int64_t configs;                      /* visited so far, earlier runs included */
    int64_t outcome_count[OUTCOME_COUNT]; /* of these visits */
    int64_t config_count[OUTCOME_COUNT];  /* of the configs: the file's rows, by their outcome */
    int64_t checked,
        incorrect; /* configs of this run whose results were compared, and were wrong */
    double seconds, measuring_s, warmup_s, setup_s, canary_s, check_s;
    double earlier_s; /* of the budget, used by earlier runs */
    /* Sums over the rows with an eager time: per call, as sampled and as enqueued one by one. */
    double sampled_ms, eager_ms;
};

/* STATUS_INTERRUPTED when interrupted: rows so far are flushed. STATUS_BAD_FILE: options->done are
 * not rows of this sweep. */
enum status sweep_run(struct sweep_report *report, struct dataset *dataset, int32_t device_row,
                      struct worker *worker, const struct sweep_options *options,
                      struct error *error);

/* True when nothing is left to measure after options->done; *report counts their configs. */
bool sweep_is_complete(struct sweep_report *report, const struct sweep_options *options);

#endif
