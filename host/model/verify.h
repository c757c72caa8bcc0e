/* The network's step executed for real on a device, all layers in order: forward, then backward in
 * reverse, then every update. Timed by bench/measure. */
#ifndef EPOCHCAST_MODEL_VERIFY_H
#define EPOCHCAST_MODEL_VERIFY_H

#include "bench/measure.h"
#include "network/network.h"

/* Fills *row (median_ms, interval, outcome). STATUS_OUT_OF_MEMORY when the step does not fit;
 * STATUS_FAILED for an operator that no benchmark covers (network_without_operators leaves them
 * out). */
enum status verify_network(struct measurement *row, struct device *device,
                           const struct network *network, int32_t batch_size, int32_t pass,
                           int32_t optimizer, int32_t precision,
                           const struct measure_options *options, struct error *error);

#endif
