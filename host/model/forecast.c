#include "model/forecast.h"

#include "model/interval.h"
#include "model/predictor_roofline.h"

#include <math.h>
#include <stdlib.h>

/* ---- memory ---- */

/* In double: sums of 2^62 and more must not wrap. */
static double layer_pair_bytes(const struct layer_config *config)
{
    return precision_bytes(config->precision) *
           ((double)layer_input_count(config) + (double)layer_output_count(config));
}

/* Of one parameter: itself, in training its gradient and the optimizer's fp32 state. */
static double parameter_bytes(int32_t pass, int32_t optimizer, int32_t precision)
{
    const double own = precision_bytes(precision);
    return pass == PASS_TRAIN ? 2 * own + 4.0 * optimizer_state_count(optimizer) : own;
}

int64_t network_memory_bytes(const struct network *network, int32_t batch_size, int32_t pass,
                             int32_t optimizer, int32_t precision)
{
    const double element_bytes = precision_bytes(precision);
    double parameters = 0, kept_bytes = 0, largest_pair_bytes = 0;
    for (int i = 0; i < network->layer_count; i++) {
        const struct layer_config config = network_config(&network->layers[i], batch_size, pass,
                                                          optimizer, precision);
        parameters += (double)layer_cost(&config).parameter_count;
        largest_pair_bytes = fmax(largest_pair_bytes, layer_pair_bytes(&config));
        kept_bytes += element_bytes * (double)layer_output_count(&config);
        if (i == 0)
            kept_bytes += element_bytes * (double)layer_input_count(&config);
    }
    const double bytes = parameters * parameter_bytes(pass, optimizer, precision) +
                         largest_pair_bytes + (pass == PASS_TRAIN ? kept_bytes : 0);
    return bytes < 0x1p63 ? (int64_t)bytes : INT64_MAX;
}

int32_t network_largest_batch(const struct network *network, int32_t pass, int32_t optimizer,
                              int32_t precision, int64_t memory_bytes)
{
    if (network->layer_count == 0)
        return 0;
    const enum layer_kind kind = network->layers[0].config.kind;
    int32_t fits = 0, fails = layer_feature_find(kind, "batch_size")->maximum + 1;
    while (fails - fits > 1) {
        const int32_t middle = fits + (fails - fits) / 2;
        if (network_memory_bytes(network, middle, pass, optimizer, precision) <= memory_bytes)
            fits = middle;
        else
            fails = middle;
    }
    return fits;
}

/* ---- time ---- */

static enum status configs_of(struct layer_config **configs, const struct network *network,
                              const struct forecast_options *options, struct error *error)
{
    void *memory;
    TRY(error_allocate(&memory, (unsigned long)network->layer_count, sizeof **configs,
                       "layer configs", error));
    *configs = memory;
    for (int i = 0; i < network->layer_count; i++) {
        (*configs)[i] = network_config(&network->layers[i], options->batch_size, options->pass,
                                       options->optimizer, options->precision);
        const enum status status = layer_check(&(*configs)[i], error);
        if (status != STATUS_OK) {
            free(*configs);
            return status;
        }
    }
    return STATUS_OK;
}

/* Layers that the predictor does not cover take the roofline. */
static enum status fill_uncovered(struct forecast *forecast, const struct network *network,
                                  const struct layer_config *configs,
                                  const struct device_info *device, struct error *error)
{
    for (int i = 0; i < network->layer_count; i++) {
        struct prediction *layer = &forecast->layers[i];
        if (layer->covered)
            continue;
        forecast->uncovered_count++;
        layer->correlation = 1;
        layer->median_ms = device ? roofline_ms(&configs[i], device) : NAN;
        if (!isnan(layer->median_ms))
            continue;
        FAIL(error, STATUS_FAILED,
             "no forecast for layer '%s' (%s): the model does not cover it, and the device's peak "
             "rates are unknown",
             network->layers[i].name, layer_descriptors[configs[i].kind]->name);
        return error_hint(error, "train on rows of %s from this device",
                          layer_descriptors[configs[i].kind]->name);
    }
    return STATUS_OK;
}

static double below_ms(const struct prediction *layer)
{
    return layer->covered ? layer->median_ms - layer->low_ms : layer->median_ms;
}

static double above_ms(const struct prediction *layer)
{
    return layer->covered ? layer->high_ms - layer->median_ms : layer->median_ms;
}

/* Layers before `layer` with the same config err as it does: how often it occurs is counted at the
 * first one; 0 elsewhere. */
static int occurrences(const uint64_t *hashes, int layer_count, int layer)
{
    int count = 0;
    for (int i = 0; i < layer_count; i++) {
        if (hashes[i] != hashes[layer])
            continue;
        if (i < layer)
            return 0;
        count++;
    }
    return count;
}

/* What the layers of one kind may be off. */
struct kind_sum {
    struct interval_sum below, above;
    double correlation;
};

static void add_layer(struct kind_sum *sum, const struct prediction *layer, int times)
{
    interval_sum_add(&sum->below, times * below_ms(layer));
    interval_sum_add(&sum->above, times * above_ms(layer));
    sum->correlation = fmax(sum->correlation, layer->correlation);
}

/* hashes: of the layers' configs. */
static void add_layers(struct forecast *forecast, const struct network *network,
                       const uint64_t *hashes)
{
    struct kind_sum sums[LAYER_KIND_COUNT] = {0};
    double below = 0, above = 0;
    for (int i = 0; i < network->layer_count; i++) {
        const int times = occurrences(hashes, network->layer_count, i);
        forecast->batch_ms += forecast->layers[i].median_ms;
        if (times > 0)
            add_layer(&sums[network->layers[i].config.kind], &forecast->layers[i], times);
    }
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        below += interval_sum_square(&sums[kind].below, sums[kind].correlation);
        above += interval_sum_square(&sums[kind].above, sums[kind].correlation);
    }
    forecast->batch_low_ms = forecast->batch_ms - sqrt(below);
    forecast->batch_high_ms = forecast->batch_ms + sqrt(above);
}

static enum status add_layers_of(struct forecast *forecast, const struct network *network,
                                 const struct layer_config *configs, struct error *error)
{
    void *hashes;
    TRY(error_allocate(&hashes, (unsigned long)network->layer_count, sizeof(uint64_t),
                       "layer configs", error));
    for (int i = 0; i < network->layer_count; i++)
        ((uint64_t *)hashes)[i] = layer_hash(&configs[i]);
    add_layers(forecast, network, hashes);
    free(hashes);
    return STATUS_OK;
}

static void add_run(struct forecast *forecast, const struct forecast_options *options)
{
    forecast->epoch_s = forecast->total_s = forecast->cost = NAN;
    if (options->dataset_size <= 0)
        return;
    const double batches = ceil((double)options->dataset_size / options->batch_size);
    forecast->epoch_s = batches * forecast->batch_ms / 1000;
    if (options->epochs <= 0)
        return;
    forecast->total_s = forecast->epoch_s * options->epochs;
    forecast->cost = forecast->total_s / 3600 * options->price_per_hour;
}

static void add_memory(struct forecast *forecast, const struct network *network,
                       const struct device_info *device, int32_t precision)
{
    forecast->memory_bytes = network_memory_bytes(network, forecast->batch_size, forecast->pass,
                                                  forecast->optimizer, precision);
    forecast->fits = !device || device->memory_bytes <= 0 ||
                     forecast->memory_bytes <= device->memory_bytes;
}

static enum status predict_layers(struct forecast *forecast, const struct network *network,
                                  const struct predictor *predictor,
                                  const struct device_info *device,
                                  const struct layer_config *configs, struct error *error)
{
    const size_t count = (size_t)network->layer_count;
    void *memory;
    TRY(error_allocate(&memory, count, sizeof *forecast->layers, "layer forecasts", error));
    forecast->layers = memory;
    TRY(predictor->type->predict(forecast->layers, predictor, configs, count, device, error));
    return fill_uncovered(forecast, network, configs, device, error);
}

enum status forecast_network(struct forecast *forecast, const struct network *network,
                             const struct predictor *predictor, const struct device_info *device,
                             const struct forecast_options *options, struct error *error)
{
    *forecast = (struct forecast){
        .batch_size = options->batch_size, .pass = options->pass, .optimizer = options->optimizer};
    struct layer_config *configs;
    TRY(configs_of(&configs, network, options, error));
    enum status status = predict_layers(forecast, network, predictor, device, configs, error);
    if (status == STATUS_OK)
        status = add_layers_of(forecast, network, configs, error);
    free(configs);
    if (status != STATUS_OK) {
        forecast_free(forecast);
        return status;
    }
    add_run(forecast, options);
    add_memory(forecast, network, device, options->precision);
    return STATUS_OK;
}

void forecast_free(struct forecast *forecast)
{
    free(forecast->layers);
    forecast->layers = NULL;
}
