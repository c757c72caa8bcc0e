#include "cli/verify_rounds.h"

#include "cli/device_choice.h"
#include "data/rounds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of all rounds of a step: whole steps take long, and one sample has no interval. */
static const double default_cap_ms = 9000;

struct rounds {
    const struct network *network;
    struct device *device;
    const struct settings *settings;
    struct measure_options step, single; /* of one round: a whole step, a layer */
    int round_count;
};

/* ---- one round ---- */

static struct measure_options round_options(const struct settings *settings, double cap_ms,
                                            int round_count)
{
    struct measure_options measure = measure_options_of(settings);
    if (isnan(settings->cap_ms))
        measure.cap_ms = cap_ms;
    measure.cap_ms /= round_count;
    return measure;
}

static enum status allocate_layers(double **layers_ms, const struct network *network,
                                   struct error *error)
{
    return error_allocate((void **)layers_ms, (unsigned long)network->layer_count,
                          sizeof **layers_ms, "layer times", error);
}

static enum status measure_layers(struct verify_times *times, const struct rounds *rounds,
                                  const struct layer_config *asked, struct error *error)
{
    if (rounds->settings->layers) {
        TRY(allocate_layers(&times->in_place_ms, rounds->network, error));
        TRY(verify_layers_in_place(times->in_place_ms, rounds->device, rounds->network, asked,
                                   &rounds->step, error));
    }
    if (!rounds->settings->sum)
        return STATUS_OK;
    TRY(allocate_layers(&times->alone_ms, rounds->network, error));
    return verify_layers_alone(times->alone_ms, rounds->device, rounds->network, asked,
                               &rounds->single, error);
}

static enum status measure_once(struct verify_times *times, const struct rounds *rounds,
                                const struct layer_config *asked, struct error *error)
{
    const enum status status = verify_network(&times->step, rounds->device, rounds->network,
                                              asked->batch_size, asked->pass, asked->optimizer,
                                              asked->precision, &rounds->step, error);
    if (status == STATUS_OUT_OF_MEMORY) {
        measurement_fail(&times->step, asked, OUTCOME_OUT_OF_MEMORY, &rounds->step);
        return STATUS_OK;
    }
    TRY(status);
    return measure_layers(times, rounds, asked, error);
}

/* visits (count, round_count) */
static enum status measure_all(struct verify_times *visits, const struct layer_config *asked,
                               int count, const struct rounds *rounds, struct error *error)
{
    struct progress progress;
    const int total = count * rounds->round_count;
    enum status status = STATUS_OK;
    progress_begin(&progress, stderr, rounds->settings->quiet);
    for (int i = 0; status == STATUS_OK && i < total; i++) {
        const int step = i % count, round = i / count;
        progress_update(&progress, i, total, "%s, batch %d", rounds->network->name,
                        asked[step].batch_size);
        status = measure_once(&visits[step * rounds->round_count + round], rounds, &asked[step],
                              error);
    }
    progress_end(&progress);
    return status;
}

/* ---- all rounds of a step ---- */

/* The fastest round of each layer; member: offset of in_place_ms or alone_ms. */
static enum status join_layers(double **layers_ms, const struct verify_times *visits, size_t member,
                               const struct rounds *rounds, struct error *error)
{
    for (int round = 0; round < rounds->round_count; round++) {
        double *times_ms;
        memcpy(&times_ms, (const char *)&visits[round] + member, sizeof times_ms);
        if (!times_ms)
            continue;
        const bool is_first = !*layers_ms;
        if (is_first)
            TRY(allocate_layers(layers_ms, rounds->network, error));
        for (int layer = 0; layer < rounds->network->layer_count; layer++)
            (*layers_ms)[layer] = is_first ? times_ms[layer]
                                           : fmin((*layers_ms)[layer], times_ms[layer]);
    }
    return STATUS_OK;
}

/* visits (round_count) */
static enum status join_visits(struct verify_times *times, const struct verify_times *visits,
                               const struct rounds *rounds, struct measurement *steps,
                               struct error *error)
{
    for (int round = 0; round < rounds->round_count; round++)
        steps[round] = visits[round].step;
    times->step = rounds_join(steps, (size_t)rounds->round_count);
    TRY(join_layers(&times->in_place_ms, visits, offsetof(struct verify_times, in_place_ms), rounds,
                    error));
    return join_layers(&times->alone_ms, visits, offsetof(struct verify_times, alone_ms), rounds,
                       error);
}

static enum status join_all(struct verify_times *times, const struct verify_times *visits,
                            int count, const struct rounds *rounds, struct error *error)
{
    void *steps;
    enum status status = STATUS_OK;
    TRY(error_allocate(&steps, (unsigned long)rounds->round_count, sizeof(struct measurement),
                       "rounds", error));
    for (int i = 0; status == STATUS_OK && i < count; i++)
        status = join_visits(&times[i], visits + i * rounds->round_count, rounds, steps, error);
    free(steps);
    return status;
}

enum status verify_rounds(struct verify_times *times, const struct layer_config *asked, int count,
                          int round_count, const struct network *network, struct device *device,
                          const struct settings *settings, struct error *error)
{
    void *memory;
    const struct rounds rounds = {
        .network = network,
        .device = device,
        .settings = settings,
        .step = round_options(settings, default_cap_ms, round_count),
        .single = round_options(settings, measure_options_default.cap_ms, round_count),
        .round_count = round_count,
    };
    memset(times, 0, (size_t)count * sizeof *times);
    TRY(error_allocate(&memory, (unsigned long)count * (unsigned long)round_count, sizeof *times,
                       "rounds", error));
    struct verify_times *visits = memory;
    enum status status = measure_all(visits, asked, count, &rounds, error);
    if (status == STATUS_OK)
        status = join_all(times, visits, count, &rounds, error);
    verify_times_free(visits, count * round_count);
    free(visits);
    return status;
}

void verify_times_free(struct verify_times *times, int count)
{
    for (int i = 0; i < count; i++) {
        free(times[i].in_place_ms);
        free(times[i].alone_ms);
    }
}
