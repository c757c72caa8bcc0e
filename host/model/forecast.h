/* Network -> time, memory, cost: layer forecasts added up. */
#ifndef EPOCHCAST_MODEL_FORECAST_H
#define EPOCHCAST_MODEL_FORECAST_H

#include "model/predictor.h"
#include "network/network.h"

struct forecast_options {
    int32_t batch_size, pass, optimizer, precision;
    int64_t dataset_size;  /* rows of an epoch; 0: unknown */
    int32_t epochs;        /* 0: unknown */
    double price_per_hour; /* NaN: unknown */
};

struct forecast {
    int32_t batch_size, pass, optimizer;
    double batch_ms, batch_low_ms, batch_high_ms;
    double epoch_s, total_s,
        cost;                  /* NaN when unknown; epoch = ceil(dataset_size / batch) batches */
    int64_t memory_bytes;      /* parameters, gradients, optimizer state, activations */
    bool fits;                 /* memory_bytes <= the device's memory (true when unknown) */
    struct prediction *layers; /* (network->layer_count) */
    /* Layers that the predictor does not cover (an operator, a kind that it was not trained on,
     * more rows than benchmarks take): the roofline is used. */
    int uncovered_count;
    double uncovered_ms; /* their part of batch_ms */
};

/* Interval of the sum: per-layer half-widths (in ms, each side its own) added by the correlation of
 * errors that the predictor learnt for the layers' kind (interval.h has the formula), root of
 * squares between kinds. A layer that fell back to the roofline counts with a half-width of its own
 * time and correlation 1, operators as a kind of their own; NaN when a covering predictor gives no
 * interval. device may be NULL (the predictor's first), unless a layer needs the roofline.
 * STATUS_USAGE: a config outside its bounds. STATUS_FAILED: no forecast for a layer. */
enum status forecast_network(struct forecast *forecast, const struct network *network,
                             const struct predictor *predictor, const struct device_info *device,
                             const struct forecast_options *options, struct error *error);
void forecast_free(struct forecast *forecast);

/* Bytes that a step needs at least, elements in the precision's storage type:
 *   forward: parameters + the largest (input + output) of one layer;
 *   train:   parameters * (1 + 1 for the gradient) + the optimizer's state arrays (fp32)
 *            + the network's input + the outputs of all layers, kept for the backward pass
 *            + gradients of the largest (input + output) of one layer.
 * Workspace, libraries and allocator waste come on top. INT64_MAX when it would not fit. */
int64_t network_memory_bytes(const struct network *network, int32_t batch_size, int32_t pass,
                             int32_t optimizer, int32_t precision);
/* Largest batch that fits memory_bytes (0: none). */
int32_t network_largest_batch(const struct network *network, int32_t pass, int32_t optimizer,
                              int32_t precision, int64_t memory_bytes);

/* "batch_normalization x53, relu x49": what the uncovered layers are; always terminated. */
enum status forecast_uncovered_kinds(char *text, size_t size, const struct forecast *forecast,
                                     const struct network *network, struct error *error);

#endif
