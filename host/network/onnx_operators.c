#include "network/onnx_operators.h"

#include <stdlib.h>
#include <string.h>

#define WORK(type, layer, infer, follow, work, forward, backward, keeps)                           \
    {                                                                                              \
        .op_type = type, .name = layer, .shape = infer, .fold = follow, .emit = work,              \
        .forward_flops = forward, .backward_flops = backward, .kept = keeps                        \
    }
#define UNARY(type, layer, forward, backward, keeps)                                               \
    WORK(type, layer, onnx_shape_same, NULL, onnx_emit_generic, forward, backward, keeps)
#define FOLDED(type, layer, follow, forward, backward, keeps)                                      \
    WORK(type, layer, onnx_shape_same, follow, onnx_emit_generic, forward, backward, keeps)
#define BINARY(type, layer, follow, forward, backward, keeps)                                      \
    WORK(type, layer, onnx_shape_broadcast, follow, onnx_emit_generic, forward, backward, keeps)
#define COMPARE(type, layer, follow)                                                               \
    WORK(type, layer, onnx_shape_compare, follow, onnx_emit_generic, 1, 0, KEPT_NOTHING)
#define REDUCE(type, layer, follow)                                                                \
    WORK(type, layer, onnx_shape_reduce, follow, onnx_emit_reduce, 1, 1, KEPT_INPUTS)
#define MOVE(type, layer, infer, follow)                                                           \
    WORK(type, layer, infer, follow, onnx_emit_move, 0, 0, KEPT_NOTHING)
#define OWN(type, layer, infer, work) WORK(type, layer, infer, NULL, work, 0, 0, KEPT_NOTHING)
/* Of a kind, where it describes the node. */
#define LAYER(type, layer, infer, reader, work)                                                    \
    {                                                                                              \
        .op_type = type, .name = layer, .shape = infer, .read = reader, .emit = work               \
    }
#define ADDITION(type, layer, follow)                                                              \
    {                                                                                              \
        .op_type = type, .name = layer, .shape = onnx_shape_broadcast, .fold = follow,             \
        .read = onnx_read_addition, .emit = onnx_emit_generic, .forward_flops = 1                  \
    }
#define VIEW(type, layer, infer, follow)                                                           \
    {                                                                                              \
        .op_type = type, .name = layer, .shape = infer, .fold = follow                             \
    }
#define CONSTANT(type, layer, infer, follow)                                                       \
    {                                                                                              \
        .op_type = type, .name = layer, .shape = infer, .fold = follow, .is_constant = true        \
    }

/* Sorted by op_type. Flops of one output element, an exponential or a root as one operation. */
static const struct onnx_operator operators[] = {
    UNARY("Abs", "abs", 1, 1, KEPT_INPUTS),
    ADDITION("Add", "add", onnx_fold_add),
    COMPARE("And", "and", NULL),
    WORK("ArgMax", "arg_max", onnx_shape_arg_reduce, NULL, onnx_emit_reduce, 1, 0, KEPT_NOTHING),
    WORK("ArgMin", "arg_min", onnx_shape_arg_reduce, NULL, onnx_emit_reduce, 1, 0, KEPT_NOTHING),
    LAYER("AveragePool", "average_pool", onnx_shape_pool, onnx_read_pool, onnx_emit_pool),
    {.op_type = "BatchNormalization",
     .name = "batch_normalization",
     .shape = onnx_shape_normalization,
     .read = onnx_read_batch_norm,
     .emit = onnx_emit_normalization,
     .statistics = 3},
    MOVE("Cast", "cast", onnx_shape_cast, onnx_fold_cast),
    FOLDED("Ceil", "ceil", onnx_fold_ceil, 1, 0, KEPT_NOTHING),
    UNARY("Celu", "celu", 4, 3, KEPT_INPUTS),
    UNARY("Clip", "clip", 2, 1, KEPT_INPUTS),
    MOVE("Concat", "concat", onnx_shape_concat, onnx_fold_concat),
    CONSTANT("Constant", "constant", onnx_shape_constant, NULL),
    CONSTANT("ConstantOfShape", "constant_of_shape", onnx_shape_constant_of_shape,
             onnx_fold_constant_of_shape),
    LAYER("Conv", "conv", onnx_shape_conv, onnx_read_conv, onnx_emit_conv),
    OWN("ConvTranspose", "conv_transpose", onnx_shape_conv_transpose, onnx_emit_conv_transpose),
    UNARY("Cos", "cos", 1, 2, KEPT_INPUTS),
    UNARY("CumSum", "cumulative_sum", 1, 1, KEPT_NOTHING),
    MOVE("DepthToSpace", "depth_to_space", onnx_shape_depth_to_space, NULL),
    BINARY("Div", "div", onnx_fold_div, 1, 4, KEPT_INPUTS),
    VIEW("Dropout", "dropout", onnx_shape_same, onnx_fold_copy),
    UNARY("Elu", "elu", 3, 2, KEPT_OUTPUT),
    COMPARE("Equal", "equal", onnx_fold_equal),
    UNARY("Erf", "erf", 12, 4, KEPT_INPUTS),
    UNARY("Exp", "exp", 1, 1, KEPT_OUTPUT),
    MOVE("Expand", "expand", onnx_shape_expand, onnx_fold_expand),
    VIEW("Flatten", "flatten", onnx_shape_flatten, onnx_fold_copy),
    FOLDED("Floor", "floor", onnx_fold_floor, 1, 0, KEPT_NOTHING),
    OWN("GRU", "gru", onnx_shape_recurrent, onnx_emit_recurrent),
    WORK("Gather", "gather", onnx_shape_gather, onnx_fold_gather, onnx_emit_gather, 0, 1,
         KEPT_NOTHING),
    MOVE("GatherElements", "gather_elements", onnx_shape_gather_elements, NULL),
    UNARY("Gelu", "gelu", 16, 20, KEPT_INPUTS),
    LAYER("Gemm", "gemm", onnx_shape_gemm, onnx_read_gemm, onnx_emit_gemm),
    LAYER("GlobalAveragePool", "global_average_pool", onnx_shape_global_pool, onnx_read_global_pool,
          onnx_emit_global_pool),
    LAYER("GlobalMaxPool", "global_max_pool", onnx_shape_global_pool, onnx_read_global_pool,
          onnx_emit_global_pool),
    COMPARE("Greater", "greater", NULL),
    COMPARE("GreaterOrEqual", "greater_or_equal", NULL),
    OWN("GroupNormalization", "group_normalization", onnx_shape_normalization,
        onnx_emit_normalization),
    UNARY("HardSigmoid", "hard_sigmoid", 4, 2, KEPT_INPUTS),
    UNARY("HardSwish", "hard_swish", 5, 4, KEPT_INPUTS),
    VIEW("Identity", "identity", onnx_shape_same, onnx_fold_copy),
    OWN("InstanceNormalization", "instance_normalization", onnx_shape_normalization,
        onnx_emit_normalization),
    UNARY("LRN", "local_response_normalization", 10, 15, KEPT_INPUTS),
    OWN("LSTM", "lstm", onnx_shape_recurrent, onnx_emit_recurrent),
    OWN("LayerNormalization", "layer_normalization", onnx_shape_normalization,
        onnx_emit_normalization),
    UNARY("LeakyRelu", "leaky_relu", 2, 2, KEPT_OUTPUT),
    COMPARE("Less", "less", NULL),
    COMPARE("LessOrEqual", "less_or_equal", NULL),
    UNARY("Log", "log", 1, 1, KEPT_INPUTS),
    UNARY("LogSoftmax", "log_softmax", 5, 4, KEPT_OUTPUT),
    LAYER("MatMul", "matmul", onnx_shape_matmul, onnx_read_matmul, onnx_emit_matmul),
    BINARY("Max", "max", onnx_fold_max, 1, 1, KEPT_INPUTS),
    LAYER("MaxPool", "max_pool", onnx_shape_pool, onnx_read_pool, onnx_emit_pool),
    BINARY("Mean", "mean", NULL, 1, 1, KEPT_NOTHING),
    BINARY("Min", "min", onnx_fold_min, 1, 1, KEPT_INPUTS),
    UNARY("Mish", "mish", 10, 12, KEPT_INPUTS),
    BINARY("Mod", "mod", onnx_fold_mod, 1, 0, KEPT_NOTHING),
    BINARY("Mul", "mul", onnx_fold_mul, 1, 2, KEPT_INPUTS),
    FOLDED("Neg", "neg", onnx_fold_neg, 1, 1, KEPT_NOTHING),
    UNARY("Not", "not", 1, 0, KEPT_NOTHING),
    COMPARE("Or", "or", NULL),
    BINARY("PRelu", "prelu", NULL, 2, 3, KEPT_INPUTS),
    MOVE("Pad", "pad", onnx_shape_pad, NULL),
    BINARY("Pow", "pow", NULL, 2, 3, KEPT_INPUTS),
    OWN("RNN", "rnn", onnx_shape_recurrent, onnx_emit_recurrent),
    CONSTANT("Range", "range", onnx_shape_range, onnx_fold_range),
    UNARY("Reciprocal", "reciprocal", 1, 2, KEPT_OUTPUT),
    REDUCE("ReduceL1", "reduce_l1", NULL),
    REDUCE("ReduceL2", "reduce_l2", NULL),
    REDUCE("ReduceMax", "reduce_max", NULL),
    LAYER("ReduceMean", "reduce_mean", onnx_shape_reduce, onnx_read_global_pool,
          onnx_emit_global_pool),
    REDUCE("ReduceMin", "reduce_min", NULL),
    REDUCE("ReduceProd", "reduce_product", onnx_fold_product),
    REDUCE("ReduceSum", "reduce_sum", NULL),
    REDUCE("ReduceSumSquare", "reduce_sum_square", NULL),
    UNARY("Relu", "relu", 1, 1, KEPT_OUTPUT),
    VIEW("Reshape", "reshape", onnx_shape_reshape, onnx_fold_copy),
    WORK("Resize", "resize", onnx_shape_resize, NULL, onnx_emit_generic, 8, 8, KEPT_NOTHING),
    UNARY("Round", "round", 1, 0, KEPT_NOTHING),
    UNARY("Selu", "selu", 4, 3, KEPT_OUTPUT),
    CONSTANT("Shape", "shape", onnx_shape_shape, onnx_fold_shape),
    UNARY("Sigmoid", "sigmoid", 4, 3, KEPT_OUTPUT),
    UNARY("Sign", "sign", 1, 0, KEPT_NOTHING),
    UNARY("Sin", "sin", 1, 2, KEPT_INPUTS),
    CONSTANT("Size", "size", onnx_shape_size, onnx_fold_size),
    MOVE("Slice", "slice", onnx_shape_slice, onnx_fold_slice),
    UNARY("Softmax", "softmax", 5, 4, KEPT_OUTPUT),
    UNARY("Softplus", "softplus", 3, 4, KEPT_INPUTS),
    UNARY("Softsign", "softsign", 3, 4, KEPT_INPUTS),
    MOVE("SpaceToDepth", "space_to_depth", onnx_shape_space_to_depth, NULL),
    MOVE("Split", "split", onnx_shape_split, NULL),
    FOLDED("Sqrt", "sqrt", onnx_fold_sqrt, 1, 2, KEPT_OUTPUT),
    VIEW("Squeeze", "squeeze", onnx_shape_squeeze, onnx_fold_copy),
    BINARY("Sub", "sub", onnx_fold_sub, 1, 1, KEPT_NOTHING),
    ADDITION("Sum", "sum", NULL),
    UNARY("Tanh", "tanh", 5, 3, KEPT_OUTPUT),
    MOVE("Tile", "tile", onnx_shape_tile, NULL),
    WORK("TopK", "top_k", onnx_shape_top_k, NULL, onnx_emit_reduce, 1, 1, KEPT_NOTHING),
    MOVE("Transpose", "transpose", onnx_shape_transpose, onnx_fold_transpose),
    MOVE("Trilu", "triangle", onnx_shape_same, NULL),
    VIEW("Unsqueeze", "unsqueeze", onnx_shape_unsqueeze, onnx_fold_copy),
    WORK("Upsample", "resize", onnx_shape_resize, NULL, onnx_emit_generic, 8, 8, KEPT_NOTHING),
    WORK("Where", "where", onnx_shape_where, onnx_fold_where, onnx_emit_generic, 1, 1,
         KEPT_NOTHING),
    COMPARE("Xor", "xor", NULL),
};

static int compare(const void *key, const void *entry)
{
    const struct slice *name = key;
    const char *other = ((const struct onnx_operator *)entry)->op_type;
    const size_t length = strlen(other), common = name->size < length ? name->size : length;
    const int order = memcmp(name->bytes, other, common);
    return order ? order : (name->size > length) - (name->size < length);
}

const struct onnx_operator *onnx_operator_find(const struct onnx_node *node)
{
    const bool is_standard = node->domain.size == 0 || slice_equals(node->domain, "ai.onnx");
    if (!is_standard) /* another domain's operator of the same name may be another one */
        return NULL;
    return bsearch(&node->op_type, operators, sizeof operators / sizeof *operators,
                   sizeof *operators, compare);
}
