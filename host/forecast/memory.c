#include "forecast/memory.h"

#include <math.h>
#include <string.h>

/* ---- one layer, elements of one sample ---- */

static const struct {
    const char *name;
    bool in_training;
} in_place_layers[] = {{"relu", true},     {"clip", true},       {"leaky_relu", true},
                       {"add", true},      {"sum", true},        {"batch_normalization", false},
                       {"addition", true}, {"batch_norm", false}};

/* Of all tensors that a layer reads. */
static double input_count(const struct network_layer *layer)
{
    const int tensors = network_layer_is_operator(layer) ? 1 /* an operator's count is of all */
                                                         : layer_input_count(&layer->config);
    return tensors * network_layer_input_count(layer);
}

static bool is_in_place(const struct network_layer *layer, int32_t pass)
{
    const size_t count = sizeof in_place_layers / sizeof *in_place_layers;
    if (network_layer_output_count(layer) > input_count(layer))
        return false; // a broadcast needs room
    for (size_t i = 0; i < count; i++)
        if (strcmp(network_layer_kind(layer), in_place_layers[i].name) == 0)
            return pass == PASS_FORWARD || in_place_layers[i].in_training;
    return false;
}

/* Gates and cells: what a recurrent layer keeps for its backward pass and shows nobody. */
static double kept_inside(const struct network_layer *layer)
{
    static const char *const recurrent[] = {"lstm", "gru", "rnn"};
    const struct operator_work *work = &layer->work;
    for (size_t i = 0; i < sizeof recurrent / sizeof *recurrent; i++)
        if (strcmp(layer->operator_name, recurrent[i]) == 0)
            return fmax(0, work->kept_count - work->input_count - work->output_count);
    return 0;
}

static double lowered_count(const struct network_layer *layer)
{
    const struct conv2d *conv = &layer->config.as.conv2d;
    if (network_layer_is_operator(layer) || layer->config.kind != LAYER_CONV2D ||
        conv->kernel_size == 1)
        return 0;
    const double side =
        window_of(conv->image_size, conv->kernel_size, conv->stride, conv->padding).output_size;
    return (double)conv->kernel_size * conv->kernel_size * conv->channels_in * side * side;
}

/* ---- all layers ---- */

struct memory_sums {
    double parameters, kept_bytes, largest_pair_bytes, largest_lowered;
};

static void add_layer(struct memory_sums *sums, const struct network_layer *layer,
                      const struct cost *cost, int32_t batch_size, int32_t pass,
                      double element_bytes)
{
    const double row_bytes = element_bytes * batch_size;
    const bool in_place = is_in_place(layer, pass);
    const double output_bytes = in_place ? 0 : row_bytes * network_layer_output_count(layer);
    const double input_bytes = row_bytes * input_count(layer);
    sums->parameters += (double)cost->parameter_count;
    sums->largest_pair_bytes = fmax(sums->largest_pair_bytes, input_bytes + output_bytes);
    sums->largest_lowered = fmax(sums->largest_lowered, lowered_count(layer));
    if (!in_place) /* a benchmark's cost knows the positions of maxima, too */
        sums->kept_bytes += (double)cost->activation_bytes + row_bytes * kept_inside(layer);
}

static int64_t saturated(double bytes)
{
    return bytes < 0x1p63 ? (int64_t)bytes : INT64_MAX;
}

struct network_memory network_memory(const struct network *network, int32_t batch_size,
                                     int32_t pass, int32_t optimizer, int32_t precision)
{
    const double element_bytes = precision_bytes(precision);
    const bool trains = pass == PASS_TRAIN;
    struct memory_sums sums = {0};
    for (int i = 0; i < network->layer_count; i++) {
        const struct network_layer *layer = &network->layers[i];
        const struct cost cost = network_cost(layer, batch_size, pass, optimizer, precision);
        add_layer(&sums, layer, &cost, batch_size, pass, element_bytes);
        if (i == 0)
            sums.kept_bytes += (double)cost.input_bytes;
    }
    const double parameters_bytes = element_bytes * sums.parameters;
    const double gradients_bytes = trains ? parameters_bytes : 0;
    const double states = trains ? optimizer_state_count(optimizer) : 0;
    const double optimizer_bytes = 4 * states * sums.parameters;
    const double activations_bytes = sums.largest_pair_bytes + (trains ? sums.kept_bytes : 0);
    const double workspace_bytes = element_bytes * sums.largest_lowered;
    return (struct network_memory){
        .parameters_bytes = saturated(parameters_bytes),
        .gradients_bytes = saturated(gradients_bytes),
        .optimizer_bytes = saturated(optimizer_bytes),
        .activations_bytes = saturated(activations_bytes),
        .workspace_bytes = saturated(workspace_bytes),
        .total_bytes = saturated(parameters_bytes + gradients_bytes + optimizer_bytes +
                                 activations_bytes + workspace_bytes),
    };
}

/* ---- what fits ---- */

int32_t batch_size_maximum(void)
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
        if (network_memory(network, middle, pass, optimizer, precision).total_bytes <= memory_bytes)
            fits = middle;
        else
            fails = middle;
    }
    return fits;
}
