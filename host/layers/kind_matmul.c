#include "layers/kind_internal.h"

/* Heads of attention per sample (BERT, GPT-2, ViT, Swin's windows times heads), groups, 1. */
static const struct sample_shapes matrix_shapes = {
    .values = {1, 1, 1, 2, 3, 4, 6, 8, 8, 12, 12, 12, 16, 16, 20, 24, 32, 32, 40, 64, 192},
    .paper_minimum = 1,
    .paper_maximum = 16,
};
/* Tokens of a sequence, patches of an image, channels. */
static const struct sample_shapes side_shapes = {
    .values = {1,   49,  64,  64,  64,  77,  80,  96,  128,  128,  128,  128,
               196, 197, 197, 256, 384, 512, 512, 768, 1024, 1024, 1500, 2048},
    .paper_minimum = 1,
    .paper_maximum = 512,
};
/* Head sizes of scores, keys of contexts. */
static const struct sample_shapes depth_shapes = {
    .values = {32, 64, 64, 64, 64, 80, 96, 128, 128, 49, 77, 128, 197, 256, 384, 512, 768, 1024,
               2048},
    .paper_minimum = 1,
    .paper_maximum = 512,
};

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(matmul, matrices), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_NONE, 1, 65536),
     .sample_minimum = 1, .sample_maximum = 512, .shapes = &matrix_shapes,
     .help = "products of one sample: heads"},
    {OWN(matmul, left_rows), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ROWS, 1, 1048576),
     .sample_minimum = 1, .sample_maximum = 4096, .shapes = &side_shapes,
     .help = "rows of the left matrix and of the product"},
    {OWN(matmul, depth), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ELEMENTS, 1, 1048576),
     .sample_minimum = 1, .sample_maximum = 4096, .shapes = &depth_shapes,
     .help = "columns of the left matrix, which the product sums over"},
    {OWN(matmul, right_columns), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ELEMENTS, 1, 1048576),
     .sample_minimum = 1, .sample_maximum = 4096, .shapes = &side_shapes,
     .help = "columns of the product"},
    {OWN(matmul, is_right_transposed), NAMED(choice_switch_, 2),
     .help = "the right matrix is (right_columns, depth), as keys are"},
};
DESCRIBES_ALL(matmul, features);

/* Backward, each operand's gradient is a product of the output's gradient and the other operand. */
static void work(struct layer_work *work, const struct layer_config *config)
{
    const struct matmul *of = &config->as.matmul;
    const double batch = (double)config->batch_size * of->matrices;
    const double rows = of->left_rows, depth = of->depth, columns = of->right_columns;
    const double left = batch * rows * depth, right = batch * depth * columns;
    work_tensor(work, TENSOR_INPUT, "a", left);
    work_tensor(work, TENSOR_INPUT, "b", right);
    work_tensor(work, TENSOR_OUTPUT, "y", batch * rows * columns);
    work_product(
        work, WORK_FORWARD,
        (struct work_operation){.rows = rows, .depth = depth, .columns = columns, .batch = batch});
    work_product(work, WORK_BACKWARD_DATA,
                 (struct work_operation){.rows = rows,
                                         .depth = columns,
                                         .columns = depth,
                                         .batch = batch,
                                         .read = left + right});
    work_product(
        work, WORK_BACKWARD_DATA,
        (struct work_operation){.rows = depth, .depth = rows, .columns = columns, .batch = batch});
}

/* Scores and contexts of attention. */
#define SCORES(heads, queries, keys, size)                                                         \
    {                                                                                              \
        .kind = LAYER_MATMUL, .as.matmul = { heads, queries, size, keys, SWITCH_YES }              \
    }
#define CONTEXTS(heads, queries, keys, size)                                                       \
    {                                                                                              \
        .kind = LAYER_MATMUL, .as.matmul = { heads, queries, keys, size, SWITCH_NO }               \
    }
static const struct layer_config forms[] = {
    SCORES(12, 128, 128, 64),   CONTEXTS(12, 128, 128, 64),   /* BERT base */
    SCORES(16, 384, 384, 64),   CONTEXTS(16, 384, 384, 64),   /* BERT large */
    SCORES(12, 1024, 1024, 64), CONTEXTS(12, 1024, 1024, 64), /* GPT-2 */
    SCORES(12, 197, 197, 64),   CONTEXTS(12, 197, 197, 64),   /* ViT-B/16 */
    SCORES(6, 1500, 1500, 64),  CONTEXTS(6, 1500, 1500, 64),  /* Whisper tiny */
    SCORES(8, 512, 512, 64),    CONTEXTS(8, 512, 512, 64),    /* T5 small */
    SCORES(192, 49, 49, 32),    CONTEXTS(192, 49, 49, 32),    /* Swin-T, first stage */
};

static const struct layer_case cases[] = {
    /* batch 2 x 3 = 6 products of 4x5 and 5x7: 2*6*4*5*7 = 1680 FLOPs; a 120, b 210, y 168
     * elements: reads 4 * 330, writes 4 * 168 */
    {"matmul:batch_size=2,matrices=3,left_rows=4,depth=5,right_columns=7",
     {1680, 1320, 672, 0, 480, 672, 1992},
     UINT64_C(0x44d328f1bba8c9c8)},
    /* three products; backward reads y's gradient, a and b: 4 * 498, writes both gradients: 1320 */
    {"matmul:batch_size=2,matrices=3,left_rows=4,depth=5,right_columns=7,is_right_transposed=yes,"
     "pass=train",
     {5040, 3312, 1992, 0, 480, 672, 3984},
     UINT64_C(0xca2a7ab35b6b5324)},
    {.text = NULL},
};

const struct layer_descriptor layer_matmul = {
    .name = "matmul",
    .help = "products of two activations, matrix by matrix",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .work = work,
    .forms = forms,
    .form_count = sizeof forms / sizeof *forms,
    .cases = cases,
};
