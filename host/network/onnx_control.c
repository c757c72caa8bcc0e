/* Loop and Scan. */
#include "network/onnx_expand.h"
#include "network/onnx_operators.h"

#include <stdlib.h>
#include <string.h>

/* 1, 0, or -1: not known. */
static int truth_of(const struct onnx_value *value)
{
    return value && value->folded && value->count == 1 ? value->folded[0] != 0 : -1;
}

/* ---- Loop and Scan ---- */

/* Outputs that each run adds an element to: element k of output i at [i * trips + k]. */
struct collected {
    int *values, count, capacity;
};

static enum status collect(struct collected *collected, int value, struct error *error)
{
    if (collected->count == collected->capacity) {
        const int capacity = collected->capacity ? 2 * collected->capacity : 64;
        int *grown = realloc(collected->values, (size_t)capacity * sizeof *grown);
        if (!grown)
            return FAIL(error, STATUS_FAILED, "no memory for the outputs of a loop");
        collected->values = grown;
        collected->capacity = capacity;
    }
    collected->values[collected->count++] = value;
    return STATUS_OK;
}

/* Output i of the node from elements first, first + step, ... of what was collected. */
static enum status stack_output(struct onnx_dimensions *dimensions, int node, int i, int axis,
                                const struct collected *collected, int first, int step)
{
    struct onnx_graph *graph = dimensions->graph;
    const struct onnx_call call = {graph, &graph->nodes[node], dimensions->error};
    const int output = graph->links[call.node->first + call.node->input_count + i];
    struct collected column = {.values = NULL};
    enum status status = STATUS_OK;
    const int64_t none[1] = {0};
    if (output < 0)
        return STATUS_OK;
    if (collected->count == 0)
        return onnx_set_output(&call, i, ONNX_FLOAT, 1, none);
    for (int k = first; k < collected->count && status == STATUS_OK; k += step)
        status = collect(&column, collected->values[k], dimensions->error);
    if (status == STATUS_OK)
        status = onnx_make_node(dimensions, node, &onnx_stack, axis, column.values, column.count,
                                &output, 1);
    free(column.values);
    return status;
}

/* The node's outputs: those that the last run hands on, then `stacked` ones, to which each run adds
 * an element along `axes`; NULL: along axis 0. */
static enum status give_outputs(struct onnx_dimensions *dimensions, int node, const int *handed_on,
                                int handed_count, const struct collected *collected, int stacked,
                                const int64_t *axes)
{
    const struct onnx_call call = {dimensions->graph, &dimensions->graph->nodes[node],
                                   dimensions->error};
    const int given = handed_count + stacked;
    if (collected->count > 0 && call.node->output_count > given)
        return onnx_fail(&call, "its body gives %d of its %d outputs", given,
                         call.node->output_count);
    for (int i = 0; i < call.node->output_count; i++) {
        const int k = i - handed_count;
        if (k < 0)
            TRY(onnx_bind_output(dimensions, node, i, handed_on[i]));
        else
            TRY(stack_output(dimensions, node, i, axes ? (int)axes[k] : 0, collected, k, stacked));
    }
    return STATUS_OK;
}

/* The size given as --dimension NODE=TRIPS, by the node's name or its first output's. */
static struct dimension_size *given_trips(const struct onnx_call *call, struct slice *name)
{
    const struct onnx_value *output = onnx_output(call, 0);
    *name = call->node->name.size || !output ? call->node->name : output->name;
    struct dimension_sizes *sizes = call->graph->sizes;
    struct dimension_size *given = sizes ? dimension_sizes_find(sizes, name->bytes, name->size)
                                         : NULL;
    if (given)
        given->is_used = true;
    return given;
}

static enum status ask_trips(const struct onnx_call *call)
{
    struct slice name;
    given_trips(call, &name);
    onnx_fail(call, "how often it runs depends on the data");
    return HINT(call->error, STATUS_BAD_FILE, "set it: --dimension '%.*s=TRIPS'", onnx_shown(name),
                name.bytes);
}

struct loop {
    struct onnx_body body;
    int64_t trips; /* at most; -1: as long as the condition holds */
    int carried;   /* values that one run hands to the next */
    int condition; /* of the next run, as a value; -1: none */
    struct collected collected;
};

static enum status start_loop(const struct onnx_call *call, struct loop *loop)
{
    const struct onnx_value *trips = onnx_input(call, 0);
    struct slice name;
    const struct dimension_size *given = given_trips(call, &name);
    const int *links = call->graph->links + call->node->first;
    loop->carried = call->node->own_count > 2 ? call->node->own_count - 2 : 0;
    loop->condition = call->node->own_count > 1 ? links[1] : -1;
    loop->body.input_count = loop->carried + 2;
    if (loop->body.input_count > ONNX_PORT_LIMIT)
        return onnx_fail(call, "it has %d inputs", call->node->input_count);
    for (int i = 0; i < loop->carried; i++)
        loop->body.inputs[2 + i] = links[2 + i];
    loop->trips = given                                         ? given->size
                  : trips && trips->folded && trips->count == 1 ? onnx_integer_of(trips->folded[0])
                                                                : -1;
    return loop->trips < 0 && trips && !trips->folded ? ask_trips(call) : STATUS_OK;
}

/* Whether another run follows; asks where that depends on the data. */
static enum status runs_again(const struct onnx_call *call, const struct loop *loop, int64_t trip,
                              bool *again)
{
    const int truth = loop->condition < 0 ? -1 : truth_of(&call->graph->values[loop->condition]);
    *again = truth != 0 && (loop->trips < 0 || trip < loop->trips);
    const bool is_endless = loop->trips < 0 || loop->trips > INT32_MAX;
    return *again && truth < 0 && is_endless ? ask_trips(call) : STATUS_OK;
}

static enum status run_loop(struct onnx_dimensions *dimensions, int node, struct loop *loop)
{
    struct onnx_graph *graph = dimensions->graph;
    const struct onnx_call call = {graph, &graph->nodes[node], dimensions->error};
    struct onnx_body *body = &loop->body;
    for (int64_t trip = 0;; trip++) {
        bool again;
        TRY(runs_again(&call, loop, trip, &again));
        if (!again)
            return STATUS_OK;
        body->inputs[0] = onnx_make_integer(graph, trip, ONNX_INT64);
        body->inputs[1] = loop->condition >= 0 ? loop->condition
                                               : onnx_make_integer(graph, 1, ONNX_BOOL);
        if (body->inputs[0] < 0 || body->inputs[1] < 0)
            return onnx_no_room(dimensions, node);
        TRY(onnx_run_body(dimensions, body));
        if (body->output_count < loop->carried + 1)
            return onnx_fail(&call, "its body has %d outputs", body->output_count);
        loop->condition = body->outputs[0];
        for (int i = 0; i < loop->carried; i++)
            body->inputs[2 + i] = body->outputs[1 + i];
        for (int i = 1 + loop->carried; i < body->output_count; i++)
            TRY(collect(&loop->collected, body->outputs[i], dimensions->error));
    }
}

static enum status end_loop(struct onnx_dimensions *dimensions, int node, struct loop *loop)
{
    const int stacked = loop->body.output_count - 1 - loop->carried;
    return give_outputs(dimensions, node, loop->body.inputs + 2, loop->carried, &loop->collected,
                        stacked, NULL);
}

enum status onnx_expand_loop(struct onnx_dimensions *dimensions, int node)
{
    const struct onnx_call call = {dimensions->graph, &dimensions->graph->nodes[node],
                                   dimensions->error};
    struct loop loop = {.collected = {.values = NULL}};
    TRY(onnx_subgraph_body(dimensions, node, "body", &loop.body));
    TRY(start_loop(&call, &loop));
    enum status status = run_loop(dimensions, node, &loop);
    if (status == STATUS_OK)
        status = end_loop(dimensions, node, &loop);
    free(loop.collected.values);
    return status;
}

/* ---- Scan ---- */

struct scan {
    struct onnx_body body;
    int states, scanned; /* inputs of the node: states, then those that are read step by step */
    int64_t input_axes[ONNX_PORT_LIMIT], output_axes[ONNX_PORT_LIMIT];
    int64_t steps;
    struct collected collected;
};

static enum status scanned_axis(const struct onnx_call *call, const struct scan *scan, int i,
                                int *axis)
{
    struct onnx_value *input;
    TRY(onnx_need_input(call, scan->states + i, &input));
    TRY(onnx_axis(call, scan->input_axes[i], input->rank, axis));
    return input->dims[*axis] == scan->steps || scan->steps < 0
               ? STATUS_OK
               : onnx_fail(call, "inputs of %lld and %lld steps", (long long)scan->steps,
                           (long long)input->dims[*axis]);
}

static enum status start_scan(struct onnx_dimensions *dimensions, int node, struct scan *scan)
{
    const struct onnx_call call = {dimensions->graph, &dimensions->graph->nodes[node],
                                   dimensions->error};
    const int64_t scanned = onnx_integer(&call, "num_scan_inputs", 0);
    int axis;
    if (call.graph->opset < 9)
        return onnx_fail(&call, "Scan of operator set 8 is not supported");
    if (scanned < 1 || scanned > call.node->own_count || call.node->own_count > ONNX_PORT_LIMIT)
        return onnx_fail(&call, "%lld of its %d inputs are scanned", (long long)scanned,
                         call.node->own_count);
    if (call.node->output_count > ONNX_PORT_LIMIT)
        return onnx_fail(&call, "it has %d outputs", call.node->output_count);
    TRY(onnx_subgraph_body(dimensions, node, "body", &scan->body));
    scan->scanned = (int)scanned;
    scan->states = call.node->own_count - scan->scanned;
    scan->body.input_count = call.node->own_count;
    memcpy(scan->body.inputs, call.graph->links + call.node->first,
           (size_t)scan->states * sizeof(int));
    onnx_integers(&call, "scan_input_axes", scan->input_axes, ONNX_PORT_LIMIT);
    onnx_integers(&call, "scan_output_axes", scan->output_axes, ONNX_PORT_LIMIT);
    scan->steps = -1;
    TRY(scanned_axis(&call, scan, 0, &axis));
    scan->steps = onnx_input(&call, scan->states)->dims[axis];
    return STATUS_OK;
}

/* Binds element `step` of each scanned input. */
static enum status take_step(struct onnx_dimensions *dimensions, int node, struct scan *scan)
{
    struct onnx_graph *graph = dimensions->graph;
    const struct onnx_call call = {graph, &graph->nodes[node], dimensions->error};
    for (int i = 0; i < scan->scanned; i++) {
        int axis;
        TRY(scanned_axis(&call, scan, i, &axis));
        const struct onnx_value *output = onnx_value_add(graph, (struct slice){"", 0});
        if (!output)
            return onnx_no_room(dimensions, node);
        const int value = (int)(output - graph->values);
        TRY(onnx_make_node(dimensions, node, &onnx_take, axis,
                           &graph->links[call.node->first + scan->states + i], 1, &value, 1));
        scan->body.inputs[scan->states + i] = value;
    }
    return STATUS_OK;
}

static enum status run_scan(struct onnx_dimensions *dimensions, int node, struct scan *scan)
{
    for (int64_t step = 0; step < scan->steps; step++) {
        TRY(take_step(dimensions, node, scan));
        TRY(onnx_run_body(dimensions, &scan->body));
        for (int i = 0; i < scan->body.output_count; i++)
            if (i < scan->states)
                scan->body.inputs[i] = scan->body.outputs[i];
            else
                TRY(collect(&scan->collected, scan->body.outputs[i], dimensions->error));
    }
    const int stacked = scan->body.output_count - scan->states;
    return give_outputs(dimensions, node, scan->body.inputs, scan->states, &scan->collected,
                        stacked, scan->output_axes);
}

enum status onnx_expand_scan(struct onnx_dimensions *dimensions, int node)
{
    struct scan scan = {.states = 0};
    TRY(start_scan(dimensions, node, &scan));
    const enum status status = run_scan(dimensions, node, &scan);
    free(scan.collected.values);
    return status;
}
