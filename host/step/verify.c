#include "step/verify.h"

#include "base/clock.h"
#include "base/stats.h"
#include "base/term.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IN_PLACE_STEPS = 100 };

/* ---- the step ---- */

/* The network's plans, in layer order. */
struct step {
    struct plan **plans;
    int count, phases;
    int64_t workspace_bytes;
};

static enum status run_phase(const struct step *step, int phase, struct error *error)
{
    if (!(step->phases & phase))
        return STATUS_OK;
    for (int i = 0; i < step->count; i++) {
        struct plan *plan = step->plans[phase == PHASE_BACKWARD ? step->count - 1 - i : i];
        TRY(plan->bench->enqueue(plan, phase, error));
    }
    return STATUS_OK;
}

static enum status run_step(void *payload, struct error *error)
{
    TRY(run_phase(payload, PHASE_FORWARD, error));
    TRY(run_phase(payload, PHASE_BACKWARD, error));
    return run_phase(payload, PHASE_UPDATE, error);
}

/* Layers are linked where the producer's output is the consumer's input, element for element. */
static struct plan *linked_plan(const struct network *network, int layer, int which,
                                struct plan *const *plans)
{
    const int input = network_input(&network->layers[layer], which);
    if (input < 0)
        return NULL;
    bool fits = network_layer_output_count(&network->layers[input]) ==
                (double)layer_input_elements(&network->layers[layer].config, which);
    return fits ? plans[input] : NULL;
}

static enum status prepare_layer(struct plan **plan, struct device *device,
                                 const struct network *network, int index,
                                 const struct layer_config *config, struct plan *const *plans,
                                 struct error *error)
{
    const struct network_layer *layer = &network->layers[index];
    const struct bench *bench = device->backend->bench[config->kind];
    if (!bench)
        return FAIL(error, STATUS_FAILED, "layer '%s': backend %s cannot run %s", layer->name,
                    device->backend->name, layer_descriptors[config->kind]->name);
    struct plan *inputs[LAYER_INPUT_LIMIT] = {NULL};
    for (int i = 0; i < layer_input_count(config); i++)
        inputs[i] = linked_plan(network, index, i, plans);
    enum outcome outcome = OUTCOME_OK;
    return bench->prepare(plan, device, config, inputs, &outcome, error);
}

static enum status prepare_step(struct step *step, struct device *device,
                                const struct network *network, const struct layer_config *asked,
                                struct error *error)
{
    for (int i = 0; i < network->layer_count; i++) {
        const struct network_layer *layer = &network->layers[i];
        if (network_layer_is_operator(layer))
            return FAIL(error, STATUS_FAILED, "layer '%s': no benchmark runs the operator %s",
                        layer->name, layer->operator_name);
        struct layer_config config = network_config(layer, asked->batch_size, asked->pass,
                                                    asked->optimizer, asked->precision);
        TRY(layer_check(&config, error));
        TRY(prepare_layer(&step->plans[i], device, network, i, &config, step->plans, error));
        step->phases |= phases_of(&config);
        step->workspace_bytes += step->plans[i]->workspace_bytes;
        step->count = i + 1;
    }
    return STATUS_OK;
}

static enum status measure_step(struct measurement *row, struct device *device,
                                const struct network *network, const struct layer_config *asked,
                                struct step *step, const struct measure_options *options,
                                struct error *error)
{
    double started_s = monotonic_s();
    TRY(prepare_step(step, device, network, asked, error));
    row->setup_ms = 1e3 * (monotonic_s() - started_s);
    row->workspace_bytes = step->workspace_bytes;
    const struct measured_call call = {.call = run_step, .payload = step};
    return measure_call(row, device, &call, options, error);
}

static void release_step(struct step *step)
{
    for (int i = step->count; i-- > 0;)
        step->plans[i]->bench->release(step->plans[i]);
    free(step->plans);
}

/* release_step releases, also after a failure. */
static enum status begin_step(struct step *step, struct device *device,
                              const struct network *network, struct error *error)
{
    *step = (struct step){.plans = NULL};
    if (network->layer_count < 1)
        return FAIL(error, STATUS_BAD_FILE, "network '%s' has no layers", network->name);
    device->backend->reset(device);
    return ALLOCATE(&step->plans, (size_t)network->layer_count, "plans", error);
}

enum status verify_network(struct measurement *row, struct device *device,
                           const struct network *network, int32_t batch_size, int32_t pass,
                           int32_t optimizer, int32_t precision,
                           const struct measure_options *options, struct error *error)
{
    struct step step;
    const struct layer_config asked = {
        .batch_size = batch_size, .pass = pass, .optimizer = optimizer, .precision = precision};
    *row = (struct measurement){.config = asked, .round_count = 1, .spread_percent = NAN};
    TRY(begin_step(&step, device, network, error));
    const enum status status = measure_step(row, device, network, &asked, &step, options, error);
    release_step(&step);
    return status;
}

/* ---- layers in place ---- */

/* A layer's part of a phase. */
struct phase_call {
    struct plan *plan;
    int phase;
};

static enum status run_phase_call(void *payload, struct error *error)
{
    const struct phase_call *call = payload;
    return call->plan->bench->enqueue(call->plan, call->phase, error);
}

/* Adds the time of each layer of a phase to layers_ms[i]. */
static enum status time_phase(double *layers_ms, struct device *device, const struct step *step,
                              int phase, struct error *error)
{
    if (!(step->phases & phase))
        return STATUS_OK;
    for (int i = 0; i < step->count; i++) {
        const int layer = phase == PHASE_BACKWARD ? step->count - 1 - i : i;
        struct phase_call part = {.plan = step->plans[layer], .phase = phase};
        const struct measured_call call = {.call = run_phase_call, .payload = &part};
        double elapsed_ms;
        TRY(measure_one_call(&elapsed_ms, device, &call, error));
        layers_ms[layer] += elapsed_ms;
    }
    return STATUS_OK;
}

static enum status time_layers(double *layers_ms, struct device *device, const struct step *step,
                               struct error *error)
{
    static const int phases[] = {PHASE_FORWARD, PHASE_BACKWARD, PHASE_UPDATE};
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++)
        TRY(time_phase(layers_ms, device, step, phases[i], error));
    return STATUS_OK;
}

/* samples (IN_PLACE_STEPS, layers), zeros. */
static enum status sample_layers(double *samples, int *count, struct device *device,
                                 struct step *step, double cap_ms, struct error *error)
{
    double spent_ms = 0;
    TRY(run_step(step, error));
    for (*count = 0; *count < IN_PLACE_STEPS && (*count == 0 || spent_ms < cap_ms); ++*count) {
        double *layers_ms = samples + (size_t)*count * (size_t)step->count;
        TRY(time_layers(layers_ms, device, step, error));
        for (int i = 0; i < step->count; i++)
            spent_ms += layers_ms[i];
    }
    return STATUS_OK;
}

static void take_medians(double *layers_ms, const double *samples, int count, int layer_count)
{
    double sorted[IN_PLACE_STEPS];
    for (int layer = 0; layer < layer_count; layer++) {
        for (int i = 0; i < count; i++)
            sorted[i] = samples[(size_t)i * (size_t)layer_count + (size_t)layer];
        stats_sort(sorted, (size_t)count);
        layers_ms[layer] = stats_quantile(sorted, (size_t)count, 0.5);
    }
}

static enum status measure_layers(double *layers_ms, struct device *device,
                                  const struct network *network, const struct layer_config *asked,
                                  struct step *step, double cap_ms, struct error *error)
{
    void *samples;
    int count;
    TRY(prepare_step(step, device, network, asked, error));
    TRY(error_allocate(&samples, IN_PLACE_STEPS * (size_t)step->count, sizeof(double), "samples",
                       error));
    const enum status status = sample_layers(samples, &count, device, step, cap_ms, error);
    if (status == STATUS_OK)
        take_medians(layers_ms, samples, count, step->count);
    free(samples);
    return status;
}

enum status verify_layers_in_place(double *layers_ms, struct device *device,
                                   const struct network *network, const struct layer_config *asked,
                                   const struct measure_options *options, struct error *error)
{
    struct step step;
    TRY(begin_step(&step, device, network, error));
    const enum status status = measure_layers(layers_ms, device, network, asked, &step,
                                              options->cap_ms, error);
    release_step(&step);
    return status;
}

/* ---- layers alone ---- */

static struct layer_config config_of(const struct network *network, int layer,
                                     const struct layer_config *asked)
{
    return network_config(&network->layers[layer], asked->batch_size, asked->pass, asked->optimizer,
                          asked->precision);
}

/* The first layer of the same config: `layer` itself when it is new. */
static int first_like(const struct network *network, int layer, const struct layer_config *asked)
{
    const struct layer_config config = config_of(network, layer, asked);
    for (int i = 0; i < layer; i++) {
        const struct layer_config other = config_of(network, i, asked);
        if (memcmp(&other, &config, sizeof config) == 0)
            return i;
    }
    return layer;
}

enum status verify_layers_alone(double *layers_ms, struct device *device,
                                const struct network *network, const struct layer_config *asked,
                                const struct measure_options *options, struct error *error)
{
    for (int i = 0; i < network->layer_count; i++) {
        const int first = first_like(network, i, asked);
        struct measurement row;
        if (first < i) {
            layers_ms[i] = layers_ms[first];
            continue;
        }
        const struct layer_config config = config_of(network, i, asked);
        TRY(layer_check(&config, error));
        TRY(measure_config(&row, device, &config, options, error));
        layers_ms[i] = measurement_is_timed(&row) ? row.median_ms : NAN;
    }
    return STATUS_OK;
}

struct verify_errors verify_errors_of(double predicted_ms, double sum_ms, double measured_ms)
{
    const double percent = 100 / measured_ms;
    return (struct verify_errors){
        .error_percent = percent * (predicted_ms - measured_ms),
        .model_error_percent = percent * (predicted_ms - sum_ms),
        .sum_gap_percent = percent * (sum_ms - measured_ms),
    };
}
