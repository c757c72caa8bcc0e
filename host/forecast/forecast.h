/* Network -> time, memory, cost: layer forecasts added up. */
#ifndef EPOCHCAST_FORECAST_FORECAST_H
#define EPOCHCAST_FORECAST_FORECAST_H

#include "forecast/memory.h"
#include "forecast/parallel.h"
#include "network/network.h"
#include "predictors/predictor.h"

struct forecast_options {
    int32_t batch_size, pass, optimizer, precision;
    bool takes_unseen;    /* of pass, optimizer or precision: a value without a training row gives a
                           * forecast without interval; else STATUS_USAGE */
    int64_t dataset_size; /* rows of an epoch; 0: unknown */
    int32_t epochs;       /* 0: unknown */
    double price_per_hour; /* of one device; NaN: unknown */
    double watts;          /* of one device; 0 or NaN: unknown */
    double price_per_kwh;  /* 0 or NaN: unknown */
    int64_t memory_bytes;  /* of one device; 0: as reported by the device */
    struct parallel_options parallel;
};

struct forecast {
    int32_t batch_size, pass, optimizer, precision;
    double batch_ms, batch_low_ms, batch_high_ms; /* of a step, communication included */
    double sample_ms;                             /* batch_ms / samples of all devices */
    /* NaN when unknown. An epoch is ceil(dataset_size / samples of a step) steps. Costs are the
     * hourly price of all devices and, with watts and price_per_kwh, their energy. */
    double epoch_s, epoch_cost, epoch_energy_kwh;
    double total_s, cost, energy_kwh; /* for all epochs */
    struct network_memory memory;     /* of one device */
    bool is_measured;                 /* the predictor has rows of the device */
    bool fits;                 /* memory.total_bytes <= the device's memory (true when unknown) */
    struct prediction *layers; /* (network->layer_count) */
    /* Layers that the predictor does not cover, neither by config nor by work (of `mlp`: an
     * operator, a kind that it was not trained on, more rows or elements than benchmarks take): at
     * least the roofline (predictors/bounds.h has middle and high; without training facts of their
     * family the middle is the roofline, and high_ms NaN). */
    int uncovered_count;
    double uncovered_ms; /* their share of batch_ms */
    /* Several devices: see parallel.h. */
    int32_t device_count, device_batch_size;
    int64_t global_batch_size;
    double communication_ms;
    double efficiency_percent, overlap_efficiency_percent; /* 100 for one device */
};

/* Interval of the sum: half-widths of the layers (in ms, lower and upper side separately) are added
 * with the correlation of errors that the predictor learnt for their kind (interval.h has the
 * formula), kinds by root of squares. Layers that fell back to the roofline have correlation 1, and
 * operators count as one kind. NaN when a layer has no interval, on one side where it lacks only
 * that. device may be NULL (the predictor's first), unless a layer needs the roofline.
 * STATUS_USAGE: a config outside its bounds; fewer samples than devices; a pass, optimizer or
 * precision that no layer of the model has rows of. STATUS_FAILED: no forecast
 * for a layer. */
enum status forecast_network(struct forecast *forecast, const struct network *network,
                             const struct predictor *predictor, const struct device_info *device,
                             const struct forecast_options *options, struct error *error);
void forecast_free(struct forecast *forecast);

#endif
