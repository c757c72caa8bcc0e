/* Heads of keys and values that are repeated for several heads of queries each: one copy. */
#include "network/onnx_operators.h"
#include "network/onnx_pattern.h"

#include <string.h>

static const struct onnx_operator repeat_heads = {
    .op_type = "RepeatHeads", .name = "repeat_heads", .emit = onnx_emit_move};

/* From (batch, heads, rows, size) to (batch, heads x times, rows, size). */
static bool is_of_heads(const struct onnx_value *x, const struct onnx_value *output)
{
    return x->rank == 4 && output->rank == 4 && output->dims[0] == x->dims[0] && x->dims[1] > 0 &&
           output->dims[1] > x->dims[1] && output->dims[1] % x->dims[1] == 0 &&
           memcmp(output->dims + 2, x->dims + 2, 2 * sizeof *x->dims) == 0;
}

/* Between heads and rows, so that the copies of a head follow one another. */
static bool is_behind_heads(const struct onnx_value *expanded, const struct onnx_value *x)
{
    return expanded->rank == 5 && expanded->dims[0] == x->dims[0] &&
           expanded->dims[1] == x->dims[1] && expanded->dims[3] == x->dims[2] &&
           expanded->dims[4] == x->dims[3];
}

bool onnx_recognise_repeat(struct onnx_graph *graph, int node)
{
    struct onnx_found found = {.name = "repeat_heads", .known = &repeat_heads, .input_count = 1};
    struct onnx_bound bound;
    if (!onnx_pattern_match(&found, &bound, graph, node, "Reshape(Expand(row_axis(x), t), u)"))
        return false;
    const struct onnx_node *last = &graph->nodes[node];
    const int expanded = graph->links[last->first];
    const int output = graph->links[last->first + last->input_count];
    found.inputs[0] = bound.values['x' - 'a'];
    const struct onnx_value *x = &graph->values[found.inputs[0]];
    return output >= 0 && is_of_heads(x, &graph->values[output]) &&
           is_behind_heads(&graph->values[expanded], x) && onnx_pattern_replace(graph, &found);
}

const struct onnx_node *onnx_repeat_of(const struct onnx_graph *graph,
                                       const struct onnx_value *value)
{
    const struct onnx_node *node = value->producer < 0 ? NULL : &graph->nodes[value->producer];
    return node && node->known == &repeat_heads ? node : NULL;
}
