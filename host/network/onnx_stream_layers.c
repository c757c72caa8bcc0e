/* Which nodes are streams over elements: activations. */
#include "network/onnx_operators.h"

#include <math.h>
#include <string.h>

/* Elements of a tensor for one sample, 0: not a whole number of them, or too many. */
static int32_t whole_elements(const struct onnx_call *call, const struct onnx_value *value)
{
    const double elements = onnx_per_sample(call, value);
    const bool is_whole = elements >= 1 && elements <= INT32_MAX && floor(elements) == elements;
    return is_whole ? (int32_t)elements : 0;
}

static bool is_activation(const struct onnx_value *value)
{
    return value && !value->is_constant && onnx_type_is_floating(value->type);
}

/* ---- activation ---- */

/* By operator; what has the same work is one function: Clip to any range is relu6, Celu and Selu
 * differ from Elu by factors. */
static const struct function_name {
    const char *op_type;
    int32_t function;
} function_names[] = {
    {"Celu", FUNCTION_ELU},
    {"Clip", FUNCTION_RELU6},
    {"Elu", FUNCTION_ELU},
    {"Exp", FUNCTION_EXP},
    {"FastGelu", FUNCTION_GELU_TANH},
    {"Gelu", FUNCTION_GELU},
    {"HardSwish", FUNCTION_HARD_SWISH},
    {"LeakyRelu", FUNCTION_LEAKY_RELU},
    {"Mish", FUNCTION_MISH},
    {"QuickGelu", FUNCTION_QUICK_GELU},
    {"Relu", FUNCTION_RELU},
    {"Selu", FUNCTION_ELU},
    {"Sigmoid", FUNCTION_SIGMOID},
    {"Softplus", FUNCTION_SOFTPLUS},
    {"Swish", FUNCTION_SILU},
    {"Tanh", FUNCTION_TANH},
};

static int32_t function_of(const struct onnx_call *call)
{
    const char *op_type = call->node->known->op_type;
    for (size_t i = 0; i < sizeof function_names / sizeof *function_names; i++)
        if (strcmp(function_names[i].op_type, op_type) == 0)
            return function_names[i].function == FUNCTION_GELU &&
                           slice_equals(onnx_text(call, "approximate"), "tanh")
                       ? FUNCTION_GELU_TANH
                       : function_names[i].function;
    return -1;
}

/* Bounds are constants; a bias that comes with it is another layer's work. */
bool onnx_read_activation(struct onnx_match *match, const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0);
    const bool is_bounded = strcmp(call->node->known->op_type, "Clip") == 0;
    const int32_t function = function_of(call), elements = whole_elements(call, x);
    if (function < 0 || elements == 0 || !is_activation(x))
        return false;
    for (int i = 1; i < call->node->input_count; i++)
        if (onnx_input(call, i) && !(is_bounded && onnx_input(call, i)->is_constant))
            return false;
    *match = (struct onnx_match){.rows = onnx_samples(call->graph, x),
                                 .config.kind = LAYER_ACTIVATION};
    match->config.as.activation = (struct activation){.elements = elements, .function = function};
    return true;
}
