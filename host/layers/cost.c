/* What a layer costs, from its work. */
#include "layers/work.h"

#include <math.h>

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
    [OPTIMIZER_ADAMW] = {13, 4, 3, 2},    /* adam, and w *= 1 - r d */
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

const struct precision_traits *precision_traits_of(int32_t precision)
{
    static const struct precision_traits traits[PRECISION_COUNT] = {
        [PRECISION_FP32] = {FLOAT_BYTES, FLOAT_BYTES, false, false},
        [PRECISION_TF32] = {FLOAT_BYTES, FLOAT_BYTES, true, false},
        [PRECISION_FP16] = {2, FLOAT_BYTES, true, false},
        [PRECISION_BF16] = {2, FLOAT_BYTES, true, false},
        [PRECISION_AMP] = {2, FLOAT_BYTES, true, true},
    };
    return &traits[precision];
}

int precision_bytes(int32_t precision)
{
    return precision_traits_of(precision)->storage_bytes;
}

double stored_bytes(enum storage storage, int32_t precision)
{
    static const int bytes[] = {[STORAGE_FP32] = FLOAT_BYTES, [STORAGE_INT32] = sizeof(int32_t)};
    const bool is_wide = storage == STORAGE_TABLE && precision_traits_of(precision)->casts_weights;
    if (storage == STORAGE_LAYER || (storage == STORAGE_TABLE && !is_wide))
        return precision_bytes(precision);
    return is_wide ? FLOAT_BYTES : bytes[storage];
}

/* The tensors of a work by role, in bytes; some in elements. */
struct sums {
    double inputs, outputs, weights, biases; /* bytes; weights without biases */
    double moved_weights;                    /* that the phases read: not tables */
    double weight_gradients;
    double updated, cast;                    /* parameters, in elements */
    double update_reads, update_writes;      /* of parameters and gradients, not of states */
    double input_gradients, shared_gradient; /* of all inputs; of those that have the output's */
    double kept, first_input, output_count;
};

static void add_parameters(struct sums *sums, const struct layer_tensor *tensor, int32_t precision)
{
    const double gradient = tensor->gradient_count > 0 ? tensor->gradient_count : tensor->count;
    const double updated = fmin(gradient, tensor->count);
    const double bytes = stored_bytes(tensor->storage, precision);
    const bool is_cast = tensor->storage == STORAGE_LAYER &&
                         precision_traits_of(precision)->casts_weights;
    const double parameter_bytes = is_cast ? FLOAT_BYTES : bytes;
    sums->updated += updated;
    sums->update_reads += updated * (bytes + parameter_bytes);
    sums->update_writes += updated * parameter_bytes;
    sums->cast += is_cast ? tensor->count : 0;
    if (tensor->role != TENSOR_WEIGHTS)
        return;
    sums->weight_gradients += bytes * gradient;
    sums->moved_weights += tensor->storage == STORAGE_TABLE ? 0 : bytes * tensor->count;
}

static struct sums sums_of(const struct layer_work *work, int32_t precision)
{
    struct sums sums = {0};
    for (int i = 0; i < work->tensor_count; i++) {
        const struct layer_tensor *tensor = &work->tensors[i];
        const double bytes = stored_bytes(tensor->storage, precision) * tensor->count;
        double *const by_role[TENSOR_ROLE_COUNT] = {&sums.inputs, &sums.outputs, &sums.weights,
                                                    &sums.biases, &sums.kept};
        *by_role[tensor->role] += bytes;
        if (tensor->role == TENSOR_OUTPUT)
            sums.output_count += tensor->count;
        if (tensor->role == TENSOR_WEIGHTS || tensor->role == TENSOR_BIAS)
            add_parameters(&sums, tensor, precision);
        if (tensor->role != TENSOR_INPUT)
            continue;
        if (sums.first_input == 0)
            sums.first_input = bytes;
        if (tensor->shares_gradient)
            sums.shared_gradient = fmax(sums.shared_gradient, bytes);
        else if (tensor_has_gradient(tensor))
            sums.input_gradients += bytes;
    }
    return sums;
}

/* The phases' operations and, once per phase, its tensors. Returns whether there is a backward
 * phase. */
static bool add_operations(struct cost *cost, const struct layer_work *work,
                           const struct sums *sums, bool trains, double element_bytes)
{
    const double reads[WORK_PHASE_COUNT] = {
        [WORK_FORWARD] = sums->inputs + sums->moved_weights + sums->biases,
        [WORK_BACKWARD_DATA] = sums->outputs + sums->moved_weights,
        [WORK_BACKWARD_WEIGHTS] = sums->inputs + sums->outputs,
    };
    const double writes[WORK_PHASE_COUNT] = {
        [WORK_FORWARD] = sums->outputs,
        [WORK_BACKWARD_DATA] = sums->input_gradients,
        [WORK_BACKWARD_WEIGHTS] = sums->weight_gradients,
    };
    bool has_phase[WORK_PHASE_COUNT] = {false};
    for (int i = 0; i < work->operation_count; i++) {
        const struct work_operation *operation = &work->operations[i];
        if (!trains && operation->phase != WORK_FORWARD)
            continue;
        cost->flops += operation->flops;
        cost->bytes_read += element_bytes * operation->read;
        cost->bytes_written += element_bytes * operation->written;
        has_phase[operation->phase] = true;
    }
    for (int phase = 0; phase < WORK_PHASE_COUNT; phase++)
        if (has_phase[phase]) {
            cost->bytes_read += reads[phase];
            cost->bytes_written += writes[phase];
        }
    return has_phase[WORK_BACKWARD_DATA] || has_phase[WORK_BACKWARD_WEIGHTS];
}

/* Both write in place, primitives of their own. Backward, the activation reads the output and its
 * gradient; the bias's gradient is the column sums of the output's. */
static void add_bias_and_activation(struct cost *cost, const struct sums *sums, int32_t activation,
                                    bool trains)
{
    const struct activation_work *work = &activation_works[activation];
    const bool has_bias = sums->biases > 0, has_activation = activation != ACTIVATION_NONE;
    const int backward = trains ? 1 : 0;
    cost->flops += has_bias * (1 + backward) * sums->output_count;
    cost->flops += (work->forward + backward * work->backward) * sums->output_count;
    cost->bytes_read += has_activation * (1 + 2 * backward) * sums->outputs;
    cost->bytes_written += has_activation * (1 + backward) * sums->outputs;
    cost->bytes_read += has_bias * backward * sums->outputs;
    cost->bytes_written += backward * sums->biases;
}

/* One update. Of the arrays it goes through, parameters and gradient are in the layer's precision,
 * and fp32 where parameters are cast. */
static void add_update(struct cost *cost, const struct sums *sums, int32_t optimizer)
{
    const double states = FLOAT_BYTES * optimizer_state_count(optimizer) * sums->updated;
    if (optimizer == OPTIMIZER_NONE)
        return;
    cost->flops += optimizer_flops_per_parameter(optimizer) * sums->updated;
    cost->bytes_read += sums->update_reads + states;
    cost->bytes_written += sums->update_writes + states;
}

/* Training: every tensor has its gradient beside it, but where one is another's. */
static double gradient_bytes(const struct sums *sums, bool has_activation)
{
    const double shared = has_activation ? sums->shared_gradient : 0; /* else it is the output's */
    return shared + sums->input_gradients + sums->outputs + sums->weight_gradients + sums->biases;
}

struct cost cost_of_work(const struct layer_work *work, int32_t pass, int32_t optimizer,
                         int32_t precision)
{
    const bool trains = pass == PASS_TRAIN;
    const double element_bytes = precision_bytes(precision);
    const struct sums sums = sums_of(work, precision);
    const double parameters = work_elements(work, TENSOR_WEIGHTS) +
                              work_elements(work, TENSOR_BIAS);
    const double kept = trains ? sums.kept : 0;
    const double gradients = trains ? gradient_bytes(&sums, work->activation != ACTIVATION_NONE)
                                    : 0;
    const double states = (double)precision_traits_of(precision)->master_bytes *
                          optimizer_state_count(optimizer) * parameters;
    struct cost cost = {
        .parameter_count = (int64_t)parameters,
        .input_bytes = (int64_t)sums.first_input,
        .activation_bytes = (int64_t)(sums.outputs + kept),
        .memory_bytes = (int64_t)(sums.inputs + sums.outputs + sums.weights + sums.biases +
                                  gradients + states + kept + FLOAT_BYTES * sums.cast),
    };
    const bool goes_back = add_operations(&cost, work, &sums, trains, element_bytes);
    add_bias_and_activation(&cost, &sums, work->activation, trains);
    if (goes_back) { /* written by the forward pass, read by the backward pass */
        cost.bytes_read += kept;
        cost.bytes_written += kept;
    }
    cost.bytes_read += FLOAT_BYTES * sums.cast;
    cost.bytes_written += element_bytes * sums.cast;
    if (trains)
        add_update(&cost, &sums, optimizer);
    return cost;
}
