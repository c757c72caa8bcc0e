/* Nodes that no output needs are not run: they are taken out before anything is inferred. */
#include "network/onnx_graph.h"

#include <stdlib.h>
#include <string.h>

struct needs {
    bool *is_needed; /* (node_count) */
    int *stack;      /* nodes whose inputs are still to be looked at */
    int depth;
};

static void need_value(struct needs *needs, const struct onnx_graph *graph, int value)
{
    const int producer = value < 0 ? -1 : graph->values[value].producer;
    if (producer < 0 || needs->is_needed[producer])
        return;
    needs->is_needed[producer] = true;
    needs->stack[needs->depth++] = producer;
}

static void mark_needed(struct needs *needs, const struct onnx_graph *graph)
{
    for (int i = 0; i < graph->value_count; i++)
        if (graph->values[i].is_output)
            need_value(needs, graph, i);
    while (needs->depth > 0) {
        const struct onnx_node *node = &graph->nodes[needs->stack[--needs->depth]];
        for (int k = 0; k < node->input_count; k++)
            need_value(needs, graph, graph->links[node->first + k]);
    }
}

/* The rest moves up; their outputs belong to nobody. */
static void drop_others(struct onnx_graph *graph, const bool *is_needed)
{
    int kept = 0;
    for (int i = 0; i < graph->node_count; i++) {
        const struct onnx_node *node = &graph->nodes[i];
        const int *outputs = graph->links + node->first + node->input_count;
        for (int k = 0; k < node->output_count; k++)
            if (outputs[k] >= 0)
                graph->values[outputs[k]].producer = is_needed[i] ? kept : -1;
        if (is_needed[i])
            graph->nodes[kept++] = *node;
    }
    graph->node_count = kept;
}

enum status onnx_keep_needed(struct onnx_graph *graph, struct error *error)
{
    struct needs needs = {.depth = 0};
    const unsigned long count = (unsigned long)graph->node_count;
    enum status status = ALLOCATE(&needs.is_needed, count, "nodes", error);
    if (status == STATUS_OK)
        status = ALLOCATE(&needs.stack, count, "nodes", error);
    if (status == STATUS_OK) {
        mark_needed(&needs, graph);
        bool is_any = false;
        for (int i = 0; i < graph->node_count; i++)
            is_any |= needs.is_needed[i];
        if (is_any) /* a file without outputs keeps all */
            drop_others(graph, needs.is_needed);
    }
    free(needs.is_needed);
    free(needs.stack);
    return status;
}

void onnx_count_consumers(struct onnx_graph *graph)
{
    for (int i = 0; i < graph->value_count; i++) {
        graph->values[i].consumer = -1;
        graph->values[i].consumer_count = 0;
    }
    for (int i = 0; i < graph->node_count; i++)
        for (int k = 0; k < graph->nodes[i].input_count; k++) {
            const int link = graph->links[graph->nodes[i].first + k];
            if (link >= 0)
                graph->values[link].consumer = graph->values[link].consumer_count++ ? -1 : i;
        }
}
