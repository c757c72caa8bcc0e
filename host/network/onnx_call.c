/* The node being looked at: its inputs and outputs, complaints about it. */
#include "network/onnx_graph.h"

#include <stdarg.h>

struct onnx_value *onnx_input(const struct onnx_call *call, int i)
{
    if (i >= call->node->input_count)
        return NULL;
    const int value = call->graph->links[call->node->first + i];
    return value < 0 ? NULL : &call->graph->values[value];
}

struct onnx_value *onnx_output(const struct onnx_call *call, int i)
{
    if (i >= call->node->output_count)
        return NULL;
    const int value = call->graph->links[call->node->first + call->node->input_count + i];
    return value < 0 ? NULL : &call->graph->values[value];
}

enum status onnx_fail(const struct onnx_call *call, const char *format, ...)
{
    char message[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    const struct onnx_node *node = call->node;
    const struct onnx_value *output = onnx_output(call, 0);
    const struct slice name = node->name.size || !output ? node->name : output->name;
    return FAIL(call->error, STATUS_BAD_FILE, "%s: node '%.*s' (%.*s, byte %zu): %s",
                onnx_path(call->graph->source.path).text, onnx_shown(name), name.bytes,
                onnx_shown(node->op_type), node->op_type.bytes,
                onnx_offset(&call->graph->source, node->message), message);
}
