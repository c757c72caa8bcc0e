/* Which LSTM, GRU and RNN nodes the kind `recurrent` describes: each is a layer of its own, however
 * a framework stacks them. A direction from the last step to the first costs what the other does,
 * and so does a GRU that resets before the product (linear_before_reset 0).
 */
#include "network/onnx_operators.h"

#include <string.h>

static const struct recurrent_operator {
    const char *op_type;
    int32_t cell;
    int gates;
} operators[] = {
    {"GRU", CELL_GRU, 3},
    {"LSTM", CELL_LSTM, 4},
    {"RNN", CELL_RNN, 1},
};

static const struct recurrent_operator *find_operator(const struct onnx_call *call)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (strcmp(operators[i].op_type, call->node->known->op_type) == 0)
            return &operators[i];
    return NULL;
}

/* Functions other than the usual ones, gates coupled, a view of the cell by the gates. */
static bool is_unusual(const struct onnx_call *call)
{
    enum { PEEPHOLES = 7 };
    return onnx_texts(call, "activations") > 0 || onnx_integer(call, "input_forget", 0) ||
           onnx_input(call, PEEPHOLES);
}

static bool is_constant(const struct onnx_value *value)
{
    return value && value->is_constant;
}

bool onnx_read_recurrent(struct onnx_match *match, const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0);
    struct onnx_value *w = onnx_input(call, 1), *r = onnx_input(call, 2), *b = onnx_input(call, 3);
    const struct recurrent_operator *of = find_operator(call);
    const int64_t directions = w->dims[0], rows = w->dims[1], hidden = r->dims[2];
    const bool rows_first = onnx_integer(call, "layout", 0);
    if (!of || x->is_constant || !is_constant(w) || !is_constant(r) || is_unusual(call) ||
        directions < 1 || directions > 2 || hidden < 1 || hidden > INT32_MAX ||
        rows != of->gates * hidden || x->dims[2] > INT32_MAX || x->dims[rows_first] > INT32_MAX)
        return false;
    if (b && (!b->is_constant || b->count != (double)(directions * 2 * rows)))
        return false;
    *match = (struct onnx_match){.rows = (double)x->dims[!rows_first],
                                 .parameters = {w, r, b},
                                 .config.kind = LAYER_RECURRENT};
    match->config.as.recurrent = (struct recurrent){.positions = (int32_t)x->dims[rows_first],
                                                    .inputs = (int32_t)x->dims[2],
                                                    .hidden = (int32_t)hidden,
                                                    .layers = 1,
                                                    .cell = of->cell,
                                                    .bidirectional = directions > 1 ? SWITCH_YES
                                                                                    : SWITCH_NO,
                                                    .use_bias = b ? SWITCH_YES : SWITCH_NO};
    return true;
}
