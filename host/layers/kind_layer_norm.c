#include "layers/kind_internal.h"

static const struct sample_shapes position_shapes = {
    .values = {1, 16, 49, 50, 64, 77, 128, 128, 196, 197, 256, 384, 512, 512, 1024, 1500, 2048},
    .paper_minimum = 1,
    .paper_maximum = 2048,
};
static const struct sample_shapes width_shapes = {
    .values = {96, 128, 192, 256, 384, 384, 512, 768, 768, 768, 1024, 1024, 1280, 1536, 2048, 4096},
    .paper_minimum = 1,
    .paper_maximum = 8192,
};

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(layer_norm, positions), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ROWS, 1, 65536),
     .sample_minimum = 1, .sample_maximum = 4096, .shapes = &position_shapes,
     .help = "rows of one sample: tokens, patches"},
    {OWN(layer_norm, width), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ELEMENTS, 1, 1048576),
     .sample_minimum = 1, .sample_maximum = 16384, .shapes = &width_shapes,
     .help = "elements of one row, which share their statistics"},
};
DESCRIBES_ALL(layer_norm, features);

/* Forward: sum, subtract, square, sum for the statistics; subtract, scale by the deviation, scale,
 * shift. Backward: g times the scale and the two sums over a row, 5, then as batch_norm; both go
 * over the input twice. */
static void work(struct layer_work *work, const struct layer_config *config)
{
    const double width = config->as.layer_norm.width;
    const double rows = (double)config->batch_size * config->as.layer_norm.positions;
    const double elements = rows * width;
    work_tensor(work, TENSOR_INPUT, "x", elements);
    work_tensor(work, TENSOR_OUTPUT, "y", elements);
    work_add_tensor(work, (struct layer_tensor){.name = "scales and shifts",
                                                .role = TENSOR_WEIGHTS,
                                                .count = 2 * width,
                                                .parts = 2});
    work_add_tensor(work, (struct layer_tensor){.name = "mean and variance",
                                                .role = TENSOR_KEPT,
                                                .storage = STORAGE_FP32,
                                                .count = 2 * rows});
    work->in_place = IN_PLACE_FORWARD;
    work_stream(work, WORK_FORWARD,
                (struct work_operation){.flops = 8 * elements, .read = elements});
    work_stream(work, WORK_BACKWARD_DATA,
                (struct work_operation){.flops = 10 * elements, .read = elements});
    work_stream(work, WORK_BACKWARD_WEIGHTS, (struct work_operation){.flops = 4 * elements});
}

static const struct layer_case cases[] = {
    /* x 6 rows of 4 = 24: 8 * 24 FLOPs; reads 4(24 + 8) and x again; memory 4(24 + 8 + 24) */
    {"layer_norm:batch_size=2,positions=3,width=4",
     {192, 224, 96, 8, 96, 96, 224},
     UINT64_C(0x49c724a32bab787b)},
    /* backward 14 * 24, sgd 2 * 8: 544. Reads: forward 224; input's gradient 4(24 + 8) + 96;
     * scales' and shifts' 4 * 48; mean and variance 48, sgd 64: 752. Writes: 96, 96, parameters'
     * gradient 32, kept 48, sgd 32. memory 2 * 224 + 48 */
    {"layer_norm:batch_size=2,positions=3,width=4,pass=train,optimizer=sgd",
     {544, 752, 304, 8, 96, 144, 496},
     UINT64_C(0x33c912519ce50ddd)},
    {.text = NULL},
};

const struct layer_descriptor layer_layer_norm = {
    .name = "layer_norm",
    .help = "layer normalisation: every row by its own mean and variance, a scale and a shift per "
            "element (Ba, Kiros, Hinton, arXiv 1607.06450)",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .work = work,
    .cases = cases,
};
