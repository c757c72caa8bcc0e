#include "bench/measure.h"
#include "bench/operand_sets.h"

#include "base/clock.h"
#include "layers/describe.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { THROTTLE_TRIES = 4 };

bool measurement_is_timed(const struct measurement *row)
{
    return row->outcome == OUTCOME_OK || row->outcome == OUTCOME_CAPPED ||
           row->outcome == OUTCOME_SLOW;
}

void measurement_clear_times(struct measurement *row)
{
    row->median_ms = row->minimum_ms = row->maximum_ms = NAN;
    row->q25_ms = row->q75_ms = row->ci_ms = row->eager_ms = NAN;
    row->sample_count = row->repeats_per_sample = row->dropped_count = 0;
    row->warmup_ms = row->measuring_ms = 0;
}

struct planned_call {
    struct plan *plan;
    int phases, set_count;
    int64_t calls; /* so far */
};

static enum status enqueue_plan(void *payload, struct error *error)
{
    const struct planned_call *call = payload;
    return call->plan->bench->enqueue(call->plan, call->phases, error);
}

/* Each phase on its set of operands. */
static enum status enqueue_in_turn(void *payload, struct error *error)
{
    struct planned_call *call = payload;
    for (int i = 0; i < OPERAND_PHASE_COUNT; i++) {
        if (!(call->phases >> i & 1))
            continue;
        call->plan->set = operand_set_of(call->calls, i, call->set_count);
        TRY(call->plan->bench->enqueue(call->plan, 1 << i, error));
    }
    call->calls++;
    return STATUS_OK;
}

/* Makes the sets of operands that the cache option asks for. */
static enum status make_sets(int *set_count, struct plan *plan, struct device *device,
                             const struct measure_options *options, struct error *error)
{
    struct operand_room room;
    *set_count = 1;
    if (options->cache != CACHE_STEP || !device->backend->room || !plan->bench->replicate)
        return STATUS_OK;
    device->backend->room(device, &room);
    *set_count = operand_set_count(plan->operand_bytes, &room);
    return *set_count > 1 ? plan->bench->replicate(plan, *set_count, error) : STATUS_OK;
}

static double unix_time_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Out of memory and unsupported become the row's outcome; every other failure ends the measurement.
 */
static enum status settle_failure(struct measurement *row, enum status status, enum outcome outcome)
{
    measurement_clear_times(row);
    if (status == STATUS_OUT_OF_MEMORY)
        row->outcome = OUTCOME_OUT_OF_MEMORY;
    else if (outcome == OUTCOME_UNSUPPORTED)
        row->outcome = OUTCOME_UNSUPPORTED;
    else
        return status;
    return STATUS_OK;
}

static struct conditions conditions_now(struct device *device)
{
    struct conditions conditions = {.sm_clock_mhz = NAN, .temperature_c = NAN, .stall_ms = NAN};
    if (device->backend->conditions)
        device->backend->conditions(device, &conditions);
    return conditions;
}

static void note_conditions(struct measurement *row, const struct conditions *after,
                            double stall_before_ms, double elapsed_ms)
{
    row->sm_clock_mhz = after->sm_clock_mhz;
    row->temperature_c = after->temperature_c;
    row->clock_events = after->clock_events;
    const double percent = 100 * (after->stall_ms - stall_before_ms) / elapsed_ms;
    row->pressure_percent = percent > 100 ? 100 : percent; /* the kernel's clock is coarser */
}

/* Only tasks of a host stall; reading a GPU's clocks may take longer than a layer. */
static double stall_so_far_ms(struct device *device)
{
    return device_is_host(device) ? conditions_now(device).stall_ms : NAN;
}

/* Times the plan; a device that throttles gets pauses and three more tries. */
static enum status measure_plan(struct measurement *row, struct device *device, struct plan *plan,
                                int set_count, const struct measure_options *options,
                                struct error *error)
{
    struct planned_call planned = {
        .plan = plan, .phases = phases_of(&row->config), .set_count = set_count};
    const struct measured_call call = {.call = set_count > 1 ? enqueue_in_turn : enqueue_plan,
                                       .payload = &planned,
                                       .cycle = set_count};
    if (!device_is_host(device))
        planned.calls = set_count; /* prepare has run all phases: none has to stay behind */
    for (int tries = 1;; tries++) {
        const double started_s = monotonic_s(), stall_ms = stall_so_far_ms(device);
        TRY(measure_call(row, device, &call, options, error));
        const struct conditions after = conditions_now(device);
        note_conditions(row, &after, stall_ms, 1e3 * (monotonic_s() - started_s));
        if (!after.throttled)
            return STATUS_OK;
        if (tries == THROTTLE_TRIES)
            break;
        const struct timespec pause = {.tv_nsec = 25000000L << tries};
        nanosleep(&pause, NULL);
    }
    measurement_clear_times(row);
    row->outcome = OUTCOME_THROTTLED;
    return STATUS_OK;
}

static bool goes_on(struct device *device)
{
    const struct backend *backend = device->backend;
    double ignored_ms;
    return backend->timer_start(device, NULL) == STATUS_OK &&
           backend->timer_stop(device, &ignored_ms, NULL) == STATUS_OK;
}

/* A failed call may leave the device usable: then the library cannot run this layer. */
static enum status settle_call(struct measurement *row, struct device *device, enum status status)
{
    if (status == STATUS_OK || !goes_on(device))
        return status;
    return settle_failure(row, status, OUTCOME_UNSUPPORTED);
}

/* An error that ends the measurement names the config. */
static enum status name_config(enum status status, const struct layer_config *config,
                               struct error *error)
{
    char text[256];
    if (status == STATUS_OK || !error)
        return status;
    size_t length = strlen(error->message);
    describe_config(text, sizeof text, config);
    snprintf(error->message + length, sizeof error->message - length, "; measured %s", text);
    return status;
}

void measurement_fail(struct measurement *row, const struct layer_config *config,
                      enum outcome outcome, const struct measure_options *options)
{
    *row = (struct measurement){.config = *config,
                                .outcome = outcome,
                                .unix_time_s = unix_time_s(),
                                .cache = options->cache,
                                .round_count = 1,
                                .spread_percent = NAN,
                                .pressure_percent = NAN,
                                .engine = -1,
                                .sm_clock_mhz = NAN,
                                .temperature_c = NAN};
    measurement_clear_times(row);
}

/* A device that fails to hand out results, and goes on, leaves them unchecked. */
static enum status check_row(struct measurement *row, struct check *check, struct device *device,
                             struct plan *plan, struct error *error)
{
    if (!measurement_is_timed(row))
        return STATUS_OK;
    const enum status status = check_plan(check, plan, device, &row->config, error);
    if (status != STATUS_OK) {
        *check = (struct check){.is_checked = false};
        return goes_on(device) ? STATUS_OK : status;
    }
    if (!check->is_incorrect)
        return STATUS_OK;
    measurement_clear_times(row);
    row->outcome = OUTCOME_INCORRECT;
    FAIL(error, STATUS_FAILED, "%s", check->finding);
    return STATUS_OK;
}

/* A plan, and its sets of operands. */
static enum status prepare(struct plan **plan, int *set_count, struct device *device,
                           const struct layer_config *config, const struct measure_options *options,
                           enum outcome *outcome, struct error *error)
{
    const struct bench *bench = device->backend->bench[config->kind];
    TRY(bench->prepare(plan, device, config, NULL, outcome, error));
    const enum status status = make_sets(set_count, *plan, device, options, error);
    if (status != STATUS_OK)
        bench->release(*plan);
    return status;
}

enum status measure_config(struct measurement *row, struct device *device,
                           const struct layer_config *config, const struct measure_options *options,
                           struct error *error)
{
    return measure_and_check(row, NULL, device, config, options, error);
}

enum status measure_and_check(struct measurement *row, struct check *check, struct device *device,
                              const struct layer_config *config,
                              const struct measure_options *options, struct error *error)
{
    const struct bench *bench = device->backend->bench[config->kind];
    if (check)
        *check = (struct check){.is_checked = false};
    measurement_fail(row, config, OUTCOME_OK, options);
    row->timing = device->backend->timing;
    if (!bench)
        return settle_failure(row, STATUS_FAILED, OUTCOME_UNSUPPORTED);
    struct plan *plan = NULL;
    int set_count;
    enum outcome outcome = OUTCOME_OK;
    device->backend->reset(device);
    double started_s = monotonic_s();
    enum status status = prepare(&plan, &set_count, device, config, options, &outcome, error);
    row->setup_ms = 1e3 * (monotonic_s() - started_s);
    if (status != STATUS_OK)
        return name_config(settle_failure(row, status, outcome), config, error);
    row->workspace_bytes = plan->workspace_bytes;
    row->engine = plan->engine;
    snprintf(row->algorithm, sizeof row->algorithm, "%s", plan->algorithm);
    snprintf(row->numerical_notes, sizeof row->numerical_notes, "%s", plan->numerical_notes);
    status = settle_call(row, device, measure_plan(row, device, plan, set_count, options, error));
    plan->set = 0;
    if (status == STATUS_OK && check)
        status = check_row(row, check, device, plan, error);
    bench->release(plan);
    return name_config(status, config, error);
}
