#include "network/onnx_body.h"

#include <string.h>

/* Field numbers of onnx.proto. */
enum { ATTRIBUTE_GRAPHS = 11, TENSOR_NAME = 8 };
enum { SPARSE_VALUES = 1, SPARSE_DIMS = 3 };
enum { DEPTH_LIMIT = 16 };

const struct onnx_body_fields onnx_graph_fields = {
    .node = 1, .initializer = 5, .sparse = 15, .input = 11, .output = 12, .value_info = 13};
const struct onnx_body_fields onnx_function_fields = {
    .node = 7, .input = 4, .output = 5, .value_info = 12, .is_name_alone = true};

static enum status fail_at(const struct onnx_graph *graph, struct slice at, struct error *error,
                           const char *what, struct slice name)
{
    return FAIL(error, STATUS_BAD_FILE, "%s: byte %zu: %s '%.*s'",
                onnx_path(graph->source.path).text, onnx_offset(&graph->source, at), what,
                onnx_shown(name), name.bytes);
}

struct slice onnx_member(const struct wire *wire, struct slice message, uint32_t number)
{
    struct slice found = {"", 0};
    struct wire inside = wire_inside(wire, message);
    for (struct wire_field field; wire_next(&inside, &field);)
        if (field.number == number && field.type == WIRE_BYTES)
            found = field.bytes;
    return found;
}

struct slice onnx_port_name(const struct onnx_graph *graph, const struct onnx_body_fields *fields,
                            struct slice message)
{
    return fields->is_name_alone ? message : onnx_member(&graph->source.file, message, INFO_NAME);
}

enum status onnx_add_initializer(struct onnx_graph *graph, int scope, struct slice message,
                                 struct error *error)
{
    const struct slice name = onnx_member(&graph->source.file, message, TENSOR_NAME);
    struct onnx_value *value = onnx_named_value_add(graph, scope, name);
    if (!value)
        return fail_at(graph, message, error, "two tensors are called", name);
    value->is_constant = true;
    value->origin = graph->value_count - 1;
    return onnx_tensor_read(&graph->source, value, message, error);
}

/* Its values are a tensor, which has the name; its own dimensions are those of the whole. */
enum status onnx_add_sparse(struct onnx_graph *graph, int scope, struct slice message,
                            struct error *error)
{
    const struct slice stored = onnx_member(&graph->source.file, message, SPARSE_VALUES);
    TRY(onnx_add_initializer(graph, scope, stored, error));
    struct onnx_value *value = &graph->values[graph->value_count - 1];
    if (onnx_dims_read(&graph->source, value, message, SPARSE_DIMS))
        return STATUS_OK;
    return fail_at(graph, message, error, "dimensions are damaged of sparse tensor", value->name);
}

void onnx_declare(struct onnx_graph *graph, int scope, struct slice message, bool is_output)
{
    const struct slice name = onnx_member(&graph->source.file, message, INFO_NAME);
    const int index = onnx_name_find_own(&graph->names, scope, name);
    if (index < 0)
        return; /* of a node that was optimised away */
    struct onnx_value *value = &graph->values[index];
    value->is_output |= is_output;
    if (value->producer >= 0)
        value->declared = onnx_member(&graph->source.file, message, INFO_TYPE);
}

/* ---- subgraphs ---- */

static bool is_subgraph(const struct wire_field *field)
{
    return (field->number == ATTRIBUTE_GRAPH || field->number == ATTRIBUTE_GRAPHS) &&
           field->type == WIRE_BYTES;
}

bool onnx_has_subgraph(const struct wire *wire, struct slice attribute)
{
    struct wire inside = wire_inside(wire, attribute);
    for (struct wire_field field; wire_next(&inside, &field);)
        if (is_subgraph(&field))
            return true;
    return false;
}

/* Calls `see` for every name that a subgraph's nodes and outputs read. */
typedef void see_function(void *context, struct slice name);

static void walk_attribute(const struct wire *wire, struct slice attribute, see_function *see,
                           void *context, int depth);

static void walk_node(const struct wire *wire, struct slice message, see_function *see,
                      void *context, int depth)
{
    struct wire node = wire_inside(wire, message);
    for (struct wire_field field; wire_next(&node, &field);)
        if (field.number == NODE_INPUT && field.type == WIRE_BYTES)
            see(context, field.bytes);
        else if (field.number == NODE_ATTRIBUTE && field.type == WIRE_BYTES)
            walk_attribute(&node, field.bytes, see, context, depth);
}

static void walk_attribute(const struct wire *wire, struct slice attribute, see_function *see,
                           void *context, int depth)
{
    struct wire inside = wire_inside(wire, attribute);
    for (struct wire_field field; depth < DEPTH_LIMIT && wire_next(&inside, &field);) {
        if (!is_subgraph(&field))
            continue;
        struct wire graph = wire_inside(&inside, field.bytes);
        for (struct wire_field part; wire_next(&graph, &part);)
            if (part.number == onnx_graph_fields.node && part.type == WIRE_BYTES)
                walk_node(&graph, part.bytes, see, context, depth + 1);
            else if (part.number == onnx_graph_fields.output && part.type == WIRE_BYTES)
                see(context, onnx_member(&graph, part.bytes, INFO_NAME));
    }
}

static void count_name(void *context, struct slice name)
{
    (void)name;
    ++*(size_t *)context;
}

size_t onnx_subgraph_names(const struct wire *wire, struct slice attribute)
{
    size_t count = 0;
    walk_attribute(wire, attribute, count_name, &count, 0);
    return count;
}

/* Those of the layers that networks are made of. */
static bool is_product(struct slice op_type)
{
    static const char *const products[] = {"Conv", "ConvTranspose", "Einsum", "GRU",
                                           "Gemm", "LSTM",          "MatMul", "RNN"};
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        if (slice_equals(op_type, products[i]))
            return true;
    return false;
}

double onnx_subgraph_weight(const struct wire *wire, struct slice message, int depth)
{
    double weight = 0;
    struct wire graph = wire_inside(wire, message);
    for (struct wire_field part; depth < DEPTH_LIMIT && wire_next(&graph, &part);) {
        if (part.number != onnx_graph_fields.node || part.type != WIRE_BYTES)
            continue;
        weight += is_product(onnx_member(&graph, part.bytes, NODE_OP_TYPE)) ? 1e6 : 1;
        struct wire node = wire_inside(&graph, part.bytes);
        for (struct wire_field field; wire_next(&node, &field);) {
            struct wire attribute = wire_inside(&node, field.bytes);
            if (field.number != NODE_ATTRIBUTE || field.type != WIRE_BYTES)
                continue;
            for (struct wire_field inner; wire_next(&attribute, &inner);)
                if (is_subgraph(&inner))
                    weight += onnx_subgraph_weight(&attribute, inner.bytes, depth + 1);
        }
    }
    return weight;
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

static enum status read_node_field(struct onnx_graph *graph, struct onnx_node *node,
                                   const struct wire_field *field, struct error *error)
{
    if (field->number <= NODE_DOMAIN && field->type != WIRE_BYTES)
        return fail_at(graph, node->message, error, "a field is damaged in node", node->name);
    if (field->number == NODE_NAME)
        node->name = field->bytes;
    else if (field->number == NODE_OP_TYPE)
        node->op_type = field->bytes;
    else if (field->number == NODE_DOMAIN)
        node->domain = field->bytes;
    if (field->number == NODE_INPUT)
        node->own_count++;
    if (field->number != NODE_ATTRIBUTE)
        return STATUS_OK;
    node->input_count += (int)onnx_subgraph_names(&graph->source.file, field->bytes);
    return check_attribute(graph, field->bytes, error);
}

static enum status add_output(struct onnx_graph *graph, struct onnx_node *node, struct slice name,
                              struct error *error)
{
    int *link = &graph->links[graph->link_count++];
    *link = -1;
    if (name.size == 0)
        return STATUS_OK;
    struct onnx_value *value = onnx_named_value_add(graph, node->scope, name);
    if (!value)
        return fail_at(graph, name, error, "a second node gives", name);
    value->producer = (int)(node - graph->nodes);
    *link = graph->value_count - 1;
    return STATUS_OK;
}

static enum status check_room(const struct onnx_graph *graph, const struct onnx_node *node,
                              int outputs, struct error *error)
{
    const int links = node->input_count + outputs;
    if (graph->node_count < graph->node_capacity &&
        outputs <= graph->value_capacity - graph->value_count &&
        links <= graph->link_capacity - graph->link_count)
        return STATUS_OK;
    return fail_at(graph, node->message, error,
                   "with all runs of subgraphs and functions the graph is too large at node",
                   node->name.size ? node->name : node->op_type);
}

enum status onnx_add_node(struct onnx_graph *graph, struct onnx_node start, struct slice message,
                          struct error *error)
{
    const struct slice none = {"", 0};
    struct onnx_node node = start;
    struct wire wire = wire_inside(&graph->source.file, message);
    int outputs = 0;
    node.name = node.op_type = node.domain = none;
    node.message = message;
    node.first = graph->link_count;
    for (struct wire_field field; wire_next(&wire, &field);) {
        TRY(read_node_field(graph, &node, &field, error));
        outputs += field.number == NODE_OUTPUT;
    }
    TRY(wire_finish(&wire, error));
    if (node.op_type.size == 0)
        return fail_at(graph, message, error, "no operator in node", node.name);
    node.input_count += node.own_count;
    TRY(check_room(graph, &node, outputs, error));
    struct onnx_node *added = &graph->nodes[graph->node_count];
    *added = node;
    memset(&graph->links[graph->link_count], 0xff, (size_t)node.input_count * sizeof(int));
    graph->link_count += node.input_count;
    wire = wire_inside(&graph->source.file, message);
    for (struct wire_field field; wire_next(&wire, &field);)
        if (field.number == NODE_OUTPUT) {
            added->output_count++;
            TRY(add_output(graph, added, field.bytes, error));
        }
    graph->node_count++;
    return STATUS_OK;
}

/* ---- links ---- */

struct capture {
    const struct onnx_graph *graph;
    int scope, *next;
};

static void capture_name(void *context, struct slice name)
{
    struct capture *capture = context;
    const int value = name.size ? onnx_name_find(&capture->graph->names, capture->scope, name) : -1;
    *capture->next++ = value < 0 ? -1 : value;
}

enum status onnx_link_inputs(struct onnx_graph *graph, int index, struct error *error)
{
    struct onnx_node *node = &graph->nodes[index];
    const struct onnx_call call = {graph, node, error};
    struct wire wire = wire_inside(&graph->source.file, node->message);
    int *link = &graph->links[node->first];
    struct capture capture = {graph, node->scope, link + node->own_count};
    for (struct wire_field field; wire_next(&wire, &field);) {
        if (field.number == NODE_ATTRIBUTE)
            walk_attribute(&wire, field.bytes, capture_name, &capture, 0);
        if (field.number != NODE_INPUT)
            continue;
        *link = field.bytes.size ? onnx_name_find(&graph->names, node->scope, field.bytes) : -1;
        if (*link == ONNX_UNDEFINED)
            return onnx_fail(&call, "its input '%.*s' is not defined", onnx_shown(field.bytes),
                             field.bytes.bytes);
        link++;
    }
    return STATUS_OK;
}
