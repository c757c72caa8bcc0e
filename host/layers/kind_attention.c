#include "layers/kind_internal.h"

/* ViT-Ti, Whisper tiny, T5 small, BERT, GPT-2, ViT-B, BERT large, Whisper base, LLaMA. */
static const struct sample_shapes head_shapes = {
    .values = {3, 6, 6, 8, 8, 8, 12, 12, 12, 12, 12, 16, 16, 20, 25, 32, 32, 40, 64},
    .paper_minimum = 1,
    .paper_maximum = 16,
};
/* As many as queries have; LLaMA's and Mistral's groups; 1 of multi-query attention. */
static const struct sample_shapes key_value_head_shapes = {
    .values = {3, 6, 6, 8, 8, 8, 8, 12, 12, 12, 12, 12, 16, 16, 20, 25, 32, 4, 4, 2, 1},
    .paper_minimum = 1,
    .paper_maximum = 16,
};
/* BERT's and T5's 128 to 512, ViT's 197, CLIP's 77, Swin's windows of 49, GPT-2's 1024, Whisper's
 * 448 queries on 1500 keys; 1: a token that is generated. */
static const struct sample_shapes query_shapes = {
    .values = {1,   1,   49,  77,  128, 128,  128,  128,  197,  197,  197, 256,
               384, 448, 512, 512, 512, 1024, 1024, 1024, 1500, 2048, 2048},
    .paper_minimum = 1,
    .paper_maximum = 512,
};
static const struct sample_shapes key_shapes = {
    .values = {49,  77,  128, 128,  128,  128,  197,  197,  197,  256, 384,
               512, 512, 512, 1024, 1024, 1024, 1500, 1500, 2048, 2048},
    .paper_minimum = 1,
    .paper_maximum = 512,
};
static const struct sample_shapes size_shapes = {
    .values = {32, 64, 64, 64, 64, 64, 64, 64, 80, 96, 128, 128, 128},
    .paper_minimum = 8,
    .paper_maximum = 128,
};
static const struct sample_shapes causal_shapes = {.has_usual = true, .usual = SWITCH_NO};

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(attention, heads), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_NONE, 1, 4096),
     .sample_minimum = 1, .sample_maximum = 64, .shapes = &head_shapes, .help = "heads of queries"},
    {OWN(attention, key_value_heads), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_NONE, 1, 4096),
     .sample_minimum = 1, .sample_maximum = 64, .shapes = &key_value_head_shapes,
     .help = "heads of keys and values; a divisor of heads"},
    {OWN(attention, query_length), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ROWS, 1, 1048576),
     .sample_minimum = 1, .sample_maximum = 4096, .shapes = &query_shapes,
     .help = "queries of one head"},
    {OWN(attention, key_length), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ROWS, 1, 1048576),
     .sample_minimum = 1, .sample_maximum = 4096, .shapes = &key_shapes,
     .help = "keys and values of one head"},
    {OWN(attention, head_size), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ELEMENTS, 1, 65536),
     .sample_minimum = 8, .sample_maximum = 256, .shapes = &size_shapes,
     .help = "elements of one query, key or value"},
    {OWN(attention, causal), NAMED(choice_switch_, 2), .shapes = &causal_shapes,
     .help = "the last query sees all keys, each one before it one key less"},
};
DESCRIBES_ALL(attention, features);

static bool is_valid(const struct layer_config *config, const char **reason)
{
    const struct attention *of = &config->as.attention;
    if (of->heads % of->key_value_heads)
        *reason = "heads is no multiple of key_value_heads";
    else if (of->causal && of->key_length < of->query_length)
        *reason = "causal with more queries than keys: the first ones would see none";
    else
        return true;
    return false;
}

/* Scores and contexts; backward the gradients of values, probabilities, queries and keys. Masked
 * pairs count, as in published figures: a composition computes them, too. A score is scaled, then 5
 * operations of the softmax; backward 4 of its gradient and the scale. */
static void add_operations(struct layer_work *work, const struct attention *of, double batch)
{
    const double queries = of->query_length, keys = of->key_length, size = of->head_size;
    const double heads = batch * of->heads, pairs = heads * queries * keys;
    const double read = heads * queries * size + 2 * batch * of->key_value_heads * keys * size;
    const struct work_operation by_keys = {.rows = queries, .depth = size, .columns = keys},
                                by_values = {.rows = queries, .depth = keys, .columns = size},
                                transposed = {.rows = keys, .depth = queries, .columns = size};
    const struct {
        enum work_phase phase;
        struct work_operation product;
    } products[] = {{WORK_FORWARD, by_keys},          {WORK_FORWARD, by_values},
                    {WORK_BACKWARD_DATA, transposed}, {WORK_BACKWARD_DATA, by_keys},
                    {WORK_BACKWARD_DATA, by_values},  {WORK_BACKWARD_DATA, transposed}};
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        struct work_operation product = products[i].product;
        product.batch = heads;
        work_product(work, products[i].phase, product);
    }
    work_stream(work, WORK_FORWARD, (struct work_operation){.flops = 6 * pairs});
    work_stream(work, WORK_BACKWARD_DATA,
                (struct work_operation){.flops = 5 * pairs, .read = read});
}

static void work(struct layer_work *work, const struct layer_config *config)
{
    const struct attention *of = &config->as.attention;
    const double batch = config->batch_size, size = of->head_size;
    const double queries = batch * of->heads * of->query_length;
    const double keys = batch * of->key_value_heads * of->key_length;
    work_tensor(work, TENSOR_INPUT, "queries", queries * size);
    work_tensor(work, TENSOR_INPUT, "keys", keys * size);
    work_tensor(work, TENSOR_INPUT, "values", keys * size);
    work_tensor(work, TENSOR_OUTPUT, "y", queries * size);
    work_tensor(work, TENSOR_KEPT, "probabilities", queries * of->key_length);
    add_operations(work, of, batch);
}

/* ---- forms: a batch of one sample ---- */

#define FORM(...)                                                                                  \
    {                                                                                              \
        .kind = LAYER_ATTENTION, .as.attention = { __VA_ARGS__ }                                   \
    }
static const struct layer_config forms[] = {
    FORM(12, 12, 128, 128, 64, SWITCH_NO),     /* BERT base, DistilBERT */
    FORM(12, 12, 512, 512, 64, SWITCH_NO),     /* BERT base */
    FORM(16, 16, 384, 384, 64, SWITCH_NO),     /* BERT large */
    FORM(12, 12, 1024, 1024, 64, SWITCH_YES),  /* GPT-2 */
    FORM(25, 25, 1024, 1024, 64, SWITCH_YES),  /* GPT-2 XL */
    FORM(12, 12, 197, 197, 64, SWITCH_NO),     /* ViT-B/16 */
    FORM(16, 16, 197, 197, 64, SWITCH_NO),     /* ViT-L/16 */
    FORM(3, 3, 197, 197, 64, SWITCH_NO),       /* DeiT-Ti */
    FORM(6, 6, 1500, 1500, 64, SWITCH_NO),     /* Whisper tiny, encoder */
    FORM(6, 6, 448, 448, 64, SWITCH_YES),      /* its decoder ... */
    FORM(6, 6, 448, 1500, 64, SWITCH_NO),      /* ... which reads the encoder */
    FORM(8, 8, 512, 512, 64, SWITCH_NO),       /* T5 small, encoder */
    FORM(8, 8, 128, 512, 64, SWITCH_NO),       /* T5 small, decoder on encoder */
    FORM(8, 8, 77, 77, 64, SWITCH_YES),        /* CLIP, text */
    FORM(32, 32, 2048, 2048, 128, SWITCH_YES), /* LLaMA 7B */
    FORM(32, 8, 2048, 2048, 128, SWITCH_YES),  /* Llama 3 8B, Mistral 7B */
    FORM(32, 4, 2048, 2048, 64, SWITCH_YES),   /* TinyLlama 1.1B */
    FORM(32, 8, 1, 2048, 128, SWITCH_YES),     /* one token of Llama 3 8B */
    FORM(12, 12, 1, 1024, 64, SWITCH_YES),     /* one token of GPT-2 */
};

/* Heads are a multiple of those of keys, self-attention stays square, causal queries see a key. */
static void settle(struct layer_config *drawn, const struct layer_config *shape)
{
    struct attention *of = &drawn->as.attention;
    const struct attention *form = shape ? &shape->as.attention : NULL;
    const bool is_square = form && form->query_length == form->key_length;
    if ((form && form->heads == form->key_value_heads) || of->key_value_heads > of->heads)
        of->key_value_heads = of->heads;
    while (of->heads % of->key_value_heads)
        of->key_value_heads--;
    if (is_square || (of->causal && of->key_length < of->query_length))
        of->key_length = of->query_length;
}

static const struct layer_case cases[] = {
    /* 2 x 4 heads, 3 queries, 5 keys: 120 pairs; two products 2*2*120*6 = 2880, scale and softmax
     * 6 * 120: 3600. Queries 144, keys and values 2 * 2*2*5*6 = 240, y 144: reads 4 * 384, writes
     * 4 * 144, memory 4 * 528 */
    {"attention:batch_size=2,heads=4,key_value_heads=2,query_length=3,key_length=5,head_size=6",
     {3600, 1536, 576, 0, 576, 576, 2112},
     UINT64_C(0x7a02e24b52f67c6e)},
    /* backward twice the products, 5 * 120: 6360. Reads: forward 1536; backward y's gradient 576,
     * 1536; the probabilities 480. Writes 576, 1536, 480. memory 2 * 2112 + 480 */
    {"attention:batch_size=2,heads=4,key_value_heads=2,query_length=3,key_length=5,head_size=6,"
     "causal=yes,pass=train",
     {9960, 4128, 2592, 0, 576, 1056, 4704},
     UINT64_C(0x9d0ad07300e41988)},
    {.text = NULL},
};

const struct layer_descriptor layer_attention = {
    .name = "attention",
    .help = "softmax of queries times keys, times values, of each head (Vaswani et al. 2017, arXiv "
            "1706.03762); grouped-query where there are fewer heads of keys and values",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .is_valid = is_valid,
    .work = work,
    .forms = forms,
    .form_count = sizeof forms / sizeof *forms,
    .settle = settle,
    .cases = cases,
};
