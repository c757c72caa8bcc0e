/* ModelProto -> nodes and named tensors. */
#include "network/onnx_graph.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* Field numbers of onnx.proto. */
enum { MODEL_IR_VERSION = 1, MODEL_GRAPH = 7, MODEL_OPSET = 8 };
enum { OPSET_DOMAIN = 1, OPSET_VERSION = 2 };
enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum { GRAPH_VALUE_INFO = 13, GRAPH_SPARSE = 15 };
enum { SPARSE_VALUES = 1, SPARSE_DIMS = 3 };
enum { NODE_INPUT = 1, NODE_OUTPUT, NODE_NAME, NODE_OP_TYPE, NODE_ATTRIBUTE, NODE_DOMAIN = 7 };
enum { INFO_NAME = 1, INFO_TYPE = 2 };
enum { TENSOR_NAME = 8 };

static enum status fail_at(const struct onnx_graph *graph, struct slice at, struct error *error,
                           const char *what, struct slice name)
{
    return FAIL(error, STATUS_BAD_FILE, "%.200s: byte %zu: %s '%.*s'", graph->source.path,
                onnx_offset(&graph->source, at), what, onnx_shown(name), name.bytes);
}

/* ---- names ---- */

static int *find_slot(const struct onnx_graph *graph, struct slice name)
{
    uint64_t slot = hash_mix(hash_bytes(HASH_SEED, name.bytes, name.size));
    for (;; slot++) {
        int *index = &graph->slots[slot & (graph->slot_count - 1)];
        if (*index < 0 || slices_equal(graph->values[*index].name, name))
            return index;
    }
}

/* NULL: there is one of that name already. */
static struct onnx_value *add_value(struct onnx_graph *graph, struct slice name)
{
    int *slot = find_slot(graph, name);
    if (*slot >= 0)
        return NULL;
    *slot = graph->value_count;
    struct onnx_value *value = &graph->values[graph->value_count++];
    *value = (struct onnx_value){.name = name,
                                 .declared = {"", 0},
                                 .rank = -1,
                                 .origin = -1,
                                 .batch_axis = ONNX_UNBATCHED,
                                 .producer = -1,
                                 .consumer = -1,
                                 .layer = -1,
                                 .holder = -1,
                                 .counted_layer = -1};
    return value;
}

/* ---- sizes, before anything is allocated ---- */

struct sizes {
    size_t nodes, values, links;
};

static enum status count_links(struct sizes *sizes, const struct wire *graph, struct slice message,
                               struct error *error)
{
    struct wire node = wire_inside(graph, message);
    for (struct wire_field field; wire_next(&node, &field);) {
        sizes->links += field.number == NODE_INPUT || field.number == NODE_OUTPUT;
        sizes->values += field.number == NODE_OUTPUT;
        if (field.number <= NODE_DOMAIN && field.type != WIRE_BYTES)
            return FAIL(error, STATUS_BAD_FILE, "%.300s: byte %zu: a node's field is damaged",
                        node.path, wire_offset(&node));
    }
    return wire_finish(&node, error);
}

static enum status count_all(struct sizes *sizes, struct wire graph, struct error *error)
{
    for (struct wire_field field; wire_next(&graph, &field);) {
        const bool is_node = field.number == GRAPH_NODE;
        if (field.type != WIRE_BYTES &&
            (is_node || field.number == GRAPH_INITIALIZER || field.number == GRAPH_INPUT ||
             field.number == GRAPH_SPARSE))
            return FAIL(error, STATUS_BAD_FILE, "%.300s: byte %zu: a graph's field is damaged",
                        graph.path, wire_offset(&graph));
        sizes->nodes += is_node;
        sizes->values += field.number == GRAPH_INITIALIZER || field.number == GRAPH_INPUT ||
                         field.number == GRAPH_SPARSE;
        if (is_node)
            TRY(count_links(sizes, &graph, field.bytes, error));
    }
    return wire_finish(&graph, error);
}

static enum status allocate(struct onnx_graph *graph, const struct sizes *sizes,
                            struct error *error)
{
    const size_t limit = 4 * (size_t)NETWORK_LAYER_LIMIT;
    if (sizes->nodes > NETWORK_LAYER_LIMIT || sizes->values > limit || sizes->links > 2 * limit)
        return FAIL(error, STATUS_BAD_FILE,
                    "%.300s: %zu nodes with %zu tensors: more than %d nodes with 4 tensors each",
                    graph->source.path, sizes->nodes, sizes->values, NETWORK_LAYER_LIMIT);
    graph->slot_count = 16;
    while (graph->slot_count < 2 * sizes->values)
        graph->slot_count *= 2;
    TRY(ALLOCATE(&graph->nodes, sizes->nodes, "nodes", error));
    TRY(ALLOCATE(&graph->order, sizes->nodes, "nodes", error));
    TRY(ALLOCATE(&graph->values, sizes->values, "tensors", error));
    TRY(ALLOCATE(&graph->links, sizes->links, "edges", error));
    TRY(ALLOCATE(&graph->slots, graph->slot_count, "tensor names", error));
    memset(graph->slots, 0xff, graph->slot_count * sizeof *graph->slots); /* all -1 */
    return STATUS_OK;
}

/* ---- initializers, inputs, outputs ---- */

/* The field `number` of a message, the last one if there are several. */
static struct slice member(const struct wire *wire, struct slice message, uint32_t number)
{
    struct slice found = {"", 0};
    struct wire inside = wire_inside(wire, message);
    for (struct wire_field field; wire_next(&inside, &field);)
        if (field.number == number && field.type == WIRE_BYTES)
            found = field.bytes;
    return found;
}

static enum status add_initializer(struct onnx_graph *graph, struct slice message,
                                   struct error *error)
{
    const struct slice name = member(&graph->source.file, message, TENSOR_NAME);
    struct onnx_value *value = add_value(graph, name);
    if (!value)
        return fail_at(graph, message, error, "two tensors are called", name);
    value->is_constant = true;
    value->origin = graph->value_count - 1;
    return onnx_tensor_read(&graph->source, value, message, error);
}

/* Its values are a tensor, which has the name; its own dimensions are those of the whole. */
static enum status add_sparse(struct onnx_graph *graph, struct slice message, struct error *error)
{
    const struct slice stored = member(&graph->source.file, message, SPARSE_VALUES);
    TRY(add_initializer(graph, stored, error));
    struct onnx_value *value = &graph->values[graph->value_count - 1];
    if (onnx_dims_read(&graph->source, value, message, SPARSE_DIMS))
        return STATUS_OK;
    return fail_at(graph, message, error, "dimensions are damaged of sparse tensor", value->name);
}

/* An input that has an initializer (all had before IR version 4) is its name alone. */
static enum status add_input(struct onnx_graph *graph, struct slice message, struct error *error)
{
    struct onnx_value *value = add_value(graph, member(&graph->source.file, message, INFO_NAME));
    if (value)
        value->declared = member(&graph->source.file, message, INFO_TYPE);
    (void)error;
    return STATUS_OK;
}

static enum status declare(struct onnx_graph *graph, struct slice message, bool is_output)
{
    const int index = *find_slot(graph, member(&graph->source.file, message, INFO_NAME));
    if (index < 0)
        return STATUS_OK; /* of a node that was optimised away */
    struct onnx_value *value = &graph->values[index];
    value->is_output |= is_output;
    if (value->producer >= 0)
        value->declared = member(&graph->source.file, message, INFO_TYPE);
    return STATUS_OK;
}

/* ---- nodes ---- */

/* Attributes are read when they are asked for: here it is seen that this can be done. */
static enum status check_attribute(const struct onnx_graph *graph, struct slice message,
                                   struct error *error)
{
    struct wire attribute = wire_inside(&graph->source.file, message);
    for (struct wire_field field; wire_next(&attribute, &field);)
        ;
    return wire_finish(&attribute, error);
}

static void read_node_field(struct onnx_node *node, const struct wire_field *field)
{
    if (field->number == NODE_NAME)
        node->name = field->bytes;
    else if (field->number == NODE_OP_TYPE)
        node->op_type = field->bytes;
    else if (field->number == NODE_DOMAIN)
        node->domain = field->bytes;
}

static enum status add_output(struct onnx_graph *graph, int node, struct slice name,
                              struct error *error)
{
    int *link = &graph->links[graph->link_count++];
    *link = -1;
    if (name.size == 0)
        return STATUS_OK;
    struct onnx_value *value = add_value(graph, name);
    if (!value)
        return fail_at(graph, name, error, "a second node gives", name);
    value->producer = node;
    *link = graph->value_count - 1;
    return STATUS_OK;
}

/* Inputs are linked later, when all names are known; their places stay free. */
static enum status add_node(struct onnx_graph *graph, struct slice message, struct error *error)
{
    const struct slice none = {"", 0};
    struct onnx_node *node = &graph->nodes[graph->node_count];
    *node = (struct onnx_node){.name = none, .op_type = none, .domain = none, .message = message};
    node->first = graph->link_count;
    struct wire wire = wire_inside(&graph->source.file, message);
    for (struct wire_field field; wire_next(&wire, &field);) {
        read_node_field(node, &field);
        node->input_count += field.number == NODE_INPUT;
        if (field.number == NODE_ATTRIBUTE)
            TRY(check_attribute(graph, field.bytes, error));
    }
    graph->link_count += node->input_count;
    wire = wire_inside(&graph->source.file, message);
    for (struct wire_field field; wire_next(&wire, &field);)
        if (field.number == NODE_OUTPUT) {
            node->output_count++;
            TRY(add_output(graph, graph->node_count, field.bytes, error));
        }
    if (node->op_type.size == 0)
        return fail_at(graph, message, error, "no operator in node", node->name);
    graph->node_count++;
    return STATUS_OK;
}

static enum status link_inputs(struct onnx_graph *graph, int index, struct error *error)
{
    struct onnx_node *node = &graph->nodes[index];
    const struct onnx_call call = {graph, node, error};
    struct wire wire = wire_inside(&graph->source.file, node->message);
    int *link = &graph->links[node->first];
    for (struct wire_field field; wire_next(&wire, &field);) {
        if (field.number != NODE_INPUT)
            continue;
        *link = field.bytes.size ? *find_slot(graph, field.bytes) : -1;
        if (*link < 0 && field.bytes.size)
            return onnx_fail(&call, "its input '%.*s' is not defined", onnx_shown(field.bytes),
                             field.bytes.bytes);
        if (*link >= 0) {
            struct onnx_value *value = &graph->values[*link];
            value->consumer = value->consumer_count++ ? -1 : index;
        }
        link++;
    }
    return STATUS_OK;
}

/* ---- the whole ---- */

typedef enum status (*field_reader)(struct onnx_graph *graph, struct slice message,
                                    struct error *error);

static enum status read_fields(struct onnx_graph *graph, struct slice message, uint32_t number,
                               field_reader read, struct error *error)
{
    struct wire wire = wire_inside(&graph->source.file, message);
    for (struct wire_field field; wire_next(&wire, &field);)
        if (field.number == number && field.type == WIRE_BYTES)
            TRY(read(graph, field.bytes, error));
    return STATUS_OK;
}

static enum status read_declared(struct onnx_graph *graph, struct slice message,
                                 struct error *error)
{
    (void)error;
    return declare(graph, message, false);
}

static enum status read_output(struct onnx_graph *graph, struct slice message, struct error *error)
{
    (void)error;
    return declare(graph, message, true);
}

static enum status read_graph(struct onnx_graph *graph, struct slice message, struct error *error)
{
    struct sizes sizes = {0, 0, 0};
    TRY(count_all(&sizes, wire_inside(&graph->source.file, message), error));
    if (sizes.nodes == 0)
        return FAIL(error, STATUS_BAD_FILE, "%.300s: its graph has no nodes", graph->source.path);
    TRY(allocate(graph, &sizes, error));
    TRY(read_fields(graph, message, GRAPH_INITIALIZER, add_initializer, error));
    TRY(read_fields(graph, message, GRAPH_SPARSE, add_sparse, error));
    TRY(read_fields(graph, message, GRAPH_INPUT, add_input, error));
    TRY(read_fields(graph, message, GRAPH_NODE, add_node, error));
    TRY(read_fields(graph, message, GRAPH_VALUE_INFO, read_declared, error));
    TRY(read_fields(graph, message, GRAPH_OUTPUT, read_output, error));
    for (int i = 0; i < graph->node_count; i++)
        TRY(link_inputs(graph, i, error));
    return STATUS_OK;
}

static int64_t opset_version(const struct wire *file, struct slice message)
{
    struct wire wire = wire_inside(file, message);
    int64_t version = 0;
    for (struct wire_field field; wire_next(&wire, &field);) {
        if (field.number == OPSET_VERSION)
            version = (int64_t)field.value;
        if (field.number == OPSET_DOMAIN && field.bytes.size &&
            !slice_equals(field.bytes, "ai.onnx"))
            return 0;
    }
    return version;
}

/* What a model holds beside its graph; *message stays empty where it has none. */
static enum status read_model(struct onnx_graph *graph, struct slice *message, struct error *error)
{
    struct wire wire = graph->source.file;
    bool has_version = false;
    for (struct wire_field field; wire_next(&wire, &field);) {
        has_version |= field.number == MODEL_IR_VERSION && field.type == WIRE_VARINT;
        if (field.number == MODEL_GRAPH && field.type == WIRE_BYTES)
            *message = field.bytes;
        if (field.number == MODEL_OPSET && field.type == WIRE_BYTES) {
            const int64_t version = opset_version(&graph->source.file, field.bytes);
            graph->opset = version > graph->opset ? version : graph->opset;
        }
    }
    if (has_version && wire.next != wire.end)
        return wire_finish(&wire, error);
    if (has_version && message->bytes)
        return STATUS_OK;
    return FAIL(error, STATUS_BAD_FILE, "%.300s: not an ONNX file (byte %zu)", graph->source.path,
                wire_offset(&wire));
}

enum status onnx_graph_read(struct onnx_graph *graph, const char *path, const char *bytes,
                            size_t size, struct error *error)
{
    *graph = (struct onnx_graph){.batch = 1};
    struct slice message = {NULL, 0};
    onnx_source_create(&graph->source, path, bytes, size);
    TRY(read_model(graph, &message, error));
    if (graph->opset < ONNX_OPSET_MINIMUM) {
        FAIL(error, STATUS_BAD_FILE, "%.300s: operator set %lld; the oldest supported is %d", path,
             (long long)graph->opset, ONNX_OPSET_MINIMUM);
        return HINT(error, STATUS_BAD_FILE, "convert it with onnx.version_converter");
    }
    return read_graph(graph, message, error);
}

void onnx_graph_free(struct onnx_graph *graph)
{
    free(graph->nodes);
    free(graph->order);
    free(graph->values);
    free(graph->links);
    free(graph->slots);
    onnx_source_free(&graph->source);
}
