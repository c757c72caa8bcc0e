/* Which nodes are streams over elements: activations, operations of two tensors, reductions. */
#include "network/onnx_operators.h"

#include <math.h>
#include <string.h>

/* Elements of a tensor for one sample, 0: not a whole number of them, or too many. */
static int32_t whole_elements(const struct onnx_call *call, const struct onnx_value *value)
{
    const double elements = onnx_per_sample(call, value);
    const bool is_whole = elements >= 1 && elements <= INT32_MAX && floor(elements) == elements;
    return is_whole ? (int32_t)elements : 0;
}

static bool is_activation(const struct onnx_value *value)
{
    return value && !value->is_constant && onnx_type_is_floating(value->type);
}

/* ---- activation ---- */

/* By operator; what has the same work is one function: Clip to any range is relu6, Celu and Selu
 * differ from Elu by factors. */
static const struct function_name {
    const char *op_type;
    int32_t function;
} function_names[] = {
    {"Celu", FUNCTION_ELU},
    {"Clip", FUNCTION_RELU6},
    {"Elu", FUNCTION_ELU},
    {"Exp", FUNCTION_EXP},
    {"FastGelu", FUNCTION_GELU_TANH},
    {"Gelu", FUNCTION_GELU},
    {"HardSwish", FUNCTION_HARD_SWISH},
    {"LeakyRelu", FUNCTION_LEAKY_RELU},
    {"Mish", FUNCTION_MISH},
    {"QuickGelu", FUNCTION_QUICK_GELU},
    {"Relu", FUNCTION_RELU},
    {"Selu", FUNCTION_ELU},
    {"Sigmoid", FUNCTION_SIGMOID},
    {"Softplus", FUNCTION_SOFTPLUS},
    {"Swish", FUNCTION_SILU},
    {"Tanh", FUNCTION_TANH},
};

static int32_t function_of(const struct onnx_call *call)
{
    const char *op_type = call->node->known->op_type;
    for (size_t i = 0; i < sizeof function_names / sizeof *function_names; i++)
        if (strcmp(function_names[i].op_type, op_type) == 0)
            return function_names[i].function == FUNCTION_GELU &&
                           slice_equals(onnx_text(call, "approximate"), "tanh")
                       ? FUNCTION_GELU_TANH
                       : function_names[i].function;
    return -1;
}

/* Bounds are constants; a bias that comes with it is another layer's work. */
bool onnx_read_activation(struct onnx_match *match, const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0);
    const bool is_bounded = strcmp(call->node->known->op_type, "Clip") == 0;
    const int32_t function = function_of(call), elements = whole_elements(call, x);
    if (function < 0 || elements == 0 || !is_activation(x))
        return false;
    for (int i = 1; i < call->node->input_count; i++)
        if (onnx_input(call, i) && !(is_bounded && onnx_input(call, i)->is_constant))
            return false;
    *match = (struct onnx_match){.rows = onnx_samples(call->graph, x),
                                 .config.kind = LAYER_ACTIVATION};
    match->config.as.activation = (struct activation){.elements = elements, .function = function};
    return true;
}

/* ---- binary ---- */

/* The second operand under the first, axes of one sample from the outer to the inner. */
struct repetition {
    double elements, repeats;
    int changes; /* between axes that both have and axes that are repeated */
    bool is_inner;
};

/* Axis `axis` of `value`, where both end with their last axes. */
static int64_t dimension_at(const struct onnx_value *value, int rank, int axis)
{
    const int at = axis - (rank - value->rank);
    return at < 0 ? 1 : value->dims[at];
}

static struct repetition repetition_of(const struct onnx_call *call, const struct onnx_value *first,
                                       const struct onnx_value *second)
{
    struct repetition found = {.elements = 1, .repeats = 1};
    bool is_repeated = false, has_axis = false;
    for (int axis = 0; axis < first->rank; axis++) {
        const bool is_batch = axis == first->batch_axis;
        const double size = (double)first->dims[axis] /
                            (is_batch ? onnx_samples(call->graph, first) : 1);
        const bool repeats = dimension_at(second, first->rank, axis) != first->dims[axis];
        if (size <= 1)
            continue;
        found.changes += has_axis && repeats != is_repeated;
        is_repeated = repeats;
        has_axis = true;
        found.elements *= repeats ? 1 : size;
        found.repeats *= repeats ? size : 1;
    }
    found.is_inner = is_repeated && found.changes == 1;
    return found;
}

/* -1: not to be told from the shapes. */
static int32_t second_operand_of(const struct onnx_call *call, const struct onnx_value *first,
                                 const struct onnx_value *second)
{
    const struct onnx_value *origin = second->origin < 0 ? NULL
                                                         : &call->graph->values[second->origin];
    if (!second->is_constant)
        return first->batch_axis >= 0 && second->batch_axis < 0 ? -1 : SECOND_INPUT;
    if (!origin || second->rank == 0)
        return SECOND_CONSTANT;
    return onnx_type_is_floating(origin->type) && origin->count == second->count ? SECOND_WEIGHTS
                                                                                 : -1;
}

static int32_t operation_of(const struct onnx_call *call)
{
    static const struct {
        const char *op_type;
        int32_t operation;
    } operations[] = {{"Add", BINARY_ADD},
                      {"Div", BINARY_DIVIDE},
                      {"Mul", BINARY_MULTIPLY},
                      {"Sub", BINARY_SUBTRACT},
                      {"Sum", BINARY_ADD}};
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp(operations[i].op_type, call->node->known->op_type) == 0)
            return operations[i].operation;
    return -1;
}

/* The operand that has all elements of the output comes first; what is subtracted from the other
 * one costs the same, what divides it does not. */
static bool order_operands(struct onnx_value *operands[2], struct onnx_match *match,
                           const struct onnx_call *call)
{
    const struct onnx_value *y = onnx_output(call, 0);
    struct onnx_value *a = onnx_input(call, 0), *b = onnx_input(call, 1);
    if (call->node->input_count != 2 || !a || !b || !y)
        return false;
    match->is_swapped = a->is_constant || a->count < y->count;
    operands[0] = match->is_swapped ? b : a;
    operands[1] = match->is_swapped ? a : b;
    return is_activation(operands[0]) && operands[0]->count == y->count &&
           operands[0]->rank == y->rank &&
           !(match->is_swapped && operation_of(call) == BINARY_DIVIDE);
}

bool onnx_read_binary(struct onnx_match *match, const struct onnx_call *call)
{
    struct onnx_value *operands[2];
    *match = (struct onnx_match){.config.kind = LAYER_BINARY};
    if (!order_operands(operands, match, call))
        return false;
    const struct repetition at = repetition_of(call, operands[0], operands[1]);
    const int32_t second = second_operand_of(call, operands[0], operands[1]);
    if (second < 0 || at.changes > 1 ||
        (second == SECOND_WEIGHTS && at.elements != operands[1]->count) ||
        !(at.elements * at.repeats <= INT32_MAX) || floor(at.elements) != at.elements ||
        floor(at.repeats) != at.repeats)
        return false;
    match->rows = onnx_samples(call->graph, operands[0]);
    match->config.as.binary = (struct binary){.elements = (int32_t)at.elements,
                                              .operation = operation_of(call),
                                              .repeats = (int32_t)at.repeats,
                                              .broadcast = at.is_inner ? BROADCAST_INNER
                                                                       : BROADCAST_OUTER,
                                              .second = second};
    if (second == SECOND_WEIGHTS)
        match->parameters[0] = operands[1];
    return true;
}

/* ---- reduction ---- */

/* -1: no kind has it. */
static int32_t reduce_of(const struct onnx_call *call)
{
    static const struct {
        const char *op_type;
        int32_t reduce;
    } names[] = {{"GlobalAveragePool", REDUCE_MEAN}, {"GlobalMaxPool", REDUCE_MAX},
                 {"ReduceL2", REDUCE_NORM},          {"ReduceMax", REDUCE_MAX},
                 {"ReduceMean", REDUCE_MEAN},        {"ReduceMin", REDUCE_MIN},
                 {"ReduceSum", REDUCE_SUM}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].op_type, call->node->known->op_type) == 0)
            return names[i].reduce;
    return -1;
}

/* Global pools: all but the first two. */
static bool find_axes(bool is_reduced[ONNX_RANK_LIMIT], const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0);
    if (strncmp(call->node->known->op_type, "Global", 6) != 0)
        return onnx_reduced_axes(call, is_reduced) == STATUS_OK;
    for (int axis = 0; axis < x->rank; axis++)
        is_reduced[axis] = axis >= 2;
    return true;
}

/* Axes that lie together, none of them the samples'. */
bool onnx_read_reduction(struct onnx_match *match, const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0);
    const int32_t reduce = reduce_of(call);
    bool is_reduced[ONNX_RANK_LIMIT];
    double sizes[3] = {1, 1, 1}; /* before the axes, of them, behind them */
    int part = 0;
    if (!is_activation(x) || reduce < 0 || !find_axes(is_reduced, call))
        return false;
    for (int axis = 0; axis < x->rank; axis++) {
        const bool is_batch = axis == x->batch_axis;
        const double size = (double)x->dims[axis] / (is_batch ? onnx_samples(call->graph, x) : 1);
        if (size <= 1)
            continue;
        part += is_reduced[axis] != (part == 1);
        if (part > 2 || (is_batch && is_reduced[axis]))
            return false;
        sizes[part] *= size;
    }
    const double elements = sizes[0] * sizes[1] * sizes[2];
    if (!(elements <= INT32_MAX) || floor(elements) != elements || sizes[1] <= 1)
        return false;
    *match = (struct onnx_match){.rows = onnx_samples(call->graph, x),
                                 .config.kind = LAYER_REDUCTION};
    match->config.as.reduction = (struct reduction){.outer = (int32_t)sizes[0],
                                                    .length = (int32_t)sizes[1],
                                                    .inner = (int32_t)sizes[2],
                                                    .reduce = reduce};
    return true;
}
