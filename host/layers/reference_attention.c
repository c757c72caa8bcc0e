/* attention: Vaswani et al. 2017, arXiv 1706.03762, section 3.2.1. y = p v, p = softmax(q k' /
 * sqrt(size)) over the keys that a query sees. With g the gradient of y, and s the scores that p is
 * of: gradient of s_ij = p_ij (g_i v_j - g_i y_i). Tensors are (batch, heads, length, size).
 */
#include "layers/reference_internal.h"

#include <math.h>

static const struct attention *of(const struct reference *reference)
{
    return &reference->config.as.attention;
}

/* A query's row of queries, y and g; the head of keys and values that it has. */
struct query {
    int64_t first;      /* element of the row */
    int64_t keys_first; /* of its head's first key */
    int64_t visible;    /* keys that it sees */
};

static struct query query_of(const struct reference *reference, int64_t row)
{
    const struct attention *a = of(reference);
    const int64_t head = row / a->query_length, position = row % a->query_length;
    const int64_t key_head = head / (a->heads / a->key_value_heads); /* of all samples */
    return (struct query){.first = row * a->head_size,
                          .keys_first = key_head * a->key_length * a->head_size,
                          .visible = a->causal ? a->key_length - a->query_length + position + 1
                                               : a->key_length};
}

/* Sum of products of two rows of `size` elements, and the sum of their sizes. */
struct dot {
    double value, size;
};
static struct dot dot_of(struct reference *reference, int left, int64_t left_first, int right,
                         int64_t right_first)
{
    struct reference_products products;
    struct reference_sum sum = {.sum = 0};
    reference_products_begin(&products, &sum, reference, left, right);
    for (int64_t i = 0; i < of(reference)->head_size; i++)
        reference_products_add(&products, left_first + i, right_first + i);
    reference_products_end(&products);
    return (struct dot){sum.sum, sqrt(sum.squares)};
}

static double scale_of(const struct reference *reference)
{
    return 1 / sqrt((double)of(reference)->head_size);
}

static struct dot score_of(struct reference *reference, const struct query *query, int64_t key)
{
    const struct dot dot = dot_of(reference, VALUE_INPUT, query->first, VALUE_INPUT + 1,
                                  query->keys_first + key * of(reference)->head_size);
    const double scale = scale_of(reference);
    return (struct dot){scale * dot.value, scale * (dot.size + fabs(dot.value))};
}

/* The largest score, as `mean`, and 1 / the sum of exp(score - largest), as `inverse`. */
static void find_sum(struct reference *reference, int64_t row)
{
    struct reference_statistics *at = &reference->statistics;
    const struct query query = query_of(reference, row);
    double largest = -INFINITY, sum = 0;
    if (at->group == row)
        return;
    for (int64_t key = 0; key < query.visible; key++) {
        const double score = score_of(reference, &query, key).value;
        const double before = largest;
        largest = fmax(largest, score);
        sum = sum * exp(before - largest) + exp(score - largest);
    }
    at->group = row;
    at->mean = largest;
    at->inverse = 1 / sum;
}

/* A probability, and by how much errors of its score change it, relative. */
struct probability {
    double value, sensitivity;
};
static struct probability probability_of(struct reference *reference, const struct query *query,
                                         int64_t key)
{
    const struct dot score = score_of(reference, query, key);
    const struct reference_statistics *at = &reference->statistics;
    const double value = exp(score.value - at->mean) * at->inverse;
    return (struct probability){value, 1 + score.size + fabs(score.value)};
}

static void output(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const int64_t size = of(reference)->head_size, row = index / size;
    const struct query query = query_of(reference, row);
    find_sum(reference, row);
    for (int64_t key = 0; key < query.visible; key++) {
        const struct probability p = probability_of(reference, &query, key);
        const double value = reference_read_one(reference, VALUE_INPUT + 2,
                                                query.keys_first + key * size + index % size);
        reference_add(sum, p.value * value, p.value * value * p.sensitivity);
    }
    sum->count += (double)size;
}

/* The gradient of a score, and its size. */
static struct dot score_gradient(struct reference *reference, const struct query *query,
                                 int64_t key)
{
    const struct probability p = probability_of(reference, query, key);
    const struct dot own = dot_of(reference, VALUE_OUTPUT_GRADIENT, query->first, VALUE_INPUT + 2,
                                  query->keys_first + key * of(reference)->head_size);
    const struct dot mean = dot_of(reference, VALUE_OUTPUT_GRADIENT, query->first, VALUE_OUTPUT,
                                   query->first);
    const double size = own.size + fabs(own.value) + mean.size + fabs(mean.value);
    return (struct dot){p.value * (own.value - mean.value), p.value * size * p.sensitivity};
}

static void add_scaled(struct reference_sum *sum, const struct reference *reference,
                       struct dot gradient, double other)
{
    const double factor = scale_of(reference) * other;
    reference_add(sum, gradient.value * factor, gradient.size * factor);
}

static void query_gradient(struct reference_sum *sum, struct reference *reference, int64_t index)
{
    const int64_t size = of(reference)->head_size, row = index / size;
    const struct query query = query_of(reference, row);
    find_sum(reference, row);
    for (int64_t key = 0; key < query.visible; key++)
        add_scaled(sum, reference, score_gradient(reference, &query, key),
                   reference_read_one(reference, VALUE_INPUT + 1,
                                      query.keys_first + key * size + index % size));
    sum->count += (double)size;
}

/* One row's part of the gradient of a key's or a value's element. */
static void add_row(struct reference_sum *sum, struct reference *reference, int which, int64_t row,
                    int64_t key, int64_t column)
{
    const struct query query = query_of(reference, row);
    if (key >= query.visible)
        return;
    find_sum(reference, row);
    if (which == 1) {
        const double element = reference_read_one(reference, VALUE_INPUT, query.first + column);
        add_scaled(sum, reference, score_gradient(reference, &query, key), element);
        return;
    }
    const struct probability p = probability_of(reference, &query, key);
    const double g = reference_read_one(reference, VALUE_OUTPUT_GRADIENT, query.first + column);
    reference_add(sum, p.value * g, p.value * g * p.sensitivity);
}

/* Rows of all queries of the heads that share the key. */
static int64_t rows_of(const struct reference *reference)
{
    const struct attention *a = of(reference);
    return (int64_t)(a->heads / a->key_value_heads) * a->query_length;
}

static void input_gradient(struct reference_sum *sum, struct reference *reference, int which,
                           int64_t index)
{
    const int64_t size = of(reference)->head_size, rows = rows_of(reference);
    const int64_t key = index / size % of(reference)->key_length;
    const int64_t head = index / size / of(reference)->key_length;
    if (which == 0) {
        query_gradient(sum, reference, index);
        return;
    }
    for (int64_t row = head * rows; row < (head + 1) * rows; row++)
        add_row(sum, reference, which, row, key, index % size);
    sum->count += (double)size;
}

static double terms(const struct reference *reference, enum layer_value what, int64_t index)
{
    const double keys = of(reference)->key_length, size = of(reference)->head_size;
    const double row = 2 * keys * size; /* its scores */
    (void)index;
    if (what == VALUE_OUTPUT)
        return 2 * row;
    if (what == VALUE_INPUT_GRADIENT)
        return 4 * row;
    return (double)rows_of(reference) * (row + 6 * size);
}

/* Of the same query. */
static int64_t mate(const struct reference *reference, enum layer_value what, int64_t index,
                    uint32_t word)
{
    const int64_t size = of(reference)->head_size;
    if (what != VALUE_OUTPUT && what != VALUE_INPUT_GRADIENT)
        return index;
    return index / size * size + word % size;
}

const struct kind_meaning meaning_attention = {
    .output = output, .input_gradient = input_gradient, .terms = terms, .mate = mate};
