/* Nodes that are not in the file: what expansions are joined with. */
#include "network/onnx_expand.h"
#include "network/onnx_operators.h"

#include <string.h>

/* ---- operators ---- */

static enum status shape_take(const struct onnx_call *call)
{
    struct onnx_value *input;
    int64_t dims[ONNX_RANK_LIMIT];
    int rank = 0, taken;
    TRY(onnx_need_input(call, 0, &input));
    TRY(onnx_axis(call, call->node->axis, input->rank, &taken));
    for (int axis = 0; axis < input->rank; axis++)
        if (axis != taken)
            dims[rank++] = input->dims[axis];
    return onnx_set_output(call, 0, input->type, rank, dims);
}

static enum status shape_stack(const struct onnx_call *call)
{
    struct onnx_value *input;
    int64_t dims[ONNX_RANK_LIMIT + 1];
    int added;
    TRY(onnx_need_input(call, 0, &input));
    TRY(onnx_axis(call, call->node->axis, input->rank + 1, &added));
    for (int axis = 0; axis <= input->rank; axis++)
        dims[axis] = axis == added ? call->node->input_count : input->dims[axis - (axis > added)];
    return onnx_set_output(call, 0, input->type, input->rank + 1, dims);
}

/* Scalars that a loop lists: a shape, say. */
static void fold_stack(const struct onnx_call *call)
{
    const struct onnx_value *first = onnx_input(call, 0);
    double *out = first && first->rank == 0 ? onnx_fold_output(call, 0, call->node->input_count)
                                            : NULL;
    for (int i = 0; out && i < call->node->input_count; i++)
        out[i] = onnx_folded(call, i)[0];
}

#define NAME(text) .op_type = text, .name = text
const struct onnx_operator onnx_take = {NAME("take"), .shape = shape_take};
const struct onnx_operator onnx_stack = {NAME("stack"), .shape = shape_stack, .fold = fold_stack,
                                         .emit = onnx_emit_move};
const struct onnx_operator onnx_same = {NAME("identity"), .shape = onnx_shape_same,
                                        .fold = onnx_fold_copy};
const struct onnx_operator onnx_join = {NAME("concat"), .shape = onnx_shape_concat,
                                        .fold = onnx_fold_concat, .emit = onnx_emit_move};
const struct onnx_operator onnx_parts = {NAME("split"), .shape = onnx_shape_split,
                                         .fold = onnx_fold_split};

/* ---- nodes ---- */

enum status onnx_make_node(struct onnx_dimensions *dimensions, int parent,
                           const struct onnx_operator *known, int axis, const int *inputs,
                           int input_count, const int *outputs, int output_count)
{
    struct onnx_graph *graph = dimensions->graph;
    if (graph->node_count == graph->node_capacity ||
        graph->link_capacity - graph->link_count < input_count + output_count)
        return onnx_no_room(dimensions, parent);
    const int index = graph->node_count++;
    struct onnx_node *node = &graph->nodes[index];
    *node = graph->nodes[parent];
    node->op_type = (struct slice){known->op_type, strlen(known->op_type)};
    node->domain = (struct slice){"", 0};
    node->known = known;
    node->axis = axis;
    node->first = graph->link_count;
    node->input_count = node->own_count = input_count;
    node->output_count = output_count;
    memcpy(graph->links + graph->link_count, inputs, (size_t)input_count * sizeof *inputs);
    graph->link_count += input_count;
    for (int i = 0; i < output_count; i++) {
        graph->links[graph->link_count++] = outputs[i];
        graph->values[outputs[i]].producer = index;
    }
    return onnx_infer_node(dimensions, index);
}

enum status onnx_bind_output(struct onnx_dimensions *dimensions, int parent, int i, int value)
{
    struct onnx_graph *graph = dimensions->graph;
    const struct onnx_node *node = &graph->nodes[parent];
    const int output = graph->links[node->first + node->input_count + i];
    if (output < 0)
        return STATUS_OK;
    if (value < 0)
        return onnx_no_room(dimensions, parent);
    if (graph->values[value].sequence_count < 0)
        return onnx_make_node(dimensions, parent, &onnx_same, 0, &value, 1, &output, 1);
    graph->values[output].sequence_first = graph->values[value].sequence_first;
    graph->values[output].sequence_count = graph->values[value].sequence_count;
    return STATUS_OK;
}

int onnx_make_integer(struct onnx_graph *graph, int64_t number, int type)
{
    struct onnx_value *value = onnx_value_add(graph, (struct slice){"", 0});
    if (!value)
        return -1;
    value->type = type;
    value->rank = 0;
    value->count = 1;
    value->is_constant = true;
    value->folded = onnx_fold_room(&graph->source, 1);
    if (value->folded)
        *value->folded = (double)number;
    return (int)(value - graph->values);
}
