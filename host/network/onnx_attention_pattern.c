#include "network/onnx_attention_pattern.h"

#include "network/onnx_pattern.h"
#include "network/onnx_product.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHAIN_LIMIT = 16 }; /* nodes that one attention absorbs */

struct onnx_attention {
    struct onnx_value *inputs[3];  /* queries, keys, values */
    const struct onnx_value *bias; /* constant, added to the scores; or NULL */
    struct attention shape;
    double samples;
};

/* Nodes that do work and read a tensor: the first two. */
struct readers {
    int count, nodes[2];
};

struct search {
    struct onnx_graph *graph;
    struct readers *readers; /* by value */
    int softmax;             /* node, and what was found around it: */
    int chain[CHAIN_LIMIT], chain_count;
    bool is_causal;
    const struct onnx_value *bias;
};

static struct onnx_call call_of(const struct search *search, int node)
{
    return (struct onnx_call){search->graph, &search->graph->nodes[node], NULL};
}

static void count_readers(const struct search *search)
{
    struct onnx_graph *graph = search->graph;
    for (int i = 0; i < graph->node_count; i++) {
        const struct onnx_node *node = &graph->nodes[i];
        for (int k = 0; k < node->input_count && !node->is_constant; k++) {
            const int value = graph->links[node->first + k];
            struct readers *readers = value < 0 ? NULL : &search->readers[value];
            if (readers && readers->count < 2)
                readers->nodes[readers->count] = i;
            if (readers)
                readers->count++;
        }
    }
}

static const struct readers *readers_of(const struct search *search, const struct onnx_value *value)
{
    return &search->readers[value - search->graph->values];
}

static bool is_operator(const struct onnx_node *node, const char *name)
{
    return node->known && strcmp(node->known->name, name) == 0;
}

static bool has_same_matrices(const struct onnx_value *a, const struct onnx_value *b)
{
    return a->rank >= 2 && b->rank >= 2 && a->count == b->count &&
           a->dims[a->rank - 1] == b->dims[b->rank - 1] &&
           a->dims[a->rank - 2] == b->dims[b->rank - 2];
}

/* Its output has nothing but its first input's matrices. */
static bool is_passing(const struct onnx_call *call)
{
    const struct onnx_operator *known = call->node->known;
    const struct onnx_value *input = onnx_input(call, 0), *output = onnx_output(call, 0);
    const bool is_view = known && (!known->emit || is_operator(call->node, "cast"));
    return is_view && input && output && has_same_matrices(input, output);
}

static bool is_scalar(const struct onnx_value *value)
{
    return value && value->is_constant && value->count == 1;
}

/* The other factor, where one is a constant number; or NULL. */
static struct onnx_value *scaled_value(const struct onnx_call *call)
{
    const bool is_product = is_operator(call->node, "mul");
    struct onnx_value *a = onnx_input(call, 0), *b = onnx_input(call, 1);
    if ((!is_product && !is_operator(call->node, "div")) || !a || !b)
        return NULL;
    if (is_scalar(b) && !a->is_constant)
        return a;
    return is_scalar(a) && !b->is_constant && is_product ? b : NULL;
}

/* Of no other attention. */
static bool is_free(const struct search *search, int node)
{
    const struct onnx_node *at = &search->graph->nodes[node];
    return !at->is_absorbed && at->attention == 0;
}

static bool chain_add(struct search *search, int node)
{
    if (search->chain_count == CHAIN_LIMIT || !is_free(search, node))
        return false;
    search->chain[search->chain_count++] = node;
    return true;
}

/* The node that gives a tensor to one reader alone, -1: none does. */
static int sole_producer(const struct search *search, const struct onnx_value *value)
{
    const bool is_sole = value && value->producer >= 0 && !value->is_output &&
                         !value->is_constant && readers_of(search, value)->count == 1;
    return is_sole ? value->producer : -1;
}

/* A constant of one matrix is the same for all heads and samples: which keys a query sees. Another
 * one is of positions, and learnt: T5, Swin. */
static void note_mask(struct search *search, const struct onnx_value *mask)
{
    if (!mask || !mask->is_constant || mask->rank < 2)
        return;
    const double rows = (double)mask->dims[mask->rank - 2];
    const double columns = (double)mask->dims[mask->rank - 1];
    if (mask->count != rows * columns)
        search->bias = mask;
    else
        search->is_causal |= rows > 1 && rows <= columns;
}

/* What a node masks: the tensor of its output's shape that is not constant, and the mask. */
static struct onnx_value *masked_value(const struct onnx_call *call, int which,
                                       struct onnx_value **mask)
{
    const struct onnx_value *output = onnx_output(call, 0);
    const bool is_where = is_operator(call->node, "where");
    struct onnx_value *value = onnx_input(call, which + is_where);
    struct onnx_value *other = onnx_input(call, 1 - which + is_where);
    const bool is_sum = is_operator(call->node, "add") || is_operator(call->node, "sub") ||
                        is_operator(call->node, "max");
    if (!is_where && (!is_sum || call->node->input_count != 2))
        return NULL;
    if (!value || value->is_constant || !output || !has_same_matrices(value, output) ||
        (is_where && !is_scalar(other)))
        return NULL;
    *mask = is_where ? onnx_input(call, 0) : other;
    return value;
}

/* The product that the scores come from, -1: none. */
static int find_scores(struct search *search, const struct onnx_value *value)
{
    for (int depth = 0; depth < CHAIN_LIMIT; depth++) {
        const int node = sole_producer(search, value);
        struct onnx_product product;
        struct onnx_value *mask = NULL, *next;
        if (node < 0)
            return -1;
        const struct onnx_call call = call_of(search, node);
        if (onnx_product_read(&product, &call))
            return chain_add(search, node) ? node : -1;
        next = is_passing(&call) ? onnx_input(&call, 0) : scaled_value(&call);
        for (int which = 0; which < 2 && !next; which++) {
            next = masked_value(&call, which, &mask);
            if (next && sole_producer(search, next) < 0)
                next = NULL;
        }
        if (!next || !chain_add(search, node))
            return -1;
        note_mask(search, mask);
        value = next;
    }
    return -1;
}

/* Where(IsNaN(p), 0, p): of rows that are masked whole. */
static int nan_guard(struct search *search, const struct onnx_value *value)
{
    const struct readers *readers = readers_of(search, value);
    for (int i = 0; i < 2 && readers->count == 2; i++) {
        const struct onnx_call test = call_of(search, readers->nodes[i]);
        const struct onnx_call where = call_of(search, readers->nodes[1 - i]);
        if (is_operator(test.node, "is_nan") && is_operator(where.node, "where") &&
            onnx_input(&where, 0) == onnx_output(&test, 0) &&
            readers_of(search, onnx_output(&test, 0))->count == 1 &&
            chain_add(search, readers->nodes[i]))
            return readers->nodes[1 - i];
    }
    return -1;
}

/* The product that reads the probabilities as its left side, -1: none. */
static int find_context(struct search *search)
{
    const struct onnx_call softmax = call_of(search, search->softmax);
    const struct onnx_value *value = onnx_output(&softmax, 0);
    for (int depth = 0; depth < CHAIN_LIMIT && value && !value->is_output; depth++) {
        const struct readers *readers = readers_of(search, value);
        struct onnx_product product;
        const int guard = nan_guard(search, value);
        const int node = guard >= 0 ? guard : readers->count == 1 ? readers->nodes[0] : -1;
        if (node < 0)
            return -1;
        const struct onnx_call call = call_of(search, node);
        if (onnx_product_read(&product, &call))
            return onnx_input(&call, 0) == value && is_free(search, node) ? node : -1;
        if ((guard < 0 && !is_passing(&call)) || !chain_add(search, node))
            return -1;
        value = onnx_output(&call, 0);
    }
    return -1;
}

/* Swaps the last two axes and moves nothing else. */
static bool is_turn(const struct onnx_call *call)
{
    int64_t order[ONNX_RANK_LIMIT];
    const struct onnx_value *output = onnx_output(call, 0);
    const int count = onnx_integers(call, "perm", order, ONNX_RANK_LIMIT);
    if (!is_operator(call->node, "transpose") || !output || count != output->rank || count < 2)
        return false;
    for (int axis = 0; axis < count - 2; axis++)
        if (order[axis] != axis)
            return false;
    return order[count - 2] == count - 1 && order[count - 1] == count - 2;
}

/* Queries or keys before they are scaled, and keys before they are turned. */
static struct onnx_value *operand(struct search *search, struct onnx_value *value, bool is_keys)
{
    for (int depth = 0; depth < 3; depth++) {
        const int node = sole_producer(search, value);
        if (node < 0)
            return value;
        const struct onnx_call call = call_of(search, node);
        struct onnx_value *next = scaled_value(&call);
        if (!next && is_keys && is_turn(&call))
            next = onnx_input(&call, 0);
        if (!next || next->is_constant || !chain_add(search, node))
            return value;
        value = next;
    }
    return value;
}

/* Heads of keys or values before they are repeated for the heads of queries that share them; NULL:
 * they are not. */
static struct onnx_value *unrepeated(struct search *search, const struct onnx_value *value,
                                     double *repeats)
{
    const struct onnx_node *repeat = onnx_repeat_of(search->graph, value);
    const int node = sole_producer(search, value);
    if (!repeat || node < 0 || !chain_add(search, node))
        return NULL;
    const struct onnx_call call = call_of(search, node);
    *repeats = value->count / onnx_input(&call, 0)->count;
    return onnx_input(&call, 0);
}

/* Grouped-query attention, where keys and values are repeated alike. */
static void share_heads(struct onnx_attention *attention, struct search *search)
{
    const int chain_count = search->chain_count;
    double key_repeats = 0, value_repeats = 0;
    struct onnx_value *keys = unrepeated(search, attention->inputs[1], &key_repeats);
    struct onnx_value *values = unrepeated(search, attention->inputs[2], &value_repeats);
    const int32_t repeats = (int32_t)key_repeats;
    if (!keys || !values || key_repeats != value_repeats || repeats < 1 ||
        attention->shape.heads % repeats) {
        search->chain_count = chain_count;
        return;
    }
    attention->inputs[1] = keys;
    attention->inputs[2] = values;
    attention->shape.key_value_heads = attention->shape.heads / repeats;
}

static bool is_whole(double count)
{
    return count >= 1 && count <= INT32_MAX && floor(count) == count;
}

static struct layer_config config_of(const struct onnx_attention *attention)
{
    struct layer_config config;
    layer_begin(&config, LAYER_ATTENTION);
    config.batch_size = 1;
    config.as.attention = attention->shape;
    return config;
}

static bool describe(struct onnx_attention *attention, struct search *search, int scores,
                     int context)
{
    const struct onnx_call first = call_of(search, scores), second = call_of(search, context);
    struct onnx_product by_keys, by_values;
    if (!onnx_product_read(&by_keys, &first) || !onnx_product_read(&by_values, &second))
        return false;
    const double samples = onnx_samples(search->graph, onnx_output(&second, 0));
    const double heads = by_keys.matrices / samples;
    if (by_keys.matrices != by_values.matrices || by_keys.rows != by_values.rows ||
        by_keys.columns != by_values.depth || by_keys.depth != by_values.columns ||
        !is_whole(heads) || !is_whole(by_keys.rows) || !is_whole(by_keys.columns) ||
        !is_whole(by_keys.depth))
        return false;
    *attention = (struct onnx_attention){
        .inputs = {operand(search, onnx_input(&first, 0), false),
                   operand(search, onnx_input(&first, 1), true), onnx_input(&second, 1)},
        .bias = search->bias,
        .samples = samples,
        .shape = {.heads = (int32_t)heads,
                  .key_value_heads = (int32_t)heads,
                  .query_length = (int32_t)by_keys.rows,
                  .key_length = (int32_t)by_keys.columns,
                  .head_size = (int32_t)by_keys.depth,
                  .causal = search->is_causal && by_keys.rows <= by_keys.columns}};
    share_heads(attention, search);
    const struct layer_config config = config_of(attention);
    return layer_is_valid(&config);
}

/* Over the last axis. */
static bool is_softmax(const struct onnx_call *call)
{
    const struct onnx_value *x = onnx_input(call, 0);
    if (!slice_equals(call->node->op_type, "Softmax") || call->node->is_constant || !x ||
        x->rank < 2)
        return false;
    const int64_t axis = onnx_integer(call, "axis", call->graph->opset < 13 ? 1 : -1);
    return axis == -1 || axis == x->rank - 1;
}

static void find_one(struct onnx_builder *builder, struct search *search, int softmax)
{
    struct onnx_attention *found = &builder->attentions[builder->attention_count];
    const struct onnx_call call = call_of(search, softmax);
    search->softmax = softmax;
    search->chain_count = 0;
    search->is_causal = false;
    search->bias = NULL;
    if (!is_softmax(&call) || !chain_add(search, softmax))
        return;
    const int scores = find_scores(search, onnx_input(&call, 0));
    const int context = scores < 0 ? -1 : find_context(search);
    if (context < 0 || !describe(found, search, scores, context))
        return;
    for (int i = 0; i < search->chain_count; i++) {
        builder->graph->nodes[search->chain[i]].is_absorbed = true;
        builder->graph->nodes[search->chain[i]].pattern = NULL;
    }
    builder->graph->nodes[context].attention = ++builder->attention_count;
    builder->graph->nodes[context].pattern = "attention";
}

enum status onnx_attentions_find(struct onnx_builder *builder, struct error *error)
{
    struct search search = {.graph = builder->graph};
    const unsigned long nodes = (unsigned long)builder->graph->node_count;
    TRY(ALLOCATE(&builder->attentions, nodes, "attention layers", error));
    TRY(ALLOCATE(&search.readers, (unsigned long)builder->graph->value_count, "readers of tensors",
                 error));
    count_readers(&search);
    for (int i = 0; i < builder->graph->node_count; i++)
        find_one(builder, &search, i);
    free(search.readers);
    return STATUS_OK;
}

void onnx_attentions_free(struct onnx_builder *builder)
{
    free(builder->attentions);
    builder->attentions = NULL;
}

bool onnx_attention_read(struct onnx_match *match, const struct onnx_builder *builder,
                         const struct onnx_call *call)
{
    if (call->node->attention == 0)
        return false;
    const struct onnx_attention *found = &builder->attentions[call->node->attention - 1];
    *match = (struct onnx_match){
        .rows = found->samples, .config = config_of(found), .has_inputs = true};
    memcpy(match->inputs, found->inputs, sizeof found->inputs);
    match->bias = found->bias;
    return true;
}
