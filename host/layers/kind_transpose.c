#include "layers/kind_internal.h"

/* Images of NHWC and NCHW, tokens and channels of Mixer and of pooled attention, heads that are
 * split off and joined (rows tokens, columns heads, inner the head's size), keys of attention
 * (outer heads, columns the head's size). */
static const struct sample_shapes outer_shapes = {
    .values = {1, 1, 1, 1, 1, 1, 8, 12, 16, 64},
    .paper_minimum = 1,
    .paper_maximum = 4,
};
static const struct sample_shapes row_shapes = {
    .values = {8,   12,  49,  64,  77,  128,  128,  196,  197,  256,
               384, 512, 512, 768, 784, 1024, 1500, 2048, 3136, 12544},
    .paper_minimum = 1,
    .paper_maximum = 256,
};
static const struct sample_shapes column_shapes = {
    .values = {3, 6, 8, 12, 12, 16, 32, 49, 64, 64, 96, 128, 192, 196, 256, 384, 512, 768, 1024},
    .paper_minimum = 1,
    .paper_maximum = 256,
};
static const struct sample_shapes inner_shapes = {
    .values = {1, 1, 1, 1, 1, 32, 64, 64, 64, 64, 80, 128, 256},
    .paper_minimum = 1,
    .paper_maximum = 64,
};

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(transpose, outer), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_NONE, 1, 1048576),
     .sample_minimum = 1, .sample_maximum = 256, .shapes = &outer_shapes,
     .help = "matrices of one sample"},
    {OWN(transpose, matrix_rows), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ROWS, 1, 16777216),
     .sample_minimum = 1, .sample_maximum = 16384, .shapes = &row_shapes,
     .help = "rows of the input, columns of the output: tokens, pixels, heads"},
    {OWN(transpose, matrix_columns), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_NONE, 1, 16777216),
     .sample_minimum = 1, .sample_maximum = 16384, .shapes = &column_shapes,
     .help = "columns of the input, rows of the output: channels, heads"},
    {OWN(transpose, inner), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ELEMENTS, 1, 1048576),
     .sample_minimum = 1, .sample_maximum = 1024, .shapes = &inner_shapes,
     .help = "elements that stay together: 1, or the size of a head"},
};
DESCRIBES_ALL(transpose, features);

/* Nothing is computed; backward the gradient goes the way back. */
static void work(struct layer_work *work, const struct layer_config *config)
{
    const struct transpose *of = &config->as.transpose;
    const double elements = (double)config->batch_size * of->outer * of->matrix_rows *
                            of->matrix_columns * of->inner;
    work_tensor(work, TENSOR_INPUT, "x", elements);
    work_tensor(work, TENSOR_OUTPUT, "y", elements);
    work_stream(work, WORK_FORWARD, (struct work_operation){.flops = 0});
    work_stream(work, WORK_BACKWARD_DATA, (struct work_operation){.flops = 0});
}

static const struct layer_case cases[] = {
    /* 2 * 3*4*5 * 7 = 840 elements: 3360 bytes in, as many out */
    {"transpose:batch_size=2,outer=3,matrix_rows=4,matrix_columns=5,inner=7",
     {0, 3360, 3360, 0, 3360, 3360, 6720},
     UINT64_C(0x7d0ede5409b9da39)},
    {"transpose:batch_size=2,outer=3,matrix_rows=4,matrix_columns=5,inner=7,pass=train",
     {0, 6720, 6720, 0, 3360, 3360, 13440},
     UINT64_C(0x1c83b11efcf4fe24)},
    {.text = NULL},
};

const struct layer_descriptor layer_transpose = {
    .name = "transpose",
    .help = "rows and columns of matrices change places, blocks of neighbours stay together: "
            "layouts of images, heads of attention",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .work = work,
    .cases = cases,
};
