/* What a layer costs: the arithmetic that all kinds share. */
#include "layers/layer_internal.h"

// What one update of a parameter does; the formulas are those of the papers, with the scalar
// factors (bias corrections, 1 - decay) computed once outside of the loop.
static const struct optimizer_work {
    double flops;
    int reads, writes, states;
} optimizer_works[OPTIMIZER_COUNT] = {
    [OPTIMIZER_NONE] = {0, 0, 0, 0},      [OPTIMIZER_SGD] = {2, 2, 1, 0}, /* w -= r g */
    [OPTIMIZER_MOMENTUM] = {4, 3, 2, 1},  /* m = u m + g; w -= r m */
    [OPTIMIZER_ADAGRAD] = {7, 3, 2, 1},   /* s += g g; w -= r g / (sqrt(s) + e) */
    [OPTIMIZER_ADADELTA] = {16, 4, 3, 2}, /* s, d = g sqrt(u + e) / sqrt(s + e), u, w -= r d */
    [OPTIMIZER_RMSPROP] = {9, 3, 2, 1},   /* s = b s + (1-b) g g; w -= r g / (sqrt(s) + e) */
    [OPTIMIZER_ADAM] = {12, 4, 3, 2},     /* m, v; w -= r m / (sqrt(v) + e) */
};

double optimizer_flops_per_parameter(int32_t optimizer)
{
    return optimizer_works[optimizer].flops;
}

int optimizer_reads(int32_t optimizer)
{
    return optimizer_works[optimizer].reads;
}

int optimizer_writes(int32_t optimizer)
{
    return optimizer_works[optimizer].writes;
}

int optimizer_state_count(int32_t optimizer)
{
    return optimizer_works[optimizer].states;
}

// Floating-point operations of an activation for one element, forward and backward from its output:
// relu: max, mask; tanh: (e - 1) / (e + 1) with e = exp(2x), g (1 - y y); sigmoid: 1 / (1 +
// exp(-x)), g y (1 - y). An exponential counts as one.
static const struct activation_work {
    double forward, backward;
} activation_works[ACTIVATION_COUNT] = {
    [ACTIVATION_NONE] = {0, 0},
    [ACTIVATION_RELU] = {1, 1},
    [ACTIVATION_TANH] = {5, 3},
    [ACTIVATION_SIGMOID] = {4, 3},
};

int precision_bytes(int32_t precision)
{
    return precision == PRECISION_FP16 || precision == PRECISION_BF16 ? 2 : 4;
}

static void add_forward(struct cost *cost, const struct cost_parts *parts, double element_bytes)
{
    cost->flops += parts->forward_flops;
    cost->bytes_read += element_bytes *
                        (parts->input + parts->second_input + parts->weights + parts->biases);
    cost->bytes_written += element_bytes * parts->output;
    if (parts->biases > 0)
        cost->flops += parts->output;
    if (parts->activation != ACTIVATION_NONE) { /* in place, a primitive of its own */
        cost->flops += activation_works[parts->activation].forward * parts->output;
        cost->bytes_read += element_bytes * parts->output;
        cost->bytes_written += element_bytes * parts->output;
    }
}

static void add_backward(struct cost *cost, const struct cost_parts *parts, double element_bytes)
{
    if (parts->activation != ACTIVATION_NONE) { /* reads the output and its gradient */
        cost->flops += activation_works[parts->activation].backward * parts->output;
        cost->bytes_read += element_bytes * 2 * parts->output;
        cost->bytes_written += element_bytes * parts->output;
    }
    if (parts->hands_gradient_on)
        return;
    cost->flops += parts->backward_data_flops;
    cost->bytes_read += element_bytes * (parts->output + parts->weights);
    cost->bytes_written += element_bytes * parts->input;
    if (parts->weights > 0) {
        cost->flops += parts->backward_weights_flops;
        cost->bytes_read += element_bytes * (parts->input + parts->output);
        cost->bytes_written += element_bytes * parts->weights;
    }
    if (parts->biases > 0) { /* column sums of the output's gradient */
        cost->flops += parts->output;
        cost->bytes_read += element_bytes * parts->output;
        cost->bytes_written += element_bytes * parts->biases;
    }
    cost->bytes_read += parts->kept_bytes;
    cost->bytes_written += parts->kept_bytes; /* by the forward pass, for this one */
}

/* Of the arrays an update goes through, parameters and gradient are in the layer's precision. */
void cost_add_update(struct cost *cost, double parameters, int32_t optimizer, double element_bytes)
{
    const double states = optimizer_state_count(optimizer);
    if (optimizer == OPTIMIZER_NONE)
        return;
    cost->flops += optimizer_flops_per_parameter(optimizer) * parameters;
    cost->bytes_read += (2 * element_bytes + FLOAT_BYTES * states) * parameters;
    cost->bytes_written += (element_bytes + FLOAT_BYTES * states) * parameters;
}

/* Training: every tensor has its gradient beside it, but where one is another's. */
static double gradient_count(const struct cost_parts *parts)
{
    const bool is_shared = parts->hands_gradient_on && parts->activation == ACTIVATION_NONE;
    return (is_shared ? 0 : parts->input) + parts->output + parts->weights + parts->biases;
}

struct cost cost_of(const struct layer_config *config, const struct cost_parts *parts)
{
    const bool is_train = config->pass == PASS_TRAIN;
    const double parameters = parts->weights + parts->biases;
    const double kept_bytes = is_train ? parts->kept_bytes : 0;
    const double element_bytes = precision_bytes(config->precision);
    const double tensor_bytes = element_bytes *
                                (parts->input + parts->second_input + parts->output + parameters);
    const double gradient_bytes = is_train ? element_bytes * gradient_count(parts) : 0;
    const double state_bytes = FLOAT_BYTES * optimizer_state_count(config->optimizer) * parameters;
    struct cost cost = {
        .parameter_count = (int64_t)parameters,
        .input_bytes = (int64_t)(element_bytes * parts->input),
        .activation_bytes = (int64_t)(element_bytes * parts->output + kept_bytes),
        .memory_bytes = (int64_t)(tensor_bytes + gradient_bytes + state_bytes + kept_bytes),
    };
    add_forward(&cost, parts, element_bytes);
    if (is_train) {
        add_backward(&cost, parts, element_bytes);
        cost_add_update(&cost, parameters, config->optimizer, element_bytes);
    }
    return cost;
}
