/* Executes the network's step on a device, all layers in order: forward, then backward in reverse,
 * then every update. Layers are linked: each reads the outputs of its producers (an addition:
 * both), and its input's gradient goes where the first producer reads it. Gradients of a tensor
 * with several readers are summed. Timed by bench/measure. The errors of a forecast by summing
 * have two parts: the forecasts of the layers, and the gap between the step and the sum of
 * separately measured layers. */
#ifndef EPOCHCAST_STEP_VERIFY_H
#define EPOCHCAST_STEP_VERIFY_H

#include "bench/measure.h"
#include "network/network.h"

/* Fills *row (median_ms, interval, outcome). STATUS_OUT_OF_MEMORY when the step does not fit;
 * STATUS_FAILED for an operator that no benchmark covers (network_without_operators leaves them
 * out). */
enum status verify_network(struct measurement *row, struct device *device,
                           const struct network *network, int32_t batch_size, int32_t pass,
                           int32_t optimizer, int32_t precision,
                           const struct measure_options *options, struct error *error);

/* Times each layer within the running step: the device's timer encloses each of its phases, which
 * is a replay of a recording if the device can record. The first step warms up, the others run
 * until options->cap_ms of timed work. layers_ms (layer_count): medians of the steps, of all phases
 * together. If calls are short, the timer itself adds time; the difference between their sum and
 * the step's time shows how much. `asked`: batch size, pass, optimizer and precision, as in
 * verify_network's row->config. */
enum status verify_layers_in_place(double *layers_ms, struct device *device,
                                   const struct network *network, const struct layer_config *asked,
                                   const struct measure_options *options, struct error *error);

/* Times each layer separately, as a sweep does; equal layers once. NaN: it could not be measured.
 */
enum status verify_layers_alone(double *layers_ms, struct device *device,
                                const struct network *network, const struct layer_config *asked,
                                const struct measure_options *options, struct error *error);

/* A forecast's error and its two parts, all in percent of the measured step: error = model
 * (forecasts of layers against separate layers) + gap (separate layers against the step). The gap
 * bounds every method that adds up layers. NaN: unknown. */
struct verify_errors {
    double error_percent, model_error_percent, sum_gap_percent;
};
struct verify_errors verify_errors_of(double predicted_ms, double sum_ms, double measured_ms);

#endif
