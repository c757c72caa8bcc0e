#include "layers/kind_internal.h"

/* Two of U-Net, FPN and the last of a dense block that is joined pair by pair, four of Inception,
 * GoogLeNet and YOLO, five of DeepLab; DenseNet joins all that came before: 2 to 25, 49. */
static const struct sample_shapes input_shapes = {
    .values = {2, 2, 2, 2, 2, 2, 3, 3, 4, 4, 4, 4, 5, 5, 6, 8, 10, 13, 17, 25, 49},
    .paper_minimum = 2,
    .paper_maximum = 8,
};
/* Images of NCHW: 1. Tokens, pixels of NHWC. */
static const struct sample_shapes outer_shapes = {
    .values = {1, 1, 1, 1, 1, 1, 1, 1, 49, 128, 196, 197, 512, 784, 3136},
    .paper_minimum = 1,
    .paper_maximum = 4,
};
/* Channels by pixels: DenseNet's growth 32 by 49 to 3136, its first 64 by 3136, Inception's 32 to
 * 384 by 64, 289, 1225, U-Net's 64 to 1024 by 784 to 65536; of tokens 64 to 1024. */
static const struct sample_shapes width_shapes = {
    .values = {64,     128,    256,    512,    768,    1568,   6272,   12544,
               20480,  25088,  25088,  39200,  50176,  78400,  100352, 100352,
               117600, 200704, 200704, 401408, 802816, 1048576},
    .paper_minimum = 1,
    .paper_maximum = 100000,
};

/* The other inputs have widths of their own only where they are there. */
static const struct feature_condition of_three = {
    .offset = offsetof(struct layer_config, as.concat.parts),
    .minimum = 3,
    .text = "3 parts or more",
};
static const struct feature_condition of_four = {
    .offset = offsetof(struct layer_config, as.concat.parts),
    .minimum = 4,
    .text = "4 parts or more",
};

#define WIDTH(low)                                                                                 \
    NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ELEMENTS, low, 1073741824),                              \
        .sample_minimum = 1, .sample_maximum = 1048576, .shapes = &width_shapes

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(concat, parts), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_NONE, 2, LAYER_INPUT_LIMIT),
     .sample_minimum = 2, .sample_maximum = 32, .shapes = &input_shapes,
     .help = "tensors that are joined"},
    {OWN(concat, outer), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ROWS, 1, 16777216),
     .sample_minimum = 1, .sample_maximum = 4096, .shapes = &outer_shapes,
     .help = "rows of one sample, each of which is joined: 1 of images with channels first"},
    {OWN(concat, first), WIDTH(1), .help = "elements of a row of the first input"},
    {OWN(concat, second), WIDTH(1), .help = "of the second"},
    {OWN(concat, third), WIDTH(0), .condition = &of_three, .help = "of the third, if there is one"},
    {OWN(concat, rest), WIDTH(0), .condition = &of_four,
     .help = "of each further input, if there is one"},
};
DESCRIBES_ALL(concat, features);

int32_t concat_width(const struct concat *concat, int input)
{
    const int32_t widths[] = {concat->first, concat->second, concat->third, concat->rest};
    return widths[input < 4 ? input : 3];
}

static bool is_valid(const struct layer_config *config, const char **reason)
{
    const struct concat *concat = &config->as.concat;
    for (int i = 0; i < concat->parts; i++)
        if (concat_width(concat, i) < 1) {
            *reason = "an input has no elements";
            return false;
        }
    return true;
}

/* Nothing is computed; backward every input's gradient is a copy of its part. */
static void work(struct layer_work *work, const struct layer_config *config)
{
    const struct concat *concat = &config->as.concat;
    const double rows = (double)config->batch_size * concat->outer;
    double width = 0;
    for (int i = 0; i < concat->parts; i++) {
        width += concat_width(concat, i);
        work_tensor(work, TENSOR_INPUT, "x", rows * concat_width(concat, i));
    }
    work_tensor(work, TENSOR_OUTPUT, "y", rows * width);
    work_stream(work, WORK_FORWARD, (struct work_operation){.flops = 0});
    work_stream(work, WORK_BACKWARD_DATA, (struct work_operation){.flops = 0});
}

static const struct layer_case cases[] = {
    /* 2 * 3 rows of 4 + 5 = 54 elements */
    {"concat:batch_size=2,parts=2,outer=3,first=4,second=5",
     {0, 216, 216, 0, 96, 216, 432},
     UINT64_C(0xb2b7ee9fb9299b2e)},
    /* 2 * 3 rows of 4 + 5 + 6 + 2 * 7 = 174 elements */
    {"concat:batch_size=2,parts=5,outer=3,first=4,second=5,third=6,rest=7,pass=train",
     {0, 1392, 1392, 0, 96, 696, 2784},
     UINT64_C(0x6df4fe55fc107c23)},
    {.text = NULL},
};

const struct layer_descriptor layer_concat = {
    .name = "concat",
    .help = "tensors joined row by row: branches of Inception, skips of U-Net, DenseNet's features",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .is_valid = is_valid,
    .work = work,
    .cases = cases,
};
