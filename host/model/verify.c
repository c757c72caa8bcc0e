#include "model/verify.h"

#include "base/term.h"

#include <stdlib.h>

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
static struct plan *producer_of(const struct network *network, int layer, struct plan *const *plans)
{
    int input = network->layers[layer].input;
    if (input < 0)
        return NULL;
    bool fits = network_layer_output_count(&network->layers[input]) ==
                network_layer_input_count(&network->layers[layer]);
    return fits ? plans[input] : NULL;
}

static enum status prepare_layer(struct plan **plan, struct device *device,
                                 const struct network_layer *layer,
                                 const struct layer_config *config, struct plan *input,
                                 struct error *error)
{
    const struct bench *bench = device->backend->bench[config->kind];
    if (!bench)
        return FAIL(error, STATUS_FAILED, "layer '%s': backend %s cannot run %s", layer->name,
                    device->backend->name, layer_descriptors[config->kind]->name);
    enum outcome outcome = OUTCOME_OK;
    return bench->prepare(plan, device, config, input, &outcome, error);
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
        struct plan *input = producer_of(network, i, step->plans);
        TRY(prepare_layer(&step->plans[i], device, layer, &config, input, error));
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

enum status verify_network(struct measurement *row, struct device *device,
                           const struct network *network, int32_t batch_size, int32_t pass,
                           int32_t optimizer, int32_t precision,
                           const struct measure_options *options, struct error *error)
{
    struct step step = {0};
    const struct layer_config asked = {
        .batch_size = batch_size, .pass = pass, .optimizer = optimizer, .precision = precision};
    *row = (struct measurement){.config = asked};
    if (network->layer_count < 1)
        return FAIL(error, STATUS_BAD_FILE, "network '%s' has no layers", network->name);
    device->backend->reset(device);
    TRY(error_allocate((void **)&step.plans, (size_t)network->layer_count, sizeof *step.plans,
                       "plans", error));
    enum status status = measure_step(row, device, network, &asked, &step, options, error);
    for (int i = step.count; i-- > 0;)
        step.plans[i]->bench->release(step.plans[i]);
    free(step.plans);
    return status;
}
