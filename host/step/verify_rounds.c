#include "step/verify_rounds.h"

#include "bench/rounds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct rounds {
    const struct network *network;
    struct device *device;
    const struct verify_rounds_options *options;
    struct measure_options step, single; /* of one round: a whole step, a layer */
};

static struct measure_options round_options(const struct verify_rounds_options *options,
                                            double cap_ms)
{
    struct measure_options measure = options->measure;
    measure.cap_ms = cap_ms / options->round_count;
    return measure;
}

static enum status allocate_layers(double **layers_ms, const struct network *network,
                                   struct error *error)
{
    return ALLOCATE(layers_ms, (unsigned long)network->layer_count, "layer times", error);
}

/* Takes ownership of layers_ms (layer_count); keeps each layer's fastest round. */
static void keep_fastest(double **fastest_ms, double *layers_ms, int layer_count)
{
    if (!*fastest_ms) {
        *fastest_ms = layers_ms;
        return;
    }
    for (int i = 0; i < layer_count; i++)
        (*fastest_ms)[i] = fmin((*fastest_ms)[i], layers_ms[i]);
    free(layers_ms);
}

static enum status measure_layers(struct verify_times *times, const struct rounds *rounds,
                                  const struct layer_config *asked, struct error *error)
{
    const struct network *network = rounds->network;
    enum status status = STATUS_OK;
    double *layers_ms;
    if (rounds->options->has_layers_in_place) {
        TRY(allocate_layers(&layers_ms, network, error));
        status = verify_layers_in_place(layers_ms, rounds->device, network, asked, &rounds->step,
                                        error);
        keep_fastest(&times->in_place_ms, layers_ms, network->layer_count);
    }
    if (status == STATUS_OK && rounds->options->has_layers_alone) {
        TRY(allocate_layers(&layers_ms, network, error));
        status = verify_layers_alone(layers_ms, rounds->device, network, asked, &rounds->single,
                                     error);
        keep_fastest(&times->alone_ms, layers_ms, network->layer_count);
    }
    return status;
}

/* One round of a step, and of its layers. */
static enum status measure_once(struct measurement *step, struct verify_times *times,
                                const struct rounds *rounds, const struct layer_config *asked,
                                struct error *error)
{
    const enum status status = verify_network(step, rounds->device, rounds->network,
                                              asked->batch_size, asked->pass, asked->optimizer,
                                              asked->precision, &rounds->step, error);
    if (status == STATUS_OUT_OF_MEMORY) {
        measurement_fail(step, asked, OUTCOME_OUT_OF_MEMORY, &rounds->step);
        return STATUS_OK;
    }
    TRY(status);
    return measure_layers(times, rounds, asked, error);
}

/* steps (count, round_count) */
static enum status measure_all(struct measurement *steps, struct verify_times *times,
                               const struct layer_config *asked, int count,
                               const struct rounds *rounds, struct error *error)
{
    const int round_count = rounds->options->round_count, total = count * round_count;
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < total; i++) {
        const int step = i % count, round = i / count;
        if (rounds->options->progress)
            progress_update(rounds->options->progress, i, total, "%s, batch %d",
                            rounds->network->name, asked[step].batch_size);
        status = measure_once(&steps[step * round_count + round], &times[step], rounds,
                              &asked[step], error);
        if (status == STATUS_OK && i + 1 < total && rounds->options->interrupted &&
            *rounds->options->interrupted)
            status = FAIL(error, STATUS_INTERRUPTED, "interrupted after %d of %d steps", i + 1,
                          total);
    }
    return status;
}

enum status verify_rounds(struct verify_times *times, const struct layer_config *asked, int count,
                          const struct network *network, struct device *device,
                          const struct verify_rounds_options *options, struct error *error)
{
    struct measurement *steps;
    const int round_count = options->round_count;
    struct rounds rounds = {
        .network = network,
        .device = device,
        .options = options,
        .step = round_options(options, options->step_cap_ms),
        .single = round_options(options, options->measure.cap_ms),
    };
    rounds.step.cache = CACHE_HOT; /* a step finds its operands as it does */
    memset(times, 0, (size_t)count * sizeof *times);
    TRY(ALLOCATE(&steps, (unsigned long)count * (unsigned long)round_count, "rounds", error));
    const enum status status = measure_all(steps, times, asked, count, &rounds, error);
    for (int i = 0; status == STATUS_OK && i < count; i++)
        times[i].step = rounds_join(&steps[i * round_count], (size_t)round_count);
    free(steps);
    return status;
}

void verify_times_free(struct verify_times *times, int count)
{
    for (int i = 0; i < count; i++) {
        free(times[i].in_place_ms);
        free(times[i].alone_ms);
    }
}
