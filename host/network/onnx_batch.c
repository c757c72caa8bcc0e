/* Which axis of the inputs is the batch, where a file fixes its size.
 *
 * A batch is an axis that every operator keeps apart, from the inputs to the outputs: sample i of
 * each output depends on sample i of the inputs alone. An axis is followed through the graph; where
 * an operator multiplies, adds or convolves along it, it is channels, steps or nodes of a graph.
 */
#include "network/onnx_batch.h"

#include "network/onnx_dimension.h"
#include "network/onnx_operators.h"

#include <string.h>

bool onnx_is_read_input(const struct onnx_value *value)
{
    return value->producer < 0 && !value->is_constant && value->consumer_count > 0;
}

/* ---- the graph ---- */

/* False: some operator mixes the samples, or no output depends on them. */
static bool follow_all(struct onnx_graph *graph, double samples)
{
    bool is_apart = true, reaches_output = false;
    for (int i = 0; i < graph->node_count; i++) {
        const struct onnx_call call = {graph, &graph->nodes[graph->order[i]], NULL};
        for (int k = 0; k < call.node->output_count; k++) {
            struct onnx_value *output = onnx_output(&call, k);
            if (!output)
                continue;
            output->batch_axis = call.node->is_constant
                                     ? ONNX_UNBATCHED
                                     : onnx_follow_output(&call, output, samples);
            is_apart &= output->batch_axis != ONNX_MIXED;
            reaches_output |= output->is_output && output->batch_axis >= 0;
        }
    }
    return is_apart && reaches_output;
}

/* Takes axis `axis` of so many samples for the batch, of all inputs that have it. */
static void mark_inputs(struct onnx_graph *graph, int axis, int64_t samples)
{
    for (int i = 0; i < graph->value_count; i++) {
        struct onnx_value *value = &graph->values[i];
        const bool has_it = onnx_is_read_input(value) && value->rank > axis &&
                            value->dims[axis] == samples && !(axis == 0 && value->is_first_given);
        value->batch_axis = has_it ? axis : ONNX_UNBATCHED;
    }
}

static bool try_axis(struct onnx_graph *graph, const struct onnx_value *input, int axis)
{
    if (input->rank <= axis + (axis > 0) || (axis == 0 && input->is_first_given))
        return false;
    mark_inputs(graph, axis, input->dims[axis]);
    if (!follow_all(graph, (double)input->dims[axis]))
        return false;
    graph->batch = (double)input->dims[axis];
    graph->batch_input = input;
    graph->batch_axis = axis;
    return true;
}

/* The input with the most axes: an image or a sequence rather than its mask. */
static const struct onnx_value *main_input(const struct onnx_graph *graph)
{
    const struct onnx_value *found = NULL;
    for (int i = 0; i < graph->value_count; i++) {
        const struct onnx_value *value = &graph->values[i];
        if (onnx_is_read_input(value) && value->rank >= 2 && (!found || value->rank > found->rank))
            found = value;
    }
    return found;
}

/* The input that a recurrent operator reads, whose axes have their meaning. */
static const struct onnx_value *recurrent_input(const struct onnx_graph *graph, int *axis)
{
    for (int i = 0; i < graph->node_count; i++) {
        const struct onnx_call call = {(struct onnx_graph *)graph, &graph->nodes[i], NULL};
        if (!onnx_is_recurrent(call.node) || !onnx_is_read_input(onnx_input(&call, 0)))
            continue;
        *axis = !onnx_integer(&call, "layout", 0);
        return onnx_input(&call, 0);
    }
    return NULL;
}

/* "Time-major": steps, one sample, features. */
static bool is_time_major(const struct onnx_value *input)
{
    return input->rank == 3 && input->dims[0] > 1 && input->dims[1] == 1;
}

static void whole_file(struct onnx_graph *graph)
{
    for (int i = 0; i < graph->value_count; i++)
        graph->values[i].batch_axis = ONNX_UNBATCHED;
    graph->batch = 1;
    graph->batch_input = NULL;
}

static void one_sample(struct onnx_graph *graph, const struct onnx_value *input)
{
    whole_file(graph);
    graph->batch_input = input;
    graph->batch_axis = 0;
}

static void find_fixed(struct onnx_graph *graph)
{
    int axis;
    const struct onnx_value *steps = recurrent_input(graph, &axis), *input = main_input(graph);
    if ((steps && try_axis(graph, steps, axis)) || !input) {
        if (!input)
            whole_file(graph);
        return;
    }
    if (is_time_major(input) && try_axis(graph, input, 1))
        return;
    if (input->dims[0] == 1) {
        one_sample(graph, input);
        return;
    }
    if (!try_axis(graph, input, 0) && !try_axis(graph, input, 1))
        whole_file(graph);
}

/* ---- what the file or the command line says ---- */

static enum status check_whole(struct onnx_graph *graph, struct error *error)
{
    for (int i = 0; i < graph->node_count; i++) {
        const struct onnx_call call = {graph, &graph->nodes[i], error};
        for (int k = 0; k < call.node->output_count && !call.node->is_constant; k++) {
            struct onnx_value *output = onnx_output(&call, k);
            const double share = output ? output->count / graph->batch : 0;
            if (!output || output->batch_axis == ONNX_UNBATCHED || share == (double)(int64_t)share)
                continue;
            onnx_fail(&call, "the %.0f elements of its output are not those of %.0f samples",
                      output->count, graph->batch);
            return HINT(error, STATUS_BAD_FILE,
                        "--batch-axis INPUT:AXIS names the batch, --batch-in-file 1 takes the "
                        "whole file for a sample");
        }
    }
    return STATUS_OK;
}

/* The samples of --batch-axis are apart: an axis along which a product sums up is none of samples.
 */
static enum status check_products(struct onnx_graph *graph, struct error *error)
{
    for (int i = 0; i < graph->node_count; i++) {
        const struct onnx_call call = {graph, &graph->nodes[graph->order[i]], error};
        if (!onnx_sums_up_batch(&call, graph->batch))
            continue;
        onnx_fail(&call, "it sums up along the axis that --batch-axis calls the batch");
        return HINT(
            error, STATUS_BAD_FILE,
            "without --batch-axis, 'epochcast show' names the batch; --batch-in-file 1 takes "
            "the whole file for a sample");
    }
    return STATUS_OK;
}

enum status onnx_find_batch(struct onnx_graph *graph, struct error *error)
{
    const int64_t in_file = graph->sizes ? graph->sizes->batch_in_file : 0;
    if (!graph->batch_input && !in_file) {
        find_fixed(graph);
        return STATUS_OK;
    }
    if (graph->batch_input)
        graph->batch = (double)graph->batch_input->dims[graph->batch_axis];
    if (in_file)
        graph->batch = (double)in_file;
    for (int i = 0; i < graph->value_count && !graph->batch_input; i++)
        if (onnx_is_read_input(&graph->values[i]) && graph->values[i].rank > 0)
            graph->values[i].batch_axis = 0;
    follow_all(graph, graph->batch);
    if (graph->batch_input && graph->sizes && graph->sizes->batch_axis)
        TRY(check_products(graph, error));
    return check_whole(graph, error);
}
