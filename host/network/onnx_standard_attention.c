/* Attention of operator set 23: softmax(Q K') V of each head, in one node.
 * Q (batch, heads, rows, size) or (batch, rows, heads * size); K and V likewise, of fewer heads if
 * several heads of queries share one; past keys and values stand before them. */
#include "network/onnx_operators.h"

struct heads_of_node {
    int64_t batch, heads, kv_heads, rows, key_rows, key_size, value_size;
};

/* Heads of a (batch, rows, heads * size) tensor. */
static enum status read_heads(const struct onnx_call *call, const char *name, int64_t width,
                              int64_t *heads)
{
    *heads = onnx_integer(call, name, 0);
    if (*heads < 1 || width % *heads)
        return onnx_fail(call, "%s is %lld for %lld columns", name, (long long)*heads,
                         (long long)width);
    return STATUS_OK;
}

static enum status read_attention(struct heads_of_node *attention, const struct onnx_call *call)
{
    struct onnx_value *q, *k, *v;
    TRY(onnx_need_input(call, 0, &q));
    TRY(onnx_need_input(call, 1, &k));
    TRY(onnx_need_input(call, 2, &v));
    if ((q->rank != 3 && q->rank != 4) || k->rank != q->rank || v->rank != q->rank)
        return onnx_fail(call, "its inputs have %d, %d, %d dimensions, not 3 or 4", q->rank,
                         k->rank, v->rank);
    const bool is_flat = q->rank == 3;
    attention->batch = q->dims[0];
    attention->rows = q->dims[is_flat ? 1 : 2];
    attention->key_rows = k->dims[is_flat ? 1 : 2];
    if (is_flat) {
        TRY(read_heads(call, "q_num_heads", q->dims[2], &attention->heads));
        TRY(read_heads(call, "kv_num_heads", v->dims[2], &attention->kv_heads));
    } else {
        attention->heads = q->dims[1];
        attention->kv_heads = k->dims[1];
    }
    if (attention->kv_heads < 1 || attention->heads % attention->kv_heads)
        return onnx_fail(call, "%lld heads of queries, no multiple of %lld of keys and values",
                         (long long)attention->heads, (long long)attention->kv_heads);
    attention->key_size = is_flat ? q->dims[2] / attention->heads : q->dims[3];
    attention->value_size = is_flat ? v->dims[2] / attention->kv_heads : v->dims[3];
    const struct onnx_value *past = onnx_input(call, 4);
    if (past && past->rank == 4)
        attention->key_rows += past->dims[2];
    return STATUS_OK;
}

/* Y, present keys, present values, scores. */
enum status onnx_shape_attention(const struct onnx_call *call)
{
    struct heads_of_node a = {.batch = 0};
    TRY(read_attention(&a, call));
    const struct onnx_value *q = onnx_input(call, 0);
    const int64_t flat[3] = {a.batch, a.rows, a.heads * a.value_size};
    const int64_t whole[4] = {a.batch, a.heads, a.rows, a.value_size};
    const int64_t keys[4] = {a.batch, a.kv_heads, a.key_rows, a.key_size};
    const int64_t values[4] = {a.batch, a.kv_heads, a.key_rows, a.value_size};
    const int64_t scores[4] = {a.batch, a.heads, a.rows, a.key_rows};
    TRY(onnx_set_output(call, 0, q->type, q->rank, q->rank == 3 ? flat : whole));
    TRY(onnx_set_output(call, 1, q->type, 4, keys));
    TRY(onnx_set_output(call, 2, q->type, 4, values));
    return onnx_set_output(call, 3, q->type, 4, scores);
}

/* Both products, and 5 operations of the softmax a score. */
enum status onnx_emit_attention(struct onnx_builder *builder, const struct onnx_call *call)
{
    struct heads_of_node a = {.batch = 0};
    struct network_layer *layer;
    TRY(read_attention(&a, call));
    TRY(onnx_operator_add(builder, call, "attention", &layer));
    const double scores = (double)a.batch * (double)a.heads * (double)a.rows * (double)a.key_rows /
                          onnx_samples(call->graph, onnx_output(call, 0));
    const double products = 2 * scores * (double)(a.key_size + a.value_size);
    layer->work.forward_flops = products + 5 * scores;
    layer->work.backward_flops = 2 * products + 4 * scores;
    layer->work.kept_count = layer->work.input_count + scores;
    return STATUS_OK;
}

/* Without scores as an output. A cache of earlier keys and values comes from outside. */
bool onnx_read_attention(struct onnx_match *match, const struct onnx_call *call)
{
    struct heads_of_node a = {.batch = 0};
    const double samples = onnx_samples(call->graph, onnx_output(call, 0));
    if (call->node->known->shape != onnx_shape_attention || read_attention(&a, call) != STATUS_OK ||
        onnx_output(call, 3) || a.key_size != a.value_size || (double)a.batch != samples)
        return false;
    const struct onnx_value *past = onnx_input(call, 4);
    *match = (struct onnx_match){
        .rows = samples, .config.kind = LAYER_ATTENTION, .has_inputs = true};
    match->inputs[0] = onnx_input(call, 0);
    for (int i = 1; i < 3 && !past; i++)
        match->inputs[i] = onnx_input(call, i);
    match->config.as.attention = (struct attention){.heads = (int32_t)a.heads,
                                                    .key_value_heads = (int32_t)a.kv_heads,
                                                    .query_length = (int32_t)a.rows,
                                                    .key_length = (int32_t)a.key_rows,
                                                    .head_size = (int32_t)a.key_size,
                                                    .causal = onnx_integer(call, "is_causal", 0) &&
                                                              a.rows <= a.key_rows};
    return true;
}
