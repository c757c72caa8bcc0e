/* If: the branch that its condition says; where that depends on the data both are entered, and the
 * one with more work stays.
 */
#include "network/onnx_expand.h"
#include "network/onnx_operators.h"

/* ---- work of nodes, roughly: their batch is not known yet, nor is what becomes a layer ---- */

/* Multiply-adds for each element of the output. */
static double depth_of(const struct onnx_call *call)
{
    const struct onnx_value *a = onnx_input(call, 0), *b = onnx_input(call, 1);
    onnx_shape_function *const shape = call->node->known->shape;
    if (!a || !b || a->rank < 1 || b->rank < 1 || b->dims[0] < 1)
        return 0;
    if (shape == onnx_shape_conv)
        return b->count / (double)b->dims[0];
    if (shape == onnx_shape_matmul)
        return (double)a->dims[a->rank - 1];
    if (shape == onnx_shape_gemm && a->rank == 2)
        return (double)a->dims[!onnx_integer(call, "transA", 0)];
    return 0;
}

/* A weight of a recurrent or transposed operator meets each row of the input. */
static double products_of_weights(const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0);
    onnx_shape_function *const shape = call->node->known->shape;
    double count = 0;
    if (!x || x->rank < 2 || (shape != onnx_shape_recurrent && shape != onnx_shape_conv_transpose))
        return 0;
    const int64_t columns = x->dims[shape == onnx_shape_recurrent ? x->rank - 1 : 1];
    for (int i = 1; i < 3; i++)
        count += onnx_input(call, i) ? onnx_input(call, i)->count : 0;
    return columns > 0 ? x->count / (double)columns * count : 0;
}

static double work_of(const struct onnx_call *call)
{
    const struct onnx_operator *known = call->node->known;
    double outputs = 0, inputs = 0;
    for (int i = 0; i < call->node->output_count; i++)
        outputs += onnx_output(call, i) ? onnx_output(call, i)->count : 0;
    for (int i = 0; i < call->node->input_count; i++)
        inputs += onnx_input(call, i) ? onnx_input(call, i)->count : 0;
    if (!known)
        return inputs + outputs;
    if (!known->emit) /* a view */
        return 0;
    return inputs + outputs * (1 + known->forward_flops + 2 * depth_of(call)) +
           2 * products_of_weights(call);
}

/* ---- branches ---- */

struct branch {
    struct onnx_body body;
    int first, end; /* nodes that entering it has added */
    enum status status;
    struct error error;
    double work;
};

/* Its nodes do nothing; all have to be in the order. */
static void discard(struct onnx_graph *graph, const struct branch *branch)
{
    for (int i = branch->first; i < branch->end; i++) {
        graph->nodes[i].is_constant = true;
        graph->nodes[i].input_count = graph->nodes[i].own_count = 0;
        graph->nodes[i].output_count = 0;
    }
}

static void enter(struct onnx_dimensions *dimensions, struct branch *branch)
{
    struct onnx_graph *graph = dimensions->graph;
    struct error *outer = dimensions->error;
    const int inferred = graph->inferred_count;
    branch->first = graph->node_count;
    dimensions->error = &branch->error;
    branch->status = onnx_run_body(dimensions, &branch->body);
    dimensions->error = outer;
    branch->end = graph->node_count;
    for (int i = branch->first; i < branch->end && branch->status == STATUS_OK; i++)
        if (!graph->nodes[i].is_constant)
            branch->work += work_of(&(struct onnx_call){graph, &graph->nodes[i], NULL});
    if (branch->status == STATUS_OK)
        return;
    discard(graph, branch);
    graph->inferred_count = inferred;
    for (int i = branch->first; i < branch->end; i++)
        graph->inferred[graph->inferred_count++] = i;
}

/* Enters both. Where one of them cannot be read, the one with more products has to be. */
static enum status choose(struct onnx_dimensions *dimensions, struct branch branches[2],
                          struct branch **chosen)
{
    const struct wire *file = &dimensions->graph->source.file;
    double weights[2];
    for (int i = 0; i < 2; i++) {
        enter(dimensions, &branches[i]);
        weights[i] = onnx_subgraph_weight(file, branches[i].body.message, 0);
    }
    const bool are_read = branches[0].status == STATUS_OK && branches[1].status == STATUS_OK;
    const int larger = are_read ? branches[1].work > branches[0].work : weights[1] > weights[0];
    *chosen = &branches[larger];
    if ((*chosen)->status != STATUS_OK) {
        if (dimensions->error)
            *dimensions->error = (*chosen)->error;
        return (*chosen)->status;
    }
    discard(dimensions->graph, &branches[!larger]);
    return STATUS_OK;
}

enum status onnx_expand_if(struct onnx_dimensions *dimensions, int node)
{
    struct onnx_graph *graph = dimensions->graph;
    const struct onnx_call call = {graph, &graph->nodes[node], dimensions->error};
    const struct onnx_value *condition = onnx_input(&call, 0);
    struct branch branches[2] = {{.work = 0}, {.work = 0}};
    struct branch *chosen = NULL;
    TRY(onnx_subgraph_body(dimensions, node, "then_branch", &branches[0].body));
    TRY(onnx_subgraph_body(dimensions, node, "else_branch", &branches[1].body));
    if (condition && condition->folded && condition->count == 1) {
        chosen = &branches[condition->folded[0] == 0];
        TRY(onnx_run_body(dimensions, &chosen->body));
    } else {
        TRY(choose(dimensions, branches, &chosen));
    }
    for (int i = 0; i < call.node->output_count; i++) {
        if (i >= chosen->body.output_count)
            return onnx_fail(&call, "its branch has %d outputs", chosen->body.output_count);
        TRY(onnx_bind_output(dimensions, node, i, chosen->body.outputs[i]));
    }
    return STATUS_OK;
}
