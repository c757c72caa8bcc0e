#include "layers/kind_internal.h"

/* Tokens of BERT, ViT's classes, GPT-2, T5, Whisper's decoder, CLIP (77), LLaMA; one per feature of
 * a recommender (DLRM: 1, pooled: 20 and more). */
static const struct sample_shapes position_shapes = {
    .values = {1, 1, 1, 20, 50, 64, 77, 128, 128, 256, 384, 448, 512, 512, 1024, 1024, 2048},
    .paper_minimum = 1,
    .paper_maximum = 512,
};
/* Segments (2) and positions (512, 1024) of transformers; vocabularies of BERT (30522), T5 (32128),
 * LLaMA (32000, 128256), GPT-2 (50257), CLIP (49408), RoBERTa (50265), Whisper (51865); users and
 * items of recommenders: MovieLens, Criteo. */
static const struct sample_shapes vocabulary_shapes = {
    .values = {2,      77,     512,    1024,    6040,    26744,   30522, 30522,
               32000,  32000,  32128,  49408,   50257,   50257,   50265, 51865,
               128256, 138493, 200000, 1000000, 2000000, 10000000},
    .paper_minimum = 2,
    .paper_maximum = 50000,
};
/* Recommenders 16 to 128, then transformers. */
static const struct sample_shapes width_shapes = {
    .values = {16, 32, 64, 64, 128, 128, 256, 384, 512, 512, 768, 768, 768, 1024, 1024, 1280, 2048,
               4096},
    .paper_minimum = 1,
    .paper_maximum = 1024,
};
static const struct sample_shapes gradient_shapes = {
    .paper_minimum = INT32_MIN,
    .paper_maximum = INT32_MAX,
    .has_usual = true,
    .usual = GRADIENT_DENSE,
};

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(embedding, positions), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ROWS, 1, 16777216),
     .sample_minimum = 1, .sample_maximum = 4096, .shapes = &position_shapes,
     .help = "indices of one sample: tokens"},
    {OWN(embedding, vocabulary), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ROWS, 1, INT32_MAX),
     .sample_minimum = 2, .sample_maximum = 10000000, .shapes = &vocabulary_shapes,
     .help = "rows of the table; indices are uniform, of the first 2^24 rows"},
    {OWN(embedding, width), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ELEMENTS, 1, 1048576),
     .sample_minimum = 4, .sample_maximum = 8192, .shapes = &width_shapes,
     .help = "elements of one row of the table"},
    {OWN(embedding, gradient), NAMED(choice_gradient, GRADIENT_COUNT), .shapes = &gradient_shapes,
     .help = "dense: of the whole table, and all of it is updated; sparse: only rows that occur"},
};
DESCRIBES_ALL(embedding, features);

/* A multiplication per index finds its row. */
static void work(struct layer_work *work, const struct layer_config *config)
{
    const struct embedding *of = &config->as.embedding;
    const bool is_sparse = of->gradient == GRADIENT_SPARSE;
    const double rows = (double)config->batch_size * of->positions, elements = rows * of->width;
    const double table = (double)of->vocabulary * of->width;
    work_add_tensor(work, (struct layer_tensor){.name = "indices",
                                                .role = TENSOR_INPUT,
                                                .storage = STORAGE_INT32,
                                                .count = rows});
    work_tensor(work, TENSOR_OUTPUT, "y", elements);
    work_add_tensor(work, (struct layer_tensor){.name = "table",
                                                .role = TENSOR_WEIGHTS,
                                                .storage = STORAGE_TABLE,
                                                .count = table,
                                                .gradient_count = is_sparse ? elements : 0});
    work_stream(work, WORK_FORWARD, (struct work_operation){.flops = rows, .read = elements});
    work_stream(work, WORK_BACKWARD_WEIGHTS,
                (struct work_operation){.flops = elements,
                                        .read = is_sparse ? 0 : elements,
                                        .written = is_sparse ? 0 : elements});
}

static const struct layer_case cases[] = {
    /* 6 indices, 24 elements, a table of 40. Reads 4(6 + 24); memory 4(6 + 24 + 40) */
    {"embedding:batch_size=2,positions=3,vocabulary=10,width=4",
     {6, 120, 96, 40, 24, 96, 280},
     UINT64_C(0x8cd270bae0b20ee6)},
    /* backward 24, sgd 2 * 40. Reads: indices and gradient 4(6 + 24), rows to add to 96; sgd 320.
     * Writes: zeros 160, sums 96; sgd 160. memory: gradients of y and of the table */
    {"embedding:batch_size=2,positions=3,vocabulary=10,width=4,pass=train,optimizer=sgd",
     {110, 656, 512, 40, 24, 96, 536},
     UINT64_C(0xf64f1f2adbd9db5d)},
    /* 24 parameters of the gradient's rows: adam 12 * 24. Reads: 4(6 + 24), adam 4 * 96. Writes:
     * rows 96, adam 3 * 96. memory: 280, gradients 2 * 96, two states of the table 320 */
    {"embedding:batch_size=2,positions=3,vocabulary=10,width=4,gradient=sparse,pass=train,"
     "optimizer=adam",
     {318, 624, 480, 40, 24, 96, 792},
     UINT64_C(0x8850831895902594)},
    {.text = NULL},
};

const struct layer_descriptor layer_embedding = {
    .name = "embedding",
    .help = "rows of a table: a vector for each index (tokens, users, items)",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .work = work,
    .cases = cases,
};
