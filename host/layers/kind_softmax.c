#include "layers/kind_internal.h"

/* Rows of attention's scores (heads times queries: BERT, GPT-2, ViT, Whisper, Swin), of classifiers
 * and of language models' words. */
static const struct sample_shapes position_shapes = {
    .values = {1,    1,    1,    35,   128,  196,  512,  588,   1024,  1024,
               1536, 1536, 2364, 2364, 4608, 6144, 9000, 12288, 12288, 16384},
    .paper_minimum = 1,
    .paper_maximum = 2048,
};
/* Keys, patches, classes, words of a vocabulary. */
static const struct sample_shapes width_shapes = {
    .values = {10,  49,   64,   77,   100,  128,  128,  128,  197,   197,   256,   384,  512,
               512, 1000, 1000, 1024, 1024, 1500, 2048, 4096, 10000, 30522, 32000, 50257},
    .paper_minimum = 1,
    .paper_maximum = 8192,
};

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(softmax, positions), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ROWS, 1, 16777216),
     .sample_minimum = 1, .sample_maximum = 16384, .shapes = &position_shapes,
     .help = "rows of one sample: heads times queries, pixels, tokens"},
    {OWN(softmax, width), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ELEMENTS, 1, 1048576),
     .sample_minimum = 1, .sample_maximum = 65536, .shapes = &width_shapes,
     .help = "elements of one row, whose outputs add up to 1"},
};
DESCRIBES_ALL(softmax, features);

/* Forward: the maximum, subtract, exponential, sum, divide. Backward, with the output y and its
 * gradient g: y (g - sum(g y)). A row stays in a cache from one sum to the next. */
static void work(struct layer_work *work, const struct layer_config *config)
{
    const double elements = (double)config->batch_size * config->as.softmax.positions *
                            config->as.softmax.width;
    work_tensor(work, TENSOR_INPUT, "x", elements);
    work_tensor(work, TENSOR_OUTPUT, "y", elements);
    work->in_place = IN_PLACE_FORWARD;
    work_stream(work, WORK_FORWARD, (struct work_operation){.flops = 5 * elements});
    work_stream(work, WORK_BACKWARD_DATA,
                (struct work_operation){.flops = 4 * elements, .read = elements});
}

static const struct layer_case cases[] = {
    /* 6 rows of 4 = 24: 5 * 24 FLOPs; reads and writes 4 * 24; memory 2 * 96 */
    {"softmax:batch_size=2,positions=3,width=4",
     {120, 96, 96, 0, 96, 96, 192},
     UINT64_C(0xe7dc80d525cdb3d6)},
    /* backward 4 * 24; reads the output and its gradient, writes the input's; a gradient for each
     * of both tensors */
    {"softmax:batch_size=2,positions=3,width=4,pass=train",
     {216, 288, 192, 0, 96, 96, 384},
     UINT64_C(0x8329159a860d13e2)},
    {.text = NULL},
};

const struct layer_descriptor layer_softmax = {
    .name = "softmax",
    .help = "softmax of rows: exponentials, divided by their sum",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .work = work,
    .cases = cases,
};
