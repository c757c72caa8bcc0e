/* A backend: a way to run layers on a kind of device. `cpu` (oneDNN), `cuda` (a module opened on
 * demand), `fake` (arithmetic instead of work, for tests).
 *
 * prepare / enqueue / release: everything that allocates, compiles or chooses happens in prepare;
 * only enqueue is timed. CMake writes the list of built-in backends (backends.inc).
 */
#ifndef EPOCHCAST_BENCH_BACKEND_H
#define EPOCHCAST_BENCH_BACKEND_H

#include "base/error.h"
#include "layers/layer.h"

#include <stdbool.h>
#include <stdint.h>

/* Hardware features, nominal (what the machine says; NaN = unknown, never 0) and measured. The same
 * struct is a row of /devices/rows. */
struct device_info {
    char name[64];         /* "Intel(R) Xeon(R) Processor @ 2.50GHz" */
    char backend[16];      /* "cpu" */
    char technology[32];   /* "Volta", "x86-64 avx512" */
    char connectivity[16]; /* "NVLink", "PCIe3 x16", "memory bus" */
    char library[64];      /* "oneDNN 2.6.3" */
    int32_t device_count;  /* the paper's number of GPUs; 1 */
    int32_t thread_count;  /* CPU: OpenMP threads, part of the identity; GPU: 1 */
    int64_t memory_bytes;
    int64_t cache_bytes;                                                        /* last level */
    double clock_mhz, bandwidth_gbps, core_count, peak_gflops;                  /* nominal */
    double measured_copy_gbps, measured_sgemm_gflops, measured_call_latency_us; /* measured */
};

/* Name, backend, technology, library and threads: what makes measurements comparable. */
uint64_t device_fingerprint(const struct device_info *info);

struct device_options {
    int thread_count;    /* 0: the backend's default (cpu: 1) */
    int64_t arena_bytes; /* 0: the backend's default (half of the free memory) */
    uint64_t seed;       /* noise in the arena; fake: noise of the times */
};

/* Backends embed these as first members of their own structs. */
struct device {
    const struct backend *backend;
};
struct plan {
    const struct bench *bench;
    char algorithm[64];      /* implementation that the library chose, "jit:avx512_core" */
    int64_t workspace_bytes; /* scratch memory */
};

/* What enqueue runs. A config with pass forward has PHASE_FORWARD alone. */
enum phase { PHASE_FORWARD = 1, PHASE_BACKWARD = 2, PHASE_UPDATE = 4 };
int phases_of(const struct layer_config *config);

struct bench {
    /* input: the plan whose output feeds this layer (its output count must equal this layer's input
     * count), or NULL: noise from the arena. A linked layer reads the tensor that `input` writes
     * and, in the backward phase, writes the gradient that `input` reads; layouts that differ get a
     * reorder. STATUS_OUT_OF_MEMORY: does not fit the arena (found by accounting). STATUS_FAILED
     * with *outcome = OUTCOME_UNSUPPORTED: no implementation. *plan is NULL on error. */
    enum status (*prepare)(struct plan **plan, struct device *device,
                           const struct layer_config *config, struct plan *input,
                           enum outcome *outcome, struct error *error);
    enum status (*enqueue)(struct plan *plan, int phases, struct error *error);
    void (*release)(struct plan *plan); /* NULL is allowed */
};

struct backend {
    const char *name, *help;
    /* STATUS_NO_DEVICE with what is missing, when the backend cannot run here at all. */
    enum status (*device_count)(int *count, struct error *error);
    enum status (*open)(struct device **device, int index, const struct device_options *options,
                        struct error *error);
    void (*close)(struct device *device);
    /* measure: also fill the measured members (takes up to 2 s). */
    enum status (*describe)(struct device *device, bool measure, struct device_info *info,
                            struct error *error);
    /* Time between the calls as the device sees it, all enqueued work finished. */
    enum status (*timer_start)(struct device *device, struct error *error);
    enum status (*timer_stop)(struct device *device, double *elapsed_ms, struct error *error);
    void (*flush_cache)(struct device *device);
    /* Forgets every plan's memory: the arena is empty again. Called between configs, with no plan
     * live. */
    void (*reset)(struct device *device);
    /* True when the sample since timer_start was disturbed (preempted, throttled). May be NULL. */
    bool (*disturbed)(struct device *device);
    const struct bench *bench[LAYER_KIND_COUNT]; /* NULL: outcome unsupported */
};

/* Built-in backends, ended by NULL; the first usable one that is not fake is the default. */
extern const struct backend *const backends[];

/* Opens "cpu", "cuda", "cuda:1", "fake". STATUS_NO_DEVICE: unknown name (with the list), or why
 * not. */
enum status device_open(struct device **device, const char *text,
                        const struct device_options *options, struct error *error);
void device_close(struct device *device); /* NULL is allowed */

#endif
