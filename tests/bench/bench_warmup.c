/* How many first calls of a layer are warm-up: bench_warmup CONFIGS SEED. Draws configs as `sweep
 * --device cpu` does, kinds in turn, and times every call of them, from the first after prepare. A
 * line of JSON per config: its kind, the number of these calls that are warm-up in a round of a
 * sweep, the cap of such a round, and the times.
 */
#include "bench/warm_up.h"
#include "layers/sample.h"
#include "sweep/sweep.h"

#include <stdio.h>
#include <stdlib.h>

enum { CALL_LIMIT = 80, CALL_MINIMUM = 8 };
static const double enough_ms = 300;

static void stop_at(enum status status, const struct error *error)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "bench_warmup: %s\n", error->message);
    exit(EXIT_FAILURE);
}

/* Times the calls of a plan one by one; how many. */
static int time_calls(double *calls_ms, struct device *device, struct plan *plan, int phases)
{
    struct error error;
    double ignored_ms, spent_ms = 0;
    int count = 0;
    stop_at(device->backend->timer_start(device, &error), &error);
    stop_at(device->backend->timer_stop(device, &ignored_ms, &error), &error);
    while (count < CALL_LIMIT && (count < CALL_MINIMUM || spent_ms < enough_ms)) {
        stop_at(device->backend->timer_start(device, &error), &error);
        stop_at(plan->bench->enqueue(plan, phases, &error), &error);
        stop_at(device->backend->timer_stop(device, &calls_ms[count], &error), &error);
        spent_ms += calls_ms[count++];
    }
    return count;
}

/* By the rule that measure follows. */
static int warmup_calls(const double *calls_ms, int limit, const struct measure_options *options)
{
    int count = 1;
    if (warm_up_is_sample(calls_ms[0], options))
        return 0;
    while (count < limit && !warm_up_is_over(calls_ms, count, options))
        count++;
    return count;
}

static void print_line(const struct layer_config *config, const double *calls_ms, int count)
{
    struct measure_options options = measure_options_default;
    options.cap_ms /= SWEEP_ROUNDS;
    printf("{\"layer\": \"%s\", \"warmup_calls\": %d, \"cap_ms\": %g, \"calls_ms\": [",
           layer_descriptors[config->kind]->name, warmup_calls(calls_ms, count, &options),
           options.cap_ms);
    for (int i = 0; i < count; i++)
        printf("%s%.6g", i ? ", " : "", calls_ms[i]);
    printf("]}\n");
}

static void time_config(struct device *device, const struct layer_config *config)
{
    double calls_ms[CALL_LIMIT];
    struct error error;
    struct plan *plan;
    enum outcome outcome = OUTCOME_OK;
    const struct bench *bench = device->backend->bench[config->kind];
    device->backend->reset(device);
    if (bench->prepare(&plan, device, config, NULL, &outcome, &error) != STATUS_OK)
        return;
    const int count = time_calls(calls_ms, device, plan, phases_of(config));
    print_line(config, calls_ms, count);
    bench->release(plan);
}

int main(int argc, char **argv)
{
    struct sample_domain domains[LAYER_KIND_COUNT];
    struct device *device;
    struct error error;
    if (argc != 3) {
        fprintf(stderr, "usage: bench_warmup CONFIGS SEED\n");
        return STATUS_USAGE;
    }
    const struct device_options options = {.seed = strtoull(argv[2], NULL, 10)};
    stop_at(device_open(&device, "cpu", &options, &error), &error);
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        sample_domain_default(&domains[kind], (enum layer_kind)kind);
    for (int i = 0; i < (int)strtol(argv[1], NULL, 10); i++) {
        struct layer_config config;
        enum stratum stratum;
        stop_at(sample_draw(&config, &stratum, &domains[i % LAYER_KIND_COUNT], options.seed,
                            (uint32_t)(i / LAYER_KIND_COUNT), &error),
                &error);
        time_config(device, &config);
    }
    device_close(device);
    return 0;
}
