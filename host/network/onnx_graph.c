/* ModelProto -> nodes and named tensors. */
#include "network/onnx_body.h"
#include "network/onnx_operators.h"

#include <stdlib.h>
#include <string.h>

/* Field numbers of onnx.proto. */
enum { MODEL_IR_VERSION = 1, MODEL_GRAPH = 7, MODEL_OPSET = 8 };
enum { OPSET_DOMAIN = 1, OPSET_VERSION = 2 };
enum { MODEL_FUNCTION = 25, FUNCTION_NAME = 1, FUNCTION_DOMAIN = 10 };
/* Room for the nodes, tensors and links of subgraphs and functions, as often as they run. */
enum { EXPANSION_NODES = 50000, EXPANSION_VALUES = 100000, EXPANSION_LINKS = 400000 };
enum { EXPANSION_SCOPES = 50000, EXPANSION_FIELDS = 4000000 };

/* ---- sizes, before anything is allocated ---- */

struct sizes {
    size_t nodes, values, links;
    bool has_expansions; /* subgraphs, nodes that stand for others */
};

/* Of sequences; SkipLayerNormalization and the like. */
static bool stands_for_others(struct slice op_type)
{
    return memmem(op_type.bytes, op_type.size, "Sequence", 8) != NULL ||
           memmem(op_type.bytes, op_type.size, "Skip", 4) != NULL;
}

static enum status count_links(struct sizes *sizes, const struct wire *graph, struct slice message,
                               struct error *error)
{
    struct wire node = wire_inside(graph, message);
    for (struct wire_field field; wire_next(&node, &field);) {
        sizes->links += field.number == NODE_INPUT || field.number == NODE_OUTPUT;
        sizes->values += field.number == NODE_OUTPUT;
        if (field.number == NODE_ATTRIBUTE && field.type == WIRE_BYTES) {
            sizes->links += onnx_subgraph_names(&node, field.bytes);
            sizes->has_expansions |= onnx_has_subgraph(&node, field.bytes);
        }
        if (field.number == NODE_OP_TYPE && field.type == WIRE_BYTES)
            sizes->has_expansions |= stands_for_others(field.bytes);
        if (field.number <= NODE_DOMAIN && field.type != WIRE_BYTES)
            return FAIL(error, STATUS_BAD_FILE, "%s: byte %zu: a node's field is damaged",
                        onnx_path(node.path).text, wire_offset(&node));
    }
    return wire_finish(&node, error);
}

static enum status count_all(struct sizes *sizes, struct wire graph, struct error *error)
{
    for (struct wire_field field; wire_next(&graph, &field);) {
        const bool is_node = field.number == onnx_graph_fields.node;
        if (field.type != WIRE_BYTES &&
            (is_node || field.number == onnx_graph_fields.initializer ||
             field.number == onnx_graph_fields.sparse || field.number == onnx_graph_fields.input))
            return FAIL(error, STATUS_BAD_FILE, "%s: byte %zu: a graph's field is damaged",
                        onnx_path(graph.path).text, wire_offset(&graph));
        sizes->nodes += is_node;
        sizes->values += field.number == onnx_graph_fields.initializer ||
                         field.number == onnx_graph_fields.sparse ||
                         field.number == onnx_graph_fields.input;
        if (is_node)
            TRY(count_links(sizes, &graph, field.bytes, error));
    }
    return wire_finish(&graph, error);
}

static enum status allocate(struct onnx_graph *graph, const struct sizes *sizes,
                            struct error *error)
{
    const size_t limit = 4 * (size_t)NETWORK_LAYER_LIMIT;
    const bool grows = sizes->has_expansions || graph->function_count > 0;
    if (sizes->nodes > NETWORK_LAYER_LIMIT || sizes->values > limit || sizes->links > 2 * limit)
        return FAIL(error, STATUS_BAD_FILE,
                    "%s: %zu nodes with %zu tensors: more than %d nodes with 4 tensors each",
                    onnx_path(graph->source.path).text, sizes->nodes, sizes->values,
                    NETWORK_LAYER_LIMIT);
    graph->node_capacity = (int)sizes->nodes + (grows ? EXPANSION_NODES : 0);
    graph->value_capacity = (int)sizes->values + (grows ? EXPANSION_VALUES : 0);
    /* a pattern's node takes up to four links, and replaces two nodes at least */
    graph->link_capacity = (int)sizes->links + 2 * (int)sizes->nodes +
                           (grows ? EXPANSION_LINKS : 0);
    graph->fields_left = EXPANSION_FIELDS;
    const unsigned long nodes = (unsigned long)graph->node_capacity;
    TRY(ALLOCATE(&graph->nodes, nodes, "nodes", error));
    TRY(ALLOCATE(&graph->order, nodes, "nodes", error));
    TRY(ALLOCATE(&graph->inferred, nodes, "nodes", error));
    TRY(ALLOCATE(&graph->statics, grows ? EXPANSION_SCOPES : 1, "subgraphs", error));
    TRY(ALLOCATE(&graph->values, (unsigned long)graph->value_capacity, "tensors", error));
    TRY(ALLOCATE(&graph->links, (unsigned long)graph->link_capacity, "edges", error));
    TRY(onnx_names_create(&graph->names, sizes->values + (grows ? 2 * EXPANSION_VALUES : 0),
                          1 + (grows ? EXPANSION_SCOPES : 0), error));
    onnx_scope_add(&graph->names, ONNX_NO_SCOPE, ONNX_NO_SCOPE);
    return STATUS_OK;
}

/* ---- parts ---- */

static enum status add_initializer(struct onnx_graph *graph, struct slice message,
                                   struct error *error)
{
    return onnx_add_initializer(graph, ONNX_TOP_SCOPE, message, error);
}

static enum status add_sparse(struct onnx_graph *graph, struct slice message, struct error *error)
{
    return onnx_add_sparse(graph, ONNX_TOP_SCOPE, message, error);
}

/* An input that has an initializer (all had before IR version 4) is its name alone. */
static enum status add_input(struct onnx_graph *graph, struct slice message, struct error *error)
{
    const struct slice name = onnx_member(&graph->source.file, message, INFO_NAME);
    struct onnx_value *value = onnx_named_value_add(graph, ONNX_TOP_SCOPE, name);
    if (value)
        value->declared = onnx_member(&graph->source.file, message, INFO_TYPE);
    (void)error;
    return STATUS_OK;
}

static enum status add_node(struct onnx_graph *graph, struct slice message, struct error *error)
{
    return onnx_add_node(graph, (struct onnx_node){.scope = ONNX_TOP_SCOPE, .caller = -1}, message,
                         error);
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
    onnx_declare(graph, ONNX_TOP_SCOPE, message, false);
    return STATUS_OK;
}

static enum status read_output(struct onnx_graph *graph, struct slice message, struct error *error)
{
    (void)error;
    onnx_declare(graph, ONNX_TOP_SCOPE, message, true);
    return STATUS_OK;
}

static enum status read_graph(struct onnx_graph *graph, struct slice message, struct error *error)
{
    struct sizes sizes = {.nodes = 0};
    TRY(count_all(&sizes, wire_inside(&graph->source.file, message), error));
    if (sizes.nodes == 0)
        return FAIL(error, STATUS_BAD_FILE, "%s: its graph has no nodes",
                    onnx_path(graph->source.path).text);
    TRY(allocate(graph, &sizes, error));
    TRY(read_fields(graph, message, onnx_graph_fields.initializer, add_initializer, error));
    TRY(read_fields(graph, message, onnx_graph_fields.sparse, add_sparse, error));
    TRY(read_fields(graph, message, onnx_graph_fields.input, add_input, error));
    TRY(read_fields(graph, message, onnx_graph_fields.node, add_node, error));
    TRY(read_fields(graph, message, onnx_graph_fields.value_info, read_declared, error));
    TRY(read_fields(graph, message, onnx_graph_fields.output, read_output, error));
    for (int i = 0; i < graph->node_count; i++)
        TRY(onnx_link_inputs(graph, i, error));
    TRY(onnx_keep_needed(graph, error));
    onnx_count_consumers(graph);
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

static enum status read_functions(struct onnx_graph *graph, struct error *error)
{
    const struct wire *file = &graph->source.file;
    int count = 0;
    for (int pass = 0; pass < 2; pass++) {
        struct wire wire = *file;
        for (struct wire_field field; wire_next(&wire, &field);) {
            if (field.number != MODEL_FUNCTION || field.type != WIRE_BYTES || count == INT32_MAX)
                continue;
            if (pass == 0)
                count++;
            else
                graph->functions[graph->function_count++] = (struct onnx_function){
                    onnx_member(file, field.bytes, FUNCTION_NAME),
                    onnx_member(file, field.bytes, FUNCTION_DOMAIN), field.bytes};
        }
        if (pass == 0)
            TRY(ALLOCATE(&graph->functions, (unsigned long)count, "functions", error));
    }
    return STATUS_OK;
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
    if (wire.end - graph->source.file.file > 40 &&
        memcmp(graph->source.file.file, "version https://git-lfs", 23) == 0) {
        FAIL(error, STATUS_BAD_FILE, "%s: a Git LFS pointer, not the model",
             onnx_path(graph->source.path).text);
        return HINT(error, STATUS_BAD_FILE, "git lfs pull fetches the model");
    }
    return FAIL(error, STATUS_BAD_FILE, "%s: not an ONNX file (byte %zu)",
                onnx_path(graph->source.path).text, wire_offset(&wire));
}

/* A classifier of scikit-learn, say: it imports operators of other domains alone. */
static enum status no_operator_set(const struct onnx_graph *graph, struct slice message,
                                   struct error *error)
{
    const struct wire *file = &graph->source.file;
    const struct slice node = onnx_member(file, message, onnx_graph_fields.node);
    const struct slice op_type = onnx_member(file, node, NODE_OP_TYPE);
    const struct slice domain = onnx_member(file, node, NODE_DOMAIN);
    return FAIL(error, STATUS_BAD_FILE,
                "%s: no operators of neural networks: it imports none, its last node is '%.*s' "
                "of '%.*s'",
                onnx_path(graph->source.path).text, onnx_shown(op_type), op_type.bytes,
                onnx_shown(domain), domain.bytes);
}

enum status onnx_graph_read(struct onnx_graph *graph, const char *path, const char *bytes,
                            size_t size, struct error *error)
{
    *graph = (struct onnx_graph){.batch = 1};
    struct slice message = {NULL, 0};
    onnx_source_create(&graph->source, path, bytes, size);
    TRY(read_model(graph, &message, error));
    if (graph->opset == 0)
        return no_operator_set(graph, message, error);
    if (graph->opset < ONNX_OPSET_MINIMUM) {
        FAIL(error, STATUS_BAD_FILE, "%s: operator set %lld; the oldest supported is %d",
             onnx_path(path).text, (long long)graph->opset, ONNX_OPSET_MINIMUM);
        return HINT(error, STATUS_BAD_FILE, "convert it with onnx.version_converter");
    }
    TRY(read_functions(graph, error));
    return read_graph(graph, message, error);
}

void onnx_graph_free(struct onnx_graph *graph)
{
    free(graph->nodes);
    free(graph->order);
    free(graph->values);
    free(graph->links);
    free(graph->inferred);
    free(graph->functions);
    free(graph->statics);
    onnx_names_free(&graph->names);
    onnx_source_free(&graph->source);
}
