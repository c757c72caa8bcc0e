#include "model/forecast.h"

#include "model/interval.h"
#include "model/predictor_roofline.h"

#include <math.h>
#include <stdlib.h>

/* ---- memory ---- */

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
        const struct network_layer *layer = &network->layers[i];
        const double input_bytes = element_bytes * batch_size * network_layer_input_count(layer);
        const double output_bytes = element_bytes * batch_size * network_layer_output_count(layer);
        parameters +=
            (double)network_cost(layer, batch_size, pass, optimizer, precision).parameter_count;
        largest_pair_bytes = fmax(largest_pair_bytes, input_bytes + output_bytes);
        kept_bytes += output_bytes + (i == 0 ? input_bytes : 0);
    }
    const double bytes = parameters * parameter_bytes(pass, optimizer, precision) +
                         largest_pair_bytes + (pass == PASS_TRAIN ? kept_bytes : 0);
    return bytes < 0x1p63 ? (int64_t)bytes : INT64_MAX;
}

static int32_t batch_size_maximum(void)
{
    return layer_feature_find((enum layer_kind)0, "batch_size")->maximum; /* common to all kinds */
}

int32_t network_largest_batch(const struct network *network, int32_t pass, int32_t optimizer,
                              int32_t precision, int64_t memory_bytes)
{
    if (network->layer_count == 0)
        return 0;
    int32_t fits = 0, fails = batch_size_maximum() + 1;
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

/* The layers that the predictor is asked about, one after another, and which they are. */
struct questions {
    struct layer_config *configs;
    int *layers;
    struct prediction *answers;
    int count;
};

static void questions_free(struct questions *questions)
{
    free(questions->configs);
    free(questions->layers);
    free(questions->answers);
}

/* A layer with several rows for one sample may have more of them than a benchmark has. */
static bool has_too_many_rows(const struct network_layer *layer, const struct layer_config *config)
{
    return layer->config.batch_size > 1 && config->batch_size > batch_size_maximum();
}

static enum status add_question(struct questions *questions, const struct network *network,
                                int layer, const struct forecast_options *options,
                                struct error *error)
{
    const struct network_layer *asked = &network->layers[layer];
    if (network_layer_is_operator(asked))
        return STATUS_OK;
    const struct layer_config config = network_config(asked, options->batch_size, options->pass,
                                                      options->optimizer, options->precision);
    if (has_too_many_rows(asked, &config))
        return STATUS_OK;
    questions->configs[questions->count] = config;
    questions->layers[questions->count++] = layer;
    return layer_check(&config, error);
}

static enum status questions_create(struct questions *questions, const struct network *network,
                                    const struct forecast_options *options, struct error *error)
{
    const unsigned long count = (unsigned long)network->layer_count;
    TRY(error_allocate((void **)&questions->configs, count, sizeof *questions->configs,
                       "layer configs", error));
    TRY(error_allocate((void **)&questions->layers, count, sizeof *questions->layers,
                       "layer numbers", error));
    TRY(error_allocate((void **)&questions->answers, count, sizeof *questions->answers,
                       "layer forecasts", error));
    for (int i = 0; i < network->layer_count; i++)
        TRY(add_question(questions, network, i, options, error));
    return STATUS_OK;
}

static enum status no_forecast(const struct network_layer *layer, struct error *error)
{
    const char *kind = network_layer_kind(layer);
    FAIL(error, STATUS_FAILED,
         "no forecast for layer '%s' (%s): the model does not cover it, and the device's peak "
         "rates are unknown",
         layer->name, kind);
    if (network_layer_is_operator(layer))
        return error_hint(error, "train on rows of a device whose speed was measured");
    return error_hint(error, "train on rows of %s from this device", kind);
}

/* Layers that the predictor does not cover take the roofline. */
static enum status fill_uncovered(struct forecast *forecast, const struct network *network,
                                  const struct forecast_options *options,
                                  const struct device_info *device, struct error *error)
{
    for (int i = 0; i < network->layer_count; i++) {
        struct prediction *layer = &forecast->layers[i];
        if (layer->covered)
            continue;
        const struct cost cost = network_cost(&network->layers[i], options->batch_size,
                                              options->pass, options->optimizer,
                                              options->precision);
        *layer = (struct prediction){.low_ms = NAN, .high_ms = NAN, .correlation = 1};
        layer->median_ms = device ? roofline_cost_ms(&cost, device) : NAN;
        if (isnan(layer->median_ms))
            return no_forecast(&network->layers[i], error);
        forecast->uncovered_count++;
        forecast->uncovered_ms += layer->median_ms;
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

/* Operators count as a kind of their own. */
static int kind_of(const struct network_layer *layer)
{
    return network_layer_is_operator(layer) ? LAYER_KIND_COUNT : (int)layer->config.kind;
}

/* hashes: of the layers' configs. */
static void add_layers(struct forecast *forecast, const struct network *network,
                       const uint64_t *hashes)
{
    struct kind_sum sums[LAYER_KIND_COUNT + 1] = {0};
    double below = 0, above = 0;
    for (int i = 0; i < network->layer_count; i++) {
        const int times = occurrences(hashes, network->layer_count, i);
        forecast->batch_ms += forecast->layers[i].median_ms;
        if (times > 0)
            add_layer(&sums[kind_of(&network->layers[i])], &forecast->layers[i], times);
    }
    for (int kind = 0; kind <= LAYER_KIND_COUNT; kind++) {
        below += interval_sum_square(&sums[kind].below, sums[kind].correlation);
        above += interval_sum_square(&sums[kind].above, sums[kind].correlation);
    }
    forecast->batch_low_ms = forecast->batch_ms - sqrt(below);
    forecast->batch_high_ms = forecast->batch_ms + sqrt(above);
}

/* Layers that nobody was asked about are like no other. */
static enum status add_layers_of(struct forecast *forecast, const struct network *network,
                                 const struct questions *questions, struct error *error)
{
    uint64_t *hashes;
    TRY(error_allocate((void **)&hashes, (unsigned long)network->layer_count, sizeof *hashes,
                       "layer configs", error));
    for (int i = 0; i < network->layer_count; i++)
        hashes[i] = (uint64_t)i;
    for (int i = 0; i < questions->count; i++)
        hashes[questions->layers[i]] = layer_hash(&questions->configs[i]);
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
                                  const struct forecast_options *options,
                                  struct questions *questions, struct error *error)
{
    TRY(questions_create(questions, network, options, error));
    TRY(error_allocate((void **)&forecast->layers, (unsigned long)network->layer_count,
                       sizeof *forecast->layers, "layer forecasts", error));
    TRY(predictor->type->predict(questions->answers, predictor, questions->configs,
                                 (size_t)questions->count, device, error));
    for (int i = 0; i < questions->count; i++)
        forecast->layers[questions->layers[i]] = questions->answers[i];
    return fill_uncovered(forecast, network, options, device, error);
}

static enum status check_batch(const struct forecast_options *options, struct error *error)
{
    if (options->batch_size >= 1 && options->batch_size <= batch_size_maximum())
        return STATUS_OK;
    return FAIL(error, STATUS_USAGE, "batch_size = %d is outside 1..%d", options->batch_size,
                batch_size_maximum());
}

enum status forecast_network(struct forecast *forecast, const struct network *network,
                             const struct predictor *predictor, const struct device_info *device,
                             const struct forecast_options *options, struct error *error)
{
    struct questions questions = {.count = 0};
    *forecast = (struct forecast){
        .batch_size = options->batch_size, .pass = options->pass, .optimizer = options->optimizer};
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
    add_run(forecast, options);
    add_memory(forecast, network, device, options->precision);
    return STATUS_OK;
}

enum status forecast_uncovered_kinds(char *text, size_t size, const struct forecast *forecast,
                                     const struct network *network, struct error *error)
{
    bool *is_uncovered;
    TRY(error_allocate((void **)&is_uncovered, (unsigned long)network->layer_count,
                       sizeof *is_uncovered, "layers", error));
    for (int i = 0; i < network->layer_count; i++)
        is_uncovered[i] = !forecast->layers[i].covered;
    network_count_kinds(text, size, network, is_uncovered);
    free(is_uncovered);
    return STATUS_OK;
}

void forecast_free(struct forecast *forecast)
{
    free(forecast->layers);
    forecast->layers = NULL;
}
