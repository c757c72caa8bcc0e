/* A backend: a way to run layers on a kind of device. `cpu` (oneDNN), `cuda` (a module opened on
 * demand), `fake` (arithmetic instead of work, for tests).
 *
 * prepare / enqueue / release: everything that allocates, compiles or chooses happens in prepare;
 * only enqueue is timed. CMake writes the list of built-in backends (backends.inc).
 */
#ifndef EPOCHCAST_BENCH_BACKEND_H
#define EPOCHCAST_BENCH_BACKEND_H

#include "base/error.h"
#include "layers/reference.h"
#include "layers/sample.h"

#include <stdbool.h>
#include <stdint.h>

/* Hardware features, nominal (reported by the machine; NaN = unknown, never 0) and measured. The
 * same struct is a row of /devices/rows. Which members make a device the same as another:
 * device_identity.h. */
struct device_info {
    char name[64];         /* "Intel(R) Xeon(R) Processor @ 2.50GHz" */
    char backend[16];      /* "cpu" */
    char technology[32];   /* "Volta", "x86-64 avx512" */
    char connectivity[16]; /* "NVLink", "PCIe3 x16", "memory bus" */
    char library[64];      /* "oneDNN 3.7.2" */
    int32_t device_count;  /* the paper's number of GPUs; 1 */
    int32_t thread_count;  /* CPU: OpenMP threads, part of the identity; GPU: 1 */
    int64_t memory_bytes;  /* that a process may use: of a CPU less in a container */
    int64_t cache_bytes;   /* last level */
    double clock_mhz, bandwidth_gbps, core_count, peak_gflops;                  /* nominal */
    double measured_copy_gbps, measured_sgemm_gflops, measured_call_latency_us; /* measured */
    /* Of processors (base/machine.h); "" or 0: unknown. */
    char processor[48]; /* vendor, family, model, stepping: "AuthenticAMD-25-17-1" */
    char microarchitecture[32];
    int64_t l1d_bytes, l2_bytes, l3_bytes;
    int32_t socket_count, machine_core_count; /* of the whole machine */
    int32_t cache;    /* enum cache: how its rows found their operands, part of the identity; hot in
                       * files that do not say */
    char source[32];  /* of imported rows: who measured them, "dlperf"; part of the identity */
    int32_t instance; /* above 1: number of this device among those of one name, and its name ends
                       * with it: "AMD EPYC (2)" */
};

/* Current state of the device. NaN: unknown. */
struct conditions {
    double sm_clock_mhz, maximum_sm_clock_mhz, temperature_c;
    double stall_ms;      /* so far: time in which some task of the host waited for a processor */
    int64_t clock_events; /* NVML's bit mask of why the clock is below its maximum */
    bool throttled;       /* measurements now say little about the device */
};

struct device_options {
    int thread_count;    /* 0: the backend's default (cpu: 1) */
    int64_t arena_bytes; /* 0: a share of the free memory, up to a limit of the backend */
    uint64_t seed;       /* noise in the arena; fake: noise of the times */
    bool autotune;       /* cuda: time the library's candidates instead of taking its first */
};

/* Backends embed these as first members of their own structs. */
struct device {
    const struct backend *backend;
};
struct plan {
    const struct bench *bench;
    char algorithm[64];       /* implementation that the library chose, "jit:avx512_core" */
    char numerical_notes[64]; /* notes of the library on its arithmetic, "tensor_core"; may be empty
                               */
    int32_t engine;           /* number of the algorithm in the library; -1: none */
    int64_t workspace_bytes;  /* scratch memory */
    int64_t operand_bytes;    /* of one set of operands: all tensors, scratch memory included */
    int set;                  /* of operands, on which enqueue works; 0: those of prepare */
};

/* What bounds the number of sets of operands (operand_sets.h). */
struct operand_room {
    int64_t cache_bytes; /* of the last level; 0: unknown */
    int64_t free_bytes;  /* of the arena, beside the live plans */
};

/* The phases that enqueue runs. A config with pass forward has only PHASE_FORWARD. */
enum phase { PHASE_FORWARD = 1, PHASE_BACKWARD = 2, PHASE_UPDATE = 4 };
int phases_of(const struct layer_config *config);

struct bench {
    /* inputs: the plans whose outputs feed this layer (LAYER_INPUT_LIMIT, as many of them as the
     * kind has inputs; their output count must equal this layer's input count), or NULL (one of
     * them or all): noise from the arena. A linked layer reads the tensors that its producers write
     * and, in the backward phase, writes the gradient that the first of them reads; layouts that
     * differ get a reorder. Of several readers of one producer the first adds the gradients of the
     * others to its own: in the backward phase, which runs the readers in reverse. (An addition's
     * gradient is one tensor, which frameworks hand to both producers. Here a second producer that
     * nobody else reads takes its own noise instead, so that nothing is copied.)
     * STATUS_OUT_OF_MEMORY: does not fit the arena (found by accounting). STATUS_FAILED with
     * *outcome = OUTCOME_UNSUPPORTED: no implementation. *plan is NULL on error. */
    enum status (*prepare)(struct plan **plan, struct device *device,
                           const struct layer_config *config, struct plan *const *inputs,
                           enum outcome *outcome, struct error *error);
    enum status (*enqueue)(struct plan *plan, int phases, struct error *error);
    /* Gives the plan `count` sets of operands in all, of numbers alike: plan->set is then
     * 0..count - 1. Of a plan without producers, the last that was prepared, once. Optional. */
    enum status (*replicate)(struct plan *plan, int count, struct error *error);
    void (*release)(struct plan *plan); /* NULL is allowed */
    /* Optional. Elements of a tensor (plain order, layers/reference.h) as the device holds them
     * once all enqueued work is done. STATUS_FAILED: the plan has no such tensor, or keeps it in an
     * order of the library's own; a count of 0 asks for that. */
    enum status (*read)(float *values, struct plan *plan, enum layer_value what,
                        const int64_t *indices, int count, struct error *error);
};

static inline struct plan *producer_of(struct plan *const *inputs, int which)
{
    return inputs ? inputs[which] : NULL;
}

struct trainer; /* trainer/trainer.h */

struct backend {
    const char *name, *help;
    int32_t timing;         /* enum timing: what timer_start and timer_stop read */
    double sample_floor_ms; /* shorter samples are below the timer's resolution; 0: no such floor */
    bool pads_alike;        /* windows with a stride above 1: as many zeros before as after */
    /* STATUS_NO_DEVICE, naming the missing part, when the backend cannot run here at all. */
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
    /* Optional: without it, and where a kind does not replicate, a plan has one set of operands. */
    void (*room)(struct device *device, struct operand_room *room);
    /* Forgets every plan's memory: the arena is empty again. Called between configs, with no plan
     * live. */
    void (*reset)(struct device *device);
    /* True when the sample since timer_start was disturbed (preempted, throttled). May be NULL. */
    bool (*disturbed)(struct device *device);
    /* Optional, all three or none. Between record_start and record_stop, enqueued work is recorded,
     * not run; replay enqueues the last recording. STATUS_FAILED: this work cannot be recorded; the
     * device stays usable. */
    enum status (*record_start)(struct device *device, struct error *error);
    enum status (*record_stop)(struct device *device, struct error *error);
    enum status (*replay)(struct device *device, struct error *error);
    /* Optional. */
    void (*conditions)(struct device *device, struct conditions *conditions);
    /* Optional: draws first..first + count - 1 on the device; equal to sample_draw. */
    enum status (*draw)(struct device *device, struct layer_config *configs, enum stratum *strata,
                        const struct sample_domain *domain, uint64_t seed, uint32_t first,
                        uint32_t count, struct error *error);
    /* Optional: the engine that trains on device `index`. */
    enum status (*trainer)(const struct trainer **trainer, int index, struct error *error);
    const struct bench *bench[LAYER_KIND_COUNT]; /* NULL: outcome unsupported */
};

/* True when layers run on the processor that enqueues them: the first call loads no code, and other
 * tasks of the host disturb measurements. */
static inline bool device_is_host(const struct device *device)
{
    return device->backend->timing == TIMING_HOST_CLOCK;
}

/* Built-in backends, ended by NULL; the first usable one that is not fake is the default. */
extern const struct backend *const backends[];

const struct backend *backend_find(const char *name); /* or NULL */

/* Opens "cpu", "cuda", "cuda:1", "fake". STATUS_NO_DEVICE: unknown name (with the list), or the
 * reason why it cannot be opened. */
enum status device_open(struct device **device, const char *text,
                        const struct device_options *options, struct error *error);
void device_close(struct device *device); /* NULL is allowed */

#endif
