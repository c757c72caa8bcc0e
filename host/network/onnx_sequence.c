/* Sequences: lists of tensors that are known when shapes are inferred. */
#include "network/onnx_expand.h"
#include "network/onnx_operators.h"

#include <string.h>

static enum status need_sequence(const struct onnx_call *call, int i, struct onnx_value **value)
{
    TRY(onnx_need_input(call, i, value));
    return (*value)->sequence_count >= 0 ? STATUS_OK
                                         : onnx_fail(call, "its input %d is no sequence", i);
}

/* The output is a sequence of `count` elements, to be filled in. */
static enum status make_sequence(struct onnx_dimensions *dimensions, int node, int count,
                                 int **elements)
{
    struct onnx_graph *graph = dimensions->graph;
    const struct onnx_call call = {graph, &graph->nodes[node], dimensions->error};
    struct onnx_value *output = onnx_output(&call, 0);
    if (!output)
        return onnx_fail(&call, "it has no output");
    if (graph->link_capacity - graph->link_count < count)
        return onnx_no_room(dimensions, node);
    output->sequence_first = graph->link_count;
    output->sequence_count = count;
    *elements = graph->links + graph->link_count;
    graph->link_count += count;
    return STATUS_OK;
}

/* SequenceConstruct; SequenceEmpty has no inputs. */
enum status onnx_expand_sequence(struct onnx_dimensions *dimensions, int node)
{
    const struct onnx_node *self = &dimensions->graph->nodes[node];
    int *elements = NULL;
    TRY(make_sequence(dimensions, node, self->own_count, &elements));
    memcpy(elements, dimensions->graph->links + self->first,
           (size_t)self->own_count * sizeof *elements);
    return STATUS_OK;
}

/* The place that input i says, counted from the end if negative; the last where the data decide. */
static int place_of(const struct onnx_call *call, int i, int count, int otherwise)
{
    const struct onnx_value *place = onnx_input(call, i);
    if (!place || !place->folded || place->count != 1)
        return otherwise;
    const double wrapped = place->folded[0] + (place->folded[0] < 0 ? count : 0);
    return wrapped >= 0 && wrapped <= count ? (int)wrapped : -1;
}

enum status onnx_expand_sequence_at(struct onnx_dimensions *dimensions, int node)
{
    const struct onnx_call call = {dimensions->graph, &dimensions->graph->nodes[node],
                                   dimensions->error};
    struct onnx_value *sequence;
    TRY(need_sequence(&call, 0, &sequence));
    const int place = place_of(&call, 1, sequence->sequence_count, sequence->sequence_count - 1);
    if (place < 0 || place >= sequence->sequence_count)
        return onnx_fail(&call, "its place is not one of %d", sequence->sequence_count);
    return onnx_bind_output(dimensions, node, 0,
                            call.graph->links[sequence->sequence_first + place]);
}

enum status onnx_expand_sequence_insert(struct onnx_dimensions *dimensions, int node)
{
    const struct onnx_call call = {dimensions->graph, &dimensions->graph->nodes[node],
                                   dimensions->error};
    struct onnx_value *sequence, *tensor;
    int *elements = NULL;
    TRY(need_sequence(&call, 0, &sequence));
    TRY(onnx_need_input(&call, 1, &tensor));
    const int count = sequence->sequence_count, place = place_of(&call, 2, count, count);
    const int *old = call.graph->links + sequence->sequence_first;
    if (place < 0)
        return onnx_fail(&call, "its place is not one of %d", count);
    TRY(make_sequence(dimensions, node, count + 1, &elements));
    for (int i = 0; i <= count; i++)
        elements[i] = i == place ? (int)(tensor - call.graph->values) : old[i - (i > place)];
    return STATUS_OK;
}

enum status onnx_expand_sequence_erase(struct onnx_dimensions *dimensions, int node)
{
    const struct onnx_call call = {dimensions->graph, &dimensions->graph->nodes[node],
                                   dimensions->error};
    struct onnx_value *sequence;
    int *elements = NULL;
    TRY(need_sequence(&call, 0, &sequence));
    const int count = sequence->sequence_count, place = place_of(&call, 1, count, count - 1);
    const int *old = call.graph->links + sequence->sequence_first;
    if (place < 0 || place >= count)
        return onnx_fail(&call, "its place is not one of %d", count);
    TRY(make_sequence(dimensions, node, count - 1, &elements));
    for (int i = 0; i + 1 < count; i++)
        elements[i] = old[i + (i >= place)];
    return STATUS_OK;
}

enum status onnx_expand_sequence_length(struct onnx_dimensions *dimensions, int node)
{
    const struct onnx_call call = {dimensions->graph, &dimensions->graph->nodes[node],
                                   dimensions->error};
    struct onnx_value *sequence;
    TRY(need_sequence(&call, 0, &sequence));
    return onnx_bind_output(
        dimensions, node, 0,
        onnx_make_integer(dimensions->graph, sequence->sequence_count, ONNX_INT64));
}

enum status onnx_expand_sequence_concat(struct onnx_dimensions *dimensions, int node)
{
    const struct onnx_call call = {dimensions->graph, &dimensions->graph->nodes[node],
                                   dimensions->error};
    struct onnx_value *sequence;
    TRY(need_sequence(&call, 0, &sequence));
    const int output = call.graph->links[call.node->first + call.node->input_count];
    const int64_t axis = onnx_integer(&call, "axis", 0);
    if (sequence->sequence_count < 1 || output < 0 || axis < -ONNX_RANK_LIMIT ||
        axis > ONNX_RANK_LIMIT)
        return onnx_fail(&call, "it joins %d tensors along axis %lld", sequence->sequence_count,
                         (long long)axis);
    return onnx_make_node(
        dimensions, node, onnx_integer(&call, "new_axis", 0) ? &onnx_stack : &onnx_join, (int)axis,
        call.graph->links + sequence->sequence_first, sequence->sequence_count, &output, 1);
}

/* ---- SplitToSequence ---- */

/* Sizes along the axis as a constant: all that `split` lists, or parts of the one that it is. */
static enum status part_sizes(const struct onnx_call *call, int64_t whole, int *value, int *count)
{
    const struct onnx_value *split = onnx_input(call, 1);
    if (split && !split->folded)
        return onnx_fail(call, "its parts depend on the data");
    const bool is_list = split && split->rank == 1;
    const double each = split && !is_list ? split->folded[0] : 1;
    if (!(each >= 1))
        return onnx_fail(call, "parts of %g", each);
    const double parts = is_list ? split->count : ((double)whole + each - 1) / each;
    if (parts > ONNX_LIST_LIMIT)
        return onnx_fail(call, "%.0f parts", parts);
    *count = (int)parts;
    *value = onnx_make_integer(call->graph, 0, ONNX_INT64);
    double *sizes = onnx_fold_room(&call->graph->source, *count);
    if (*value < 0 || !sizes)
        return onnx_fail(call, "no room is left for its parts");
    for (int i = 0; i < *count; i++)
        sizes[i] = is_list ? split->folded[i]
                           : (i + 1 < *count ? each : (double)whole - each * (*count - 1));
    struct onnx_value *made = &call->graph->values[*value];
    made->rank = 1;
    made->dims[0] = *count;
    made->count = *count;
    made->folded = sizes;
    return STATUS_OK;
}

enum status onnx_expand_sequence_split(struct onnx_dimensions *dimensions, int node)
{
    struct onnx_graph *graph = dimensions->graph;
    const struct onnx_call call = {graph, &graph->nodes[node], dimensions->error};
    struct onnx_value *input;
    int axis, count = 0, inputs[2] = {-1, -1}, *elements = NULL;
    TRY(onnx_need_input(&call, 0, &input));
    TRY(onnx_axis(&call, onnx_integer(&call, "axis", 0), input->rank, &axis));
    TRY(part_sizes(&call, input->dims[axis], &inputs[1], &count));
    TRY(make_sequence(dimensions, node, count, &elements));
    inputs[0] = (int)(input - graph->values);
    for (int i = 0; i < count; i++) {
        const struct onnx_value *element = onnx_value_add(graph, (struct slice){"", 0});
        if (!element)
            return onnx_no_room(dimensions, node);
        elements[i] = (int)(element - graph->values);
    }
    const bool keeps = onnx_input(&call, 1) || onnx_integer(&call, "keepdims", 1);
    if (keeps && count > 0)
        return onnx_make_node(dimensions, node, &onnx_parts, axis, inputs, 2, elements, count);
    for (int i = 0; i < count; i++)
        TRY(onnx_make_node(dimensions, node, &onnx_take, axis, inputs, 1, &elements[i], 1));
    return STATUS_OK;
}
