/* Which patterns there are, and the nodes that they become. */
#include "network/onnx_pattern.h"

#include "network/onnx_operators.h"

#include <string.h>

/* ---- the table ---- */

/* inputs: letters of the text, in the operator's order. The first is a tensor of the result's
 * shape; the others are parameters, one for each element of its last axis, or for each channel
 * (axis 1). */
static const struct pattern {
    const char *name, *op_type, *inputs, *text;
} patterns[] = {
    {"layer_norm", "LayerNormalization", "xwb", "Add(Mul(normalised(x), w), b)"},
    {"layer_norm", "LayerNormalization", "xwb", /* TensorFlow */
     "Add(Mul(x, deviation(x)), Sub(b, Mul(ReduceMean(x), deviation(x))))"},
    {"layer_norm", "LayerNormalization", "xw", "Mul(normalised(x), w)"},
    {"layer_norm", "LayerNormalization", "x", "normalised(x)"},
    {"rms_norm", "RMSNormalization", "xw", "Mul(by_rms(x), w)"},
    {"group_norm", "GroupNormalization", "xwb", /* PyTorch */
     "Add(Mul(Reshape(InstanceNormalization(Reshape(x, s), o, z), t), w), b)"},
    {"gelu", "Gelu", "x", "product(x, erf_gate(x), 0.5)"},
    {"gelu", "Gelu", "x", "Div(Mul(x, erf_gate(x)), 2)"},
    {"gelu", "FastGelu", "x", "product(x, tanh_gate(x), 0.5)"},
    {"quick_gelu", "QuickGelu", "x", "Mul(x, Sigmoid(Mul(x, 1.702)))"},
    {"silu", "Swish", "x", "Mul(x, Sigmoid(x))"},
    {"hard_swish", "HardSwish", "x", "Mul(x, hard_gate(x))"},
    {"hard_swish", "HardSwish", "x", "Div(Mul(x, relu6(Add(x, 3))), 6)"},
    {"hard_swish", "HardSwish", "x", "Mul(Mul(x, relu6(Add(x, 3))), 0.166667)"},
    {"hard_sigmoid", "HardSigmoid", "x", "Div(relu6(Add(x, 3)), 6)"},
    {"mish", "Mish", "x", "Mul(x, Tanh(Softplus(x)))"},
};

/* ---- what replaces them ---- */

static bool is_among(const struct onnx_found *found, int node)
{
    for (int i = 0; i < found->node_count; i++)
        if (found->nodes[i] == node)
            return true;
    return false;
}

/* How often the found nodes read a tensor. */
static int reads_of(const struct onnx_graph *graph, const struct onnx_found *found, int value)
{
    int count = 0;
    for (int i = 0; i < found->node_count; i++) {
        const struct onnx_node *node = &graph->nodes[found->nodes[i]];
        for (int k = 0; k < node->input_count; k++)
            count += graph->links[node->first + k] == value;
    }
    return count;
}

static bool is_inside(const struct onnx_graph *graph, const struct onnx_found *found, int value)
{
    return !graph->values[value].is_output &&
           graph->values[value].consumer_count == reads_of(graph, found, value);
}

static bool are_all_inside(const struct onnx_graph *graph, const struct onnx_found *found)
{
    for (int i = 1; i < found->node_count; i++) {
        const struct onnx_node *node = &graph->nodes[found->nodes[i]];
        const int *outputs = graph->links + node->first + node->input_count;
        for (int k = 0; k < node->output_count; k++)
            if (outputs[k] >= 0 && !is_inside(graph, found, outputs[k]))
                return false;
    }
    return true;
}

/* It reads nothing any more. */
static void let_go(struct onnx_graph *graph, struct onnx_node *node)
{
    for (int k = 0; k < node->input_count; k++)
        if (graph->links[node->first + k] >= 0)
            graph->values[graph->links[node->first + k]].consumer_count--;
    node->input_count = node->own_count = 0;
}

bool onnx_pattern_replace(struct onnx_graph *graph, const struct onnx_found *found)
{
    struct onnx_node *last = &graph->nodes[found->nodes[0]];
    const char *op_type = found->known ? found->known->op_type : found->op_type;
    if (last->output_count != 1 || !are_all_inside(graph, found) ||
        graph->link_capacity - graph->link_count < found->input_count + 1)
        return false;
    const int output = graph->links[last->first + last->input_count];
    for (int i = 0; i < found->node_count; i++) {
        struct onnx_node *node = &graph->nodes[found->nodes[i]];
        let_go(graph, node);
        node->is_constant = i > 0; /* no layer */
        node->output_count = i > 0 ? 0 : 1;
    }
    last->first = graph->link_count;
    last->input_count = last->own_count = found->input_count;
    for (int i = 0; i < found->input_count; i++) {
        graph->links[graph->link_count++] = found->inputs[i];
        graph->values[found->inputs[i]].consumer_count++;
    }
    graph->links[graph->link_count++] = output;
    last->op_type = (struct slice){op_type, strlen(op_type)};
    last->domain = (struct slice){"", 0};
    last->message.size = 0; /* its attributes are another operator's */
    last->known = found->known ? found->known : onnx_operator_find(last);
    last->pattern = found->name;
    last->axis = found->groups;
    return true;
}

/* ---- finding them ---- */

static bool is_same_shape(const struct onnx_value *a, const struct onnx_value *b)
{
    return a->rank == b->rank && a->rank > 0 &&
           memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

/* One number for each element of the axis. */
static bool is_of_axis(int axis, const struct onnx_value *parameter, const struct onnx_value *x)
{
    const int place = axis + parameter->rank - x->rank;
    return place >= 0 && parameter->count == (double)x->dims[axis] &&
           parameter->dims[place] == x->dims[axis];
}

/* Groups of x's channels, as the normalisation between two reshapes has them; 0: it is of other
 * parts. */
static int groups_of(const struct onnx_graph *graph, const struct onnx_found *found,
                     const struct onnx_value *x)
{
    for (int i = 0; i < found->node_count; i++) {
        const struct onnx_node *node = &graph->nodes[found->nodes[i]];
        if (!slice_equals(node->op_type, "InstanceNormalization"))
            continue;
        const struct onnx_value *rows = &graph->values[graph->links[node->first]];
        const bool fits = rows->rank == 3 && x->rank >= 3 && rows->dims[0] == x->dims[0] &&
                          rows->dims[1] > 0 && x->dims[1] % rows->dims[1] == 0;
        return fits ? (int)rows->dims[1] : 0;
    }
    return 0;
}

/* A Cast whose result only the pattern reads is part of it. */
static int before_casts(const struct onnx_graph *graph, struct onnx_found *found, int value)
{
    for (;;) {
        const int producer = graph->values[value].producer;
        const struct onnx_node *node = producer < 0 ? NULL : &graph->nodes[producer];
        if (!node || node->is_constant || !slice_equals(node->op_type, "Cast") ||
            is_among(found, producer) || found->node_count == ONNX_FOUND_NODES ||
            !is_inside(graph, found, value))
            return value;
        found->nodes[found->node_count++] = producer;
        value = graph->links[node->first];
    }
}

/* Sets the inputs; false: their shapes are not the operator's. */
static bool take_inputs(const struct onnx_graph *graph, struct onnx_found *found,
                        const struct onnx_bound *bound, const struct pattern *pattern)
{
    const struct onnx_node *last = &graph->nodes[found->nodes[0]];
    const int output = graph->links[last->first + last->input_count];
    const int first = bound->values[pattern->inputs[0] - 'a'];
    if (output < 0 || !is_same_shape(&graph->values[first], &graph->values[output]))
        return false;
    const struct onnx_value *x = &graph->values[first];
    const bool is_of_groups = strcmp(pattern->op_type, "GroupNormalization") == 0;
    const int axis = is_of_groups ? 1 : x->rank - 1;
    found->groups = is_of_groups ? groups_of(graph, found, x) : 0;
    if (is_of_groups && found->groups == 0)
        return false;
    found->input_count = 0;
    for (const char *letter = pattern->inputs; *letter; letter++) {
        const int value = bound->values[*letter - 'a'];
        if (value != first && !is_of_axis(axis, &graph->values[value], x))
            return false;
        found->inputs[found->input_count++] = value;
    }
    found->inputs[0] = before_casts(graph, found, first);
    return true;
}

static void recognise_at(struct onnx_graph *graph, int node)
{
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct onnx_found found = {.name = patterns[i].name, .op_type = patterns[i].op_type};
        struct onnx_bound bound;
        if (onnx_pattern_match(&found, &bound, graph, node, patterns[i].text) &&
            take_inputs(graph, &found, &bound, &patterns[i]) && onnx_pattern_replace(graph, &found))
            return;
    }
    onnx_recognise_repeat(graph, node);
}

/* From the outputs on: the whole of a pattern comes before its parts. */
void onnx_recognise(struct onnx_graph *graph)
{
    onnx_count_consumers(graph);
    for (int i = graph->node_count; i-- > 0;)
        if (!graph->nodes[graph->order[i]].is_constant)
            recognise_at(graph, graph->order[i]);
    onnx_count_consumers(graph);
}

/* ---- what was found ---- */

static void tell_pattern(struct network *network, const char *name)
{
    int i = 0;
    while (i < network->pattern_count && strcmp(network->patterns[i].name, name) != 0)
        i++;
    if (i == NETWORK_PATTERN_LIMIT)
        return;
    network->patterns[i].name = name;
    network->patterns[i].count++;
    network->pattern_count = i < network->pattern_count ? network->pattern_count : i + 1;
}

void onnx_tell_patterns(struct network *network, const struct onnx_graph *graph)
{
    for (int i = 0; i < graph->node_count; i++)
        if (graph->nodes[graph->order[i]].pattern && !graph->nodes[graph->order[i]].is_constant)
            tell_pattern(network, graph->nodes[graph->order[i]].pattern);
}
