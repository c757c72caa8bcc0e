/* A device that computes its times instead of taking them: cost / peak + launch, seeded noise, a
 * virtual clock. So that every command can be tested in milliseconds and deterministically.
 *
 * It can fail on purpose: EPOCHCAST_FAKE_FAULTS="crash=0.01,hang=0.02" is the share of the configs
 * at which the process aborts (crash), stops (hang), is killed (die), or after which every call
 * fails, as after an error of a CUDA kernel (poison); or which no engine can run: prepare says so
 * (unsupported), or every call of the plan fails and the device goes on (refuse); or whose outputs
 * are off (wrong). Which configs is fixed by the config.
 *
 * Its operands are noise, its outputs what they are by definition; it has no gradients.
 */
#include "bench/backend.h"

#include "base/philox.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct backend backend_fake;

static const double peak_gflops = 500, bandwidth_gbps = 50, launch_ms = 0.004, noise_share = 0.01;
static const int64_t fake_memory_bytes = INT64_C(16) << 30, fake_cache_bytes = INT64_C(32) << 20;

struct fake_device {
    struct device base;
    uint64_t seed;
    int64_t used_bytes;
    double clock_ms, started_ms;
    bool is_poisoned;
};

struct fake_plan {
    struct plan base;
    struct fake_device *device;
    double phase_ms[3]; /* forward, backward, update */
    uint64_t hash;
    struct layer_config config;
    uint32_t calls; /* forward passes so far: each, and what follows it, draws its own noise */
    int set_count;  /* of operands */
    bool refuses;   /* to be called */
    bool is_wrong;  /* in its outputs */
};

static enum status fake_device_count(int *count, struct error *error)
{
    (void)error;
    *count = 1;
    return STATUS_OK;
}

static enum status fake_open(struct device **device, int index,
                             const struct device_options *options, struct error *error)
{
    (void)index;
    struct fake_device *fake;
    TRY(ALLOCATE(&fake, 1, "fake device", error));
    fake->base.backend = &backend_fake;
    fake->seed = options->seed;
    *device = &fake->base;
    return STATUS_OK;
}

static void fake_close(struct device *device)
{
    free(device);
}

static enum status fake_describe(struct device *device, bool measure, struct device_info *info,
                                 struct error *error)
{
    (void)device, (void)error;
    *info = (struct device_info){.name = "fake device",
                                 .backend = "fake",
                                 .technology = "fake",
                                 .connectivity = "none",
                                 .library = "none",
                                 .device_count = 1,
                                 .thread_count = 1,
                                 .memory_bytes = fake_memory_bytes,
                                 .cache_bytes = fake_cache_bytes,
                                 .clock_mhz = 1000,
                                 .bandwidth_gbps = bandwidth_gbps,
                                 .core_count = 250,
                                 .peak_gflops = peak_gflops,
                                 .measured_copy_gbps = measure ? bandwidth_gbps : NAN,
                                 .measured_sgemm_gflops = measure ? peak_gflops : NAN,
                                 .measured_call_latency_us = measure ? 1e3 * launch_ms : NAN};
    return STATUS_OK;
}

static enum status fake_timer_start(struct device *device, struct error *error)
{
    (void)error;
    struct fake_device *fake = (struct fake_device *)device;
    fake->started_ms = fake->clock_ms;
    return STATUS_OK;
}

static enum status fake_timer_stop(struct device *device, double *elapsed_ms, struct error *error)
{
    (void)error;
    struct fake_device *fake = (struct fake_device *)device;
    *elapsed_ms = fake->clock_ms - fake->started_ms;
    return STATUS_OK;
}

static void fake_flush_cache(struct device *device)
{
    (void)device;
}

static void fake_room(struct device *device, struct operand_room *room)
{
    *room = (struct operand_room){.cache_bytes = fake_cache_bytes,
                                  .free_bytes = fake_memory_bytes -
                                                ((struct fake_device *)device)->used_bytes};
}

static void fake_reset(struct device *device)
{
    ((struct fake_device *)device)->used_bytes = 0;
}

/* Share of the peak that a layer reaches: more for large work, less for odd widths. */
static double efficiency(double flops, int64_t width)
{
    const double filled = flops / (flops + 1e6);
    return (0.2 + 0.7 * filled) * (width % 8 ? 0.7 : 1.0);
}

static double cost_ms(const struct cost *cost, int64_t width)
{
    const double compute_ms = cost->flops / (efficiency(cost->flops, width) * peak_gflops * 1e6);
    const double memory_ms = (cost->bytes_read + cost->bytes_written) / (bandwidth_gbps * 1e6);
    return launch_ms + fmax(compute_ms, memory_ms);
}

/* Of the work's cost up to the end of a pass. width: outputs of one row. */
static double pass_ms(const struct layer_work *work, int32_t pass, int32_t optimizer, int64_t width)
{
    const struct cost cost = cost_of_work(work, pass, optimizer, PRECISION_FP32);
    return cost_ms(&cost, width);
}

/* Times of the phases as differences of the passes that end with them. */
static void fill_phases(double *phase_ms, const struct layer_config *config)
{
    struct layer_work work;
    layer_work(&work, config);
    const int64_t width = (int64_t)work_elements(&work, TENSOR_OUTPUT) / config->batch_size;
    phase_ms[0] = pass_ms(&work, PASS_FORWARD, OPTIMIZER_NONE, width);
    if (config->pass == PASS_FORWARD)
        return;
    const double both_ms = pass_ms(&work, PASS_TRAIN, OPTIMIZER_NONE, width);
    phase_ms[1] = fmax(launch_ms, both_ms - phase_ms[0]);
    if (config->optimizer == OPTIMIZER_NONE)
        return;
    const double all_ms = pass_ms(&work, PASS_TRAIN, config->optimizer, width);
    phase_ms[2] = fmax(launch_ms, all_ms - phase_ms[0] - phase_ms[1]);
}

enum fault {
    FAULT_CRASH,
    FAULT_HANG,
    FAULT_DIE,
    FAULT_POISON,
    FAULT_UNSUPPORTED,
    FAULT_REFUSE,
    FAULT_WRONG,
    FAULT_COUNT
};
static const char *const fault_names[FAULT_COUNT] = {
    "crash=", "hang=", "die=", "poison=", "unsupported=", "refuse=", "wrong="};

/* The fault that the config has in store; FAULT_COUNT: none. */
static enum fault fault_of(const struct layer_config *config)
{
    const char *faults = getenv("EPOCHCAST_FAKE_FAULTS");
    const uint64_t hash = layer_hash(config);
    double left = philox_uniform(
        philox((uint32_t)hash, (uint32_t)(hash >> 32), 1, PHILOX_FAKE_TIME, 0).word[0]);
    for (int fault = 0; faults && fault < FAULT_COUNT; fault++) {
        const char *at = strstr(faults, fault_names[fault]);
        const double share = at ? strtod(at + strlen(fault_names[fault]), NULL) : 0;
        if (left < share)
            return (enum fault)fault;
        left -= share;
    }
    return FAULT_COUNT;
}

static enum status suffer(struct fake_device *fake, enum fault fault, enum outcome *outcome,
                          struct error *error)
{
    if (fault == FAULT_CRASH)
        abort();
    if (fault == FAULT_HANG)
        for (;;)
            pause();
    if (fault == FAULT_DIE)
        _exit(raise(SIGKILL));
    fake->is_poisoned |= fault == FAULT_POISON;
    if (fault == FAULT_UNSUPPORTED) {
        *outcome = OUTCOME_UNSUPPORTED;
        return FAIL(error, STATUS_FAILED, "fake: no engine supports this layer");
    }
    return fake->is_poisoned ? FAIL(error, STATUS_FAILED, "fake: the device is poisoned")
                             : STATUS_OK;
}

static enum status fake_prepare(struct plan **plan, struct device *device,
                                const struct layer_config *config, struct plan *const *inputs,
                                enum outcome *outcome, struct error *error)
{
    *plan = NULL;
    struct fake_device *fake = (struct fake_device *)device;
    int64_t needed_bytes = layer_cost(config).memory_bytes;
    const enum fault fault = fault_of(config);
    TRY(suffer(fake, fault, outcome, error));
    if (config->precision != PRECISION_FP32) {
        *outcome = OUTCOME_UNSUPPORTED;
        return FAIL(error, STATUS_FAILED, "fake: precision %s is not supported",
                    choice_name(&choice_precision, config->precision));
    }
    if (needed_bytes > fake_memory_bytes - fake->used_bytes)
        return FAIL(error, STATUS_OUT_OF_MEMORY, "fake: %lld bytes do not fit",
                    (long long)needed_bytes);
    for (int i = 0; i < layer_input_count(config); i++) {
        const struct fake_plan *producer = (struct fake_plan *)producer_of(inputs, i);
        if (producer && layer_output_elements(&producer->config) != layer_input_elements(config, i))
            return FAIL(error, STATUS_FAILED, "fake: linked to a layer of another size");
    }
    struct fake_plan *made;
    TRY(ALLOCATE(&made, 1, "plan", error));
    made->base.bench = fake->base.backend->bench[config->kind];
    made->base.engine = -1;
    made->base.operand_bytes = needed_bytes;
    made->set_count = 1;
    snprintf(made->base.algorithm, sizeof made->base.algorithm, "fake");
    made->device = fake;
    made->refuses = fault == FAULT_REFUSE;
    made->is_wrong = fault == FAULT_WRONG;
    made->hash = layer_hash(config);
    made->config = *config;
    fill_phases(made->phase_ms, config);
    fake->used_bytes += needed_bytes;
    *plan = &made->base;
    return STATUS_OK;
}

static enum status fake_enqueue(struct plan *plan, int phases, struct error *error)
{
    struct fake_plan *made = (struct fake_plan *)plan;
    double elapsed_ms = 0;
    if (plan->set < 0 || plan->set >= made->set_count)
        return FAIL(error, STATUS_FAILED, "fake: the plan has no set %d of operands", plan->set);
    if (made->refuses)
        return FAIL(error, STATUS_FAILED, "fake: the engine does not run");
    for (int i = 0; i < 3; i++)
        elapsed_ms += phases >> i & 1 ? made->phase_ms[i] : 0;
    made->calls += phases & PHASE_FORWARD ? 1 : 0;
    struct philox_words words = philox(made->calls - 1, (uint32_t)made->hash,
                                       (uint32_t)(made->hash >> 32), PHILOX_FAKE_TIME,
                                       made->device->seed);
    double noise = philox_uniform(words.word[0]) + philox_uniform(words.word[1]) - 1;
    made->device->clock_ms += elapsed_ms * (1 + noise_share * noise);
    return STATUS_OK;
}

static enum status fake_replicate(struct plan *plan, int count, struct error *error)
{
    (void)error;
    struct fake_plan *made = (struct fake_plan *)plan;
    made->device->used_bytes += (count - made->set_count) * plan->operand_bytes;
    made->set_count = count;
    return STATUS_OK;
}

static void fake_release(struct plan *plan)
{
    free(plan);
}

/* Noise in (-1, 1); variances around 1. */
static enum status read_operands(float *values, void *payload, enum layer_value what,
                                 const int64_t *indices, int count, struct error *error)
{
    const struct fake_plan *made = payload;
    (void)error;
    for (int i = 0; i < count; i++) {
        const uint32_t word = philox((uint32_t)indices[i], (uint32_t)(indices[i] >> 32),
                                     (uint32_t)what, PHILOX_NOISE, made->hash)
                                  .word[0];
        const float noise = 2 * philox_uniform(word) - 1;
        values[i] = what == VALUE_VARIANCE ? 1 + noise / 2 : noise;
    }
    return STATUS_OK;
}

static enum status read_outputs(float *values, struct fake_plan *made, const int64_t *indices,
                                int count, struct error *error)
{
    struct reference reference;
    struct reference_element element;
    reference_begin(&reference, &made->config,
                    (struct value_source){.read = read_operands, .payload = made}, false);
    for (int i = 0; i < count; i++) {
        TRY(reference_element(&element, &reference, VALUE_OUTPUT, indices[i], error));
        values[i] = (float)(element.value + (made->is_wrong ? element.size + 1 : 0));
    }
    return STATUS_OK;
}

static enum status fake_read(float *values, struct plan *plan, enum layer_value what,
                             const int64_t *indices, int count, struct error *error)
{
    struct fake_plan *made = (struct fake_plan *)plan;
    if (what > VALUE_OUTPUT)
        return FAIL(error, STATUS_FAILED, "fake: there are no gradients");
    return what == VALUE_OUTPUT ? read_outputs(values, made, indices, count, error)
                                : read_operands(values, made, what, indices, count, error);
}

static const struct bench fake_bench = {.prepare = fake_prepare,
                                        .enqueue = fake_enqueue,
                                        .replicate = fake_replicate,
                                        .release = fake_release,
                                        .read = fake_read};

#define FAKE_BENCH(KIND, kind) [LAYER_##KIND] = &fake_bench,
const struct backend backend_fake = {
    .name = "fake",
    .help = "computes times instead of taking them, for tests",
    .device_count = fake_device_count,
    .open = fake_open,
    .close = fake_close,
    .describe = fake_describe,
    .timer_start = fake_timer_start,
    .timer_stop = fake_timer_stop,
    .flush_cache = fake_flush_cache,
    .room = fake_room,
    .reset = fake_reset,
    .bench = {LAYER_KINDS(FAKE_BENCH)},
};
