#include "forecast/memory.h"

#include <math.h>

/* ---- one layer ---- */

/* Of all tensors of a role. */
static double bytes_of(const struct layer_work *work, enum tensor_role role, int32_t precision)
{
    double sum = 0;
    for (int i = 0; i < work->tensor_count; i++)
        if (work->tensors[i].role == role)
            sum += stored_bytes(work->tensors[i].storage, precision) * work->tensors[i].count;
    return sum;
}

static bool is_in_place(const struct layer_work *work, int32_t pass)
{
    if (work_elements(work, TENSOR_OUTPUT) > work_elements(work, TENSOR_INPUT))
        return false; // a broadcast needs room
    return work->in_place == IN_PLACE_ALWAYS ||
           (work->in_place == IN_PLACE_FORWARD && pass == PASS_FORWARD);
}

/* Elements of the largest left side that is gathered from the input. */
static double lowered_count(const struct layer_work *work)
{
    double largest = 0;
    for (int i = 0; i < work->operation_count; i++)
        if (work->operations[i].is_lowered)
            largest = fmax(largest, work->operations[i].rows * work->operations[i].depth);
    return largest;
}

/* ---- all layers ---- */

struct memory_sums {
    double parameters, parameter_bytes, master_bytes, kept_bytes, largest_pair_bytes,
        largest_lowered;
};

/* rows: of the batch that the work is of; images are lowered one by one. */
static void add_layer(struct memory_sums *sums, const struct layer_work *work,
                      const struct cost *cost, double rows, int32_t pass, int32_t precision)
{
    const bool in_place = is_in_place(work, pass);
    const double output_bytes = in_place ? 0 : bytes_of(work, TENSOR_OUTPUT, precision);
    const double input_bytes = bytes_of(work, TENSOR_INPUT, precision);
    sums->parameters += (double)cost->parameter_count;
    sums->largest_pair_bytes = fmax(sums->largest_pair_bytes, input_bytes + output_bytes);
    sums->largest_lowered = fmax(sums->largest_lowered, lowered_count(work) / rows);
    if (!in_place)
        sums->kept_bytes += (double)cost->activation_bytes;
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
        const double rows = fmin((double)layer->config.batch_size * batch_size, INT32_MAX);
        struct layer_work work;
        network_work(&work, layer, batch_size);
        struct cost cost = cost_of_work(&work, pass, OPTIMIZER_NONE, precision);
        cost.parameter_count -= (int64_t)layer->shared_count;
        add_layer(&sums, &work, &cost, rows, pass, precision);
        sums.parameter_bytes += !trains && layer->stored_bytes > 0
                                    ? layer->stored_bytes
                                    : element_bytes * (double)cost.parameter_count;
        if (precision_traits_of(precision)->casts_weights)
            sums.master_bytes += FLOAT_BYTES * (double)cost.parameter_count;
        if (i == 0)
            sums.kept_bytes += (double)cost.input_bytes;
    }
    const double parameters_bytes = sums.parameter_bytes + sums.master_bytes;
    const double gradients_bytes = trains ? sums.parameter_bytes : 0;
    const double states = trains ? optimizer_state_count(optimizer) : 0;
    const double optimizer_bytes = precision_traits_of(precision)->master_bytes * states *
                                   sums.parameters;
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
