#include "layers/kind_internal.h"

/* One row per image (classification); tokens of language models; pixels of segmentations. */
static const struct sample_shapes position_shapes = {
    .values = {1, 1, 1, 1, 1, 1, 64, 77, 128, 128, 256, 512, 1024, 1024, 2048, 16384, 65536,
               262144},
    .paper_minimum = 1,
    .paper_maximum = 512,
};
/* Digits and CIFAR (10, 100), Pascal VOC (21), Cityscapes (19), ImageNet (1000, 21841),
 * vocabularies of BERT, T5, LLaMA, GPT-2. */
static const struct sample_shapes class_shapes = {
    .values = {2, 10, 10, 19, 21, 21, 100, 100, 1000, 1000, 1000, 21841, 30522, 30522, 32000, 32128,
               50257, 50257, 128256},
    .paper_minimum = 2,
    .paper_maximum = 10000,
};

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(loss, positions), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ROWS, 1, 16777216),
     .sample_minimum = 1, .sample_maximum = 4096, .shapes = &position_shapes,
     .help = "rows of one sample: tokens, pixels"},
    {OWN(loss, classes), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ELEMENTS, 2, 16777216),
     .sample_minimum = 2, .sample_maximum = 131072, .shapes = &class_shapes,
     .help = "elements of one row, of which one is the label's"},
};
DESCRIBES_ALL(loss, features);

/* Forward: the largest element; difference, exponential, sum. Backward: difference, exponential,
 * scale; a row keeps the logarithm of its sum. */
static void work(struct layer_work *work, const struct layer_config *config)
{
    const double rows = (double)config->batch_size * config->as.loss.positions;
    const double elements = rows * config->as.loss.classes;
    work_tensor(work, TENSOR_INPUT, "x", elements);
    work_add_tensor(
        work, (struct layer_tensor){
                  .name = "labels", .role = TENSOR_INPUT, .storage = STORAGE_INT32, .count = rows});
    work_add_tensor(
        work, (struct layer_tensor){
                  .name = "loss", .role = TENSOR_OUTPUT, .storage = STORAGE_FP32, .count = 1});
    work_add_tensor(work, (struct layer_tensor){.name = "logarithms",
                                                .role = TENSOR_KEPT,
                                                .storage = STORAGE_FP32,
                                                .count = rows});
    work_stream(work, WORK_FORWARD, (struct work_operation){.flops = 4 * elements});
    work_stream(work, WORK_BACKWARD_DATA,
                (struct work_operation){.flops = 3 * elements, .read = elements + rows});
}

static const struct layer_case cases[] = {
    /* 6 rows of 4: 4 * 24 FLOPs. Reads 4(24 + 6), writes one number */
    {"loss:batch_size=2,positions=3,classes=4",
     {96, 120, 4, 0, 96, 4, 124},
     UINT64_C(0x6ef5523f6ce7f8cb)},
    /* backward 3 * 24. Reads: 120; the loss's gradient 4, x and labels 120; logarithms 24. Writes:
     * 4, x's gradient 96, logarithms 24. memory 124 + 4 + 96 + 24 */
    {"loss:batch_size=2,positions=3,classes=4,pass=train",
     {168, 268, 124, 0, 96, 28, 248},
     UINT64_C(0xc2f9f5901e03046d)},
    {.text = NULL},
};

const struct layer_descriptor layer_loss = {
    .name = "loss",
    .help = "softmax with cross entropy: the mean over all rows of log(sum(exp(x))) - x[label]",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .work = work,
    .cases = cases,
};
