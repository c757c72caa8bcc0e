/* Attention as onnxruntime fuses it (domain com.microsoft), with its caches of earlier steps. */
#include "network/onnx_contrib.h"

#include <math.h>
#include <string.h>

static enum status need_sequence(const struct onnx_call *call, int i, struct onnx_value **value)
{
    TRY(onnx_need_input(call, i, value));
    return (*value)->rank == 3
               ? STATUS_OK
               : onnx_fail(call, "its input %d has %d dimensions, not 3", i, (*value)->rank);
}

/* Steps of a cache, (2, batch, heads, steps, size) or (batch, heads, steps, size). */
static double cached_steps(const struct onnx_value *past)
{
    return past && past->rank >= 4 ? (double)past->dims[past->rank - 2] : 0;
}

/* Scores, softmax, context: rows of queries against `steps` keys. */
static enum status emit_scores(struct onnx_builder *builder, const struct onnx_call *call,
                               double query_count, double value_width, double query_width,
                               double steps, double projections)
{
    const int64_t said = onnx_integer(call, "num_heads", 1), heads = said > 0 ? said : 1;
    const double rows = query_count / query_width;
    const double products = rows * steps * (query_width + value_width) + projections;
    return onnx_emit_products(builder, call, products, 5 * rows * steps * (double)heads);
}

static enum status set_past(const struct onnx_call *call, int output, const struct onnx_value *past,
                            double steps)
{
    int64_t dims[ONNX_RANK_LIMIT];
    if (!past || past->rank < 4 || !onnx_output(call, output))
        return STATUS_OK;
    memcpy(dims, past->dims, sizeof dims);
    dims[past->rank - 2] = (int64_t)steps;
    return onnx_set_output(call, output, past->type, past->rank, dims);
}

/* The node's heads, where it says how many, must divide the columns of its output. */
static enum status check_heads(const struct onnx_call *call, int64_t width)
{
    const int64_t heads = onnx_integer(call, "num_heads", 1);
    if (heads < 1 || width % heads)
        return onnx_fail(call, "num_heads is %lld for %lld columns", (long long)heads,
                         (long long)width);
    return STATUS_OK;
}

/* x (batch, steps, inputs), weights (inputs, 3 widths), all of one width here; past is input 4. */
enum status onnx_shape_packed_attention(const struct onnx_call *call)
{
    struct onnx_value *x, *w;
    int64_t sizes[3];
    TRY(need_sequence(call, 0, &x));
    TRY(onnx_need_input(call, 1, &w));
    if (w->rank != 2 || w->dims[0] != x->dims[2])
        return onnx_fail(call, "weights that do not fit %lld inputs", (long long)x->dims[2]);
    const bool has_sizes = onnx_integers(call, "qkv_hidden_sizes", sizes, 3) == 3;
    const int64_t dims[3] = {x->dims[0], x->dims[1], has_sizes ? sizes[2] : w->dims[1] / 3};
    if (dims[2] >= w->dims[1])
        return onnx_fail(call, "values of %lld columns among %lld", (long long)dims[2],
                         (long long)w->dims[1]);
    TRY(check_heads(call, dims[2]));
    TRY(set_past(call, 1, onnx_input(call, 4),
                 cached_steps(onnx_input(call, 4)) + (double)x->dims[1]));
    return onnx_set_output(call, 0, x->type, 3, dims);
}

static bool is_integer(double number)
{
    return number >= 1 && number <= INT32_MAX && floor(number) == number;
}

/* The projections as one dense layer, and the attention that reads its output three times. */
static bool read_packed(struct onnx_match *dense, struct onnx_match *attention,
                        const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0), *output = onnx_output(call, 0);
    struct onnx_value *w = onnx_input(call, 1), *bias = onnx_input(call, 2);
    const double samples = onnx_samples(call->graph, output);
    const double width = (double)output->dims[2],
                 heads = (double)onnx_integer(call, "num_heads", 0);
    if (x->is_constant || !w->is_constant || (double)w->dims[1] != 3 * width ||
        (bias && (!bias->is_constant || bias->count != 3 * width)) || !is_integer(width / heads) ||
        !is_integer(heads) || !is_integer((double)x->dims[1]) || !is_integer((double)w->dims[0]) ||
        !is_integer((double)w->dims[1]) || onnx_input(call, 4) || (double)x->dims[0] != samples)
        return false;
    *dense = (struct onnx_match){.rows = (double)x->dims[0] * (double)x->dims[1],
                                 .parameters = {w, bias},
                                 .suffix = "_projections",
                                 .config.kind = LAYER_DENSE};
    dense->config.as.dense = (struct dense){.inputs = (int32_t)w->dims[0],
                                            .outputs = (int32_t)w->dims[1],
                                            .use_bias = bias ? SWITCH_YES : SWITCH_NO};
    *attention = (struct onnx_match){.rows = samples,
                                     .has_inputs = true,
                                     .inputs = {output, output, output},
                                     .config = {.kind = LAYER_ATTENTION, .batch_size = 1}};
    attention->config.as.attention = (struct attention){
        .heads = (int32_t)heads,
        .key_value_heads = (int32_t)heads,
        .query_length = (int32_t)x->dims[1],
        .key_length = (int32_t)x->dims[1],
        .head_size = (int32_t)(width / heads),
        .causal = onnx_integer(call, "unidirectional", 0) != 0};
    return layer_is_valid(&attention->config);
}

enum status onnx_emit_packed_attention(struct onnx_builder *builder, const struct onnx_call *call)
{
    struct onnx_match dense, attention;
    bool is_added = false;
    if (read_packed(&dense, &attention, call))
        TRY(onnx_match_add(builder, call, &dense, &is_added));
    if (is_added)
        return onnx_match_add(builder, call, &attention, &is_added);

    const struct onnx_value *x = onnx_input(call, 0), *w = onnx_input(call, 1);
    const double value_width = (double)onnx_output(call, 0)->dims[2];
    const double query_width = ((double)w->dims[1] - value_width) / 2;
    const double rows = onnx_per_sample(call, x) / (double)x->dims[2];
    const double steps = (double)x->dims[1] + cached_steps(onnx_input(call, 4));
    return emit_scores(builder, call, rows * query_width, value_width, query_width, steps,
                       rows * (double)w->dims[0] * (double)w->dims[1]);
}

/* Queries, keys and values that are projected already; the values tell the output's width. */
enum status onnx_shape_attention_of_three(const struct onnx_call *call)
{
    struct onnx_value *query;
    const struct onnx_value *value = onnx_input(call, 2);
    TRY(need_sequence(call, 0, &query));
    const bool is_grouped = onnx_has_attribute(call, "kv_num_heads");
    const int64_t heads = onnx_integer(call, "num_heads", 1);
    const int64_t few = onnx_integer(call, "kv_num_heads", 1);
    if (heads < 1 || few < 1 || heads > INT32_MAX || few > INT32_MAX || heads % few)
        return onnx_fail(call, "%lld heads of queries, %lld of keys and values", (long long)heads,
                         (long long)few);
    int64_t dims[3] = {query->dims[0], query->dims[1], query->dims[2]};
    if (!is_grouped && value && value->rank == 3)
        dims[2] = value->dims[2];
    if (!is_grouped && value && value->rank == 4)
        dims[2] = value->dims[1] * value->dims[3];
    if (is_grouped && !value) { /* all three in one tensor */
        const int64_t all = heads + 2 * few;
        dims[2] = query->dims[2] / all * heads;
    }
    TRY(check_heads(call, dims[2]));
    const int past = is_grouped ? 3 : 6;
    for (int i = 0; i < 2; i++)
        TRY(set_past(call, 1 + i, onnx_input(call, past + i),
                     cached_steps(onnx_input(call, past + i)) + (double)query->dims[1]));
    return onnx_set_output(call, 0, query->type, 3, dims);
}

enum status onnx_emit_attention_of_three(struct onnx_builder *builder, const struct onnx_call *call)
{
    const struct onnx_value *query = onnx_input(call, 0), *key = onnx_input(call, 1);
    const struct onnx_value *output = onnx_output(call, 0);
    const bool is_grouped = onnx_has_attribute(call, "kv_num_heads");
    const double width = (double)output->dims[2];
    double steps = (double)query->dims[1];
    if (key && key->rank >= 3)
        steps = (double)key->dims[key->rank == 3 ? 1 : key->rank - 2];
    steps += cached_steps(onnx_input(call, is_grouped ? 3 : 6));
    return emit_scores(builder, call, onnx_per_sample(call, output), width, width, steps, 0);
}

/* Projected queries, keys and values, without a bias; packed into one tensor where there is a query
 * alone. A cache of earlier keys and values comes from outside. */
bool onnx_read_attention_of_three(struct onnx_match *match, const struct onnx_call *call)
{
    const struct onnx_value *query = onnx_input(call, 0), *key = onnx_input(call, 1);
    const bool is_grouped = onnx_has_attribute(call, "kv_num_heads");
    const struct onnx_value *output = onnx_output(call, 0), *value = onnx_input(call, 2);
    const struct onnx_value *past = onnx_input(call, is_grouped ? 3 : 6);
    const double samples = onnx_samples(call->graph, output);
    const double heads = (double)onnx_integer(call, "num_heads", 0);
    const double few = (double)onnx_integer(call, is_grouped ? "kv_num_heads" : "num_heads", 0);
    const double size = (double)output->dims[2] / heads, rows = (double)query->dims[1];
    const bool is_bare = is_grouped || !onnx_input(call, 3);
    if (query->is_constant || !is_bare || (double)query->dims[0] != samples || !is_integer(size) ||
        !is_integer(few) || (key != NULL) != (value != NULL) || (!key && !is_grouped))
        return false;
    double steps = key ? (double)key->dims[key->rank == 3 ? 1 : key->rank - 2] : rows;
    if (key &&
        (key->rank < 3 || key->count != samples * steps * few * size || value->count != key->count))
        return false;
    steps += cached_steps(past);
    if (!is_integer(heads) || !is_integer(rows) || !is_integer(steps))
        return false;
    *match = (struct onnx_match){.rows = samples,
                                 .has_inputs = true,
                                 .inputs = {query,
                                            past  ? NULL
                                            : key ? key
                                                  : query,
                                            past    ? NULL
                                            : value ? value
                                                    : query},
                                 .config.kind = LAYER_ATTENTION};
    const bool is_causal = is_grouped || onnx_integer(call, "unidirectional", 0);
    match->config.as.attention = (struct attention){.heads = (int32_t)heads,
                                                    .key_value_heads = (int32_t)few,
                                                    .query_length = (int32_t)rows,
                                                    .key_length = (int32_t)steps,
                                                    .head_size = (int32_t)size,
                                                    .causal = is_causal && rows <= steps};
    return true;
}
