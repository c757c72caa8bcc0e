/* ONNX model -> network: orders the nodes, infers shapes, makes layers.
 *
 * Patterns that exporters leave become the operators that they are (onnx_pattern.h).
 *
 * The network is of one sample. An open batch (onnx_dimension.h) counts as 1; where the file fixes
 * one (onnx_batch.h), shapes are inferred with it and counts are divided by it.
 */
#include "network/onnx_attention_pattern.h"
#include "network/onnx_batch.h"
#include "network/onnx_dimension.h"
#include "network/onnx_operators.h"
#include "network/onnx_pattern.h"

#include <stdlib.h>
#include <string.h>

/* ---- order ---- */

static bool is_ordered(const struct onnx_graph *graph)
{
    for (int i = 0; i < graph->node_count; i++)
        for (int k = 0; k < graph->nodes[i].input_count; k++) {
            const int value = graph->links[graph->nodes[i].first + k];
            if (value >= 0 && graph->values[value].producer >= i)
                return false;
        }
    return true;
}

/* Nodes by what they wait for (Kahn 1962): waiting[i] inputs of node i are not there yet. Edges are
 * found by producer, as a list in one array: next[link] is another reader of the same node. */
struct ordering {
    int *waiting, *first_link, *next, *reader;
    int done;
};

static void count_waiting(struct ordering *ordering, const struct onnx_graph *graph)
{
    memset(ordering->first_link, 0xff, (size_t)graph->node_count * sizeof(int)); /* all -1 */
    for (int i = 0; i < graph->node_count; i++)
        for (int k = 0; k < graph->nodes[i].input_count; k++) {
            const int link = graph->nodes[i].first + k, value = graph->links[link];
            const int producer = value < 0 ? -1 : graph->values[value].producer;
            if (producer < 0)
                continue;
            ordering->waiting[i]++;
            ordering->reader[link] = i;
            ordering->next[link] = ordering->first_link[producer];
            ordering->first_link[producer] = link;
        }
}

static enum status sort_nodes(struct ordering *ordering, struct onnx_graph *graph,
                              struct error *error)
{
    int count = 0;
    count_waiting(ordering, graph);
    for (int i = 0; i < graph->node_count; i++)
        if (ordering->waiting[i] == 0)
            graph->order[count++] = i;
    for (int at = 0; at < count; at++)
        for (int link = ordering->first_link[graph->order[at]]; link >= 0;
             link = ordering->next[link])
            if (--ordering->waiting[ordering->reader[link]] == 0)
                graph->order[count++] = ordering->reader[link];
    for (int i = 0; i < graph->node_count && count < graph->node_count; i++)
        if (ordering->waiting[i]) {
            const struct onnx_call call = {graph, &graph->nodes[i], error};
            return onnx_fail(&call, "it is part of a cycle, or reads from one");
        }
    return STATUS_OK;
}

static enum status order_nodes(struct onnx_graph *graph, struct error *error)
{
    const unsigned long nodes = (unsigned long)graph->node_count;
    const unsigned long links = (unsigned long)graph->link_count;
    struct ordering ordering;
    int *memory;
    for (int i = 0; i < graph->node_count; i++)
        graph->order[i] = i;
    if (is_ordered(graph))
        return STATUS_OK;
    TRY(ALLOCATE(&memory, 2 * (nodes + links), "edges", error));
    ordering = (struct ordering){.waiting = memory,
                                 .first_link = memory + nodes,
                                 .next = memory + 2 * nodes,
                                 .reader = memory + 2 * nodes + links};
    const enum status status = sort_nodes(&ordering, graph, error);
    free(memory);
    return status;
}

/* ---- shapes of all tensors ---- */

static enum status declared_outputs(struct onnx_dimensions *dimensions,
                                    const struct onnx_call *call)
{
    for (int i = 0; i < call->node->output_count; i++) {
        struct onnx_value *output = onnx_output(call, i);
        if (!output)
            continue;
        if (output->declared.size == 0) {
            onnx_fail(call, "its operator is unknown, and the file has no shape for its "
                            "output");
            return HINT(dimensions->error, STATUS_BAD_FILE,
                        "add a value_info for it to the file: its "
                        "bytes are counted, its operations are not");
        }
        TRY(onnx_read_declared(dimensions, output));
    }
    return STATUS_OK;
}

/* A sequence that is handed on. */
static bool pass_sequence(const struct onnx_call *call)
{
    const struct onnx_value *input = onnx_input(call, 0);
    struct onnx_value *output = onnx_output(call, 0);
    if (!input || !output || input->sequence_count < 0 ||
        (call->node->known && call->node->known->emit))
        return false;
    output->sequence_first = input->sequence_first;
    output->sequence_count = input->sequence_count;
    return true;
}

/* The nodes that it stands for have been inferred; it has no work of its own. */
static enum status expand(struct onnx_dimensions *dimensions, int index)
{
    struct onnx_graph *graph = dimensions->graph;
    struct onnx_node *node = &graph->nodes[index];
    TRY(node->known ? node->known->expand(dimensions, index) : onnx_expand_call(dimensions, index));
    node->is_constant = true;
    node->input_count = node->output_count = 0;
    return STATUS_OK;
}

static enum status check_inputs(const struct onnx_call *call)
{
    for (int i = 0; i < call->node->input_count; i++)
        if (onnx_input(call, i) && onnx_input(call, i)->rank < 0)
            return onnx_fail(call, "its input %d is a sequence, or its shape is not known", i);
    return STATUS_OK;
}

static enum status infer_shapes(struct onnx_dimensions *dimensions, struct onnx_node *node)
{
    const struct onnx_call call = {dimensions->graph, node, dimensions->error};
    TRY(check_inputs(&call));
    if (!node->known)
        TRY(declared_outputs(dimensions, &call));
    else
        TRY(node->known->shape(&call));
    bool has_output = false;
    for (int i = 0; i < node->output_count; i++) {
        const struct onnx_value *output = onnx_output(&call, i);
        has_output |= output != NULL;
        if (output && output->rank < 0)
            return onnx_fail(&call, "its output %d is one too many", i);
    }
    if (!has_output)
        return onnx_fail(&call, "it has no output");
    onnx_mark_constant(&call);
    if (node->is_constant && node->known && node->known->fold)
        node->known->fold(&call);
    return STATUS_OK;
}

enum status onnx_infer_node(struct onnx_dimensions *dimensions, int index)
{
    struct onnx_graph *graph = dimensions->graph;
    struct onnx_node *node = &graph->nodes[index];
    const struct onnx_call call = {graph, node, dimensions->error};
    if (!node->known)
        node->known = onnx_operator_find(node);
    if ((node->known && node->known->expand) || (!node->known && onnx_function_find(graph, node)))
        TRY(expand(dimensions, index));
    else if (pass_sequence(&call))
        node->is_constant = true;
    else
        TRY(infer_shapes(dimensions, node));
    graph->inferred[graph->inferred_count++] = index;
    return STATUS_OK;
}

static enum status infer_all(struct onnx_dimensions *dimensions)
{
    struct onnx_graph *graph = dimensions->graph;
    int known = 0;
    for (int i = 0; i < graph->node_count; i++)
        known += onnx_operator_find(&graph->nodes[i]) != NULL ||
                 onnx_function_find(graph, &graph->nodes[i]) != NULL;
    if (known == 0) {
        const struct onnx_call call = {graph, &graph->nodes[0], dimensions->error};
        return onnx_fail(&call, "none of the %d nodes has a known operator", graph->node_count);
    }
    TRY(onnx_read_inputs(dimensions));
    const int count = graph->node_count; /* of the file: expansions come on top */
    for (int i = 0; i < count; i++)
        TRY(onnx_infer_node(dimensions, graph->order[i]));
    memcpy(graph->order, graph->inferred, (size_t)graph->node_count * sizeof *graph->order);
    if (graph->node_count > count)
        onnx_count_consumers(graph);
    return STATUS_OK;
}

/* Axis of a recurrent operator's input that is the batch; the other one of the first two is steps.
 */
static int batch_axis(const struct onnx_call *call)
{
    return !onnx_integer(call, "layout", 0);
}

/* One step of several sequences: the open dimension that was taken as the batch is that of steps.
 */
static enum status check_steps(struct onnx_graph *graph, struct error *error)
{
    for (int i = 0; i < graph->node_count && (!graph->sizes || !graph->sizes->count); i++) {
        const struct onnx_call call = {graph, &graph->nodes[i], error};
        if (!onnx_is_recurrent(call.node) || call.node->is_constant)
            continue;
        const int64_t *dims = onnx_input(&call, 0)->dims;
        const int axis = batch_axis(&call);
        if (dims[!axis] != 1 || dims[axis] == 1)
            continue;
        onnx_fail(&call, "one step of %lld sequences: the steps are open, not the batch",
                  (long long)dims[axis]);
        return HINT(error, STATUS_BAD_FILE, "set their number: --dimension NAME=SIZE");
    }
    return STATUS_OK;
}

/* ---- layers ---- */

static enum status emit_all(struct onnx_builder *builder, struct error *error)
{
    struct onnx_graph *graph = builder->graph;
    builder->slot_count = 16;
    while (builder->slot_count < 2 * (size_t)graph->node_count)
        builder->slot_count *= 2;
    TRY(ALLOCATE(&builder->network->layers, 2 * (unsigned long)graph->node_count,
                 "layers of a network", error));
    TRY(ALLOCATE(&builder->network->inputs, (unsigned long)(graph->node_count + graph->link_count),
                 "inputs of layers", error));
    TRY(ALLOCATE(&builder->slots, builder->slot_count, "names of layers", error));
    memset(builder->slots, 0xff, builder->slot_count * sizeof *builder->slots); /* all -1 */
    TRY(onnx_attentions_find(builder, error));
    for (int i = 0; i < graph->node_count; i++) {
        const struct onnx_call call = {graph, &graph->nodes[graph->order[i]], error};
        TRY(onnx_emit_node(builder, &call));
    }
    if (builder->network->layer_count == 0)
        return FAIL(error, STATUS_BAD_FILE, "%s: no node depends on the graph's input",
                    onnx_path(graph->source.path).text);
    return STATUS_OK;
}

enum status onnx_infer_shapes(struct onnx_graph *graph, struct error *error)
{
    struct onnx_dimensions dimensions = {.graph = graph, .error = error};
    TRY(order_nodes(graph, error));
    TRY(infer_all(&dimensions));
    TRY(onnx_find_batch(graph, error));
    return dimensions.is_symbolic ? check_steps(graph, error) : STATUS_OK;
}

/* Names in complaints come from the file: nothing that a terminal would obey. */
static void clean_text(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

static void tell_batch(struct network *network, const struct onnx_graph *graph)
{
    struct network_batch *batch = &network->batch;
    *batch = (struct network_batch){.is_known = true, .samples = (int64_t)graph->batch};
    if (!graph->batch_input)
        return;
    const struct slice name = graph->batch_input->name;
    snprintf(batch->input, sizeof batch->input, "%.*s", onnx_shown(name), name.bytes);
    clean_text(batch->input);
    batch->axis = graph->batch_axis;
    batch->is_open = graph->is_batch_open;
}

/* The type that most of the weights have: matrices and larger ones, by their elements. */
static void tell_types(struct network *network, const struct onnx_graph *graph)
{
    double counts[ONNX_TYPE_COUNT] = {0}, floating = 0, integers = 0;
    for (int i = 0; i < graph->value_count; i++) {
        const struct onnx_value *value = &graph->values[i];
        if (value->is_constant && value->origin == i && value->rank >= 2 && value->type >= 0 &&
            value->type < ONNX_TYPE_COUNT)
            counts[value->type] += value->count;
    }
    for (int type = 0; type < ONNX_TYPE_COUNT; type++) {
        floating += onnx_type_is_floating(type) ? counts[type] : 0;
        integers += onnx_type_is_quantised(type) ? counts[type] : 0;
    }
    network->is_quantised = integers > floating;
    for (int i = 0; i < network->layer_count && !network->is_quantised; i++)
        network->layers[i].stored_bytes = 0; /* as its precision says */
    if (2 * counts[ONNX_FLOAT16] > floating)
        network->precision = PRECISION_FP16;
    else if (2 * counts[ONNX_BFLOAT16] > floating)
        network->precision = PRECISION_BF16;
}

static enum status read_all(struct network *network, struct onnx_graph *graph,
                            struct dimension_sizes *sizes, const char *path, const char *bytes,
                            size_t size, struct error *error)
{
    TRY(onnx_graph_read(graph, path, bytes, size, error));
    graph->sizes = sizes;
    TRY(onnx_infer_shapes(graph, error));
    onnx_recognise(graph);
    tell_batch(network, graph);
    struct onnx_builder builder = {.graph = graph, .network = network};
    const enum status status = emit_all(&builder, error);
    onnx_tell_patterns(network, graph);
    tell_types(network, graph);
    onnx_attentions_free(&builder);
    free(builder.slots);
    return status;
}

enum status network_read_onnx(struct network *network, struct dimension_sizes *sizes,
                              const char *path, const char *bytes, size_t size, struct error *error)
{
    struct onnx_graph graph;
    *network = (struct network){.layers = NULL};
    network_name(network, path);
    const enum status status = read_all(network, &graph, sizes, path, bytes, size, error);
    onnx_graph_free(&graph);
    if (sizes)
        clean_text(sizes->open);
    if (status == STATUS_OK)
        return STATUS_OK;
    if (error) {
        clean_text(error->message);
        clean_text(error->hint);
    }
    network_free(network);
    return status;
}
