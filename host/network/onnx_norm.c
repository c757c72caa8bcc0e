/* Normalisations of rows and of groups of channels as layers; the fused ones as what they are made
 * of.
 */
#include "network/onnx_contrib.h"

#include <math.h>
#include <string.h>

static bool is_constant_of(const struct onnx_value *value, double count)
{
    return value && value->is_constant && value->count == count;
}

/* The axes from `axis` on, scales and shifts of constants, one output; without a mean there are no
 * shifts. */
bool onnx_read_layer_norm(struct onnx_match *match, const struct onnx_call *call)
{
    const bool has_mean = slice_equals(call->node->op_type, "LayerNormalization");
    const struct onnx_value *x = onnx_input(call, 0);
    struct onnx_value *scale = onnx_input(call, 1), *shift = onnx_input(call, 2);
    const int64_t axis = onnx_integer(call, "axis", -1), first = axis < 0 ? axis + x->rank : axis;
    double width = 1;
    if (first < 1 || first >= x->rank) /* not every operator's shape has looked at its axis */
        return false;
    for (int i = (int)first; i < x->rank; i++)
        width *= (double)x->dims[i];
    if (x->is_constant || !is_constant_of(scale, width) || !onnx_output(call, 0) ||
        (has_mean ? !is_constant_of(shift, width) : shift != NULL) || onnx_output(call, 1) ||
        onnx_output(call, 2))
        return false;
    const double samples = onnx_samples(call->graph, onnx_output(call, 0));
    const double positions = x->count / width / samples;
    if (!(positions >= 1 && positions <= INT32_MAX && width <= INT32_MAX) ||
        floor(positions) != positions)
        return false;
    *match = (struct onnx_match){
        .rows = samples, .parameters = {scale, shift}, .config.kind = LAYER_LAYER_NORM};
    match->config.as.layer_norm = (struct layer_norm){.positions = (int32_t)positions,
                                                      .width = (int32_t)width,
                                                      .statistics = has_mean ? STATISTICS_LAYER
                                                                             : STATISTICS_RMS,
                                                      .pixels = 1};
    return true;
}

/* Channels on axis 1 in groups, each of its own in an InstanceNormalization; scales and shifts of
 * constants, one per channel (before opset 21 GroupNormalization has one per group). */
bool onnx_read_group_norm(struct onnx_match *match, const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0);
    struct onnx_value *scale = onnx_input(call, 1), *shift = onnx_input(call, 2);
    if (x->rank < 3 || x->is_constant || x->dims[0] < 1 || x->dims[1] < 1)
        return false;
    const int64_t channels = x->dims[1], said = onnx_integer(call, "num_groups", channels);
    const int64_t groups = call->node->pattern ? call->node->axis : said;
    const double pixels = x->count / (double)x->dims[0] / (double)channels;
    if (groups < 1 || groups > INT32_MAX || channels % groups || channels / groups > INT32_MAX ||
        !(pixels >= 1 && pixels <= INT32_MAX) || !is_constant_of(scale, (double)channels) ||
        !is_constant_of(shift, (double)channels))
        return false;
    *match = (struct onnx_match){
        .rows = (double)x->dims[0], .parameters = {scale, shift}, .config.kind = LAYER_LAYER_NORM};
    match->config.as.layer_norm = (struct layer_norm){.positions = (int32_t)groups,
                                                      .width = (int32_t)(channels / groups),
                                                      .statistics = STATISTICS_GROUP,
                                                      .pixels = (int32_t)pixels};
    return true;
}

/* ---- a sum and its normalisation ---- */

static const struct onnx_operator *operator_of(const char *op_type)
{
    return onnx_operator_find(&(struct onnx_node){.op_type = {op_type, strlen(op_type)}});
}

/* The value of a sum: of output `i` where the node has it, else one of its own. */
static int sum_value(const struct onnx_call *call, int i)
{
    const struct onnx_value *given = onnx_output(call, i);
    if (!given)
        given = onnx_value_add(call->graph, (struct slice){"", 0});
    return given ? (int)(given - call->graph->values) : -1;
}

static enum status add_node(struct onnx_dimensions *dimensions, int node, const char *op_type,
                            const int *inputs, int count, int output)
{
    if (output < 0)
        return onnx_no_room(dimensions, node);
    return onnx_make_node(dimensions, node, operator_of(op_type), 0, inputs, count, &output, 1);
}

/* The node's name is that of the normalisation. */
static enum status add_sum(struct onnx_dimensions *dimensions, int node, const int inputs[2],
                           int output)
{
    TRY(add_node(dimensions, node, "Add", inputs, 2, output));
    dimensions->graph->nodes[dimensions->graph->node_count - 1].name = (struct slice){"", 0};
    return STATUS_OK;
}

/* Input, skip, scales, (shifts,) bias: output 3 is the sum. The statistics, outputs 1 and 2, have
 * no reader that is known. */
static enum status expand_skip(struct onnx_dimensions *dimensions, int node, const char *norm,
                               int parameters)
{
    struct onnx_graph *graph = dimensions->graph;
    const struct onnx_call call = {graph, &graph->nodes[node], dimensions->error};
    const int first = call.node->first, bias = 2 + parameters;
    const bool has_bias = onnx_input(&call, bias) != NULL;
    struct onnx_value *needed;
    for (int i = 0; i < 2 + parameters; i++)
        TRY(onnx_need_input(&call, i, &needed));
    if (onnx_output(&call, 1) || onnx_output(&call, 2) || !onnx_output(&call, 0))
        return onnx_fail(&call, "its outputs 1 and 2 are read");
    int sum = has_bias ? sum_value(&call, INT32_MAX) : sum_value(&call, 3);
    int inputs[4] = {graph->links[first], graph->links[first + 1]};
    TRY(add_sum(dimensions, node, inputs, sum));
    if (has_bias) {
        inputs[0] = sum;
        inputs[1] = graph->links[graph->nodes[node].first + bias];
        sum = sum_value(&call, 3);
        TRY(add_sum(dimensions, node, inputs, sum));
    }
    inputs[0] = sum;
    for (int i = 0; i < parameters; i++)
        inputs[1 + i] = graph->links[first + 2 + i];
    return add_node(dimensions, node, norm, inputs, 1 + parameters, sum_value(&call, 0));
}

enum status onnx_expand_skip_norm(struct onnx_dimensions *dimensions, int node)
{
    return expand_skip(dimensions, node, "LayerNormalization", 2);
}

enum status onnx_expand_skip_rms_norm(struct onnx_dimensions *dimensions, int node)
{
    return expand_skip(dimensions, node, "SimplifiedLayerNormalization", 1);
}
