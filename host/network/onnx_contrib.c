/* Operators beside the standard float ones: quantised operators (QLinear*, *Integer, QDQ) and those
 * that onnxruntime fuses (domain com.microsoft). Read with their operations; none is of a kind but
 * fused convolutions and products, and sums with their normalisation, which become both.
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md)
 */
#include "network/onnx_contrib.h"

#include <stdlib.h>
#include <string.h>

/* ---- quantisation ---- */

static enum status shape_quantize(const struct onnx_call *call)
{
    struct onnx_value *x;
    const struct onnx_value *zero = onnx_input(call, 2);
    TRY(onnx_need_input(call, 0, &x));
    return onnx_set_output(call, 0, zero ? zero->type : ONNX_UINT8, x->rank, x->dims);
}

static enum status shape_dequantize(const struct onnx_call *call)
{
    struct onnx_value *x, *scale;
    TRY(onnx_need_input(call, 0, &x));
    TRY(onnx_need_input(call, 1, &scale));
    return onnx_set_output(call, 0, scale->type, x->rank, x->dims);
}

static enum status shape_dynamic_quantize(const struct onnx_call *call)
{
    struct onnx_value *x;
    TRY(onnx_need_input(call, 0, &x));
    TRY(onnx_set_output(call, 0, ONNX_UINT8, x->rank, x->dims));
    TRY(onnx_set_output(call, 1, ONNX_FLOAT, 0, NULL));
    return onnx_set_output(call, 2, ONNX_UINT8, 0, NULL);
}

/* Puts a node's inputs into the order of the float operator: order[i] is the place of what that
 * reads as input i, -1: it has none. The others, scales and zero points, follow; where the float
 * operator has an input more, the last of them goes. */
static void reorder(const struct onnx_call *call, const int *order, int count)
{
    enum { INPUT_LIMIT = 16 };
    struct onnx_node *node = call->node;
    int *links = &call->graph->links[node->first], sorted[INPUT_LIMIT], used = 0;
    if (node->input_count > INPUT_LIMIT)
        return;
    for (int i = 0; i < count; i++)
        sorted[used++] = order[i] < node->input_count ? links[order[i]] : -1;
    for (int i = 0; i < node->input_count && used < node->input_count; i++) {
        bool is_ordered = false;
        for (int k = 0; k < count; k++)
            is_ordered |= order[k] == i;
        if (!is_ordered)
            sorted[used++] = links[i];
    }
    memcpy(links, sorted,
           (size_t)(used < node->input_count ? used : node->input_count) * sizeof *links);
}

static enum status shape_qlinear_conv(const struct onnx_call *call)
{
    static const int order[] = {0, 3, 8};
    reorder(call, order, 3);
    return onnx_shape_conv(call);
}

static enum status shape_conv_integer(const struct onnx_call *call)
{
    static const int order[] = {0, 1, 9}; /* no bias */
    reorder(call, order, 3);
    TRY(onnx_shape_conv(call));
    onnx_output(call, 0)->type = ONNX_INT32;
    return STATUS_OK;
}

static enum status shape_qlinear_matmul(const struct onnx_call *call)
{
    static const int order[] = {0, 3};
    reorder(call, order, 2);
    return onnx_shape_matmul(call);
}

static enum status shape_qlinear_gemm(const struct onnx_call *call)
{
    static const int order[] = {0, 3, 6};
    reorder(call, order, 3);
    return onnx_shape_gemm(call);
}

/* Scale and zero point of the output, then of each part: itself, its scale and its zero point. */
static enum status shape_qlinear_concat(const struct onnx_call *call)
{
    struct onnx_value *first, *part;
    int64_t dims[ONNX_RANK_LIMIT];
    int joined;
    TRY(onnx_need_input(call, 2, &first));
    TRY(onnx_axis(call, onnx_integer(call, "axis", 1), first->rank, &joined));
    memcpy(dims, first->dims, sizeof dims);
    for (int i = 5; i < call->node->input_count; i += 3) {
        TRY(onnx_need_input(call, i, &part));
        if (part->rank != first->rank)
            return onnx_fail(call, "it joins %d and %d dimensions", first->rank, part->rank);
        dims[joined] += part->dims[joined];
    }
    return onnx_set_output(call, 0, first->type, first->rank, dims);
}

/* ---- products ---- */

/* A factor as it is multiplied: transposed where the attribute says so. */
static struct onnx_value factor(const struct onnx_call *call, int i, const char *transposed)
{
    struct onnx_value value = *onnx_input(call, i);
    if (value.rank < 2 || !onnx_integer(call, transposed, 0))
        return value;
    const int64_t last = value.dims[value.rank - 1];
    value.dims[value.rank - 1] = value.dims[value.rank - 2];
    value.dims[value.rank - 2] = last;
    return value;
}

static enum status shape_fused_matmul(const struct onnx_call *call)
{
    struct onnx_value *left, *right;
    TRY(onnx_need_input(call, 0, &left));
    TRY(onnx_need_input(call, 1, &right));
    const struct onnx_value a = factor(call, 0, "transA"), b = factor(call, 1, "transB");
    const struct onnx_value kept_a = *left, kept_b = *right;
    if (left == right && a.rank >= 2 && a.dims[a.rank - 1] != b.dims[b.rank - 2])
        return onnx_fail(call, "its factors do not fit");
    if (left == right) { /* x times its transpose */
        int64_t dims[ONNX_RANK_LIMIT];
        memcpy(dims, a.dims, sizeof dims);
        if (a.rank >= 2)
            dims[a.rank - 1] = b.dims[b.rank - 1];
        return onnx_set_output(call, 0, a.type, a.rank, dims);
    }
    *left = a;
    *right = b;
    const enum status status = onnx_shape_matmul(call);
    *left = kept_a;
    *right = kept_b;
    return status;
}

static enum status emit_fused_matmul(struct onnx_builder *builder, const struct onnx_call *call)
{
    const struct onnx_value a = factor(call, 0, "transA");
    return onnx_emit_dots(builder, call, a.dims[a.rank - 1]);
}

/* Integers of few bits, in blocks with a scale each: 2-dimensional however it is stored. */
static enum status shape_matmul_bits(const struct onnx_call *call)
{
    struct onnx_value *a;
    int64_t dims[ONNX_RANK_LIMIT];
    TRY(onnx_need_input(call, 0, &a));
    const int64_t inner = onnx_integer(call, "K", 0), columns = onnx_integer(call, "N", 0);
    if (a->rank < 1 || inner < 1 || columns < 1 || a->dims[a->rank - 1] != inner)
        return onnx_fail(call, "a matrix of %lld rows for %lld columns", (long long)inner,
                         a->rank < 1 ? 0LL : (long long)a->dims[a->rank - 1]);
    memcpy(dims, a->dims, sizeof dims);
    dims[a->rank - 1] = columns;
    return onnx_set_output(call, 0, a->type, a->rank, dims);
}

static enum status emit_matmul_bits(struct onnx_builder *builder, const struct onnx_call *call)
{
    return onnx_emit_dots(builder, call, onnx_integer(call, "K", 0));
}

/* ---- embedding ---- */

/* Images, channels last: the sum of input and skip is output 1. */
static enum status shape_skip_group_norm(const struct onnx_call *call)
{
    struct onnx_value *x;
    TRY(onnx_need_input(call, 0, &x));
    TRY(onnx_set_output(call, 1, x->type, x->rank, x->dims));
    return onnx_set_output(call, 0, x->type, x->rank, x->dims);
}

static enum status shape_embed(const struct onnx_call *call)
{
    struct onnx_value *ids, *words;
    TRY(onnx_need_input(call, 0, &ids));
    TRY(onnx_need_input(call, 2, &words));
    if (ids->rank != 2 || words->rank != 2)
        return onnx_fail(call, "its ids and words have %d and %d dimensions, not 2", ids->rank,
                         words->rank);
    const int64_t dims[3] = {ids->dims[0], ids->dims[1], words->dims[1]};
    TRY(onnx_set_output(call, 1, ONNX_INT32, 1, dims));
    TRY(onnx_set_output(call, 2, words->type, 3, dims));
    return onnx_set_output(call, 0, words->type, 3, dims);
}

/* Three rows of tables per step, added and normalised; the tables are not read whole. */
static enum status emit_embed(struct onnx_builder *builder, const struct onnx_call *call)
{
    struct network_layer *layer;
    TRY(onnx_operator_add(builder, call, call->node->known->name, &layer));
    const double count = onnx_per_sample(call, onnx_output(call, 0));
    layer->work.input_count += 3 * count;
    layer->work.parameter_reads = 0;
    layer->work.forward_flops = 10 * count;
    layer->work.backward_flops = 14 * count;
    layer->work.kept_count = 2 * count;
    return STATUS_OK;
}

/* ---- recurrence ---- */

/* As LSTM, with W and R transposed: (directions, inputs, gates), (directions, hidden, gates). */
static enum status shape_dynamic_lstm(const struct onnx_call *call)
{
    struct onnx_value *x, *w, *r;
    TRY(onnx_need_input(call, 0, &x));
    TRY(onnx_need_input(call, 1, &w));
    TRY(onnx_need_input(call, 2, &r));
    if (x->rank != 3 || w->rank != 3 || r->rank != 3 || w->dims[1] != x->dims[2])
        return onnx_fail(call, "its inputs do not fit");
    const int64_t all[4] = {x->dims[0], w->dims[0], x->dims[1], r->dims[1]};
    TRY(onnx_set_output(call, 0, x->type, 4, all));
    TRY(onnx_set_output(call, 1, x->type, 3, all + 1));
    return onnx_set_output(call, 2, x->type, 3, all + 1);
}

static enum status emit_dynamic_lstm(struct onnx_builder *builder, const struct onnx_call *call)
{
    return onnx_emit_steps(builder, call, (double)onnx_input(call, 1)->dims[2],
                           (double)onnx_input(call, 2)->dims[1]);
}

/* ---- the table ---- */

#define ROW(type, layer, infer, work)                                                              \
    {                                                                                              \
        .op_type = type, .name = layer, .shape = infer, .emit = work                               \
    }
#define UNARY(type, layer, infer, forward, backward)                                               \
    {                                                                                              \
        .op_type = type, .name = layer, .shape = infer, .emit = onnx_emit_generic,                 \
        .forward_flops = forward, .backward_flops = backward, .kept = KEPT_INPUTS                  \
    }

/* Stands for other nodes. */
#define EXPANDED(type, layer, into)                                                                \
    {                                                                                              \
        .op_type = type, .name = layer, .expand = into                                             \
    }

/* Sorted by op_type; of every domain that onnx_contrib_find takes. */
static const struct onnx_operator operators[] = {
    ROW("Attention", "attention", onnx_shape_packed_attention, onnx_emit_packed_attention),
    UNARY("BiasAdd", "bias_add", onnx_shape_same, 2, 2),
    UNARY("BiasGelu", "bias_gelu", onnx_shape_same, 17, 21),
    UNARY("BiasSoftmax", "bias_softmax", onnx_shape_same, 6, 5),
    ROW("ConvInteger", "conv_integer", shape_conv_integer, onnx_emit_conv),
    UNARY("DequantizeLinear", "dequantize", shape_dequantize, 2, 1),
    ROW("DynamicQuantizeLSTM", "quantized_lstm", shape_dynamic_lstm, emit_dynamic_lstm),
    UNARY("DynamicQuantizeLinear", "dynamic_quantize", shape_dynamic_quantize, 4, 1),
    ROW("DynamicQuantizeMatMul", "quantized_matmul", onnx_shape_matmul, onnx_emit_matmul),
    ROW("EmbedLayerNormalization", "embedding_normalization", shape_embed, emit_embed),
    UNARY("FastGelu", "fast_gelu", onnx_shape_same, 12, 16),
    ROW("FusedConv", "fused_conv", onnx_shape_conv, onnx_emit_conv),
    ROW("FusedGemm", "fused_gemm", onnx_shape_gemm, onnx_emit_gemm),
    ROW("FusedMatMul", "fused_matmul", shape_fused_matmul, emit_fused_matmul),
    ROW("FusedMatMulActivation", "fused_matmul", shape_fused_matmul, emit_fused_matmul),
    UNARY("Gelu", "gelu", onnx_shape_same, 16, 20),
    ROW("GemmFastGelu", "gemm_fast_gelu", onnx_shape_matmul, onnx_emit_matmul),
    ROW("GroupNorm", "group_normalization", onnx_shape_normalization, onnx_emit_normalization),
    ROW("GroupQueryAttention", "group_query_attention", onnx_shape_attention_of_three,
        onnx_emit_attention_of_three),
    ROW("MatMulBnb4", "matmul_n_bits", shape_matmul_bits, emit_matmul_bits),
    ROW("MatMulInteger", "matmul_integer", onnx_shape_matmul, onnx_emit_matmul),
    ROW("MatMulIntegerToFloat", "matmul_integer", onnx_shape_matmul, onnx_emit_matmul),
    ROW("MatMulNBits", "matmul_n_bits", shape_matmul_bits, emit_matmul_bits),
    ROW("MultiHeadAttention", "multi_head_attention", onnx_shape_attention_of_three,
        onnx_emit_attention_of_three),
    ROW("QAttention", "quantized_attention", onnx_shape_packed_attention,
        onnx_emit_packed_attention),
    ROW("QGemm", "quantized_gemm", shape_qlinear_gemm, onnx_emit_gemm),
    UNARY("QLinearAdd", "quantized_add", onnx_shape_broadcast, 3, 2),
    ROW("QLinearAveragePool", "quantized_pool", onnx_shape_pool, onnx_emit_pool),
    ROW("QLinearConcat", "quantized_concat", shape_qlinear_concat, onnx_emit_move),
    ROW("QLinearConv", "quantized_conv", shape_qlinear_conv, onnx_emit_conv),
    ROW("QLinearGlobalAveragePool", "quantized_pool", onnx_shape_global_pool,
        onnx_emit_global_pool),
    UNARY("QLinearLeakyRelu", "quantized_leaky_relu", onnx_shape_same, 4, 2),
    ROW("QLinearMatMul", "quantized_matmul", shape_qlinear_matmul, onnx_emit_matmul),
    UNARY("QLinearMul", "quantized_mul", onnx_shape_broadcast, 3, 2),
    ROW("QLinearReduceMean", "quantized_mean", onnx_shape_reduce, onnx_emit_global_pool),
    UNARY("QLinearSigmoid", "quantized_sigmoid", onnx_shape_same, 6, 3),
    UNARY("QLinearSoftmax", "quantized_softmax", onnx_shape_same, 7, 4),
    UNARY("QuantizeLinear", "quantize", shape_quantize, 2, 1),
    UNARY("QuickGelu", "quick_gelu", onnx_shape_same, 6, 6),
    {.op_type = "RotaryEmbedding",
     .name = "rotary_embedding",
     .shape = onnx_shape_same,
     .emit = onnx_emit_generic,
     .forward_flops = 3,
     .backward_flops = 3,
     .kept = KEPT_INPUTS,
     .statistics = 2}, /* behind the positions: cosines and sines */
    ROW("SimplifiedLayerNormalization", "rms_normalization", onnx_shape_normalization,
        onnx_emit_normalization),
    ROW("SkipGroupNorm", "skip_group_normalization", shape_skip_group_norm,
        onnx_emit_normalization),
    EXPANDED("SkipLayerNormalization", "skip_layer_normalization", onnx_expand_skip_norm),
    EXPANDED("SkipSimplifiedLayerNormalization", "skip_rms_normalization",
             onnx_expand_skip_rms_norm),
    ROW("TransposeMatMul", "fused_matmul", shape_fused_matmul, emit_fused_matmul),
};

static int compare(const void *key, const void *entry)
{
    const struct slice *name = key;
    const char *other = ((const struct onnx_operator *)entry)->op_type;
    const size_t length = strlen(other), common = name->size < length ? name->size : length;
    const int order = memcmp(name->bytes, other, common);
    return order ? order : (name->size > length) - (name->size < length);
}

const struct onnx_operator *onnx_contrib_find(const struct onnx_node *node)
{
    const bool is_standard = node->domain.size == 0 || slice_equals(node->domain, "ai.onnx");
    if (!is_standard && !slice_equals(node->domain, "com.microsoft"))
        return NULL;
    return bsearch(&node->op_type, operators, sizeof operators / sizeof *operators,
                   sizeof *operators, compare);
}
