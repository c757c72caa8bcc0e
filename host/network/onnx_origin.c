/* Which tensors are constant, and which weights they are a view of. */
#include "network/onnx_operators.h"

/* It may be weights: no number, no indices. */
static bool may_be_weights(const struct onnx_graph *graph, int value)
{
    return value >= 0 && graph->values[value].rank > 0 && graph->values[value].count > 1 &&
           (onnx_type_is_floating(graph->values[value].type) ||
            onnx_type_is_quantised(graph->values[value].type));
}

/* What a constant output is a view of: its own, of a Constant node, which reads nothing, and of
 * weights that are joined; -1: the graph computes it from numbers, indices or angles. */
static int origin_of(const struct onnx_call *call, const struct onnx_value *output, int inputs,
                     int origin)
{
    const struct slice type = call->node->op_type;
    const bool is_of_angles = slice_equals(type, "Cos") || slice_equals(type, "Sin");
    if (inputs > 0 && (is_of_angles || !may_be_weights(call->graph, origin)))
        return -1;
    return inputs == 0 || slice_equals(type, "Concat") ? (int)(output - call->graph->values)
                                                       : origin;
}

/* Weights rather than what they are scaled, cut, moved or picked by. */
static int larger_origin(const struct onnx_graph *graph, int one, int other)
{
    if (one < 0 || other < 0)
        return one < 0 ? other : one;
    if (may_be_weights(graph, one) != may_be_weights(graph, other))
        return may_be_weights(graph, one) ? one : other;
    return graph->values[other].count > graph->values[one].count ? other : one;
}

void onnx_mark_constant(const struct onnx_call *call)
{
    bool is_constant = call->node->known && call->node->known->is_constant;
    int origin = -1, present = 0, varying = 0, inputs = call->node->input_count;
    if (call->node->known && call->node->known->value_inputs && inputs > 1)
        inputs = call->node->known->value_inputs;
    for (int i = 0; i < inputs; i++) {
        const struct onnx_value *input = onnx_input(call, i);
        present += input != NULL;
        varying += input && !input->is_constant;
        if (input && input->is_constant)
            origin = larger_origin(call->graph, origin, input->origin);
    }
    is_constant |= present && !varying;
    call->node->is_constant = is_constant;
    for (int i = 0; is_constant && i < call->node->output_count; i++) {
        struct onnx_value *output = onnx_output(call, i);
        if (output)
            output->is_constant = true;
        if (output && !varying)
            output->origin = origin_of(call, output, present, origin);
    }
}
