#include "network/onnx_contrib.h"

#include "network/onnx_expand.h"

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
#define ADDITION(type, layer, follow)                                                              \
    {                                                                                              \
        .op_type = type, .name = layer, .shape = onnx_shape_broadcast, .fold = follow,             \
        .emit = onnx_emit_generic, .forward_flops = 1                                              \
    }
#define VIEW(type, layer, infer, follow)                                                           \
    {                                                                                              \
        .op_type = type, .name = layer, .shape = infer, .fold = follow                             \
    }
#define CONSTANT(type, layer, infer, follow)                                                       \
    {                                                                                              \
        .op_type = type, .name = layer, .shape = infer, .fold = follow, .is_constant = true        \
    }

/* Stands for other nodes. */
#define EXPANDED(type, layer, into)                                                                \
    {                                                                                              \
        .op_type = type, .name = layer, .expand = into                                             \
    }

/* Sorted by op_type. Flops of one output element, an exponential or a root as one operation. */
static const struct onnx_operator operators[] = {
    FOLDED("Abs", "abs", onnx_fold_abs, 1, 1, KEPT_INPUTS),
    UNARY("Acos", "acos", 4, 4, KEPT_INPUTS),
    UNARY("Acosh", "acosh", 4, 4, KEPT_INPUTS),
    ADDITION("Add", "add", onnx_fold_add),
    WORK("AffineGrid", "affine_grid", onnx_shape_affine_grid, NULL, onnx_emit_generic, 6, 6,
         KEPT_INPUTS),
    COMPARE("And", "and", onnx_fold_and),
    WORK("ArgMax", "arg_max", onnx_shape_arg_reduce, NULL, onnx_emit_reduce, 1, 0, KEPT_NOTHING),
    WORK("ArgMin", "arg_min", onnx_shape_arg_reduce, NULL, onnx_emit_reduce, 1, 0, KEPT_NOTHING),
    UNARY("Asin", "asin", 4, 4, KEPT_INPUTS),
    UNARY("Asinh", "asinh", 4, 4, KEPT_INPUTS),
    UNARY("Atan", "atan", 4, 4, KEPT_INPUTS),
    UNARY("Atanh", "atanh", 4, 4, KEPT_INPUTS),
    OWN("Attention", "attention", onnx_shape_attention, onnx_emit_attention),
    OWN("AveragePool", "average_pool", onnx_shape_pool, onnx_emit_pool),
    {.op_type = "BatchNormalization",
     .name = "batch_normalization",
     .shape = onnx_shape_normalization,
     .emit = onnx_emit_normalization,
     .statistics = 3},
    WORK("Bernoulli", "bernoulli", onnx_shape_like, NULL, onnx_emit_generic, 8, 0, KEPT_NOTHING),
    BINARY("BitShift", "bit_shift", NULL, 1, 0, KEPT_NOTHING),
    BINARY("BitwiseAnd", "bitwise_and", NULL, 1, 0, KEPT_NOTHING),
    UNARY("BitwiseNot", "bitwise_not", 1, 0, KEPT_NOTHING),
    BINARY("BitwiseOr", "bitwise_or", NULL, 1, 0, KEPT_NOTHING),
    BINARY("BitwiseXor", "bitwise_xor", NULL, 1, 0, KEPT_NOTHING),
    WORK("BlackmanWindow", "blackman_window", onnx_shape_signal_window, NULL, onnx_emit_generic, 3,
         0, KEPT_NOTHING),
    MOVE("Cast", "cast", onnx_shape_cast, onnx_fold_cast),
    {.op_type = "CastLike",
     .name = "cast",
     .shape = onnx_shape_cast_like,
     .fold = onnx_fold_cast,
     .emit = onnx_emit_move,
     .value_inputs = 1},
    FOLDED("Ceil", "ceil", onnx_fold_ceil, 1, 0, KEPT_NOTHING),
    UNARY("Celu", "celu", 4, 3, KEPT_INPUTS),
    MOVE("CenterCropPad", "center_crop_pad", onnx_shape_center_crop_pad, NULL),
    FOLDED("Clip", "clip", onnx_fold_clip, 2, 1, KEPT_INPUTS),
    WORK("Col2Im", "col_to_image", onnx_shape_col_to_image, NULL, onnx_emit_reduce, 1, 0,
         KEPT_NOTHING),
    MOVE("Compress", "compress", onnx_shape_compress, NULL),
    MOVE("Concat", "concat", onnx_shape_concat, onnx_fold_concat),
    EXPANDED("ConcatFromSequence", "concat_from_sequence", onnx_expand_sequence_concat),
    CONSTANT("Constant", "constant", onnx_shape_constant, NULL),
    CONSTANT("ConstantOfShape", "constant_of_shape", onnx_shape_constant_of_shape,
             onnx_fold_constant_of_shape),
    OWN("Conv", "conv", onnx_shape_conv, onnx_emit_conv),
    OWN("ConvTranspose", "conv_transpose", onnx_shape_conv_transpose, onnx_emit_conv_transpose),
    UNARY("Cos", "cos", 1, 2, KEPT_INPUTS),
    UNARY("Cosh", "cosh", 3, 3, KEPT_INPUTS),
    UNARY("CumSum", "cumulative_sum", 1, 1, KEPT_NOTHING),
    OWN("DFT", "dft", onnx_shape_dft, onnx_emit_dft),
    OWN("DeformConv", "deform_conv", onnx_shape_conv, onnx_emit_deform_conv),
    MOVE("DepthToSpace", "depth_to_space", onnx_shape_depth_to_space, NULL),
    WORK("Det", "determinant", onnx_shape_determinant, NULL, onnx_emit_reduce, 8, 16, KEPT_INPUTS),
    BINARY("Div", "div", onnx_fold_div, 1, 4, KEPT_INPUTS),
    VIEW("Dropout", "dropout", onnx_shape_same, onnx_fold_copy),
    OWN("Einsum", "einsum", onnx_shape_einsum, onnx_emit_einsum),
    UNARY("Elu", "elu", 3, 2, KEPT_OUTPUT),
    COMPARE("Equal", "equal", onnx_fold_equal),
    UNARY("Erf", "erf", 12, 4, KEPT_INPUTS),
    FOLDED("Exp", "exp", onnx_fold_exp, 1, 1, KEPT_OUTPUT),
    MOVE("Expand", "expand", onnx_shape_expand, onnx_fold_expand),
    WORK("EyeLike", "eye_like", onnx_shape_like, NULL, onnx_emit_generic, 0, 0, KEPT_NOTHING),
    VIEW("Flatten", "flatten", onnx_shape_flatten, onnx_fold_copy),
    FOLDED("Floor", "floor", onnx_fold_floor, 1, 0, KEPT_NOTHING),
    OWN("GRU", "gru", onnx_shape_recurrent, onnx_emit_recurrent),
    WORK("Gather", "gather", onnx_shape_gather, onnx_fold_gather, onnx_emit_gather, 0, 1,
         KEPT_NOTHING),
    MOVE("GatherElements", "gather_elements", onnx_shape_gather_elements, NULL),
    MOVE("GatherND", "gather_nd", onnx_shape_gather_nd, NULL),
    UNARY("Gelu", "gelu", 16, 20, KEPT_INPUTS),
    OWN("Gemm", "gemm", onnx_shape_gemm, onnx_emit_gemm),
    OWN("GlobalAveragePool", "global_average_pool", onnx_shape_global_pool, onnx_emit_global_pool),
    OWN("GlobalLpPool", "global_lp_pool", onnx_shape_global_pool, onnx_emit_global_pool),
    OWN("GlobalMaxPool", "global_max_pool", onnx_shape_global_pool, onnx_emit_global_pool),
    COMPARE("Greater", "greater", onnx_fold_greater),
    COMPARE("GreaterOrEqual", "greater_or_equal", onnx_fold_greater_or_equal),
    WORK("GridSample", "grid_sample", onnx_shape_grid_sample, NULL, onnx_emit_generic, 10, 16,
         KEPT_INPUTS),
    OWN("GroupNormalization", "group_normalization", onnx_shape_group_normalization,
        onnx_emit_normalization),
    WORK("HammingWindow", "hamming_window", onnx_shape_signal_window, NULL, onnx_emit_generic, 3, 0,
         KEPT_NOTHING),
    WORK("HannWindow", "hann_window", onnx_shape_signal_window, NULL, onnx_emit_generic, 3, 0,
         KEPT_NOTHING),
    UNARY("HardSigmoid", "hard_sigmoid", 4, 2, KEPT_INPUTS),
    UNARY("HardSwish", "hard_swish", 5, 4, KEPT_INPUTS),
    UNARY("Hardmax", "hard_max", 2, 2, KEPT_INPUTS),
    VIEW("Identity", "identity", onnx_shape_same, onnx_fold_copy),
    EXPANDED("If", "if", onnx_expand_if),
    OWN("InstanceNormalization", "instance_normalization", onnx_shape_normalization,
        onnx_emit_normalization),
    WORK("IsInf", "is_inf", onnx_shape_test, NULL, onnx_emit_generic, 1, 0, KEPT_NOTHING),
    WORK("IsNaN", "is_nan", onnx_shape_test, NULL, onnx_emit_generic, 1, 0, KEPT_NOTHING),
    UNARY("LRN", "local_response_normalization", 10, 15, KEPT_INPUTS),
    OWN("LSTM", "lstm", onnx_shape_recurrent, onnx_emit_recurrent),
    OWN("LayerNormalization", "layer_normalization", onnx_shape_layer_normalization,
        onnx_emit_normalization),
    UNARY("LeakyRelu", "leaky_relu", 2, 2, KEPT_OUTPUT),
    COMPARE("Less", "less", onnx_fold_less),
    COMPARE("LessOrEqual", "less_or_equal", onnx_fold_less_or_equal),
    FOLDED("Log", "log", onnx_fold_log, 1, 1, KEPT_INPUTS),
    UNARY("LogSoftmax", "log_softmax", 5, 4, KEPT_OUTPUT),
    EXPANDED("Loop", "loop", onnx_expand_loop),
    UNARY("LpNormalization", "lp_normalization", 4, 4, KEPT_INPUTS),
    OWN("LpPool", "lp_pool", onnx_shape_pool, onnx_emit_pool),
    OWN("MatMul", "matmul", onnx_shape_matmul, onnx_emit_matmul),
    BINARY("Max", "max", onnx_fold_max, 1, 1, KEPT_INPUTS),
    OWN("MaxPool", "max_pool", onnx_shape_pool, onnx_emit_pool),
    WORK("MaxRoiPool", "max_roi_pool", onnx_shape_roi_pool, NULL, onnx_emit_generic, 16, 1,
         KEPT_INPUTS),
    MOVE("MaxUnpool", "max_unpool", onnx_shape_max_unpool, NULL),
    BINARY("Mean", "mean", NULL, 1, 1, KEPT_NOTHING),
    UNARY("MeanVarianceNormalization", "mean_variance_normalization", 8, 8, KEPT_INPUTS),
    WORK("MelWeightMatrix", "mel_weight_matrix", onnx_shape_mel_weights, NULL, onnx_emit_generic, 4,
         0, KEPT_NOTHING),
    BINARY("Min", "min", onnx_fold_min, 1, 1, KEPT_INPUTS),
    UNARY("Mish", "mish", 10, 12, KEPT_INPUTS),
    BINARY("Mod", "mod", onnx_fold_mod, 1, 0, KEPT_NOTHING),
    BINARY("Mul", "mul", onnx_fold_mul, 1, 2, KEPT_INPUTS),
    WORK("Multinomial", "multinomial", onnx_shape_multinomial, NULL, onnx_emit_reduce, 4, 0,
         KEPT_NOTHING),
    FOLDED("Neg", "neg", onnx_fold_neg, 1, 1, KEPT_NOTHING),
    WORK("NegativeLogLikelihoodLoss", "negative_log_likelihood_loss", onnx_shape_loss, NULL,
         onnx_emit_reduce, 1, 3, KEPT_INPUTS),
    WORK("NonMaxSuppression", "non_max_suppression", onnx_shape_non_max_suppression, NULL,
         onnx_emit_reduce, 16, 0, KEPT_NOTHING),
    MOVE("NonZero", "non_zero", onnx_shape_non_zero, onnx_fold_non_zero),
    FOLDED("Not", "not", onnx_fold_not, 1, 0, KEPT_NOTHING),
    MOVE("OneHot", "one_hot", onnx_shape_one_hot, NULL),
    VIEW("Optional", "optional", onnx_shape_same, onnx_fold_copy),
    VIEW("OptionalGetElement", "optional", onnx_shape_same, onnx_fold_copy),
    COMPARE("Or", "or", onnx_fold_or),
    BINARY("PRelu", "prelu", NULL, 2, 3, KEPT_INPUTS),
    MOVE("Pad", "pad", onnx_shape_pad, onnx_fold_pad),
    BINARY("Pow", "pow", onnx_fold_pow, 2, 3, KEPT_INPUTS),
    OWN("RMSNormalization", "rms_normalization", onnx_shape_layer_normalization,
        onnx_emit_normalization),
    OWN("RNN", "rnn", onnx_shape_recurrent, onnx_emit_recurrent),
    WORK("RandomNormal", "random_normal", onnx_shape_random, NULL, onnx_emit_generic, 8, 0,
         KEPT_NOTHING),
    WORK("RandomNormalLike", "random_normal", onnx_shape_like, NULL, onnx_emit_generic, 8, 0,
         KEPT_NOTHING),
    WORK("RandomUniform", "random_uniform", onnx_shape_random, NULL, onnx_emit_generic, 8, 0,
         KEPT_NOTHING),
    WORK("RandomUniformLike", "random_uniform", onnx_shape_like, NULL, onnx_emit_generic, 8, 0,
         KEPT_NOTHING),
    CONSTANT("Range", "range", onnx_shape_range, onnx_fold_range),
    FOLDED("Reciprocal", "reciprocal", onnx_fold_reciprocal, 1, 2, KEPT_OUTPUT),
    REDUCE("ReduceL1", "reduce_l1", NULL),
    REDUCE("ReduceL2", "reduce_l2", NULL),
    WORK("ReduceLogSum", "reduce_log_sum", onnx_shape_reduce, NULL, onnx_emit_reduce, 1, 2,
         KEPT_INPUTS),
    WORK("ReduceLogSumExp", "reduce_log_sum_exp", onnx_shape_reduce, NULL, onnx_emit_reduce, 3, 3,
         KEPT_INPUTS),
    REDUCE("ReduceMax", "reduce_max", onnx_fold_reduce_max),
    {.op_type = "ReduceMean",
     .name = "reduce_mean",
     .shape = onnx_shape_reduce,
     .fold = onnx_fold_reduce_mean,
     .emit = onnx_emit_global_pool},
    REDUCE("ReduceMin", "reduce_min", onnx_fold_reduce_min),
    REDUCE("ReduceProd", "reduce_product", onnx_fold_reduce_product),
    REDUCE("ReduceSum", "reduce_sum", onnx_fold_reduce_sum),
    REDUCE("ReduceSumSquare", "reduce_sum_square", NULL),
    UNARY("Relu", "relu", 1, 1, KEPT_OUTPUT),
    VIEW("Reshape", "reshape", onnx_shape_reshape, onnx_fold_copy),
    WORK("Resize", "resize", onnx_shape_resize, NULL, onnx_emit_generic, 8, 8, KEPT_NOTHING),
    MOVE("ReverseSequence", "reverse_sequence", onnx_shape_same, NULL),
    WORK("RoiAlign", "roi_align", onnx_shape_roi_pool, NULL, onnx_emit_generic, 32, 32,
         KEPT_INPUTS),
    {.op_type = "RotaryEmbedding",
     .name = "rotary_embedding",
     .shape = onnx_shape_same,
     .emit = onnx_emit_generic,
     .forward_flops = 3,
     .backward_flops = 3,
     .kept = KEPT_INPUTS,
     .statistics = 1}, /* cosines and sines */
    FOLDED("Round", "round", onnx_fold_round, 1, 0, KEPT_NOTHING),
    OWN("STFT", "stft", onnx_shape_stft, onnx_emit_stft),
    EXPANDED("Scan", "scan", onnx_expand_scan),
    MOVE("Scatter", "scatter", onnx_shape_same, NULL),
    MOVE("ScatterElements", "scatter_elements", onnx_shape_same, NULL),
    MOVE("ScatterND", "scatter_nd", onnx_shape_same, onnx_fold_scatter_nd),
    UNARY("Selu", "selu", 4, 3, KEPT_OUTPUT),
    EXPANDED("SequenceAt", "sequence_at", onnx_expand_sequence_at),
    EXPANDED("SequenceConstruct", "sequence_construct", onnx_expand_sequence),
    EXPANDED("SequenceEmpty", "sequence_empty", onnx_expand_sequence),
    EXPANDED("SequenceErase", "sequence_erase", onnx_expand_sequence_erase),
    EXPANDED("SequenceInsert", "sequence_insert", onnx_expand_sequence_insert),
    EXPANDED("SequenceLength", "sequence_length", onnx_expand_sequence_length),
    CONSTANT("Shape", "shape", onnx_shape_shape, onnx_fold_shape),
    UNARY("Shrink", "shrink", 2, 2, KEPT_INPUTS),
    UNARY("Sigmoid", "sigmoid", 4, 3, KEPT_OUTPUT),
    FOLDED("Sign", "sign", onnx_fold_sign, 1, 0, KEPT_NOTHING),
    UNARY("Sin", "sin", 1, 2, KEPT_INPUTS),
    UNARY("Sinh", "sinh", 3, 3, KEPT_INPUTS),
    CONSTANT("Size", "size", onnx_shape_size, onnx_fold_size),
    MOVE("Slice", "slice", onnx_shape_slice, onnx_fold_slice),
    UNARY("Softmax", "softmax", 5, 4, KEPT_OUTPUT),
    WORK("SoftmaxCrossEntropyLoss", "softmax_cross_entropy_loss", onnx_shape_loss, NULL,
         onnx_emit_reduce, 6, 3, KEPT_INPUTS),
    UNARY("Softplus", "softplus", 3, 4, KEPT_INPUTS),
    UNARY("Softsign", "softsign", 3, 4, KEPT_INPUTS),
    MOVE("SpaceToDepth", "space_to_depth", onnx_shape_space_to_depth, NULL),
    MOVE("Split", "split", onnx_shape_split, onnx_fold_split),
    EXPANDED("SplitToSequence", "split_to_sequence", onnx_expand_sequence_split),
    FOLDED("Sqrt", "sqrt", onnx_fold_sqrt, 1, 2, KEPT_OUTPUT),
    VIEW("Squeeze", "squeeze", onnx_shape_squeeze, onnx_fold_copy),
    BINARY("Sub", "sub", onnx_fold_sub, 1, 1, KEPT_NOTHING),
    ADDITION("Sum", "sum", onnx_fold_sum),
    UNARY("Swish", "swish", 5, 5, KEPT_INPUTS),
    UNARY("Tan", "tan", 2, 2, KEPT_INPUTS),
    UNARY("Tanh", "tanh", 5, 3, KEPT_OUTPUT),
    MOVE("TensorScatter", "tensor_scatter", onnx_shape_same, NULL),
    UNARY("ThresholdedRelu", "thresholded_relu", 1, 1, KEPT_INPUTS),
    MOVE("Tile", "tile", onnx_shape_tile, onnx_fold_tile),
    WORK("TopK", "top_k", onnx_shape_top_k, NULL, onnx_emit_reduce, 1, 1, KEPT_NOTHING),
    MOVE("Transpose", "transpose", onnx_shape_transpose, onnx_fold_transpose),
    MOVE("Trilu", "triangle", onnx_shape_same, NULL),
    WORK("Unique", "unique", onnx_shape_unique, NULL, onnx_emit_reduce, 8, 0, KEPT_NOTHING),
    VIEW("Unsqueeze", "unsqueeze", onnx_shape_unsqueeze, onnx_fold_copy),
    WORK("Upsample", "resize", onnx_shape_resize, NULL, onnx_emit_generic, 8, 8, KEPT_NOTHING),
    WORK("Where", "where", onnx_shape_where, onnx_fold_where, onnx_emit_generic, 1, 1,
         KEPT_NOTHING),
    COMPARE("Xor", "xor", onnx_fold_xor),
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
    const struct onnx_operator *standard = bsearch(&node->op_type, operators,
                                                   sizeof operators / sizeof *operators,
                                                   sizeof *operators, compare);
    /* another domain's operator of the same name may be another one */
    return is_standard && standard ? standard : onnx_contrib_find(node);
}
