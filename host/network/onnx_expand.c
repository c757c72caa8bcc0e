#include "network/onnx_expand.h"

#include "network/onnx_operators.h"

#include <string.h>

enum { DEPTH_LIMIT = 24 };

/* ---- bodies ---- */

enum status onnx_no_room(struct onnx_dimensions *dimensions, int node)
{
    const struct onnx_call call = {dimensions->graph, &dimensions->graph->nodes[node],
                                   dimensions->error};
    return onnx_fail(&call, "with all runs of subgraphs and functions the graph is too large");
}

static enum status fail_body(struct onnx_dimensions *dimensions, const struct onnx_body *body,
                             const char *what)
{
    const struct onnx_call call = {dimensions->graph, &dimensions->graph->nodes[body->node],
                                   dimensions->error};
    return onnx_fail(&call, "%s", what);
}

/* The scope of what all runs share; its initializers are read by the first. */
static enum status enter_statics(struct onnx_dimensions *dimensions, const struct onnx_body *body,
                                 int *scope)
{
    struct onnx_graph *graph = dimensions->graph;
    for (int i = 0; i < graph->static_count; i++)
        if (graph->statics[i].body == body->message.bytes) {
            *scope = graph->statics[i].scope;
            return STATUS_OK;
        }
    *scope = onnx_scope_add(&graph->names, ONNX_NO_SCOPE, ONNX_NO_SCOPE);
    if (*scope == ONNX_NO_SCOPE)
        return onnx_no_room(dimensions, body->node);
    graph->statics[graph->static_count++] = (struct onnx_static){body->message.bytes, *scope};
    struct wire wire = wire_inside(&graph->source.file, body->message);
    for (struct wire_field field; wire_next(&wire, &field);)
        if (body->fields->initializer && field.number == body->fields->initializer &&
            field.type == WIRE_BYTES)
            TRY(onnx_add_initializer(graph, *scope, field.bytes, dimensions->error));
    return STATUS_OK;
}

/* A Constant is shared, as an initializer is, unless it refers to an attribute of the caller. */
static bool is_static(const struct onnx_graph *graph, struct slice message)
{
    struct wire wire = wire_inside(&graph->source.file, message);
    bool is_constant = false, refers = false;
    for (struct wire_field field; wire_next(&wire, &field);) {
        is_constant |= field.number == NODE_OP_TYPE && slice_equals(field.bytes, "Constant");
        refers |= field.number == NODE_ATTRIBUTE && field.type == WIRE_BYTES &&
                  onnx_member(&graph->source.file, field.bytes, ATTRIBUTE_REFERENCE).size > 0;
    }
    return is_constant && !refers;
}

static enum status add_body_node(struct onnx_dimensions *dimensions, const struct onnx_body *body,
                                 int scope, int statics, struct slice message)
{
    struct onnx_graph *graph = dimensions->graph;
    const bool is_shared = is_static(graph, message);
    const struct slice output = onnx_member(&graph->source.file, message, NODE_OUTPUT);
    if (is_shared && onnx_name_find_own(&graph->names, statics, output) != ONNX_UNDEFINED)
        return STATUS_OK;
    const struct onnx_node start = {.scope = is_shared ? statics : scope,
                                    .caller = body->caller,
                                    .depth = graph->nodes[body->node].depth + 1};
    TRY(onnx_add_node(graph, start, message, dimensions->error));
    TRY(onnx_link_inputs(graph, graph->node_count - 1, dimensions->error));
    return onnx_infer_node(dimensions, graph->node_count - 1);
}

static enum status bind_inputs(struct onnx_dimensions *dimensions, const struct onnx_body *body,
                               int scope)
{
    struct onnx_graph *graph = dimensions->graph;
    struct wire wire = wire_inside(&graph->source.file, body->message);
    int count = 0;
    for (struct wire_field field; wire_next(&wire, &field);) {
        if (field.number != body->fields->input || field.type != WIRE_BYTES)
            continue;
        const int value = count < body->input_count ? body->inputs[count] : ONNX_LEFT_OUT;
        if (!onnx_name_add(&graph->names, scope, onnx_port_name(graph, body->fields, field.bytes),
                           value))
            return fail_body(dimensions, body, "its body has two inputs of one name");
        count++;
    }
    return count < body->input_count ? fail_body(dimensions, body, "its body has fewer inputs")
                                     : STATUS_OK;
}

static enum status find_outputs(struct onnx_dimensions *dimensions, struct onnx_body *body,
                                int scope)
{
    struct onnx_graph *graph = dimensions->graph;
    struct wire wire = wire_inside(&graph->source.file, body->message);
    body->output_count = 0;
    for (struct wire_field field; wire_next(&wire, &field);) {
        if (field.number != body->fields->output || field.type != WIRE_BYTES)
            continue;
        if (body->output_count == ONNX_PORT_LIMIT)
            return fail_body(dimensions, body, "its body has too many outputs");
        const struct slice name = onnx_port_name(graph, body->fields, field.bytes);
        const int value = onnx_name_find(&graph->names, scope, name);
        if (value < 0)
            return fail_body(dimensions, body, "an output of its body is not defined");
        body->outputs[body->output_count++] = value;
    }
    return STATUS_OK;
}

enum status onnx_run_body(struct onnx_dimensions *dimensions, struct onnx_body *body)
{
    struct onnx_graph *graph = dimensions->graph;
    int statics;
    if (graph->nodes[body->node].depth >= DEPTH_LIMIT)
        return fail_body(dimensions, body, "subgraphs and functions are nested too deep");
    TRY(enter_statics(dimensions, body, &statics));
    const int scope = onnx_scope_add(&graph->names, body->parent, statics);
    if (scope == ONNX_NO_SCOPE)
        return onnx_no_room(dimensions, body->node);
    TRY(bind_inputs(dimensions, body, scope));
    struct wire wire = wire_inside(&graph->source.file, body->message);
    for (struct wire_field field; wire_next(&wire, &field);) {
        if (graph->fields_left-- <= 0)
            return onnx_no_room(dimensions, body->node);
        if (field.number == body->fields->node && field.type == WIRE_BYTES)
            TRY(add_body_node(dimensions, body, scope, statics, field.bytes));
    }
    return find_outputs(dimensions, body, scope);
}

enum status onnx_subgraph_body(struct onnx_dimensions *dimensions, int node, const char *name,
                               struct onnx_body *body)
{
    struct onnx_graph *graph = dimensions->graph;
    const struct onnx_call call = {graph, &graph->nodes[node], dimensions->error};
    *body = (struct onnx_body){.fields = &onnx_graph_fields,
                               .message = onnx_subgraph(&call, name),
                               .node = node,
                               .parent = call.node->scope,
                               .caller = call.node->caller};
    return body->message.bytes ? STATUS_OK : onnx_fail(&call, "it has no %s", name);
}

/* ---- functions ---- */

const struct onnx_function *onnx_function_find(const struct onnx_graph *graph,
                                               const struct onnx_node *node)
{
    for (int i = 0; i < graph->function_count; i++)
        if (slices_equal(graph->functions[i].name, node->op_type) &&
            slices_equal(graph->functions[i].domain, node->domain))
            return &graph->functions[i];
    return NULL;
}

enum status onnx_expand_call(struct onnx_dimensions *dimensions, int node)
{
    struct onnx_graph *graph = dimensions->graph;
    struct onnx_node *self = &graph->nodes[node];
    const struct onnx_call call = {graph, self, dimensions->error};
    self->function = onnx_function_find(graph, self)->message;
    struct onnx_body body = {.fields = &onnx_function_fields,
                             .message = self->function,
                             .node = node,
                             .parent = ONNX_NO_SCOPE,
                             .caller = node,
                             .input_count = self->own_count};
    if (self->own_count > ONNX_PORT_LIMIT)
        return onnx_fail(&call, "it has %d inputs", self->own_count);
    memcpy(body.inputs, graph->links + self->first, (size_t)self->own_count * sizeof(int));
    TRY(onnx_run_body(dimensions, &body));
    for (int i = 0; i < self->output_count; i++) {
        if (i >= body.output_count)
            return onnx_fail(&call, "its function has %d outputs", body.output_count);
        TRY(onnx_bind_output(dimensions, node, i, body.outputs[i]));
    }
    return STATUS_OK;
}
