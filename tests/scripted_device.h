/* A device that does what a test's script says, with a virtual clock. */
#ifndef EPOCHCAST_TESTS_SCRIPTED_DEVICE_H
#define EPOCHCAST_TESTS_SCRIPTED_DEVICE_H

#include "bench/measure.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Time of call `index` (from 0), and whether the sample that holds it is disturbed. */
typedef double call_time(int index);
typedef bool call_disturbed(int index);

struct scripted {
    struct device base;
    call_time *time;
    call_disturbed *disturbed;
    int failing_call;             /* -1: none */
    enum status prepare_status;   /* what prepare returns ... */
    enum outcome prepare_outcome; /* ... and says */
    double clock_ms, started_ms;
    int calls, live_plans, resets, flushes, timer_starts;
    int phases; /* of the last enqueue */
    bool recording, refuses_recording, dies_of_failing, is_dead;
    int recorded_calls, replays, throttled_tries, conditions_read;
    double replayed_call_ms; /* 0: 0.002 */
};

static inline struct scripted *scripted_of(struct device *device)
{
    return (struct scripted *)device;
}

static inline enum status timer_start(struct device *device, struct error *error)
{
    if (scripted_of(device)->is_dead)
        return FAIL(error, STATUS_FAILED, "scripted death of the device");
    scripted_of(device)->started_ms = scripted_of(device)->clock_ms;
    scripted_of(device)->timer_starts++;
    return STATUS_OK;
}

static inline enum status timer_stop(struct device *device, double *elapsed_ms, struct error *error)
{
    (void)error;
    *elapsed_ms = scripted_of(device)->clock_ms - scripted_of(device)->started_ms;
    return STATUS_OK;
}

static inline void flush_cache(struct device *device)
{
    scripted_of(device)->flushes++;
}

static inline void reset(struct device *device)
{
    assert_int_equal(scripted_of(device)->live_plans, 0);
    scripted_of(device)->resets++;
}

static inline bool disturbed(struct device *device)
{
    const struct scripted *scripted = scripted_of(device);
    return scripted->disturbed && scripted->disturbed(scripted->calls - 1);
}

struct scripted_plan {
    struct plan base;
    struct scripted *device;
};

static const struct bench scripted_bench;

static inline enum status prepare(struct plan **plan, struct device *device,
                                  const struct layer_config *config, struct plan *const *inputs,
                                  enum outcome *outcome, struct error *error)
{
    (void)config;
    assert_null(inputs);
    struct scripted *scripted = scripted_of(device);
    *plan = NULL;
    if (scripted->prepare_status != STATUS_OK) {
        *outcome = scripted->prepare_outcome;
        return FAIL(error, scripted->prepare_status, "scripted failure of prepare");
    }
    struct scripted_plan *made = calloc(1, sizeof *made);
    assert_non_null(made);
    *made = (struct scripted_plan){.base = {.bench = &scripted_bench,
                                            .algorithm = "scripted",
                                            .numerical_notes = "noted",
                                            .engine = 7,
                                            .workspace_bytes = 4096},
                                   .device = scripted};
    scripted->live_plans++;
    *plan = &made->base;
    return STATUS_OK;
}

static inline enum status enqueue(struct plan *plan, int phases, struct error *error)
{
    struct scripted *scripted = ((struct scripted_plan *)plan)->device;
    scripted->phases = phases;
    scripted->is_dead = scripted->dies_of_failing && scripted->calls == scripted->failing_call;
    if (scripted->calls == scripted->failing_call)
        return FAIL(error, STATUS_FAILED, "scripted failure of call %d", scripted->calls);
    if (scripted->recording) {
        scripted->recorded_calls++;
        return STATUS_OK;
    }
    scripted->clock_ms += scripted->time(scripted->calls++);
    return STATUS_OK;
}

static inline void release(struct plan *plan)
{
    ((struct scripted_plan *)plan)->device->live_plans--;
    free(plan);
}

static const struct bench scripted_bench = {
    .prepare = prepare, .enqueue = enqueue, .release = release};
static const struct backend scripted_backend = {
    .name = "scripted",
    .timer_start = timer_start,
    .timer_stop = timer_stop,
    .flush_cache = flush_cache,
    .reset = reset,
    .disturbed = disturbed,
    .bench = {[LAYER_DENSE] = &scripted_bench}, /* others: no implementation */
};

static inline struct scripted scripted_device(call_time *time)
{
    return (struct scripted){.base.backend = &scripted_backend, .time = time, .failing_call = -1};
}

static const struct layer_config dense = {.kind = LAYER_DENSE,
                                          .batch_size = 1,
                                          .pass = PASS_FORWARD,
                                          .as.dense = {.inputs = 2, .outputs = 3}};

/* Measures dense with these options and demands that nothing leaks. */
static inline struct measurement measured(struct scripted *scripted,
                                          const struct measure_options *options)
{
    struct error error = {0};
    struct measurement row;
    memset(&row, 0xAA, sizeof row);
    if (measure_config(&row, &scripted->base, &dense, options, &error) != STATUS_OK)
        fail_msg("measure_config: %s", error.message);
    assert_int_equal(scripted->live_plans, 0);
    return row;
}

static inline void assert_near(double got, double wanted)
{
    if (!(fabs(got - wanted) <= 1e-9 * fmax(1, fabs(wanted))))
        fail_msg("got %.12g, wanted %.12g", got, wanted);
}

#endif
