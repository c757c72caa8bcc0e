#include "forecast/forecast.h"

#include "bench/device_identity.h"
#include "forecast/choices.h"
#include "forecast/questions.h"
#include "predictors/interval.h"

#include <math.h>
#include <stdlib.h>

/* ---- time ---- */

static enum status no_forecast(const struct network_layer *layer, struct error *error)
{
    const char *kind = network_layer_kind(layer);
    FAIL(error, STATUS_FAILED,
         "no forecast for layer '%s' (%s): the model does not cover it, and the device's peak "
         "rates are unknown",
         layer->name, kind);
    if (network_layer_is_operator(layer))
        return HINT(error, STATUS_FAILED, "train on rows of a device whose speed was measured");
    return HINT(error, STATUS_FAILED, "train on rows of %s from this device", kind);
}

/* Layers that the predictor does not know by their config are asked about by their work; those that
 * it does not cover either way take the roofline. */
static enum status fill_uncovered(struct forecast *forecast, const struct network *network,
                                  const struct predictor *predictor,
                                  const struct device_info *device,
                                  const struct forecast_options *options, struct error *error)
{
    for (int i = 0; i < network->layer_count; i++) {
        struct prediction *layer = &forecast->layers[i];
        if (layer->covered)
            continue;
        TRY(question_ask_work(layer, &network->layers[i], predictor, device, options, error));
        if (isnan(layer->median_ms))
            return no_forecast(&network->layers[i], error);
        if (layer->covered)
            continue;
        forecast->uncovered_count++;
        forecast->uncovered_ms += layer->median_ms;
    }
    return STATUS_OK;
}

/* The config of a layer, as a number; equal configs have equal numbers. */
struct config_of {
    uint64_t hash;
    int layer;
};

static int compare_configs(const void *a, const void *b)
{
    const struct config_of *one = a, *other = b;
    if (one->hash != other->hash)
        return one->hash < other->hash ? -1 : 1;
    return (one->layer > other->layer) - (one->layer < other->layer);
}

/* Layers with the same config have the same error. times[i]: how many layers have the config of
 * layer i, where i is the first of them; elsewhere 0. Sorts the configs. */
static void count_occurrences(int *times, struct config_of *configs, int count)
{
    qsort(configs, (size_t)count, sizeof *configs, compare_configs);
    for (int i = 0, first = 0; i < count; i++) {
        if (configs[i].hash != configs[first].hash)
            first = i;
        times[configs[i].layer] = 0;
        times[configs[first].layer]++;
    }
}

/* Sums of the half-widths of the layers of one kind. */
struct kind_sum {
    struct interval_sum below, above;
    double correlation;
};

static void add_layer(struct kind_sum *sum, const struct prediction *layer, int times)
{
    interval_sum_add(&sum->below, times * (layer->median_ms - layer->low_ms));
    interval_sum_add(&sum->above, times * (layer->high_ms - layer->median_ms));
    sum->correlation = fmax(sum->correlation, layer->correlation);
}

/* Operators count as a kind of their own. */
static int kind_of(const struct network_layer *layer)
{
    return network_layer_is_operator(layer) ? LAYER_KIND_COUNT : (int)layer->config.kind;
}

/* times: as count_occurrences counts them. */
static void add_layers(struct forecast *forecast, const struct network *network, const int *times)
{
    struct kind_sum sums[LAYER_KIND_COUNT + 1] = {0};
    double below = 0, above = 0;
    for (int i = 0; i < network->layer_count; i++) {
        forecast->batch_ms += forecast->layers[i].median_ms;
        if (times[i] > 0)
            add_layer(&sums[kind_of(&network->layers[i])], &forecast->layers[i], times[i]);
    }
    for (int kind = 0; kind <= LAYER_KIND_COUNT; kind++) {
        below += interval_sum_square(&sums[kind].below, sums[kind].correlation);
        above += interval_sum_square(&sums[kind].above, sums[kind].correlation);
    }
    forecast->batch_low_ms = forecast->batch_ms - sqrt(below);
    forecast->batch_high_ms = forecast->batch_ms + sqrt(above);
}

/* Layers known only by their work never equal another. */
static void fill_configs(struct config_of *configs, int layer_count,
                         const struct questions *questions)
{
    for (int i = 0; i < layer_count; i++) {
        const bool has_config = questions->has_config[i];
        configs[i] = (struct config_of){
            .hash = has_config ? layer_hash(&questions->configs[i]) : (uint64_t)i, .layer = i};
    }
}

static enum status add_layers_of(struct forecast *forecast, const struct network *network,
                                 const struct questions *questions, struct error *error)
{
    const unsigned long count = (unsigned long)network->layer_count;
    struct config_of *configs;
    int *times;
    TRY(ALLOCATE(&times, count, "layer counts", error));
    const enum status status = ALLOCATE(&configs, count, "layer configs", error);
    if (status == STATUS_OK) {
        fill_configs(configs, network->layer_count, questions);
        count_occurrences(times, configs, network->layer_count);
        add_layers(forecast, network, times);
        free(configs);
    }
    free(times);
    return status;
}

static bool is_known(double value)
{
    return isfinite(value) && value > 0;
}

/* NaN when nothing has a price. */
static double cost_per_hour(const struct forecast_options *options)
{
    const bool pays_energy = is_known(options->watts) && is_known(options->price_per_kwh);
    const double energy = pays_energy ? options->watts / 1000 * options->price_per_kwh : 0;
    if (isnan(options->price_per_hour))
        return pays_energy ? energy : NAN;
    return options->price_per_hour + energy;
}

static void add_run(struct forecast *forecast, const struct forecast_options *options)
{
    const double devices = forecast->device_count, samples = (double)forecast->global_batch_size;
    forecast->sample_ms = forecast->batch_ms / samples;
    forecast->epoch_s = forecast->epoch_cost = forecast->epoch_energy_kwh = NAN;
    forecast->total_s = forecast->cost = forecast->energy_kwh = NAN;
    if (options->dataset_size <= 0)
        return;
    forecast->epoch_s = ceil((double)options->dataset_size / samples) * forecast->batch_ms / 1000;
    forecast->epoch_cost = forecast->epoch_s / 3600 * devices * cost_per_hour(options);
    if (is_known(options->watts))
        forecast->epoch_energy_kwh = forecast->epoch_s / 3600 * devices * options->watts / 1000;
    if (options->epochs <= 0)
        return;
    forecast->total_s = forecast->epoch_s * options->epochs;
    forecast->cost = forecast->epoch_cost * options->epochs;
    forecast->energy_kwh = forecast->epoch_energy_kwh * options->epochs;
}

static void add_memory(struct forecast *forecast, const struct network *network,
                       const struct device_info *device, const struct forecast_options *options)
{
    const int64_t there = options->memory_bytes > 0 ? options->memory_bytes
                          : device                  ? device->memory_bytes
                                                    : 0;
    forecast->memory = network_memory(network, forecast->device_batch_size, forecast->pass,
                                      forecast->optimizer, options->precision);
    forecast->fits = there <= 0 || forecast->memory.total_bytes <= there;
}

static enum status predict_layers(struct forecast *forecast, const struct network *network,
                                  const struct predictor *predictor,
                                  const struct device_info *device,
                                  const struct forecast_options *options,
                                  struct questions *questions, struct error *error)
{
    TRY(questions_create(questions, network, options, error));
    TRY(ALLOCATE(&forecast->layers, (unsigned long)network->layer_count, "layer forecasts", error));
    TRY(predictor->type->predict(forecast->layers, predictor, questions->asked, questions->count,
                                 device, error));
    questions_spread(forecast->layers, network->layer_count, questions);
    TRY(choices_check(forecast->layers, network->layer_count, questions, predictor, options,
                      error));
    return fill_uncovered(forecast, network, predictor, device, options, error);
}

static enum status check_batch(const struct forecast_options *options, struct error *error)
{
    if (options->batch_size >= 1 && options->batch_size <= batch_size_maximum())
        return STATUS_OK;
    return FAIL(error, STATUS_USAGE, "batch_size = %d is outside 1..%d", options->batch_size,
                batch_size_maximum());
}

/* Times of one device with the whole batch of `options`; no memory, no run. */
static enum status forecast_device(struct forecast *forecast, const struct network *network,
                                   const struct predictor *predictor,
                                   const struct device_info *device,
                                   const struct forecast_options *options, struct error *error)
{
    struct questions questions = {.count = 0};
    *forecast = (struct forecast){.batch_size = options->batch_size,
                                  .pass = options->pass,
                                  .optimizer = options->optimizer,
                                  .precision = options->precision};
    TRY(check_batch(options, error));
    enum status status = predict_layers(forecast, network, predictor, device, options, &questions,
                                        error);
    if (status == STATUS_OK)
        status = add_layers_of(forecast, network, &questions, error);
    questions_free(&questions);
    if (status != STATUS_OK) {
        forecast_free(forecast);
        return status;
    }
    return STATUS_OK;
}

/* The part of the batch per device. */
static enum status divide_batch(struct forecast_options *part,
                                const struct forecast_options *options, struct error *error)
{
    const int32_t devices = options->parallel.device_count > 1 ? options->parallel.device_count : 1;
    *part = *options;
    part->parallel.device_count = devices;
    if (devices == 1 || options->parallel.scaling == SCALING_WEAK)
        return STATUS_OK;
    if (options->batch_size < devices) {
        FAIL(error, STATUS_USAGE, "a batch of %d cannot be divided over %d devices",
             options->batch_size, devices);
        return HINT(error, STATUS_USAGE,
                    "strong scaling divides the batch; weak scaling multiplies it");
    }
    part->batch_size = options->batch_size / devices + (options->batch_size % devices != 0);
    return STATUS_OK;
}

/* Communication and efficiency of n devices; one_ms is a step of one device with its batch (weak
 * scaling) or the whole one (strong). */
static void add_devices(struct forecast *forecast, const struct forecast_options *part,
                        double one_ms)
{
    const struct parallel_options *parallel = &part->parallel;
    const double divided = parallel->scaling == SCALING_STRONG ? parallel->device_count : 1;
    const double own_ms = forecast->batch_ms;
    const double ms = all_reduce_ms(parallel, (double)forecast->memory.gradients_bytes);
    forecast->communication_ms = ms;
    forecast->batch_ms += ms;
    forecast->batch_low_ms += ms;
    forecast->batch_high_ms += ms;
    forecast->efficiency_percent = 100 * one_ms / (divided * forecast->batch_ms);
    forecast->overlap_efficiency_percent = 100 * one_ms / (divided * fmax(own_ms, ms));
}

enum status forecast_network(struct forecast *forecast, const struct network *network,
                             const struct predictor *predictor, const struct device_info *device,
                             const struct forecast_options *options, struct error *error)
{
    struct forecast_options part;
    double one_ms = NAN;
    *forecast = (struct forecast){.layers = NULL};
    TRY(check_batch(options, error));
    TRY(divide_batch(&part, options, error));
    const bool is_strong = part.batch_size < options->batch_size;
    if (is_strong) {
        TRY(forecast_device(forecast, network, predictor, device, options, error));
        one_ms = forecast->batch_ms;
        forecast_free(forecast);
    }
    TRY(forecast_device(forecast, network, predictor, device, &part, error));
    forecast->is_measured = !device ||
                            device_find(predictor->devices, predictor->device_count, device) >= 0;
    forecast->batch_size = options->batch_size;
    forecast->device_batch_size = part.batch_size;
    forecast->device_count = part.parallel.device_count;
    forecast->global_batch_size = is_strong ? options->batch_size
                                            : (int64_t)forecast->device_count * part.batch_size;
    add_memory(forecast, network, device, &part);
    add_devices(forecast, &part, is_strong ? one_ms : forecast->batch_ms);
    add_run(forecast, &part);
    return STATUS_OK;
}

void forecast_free(struct forecast *forecast)
{
    free(forecast->layers);
    forecast->layers = NULL;
}
