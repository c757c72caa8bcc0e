#include "layers/kind_internal.h"

/* Tokens of BERT, GPT, ViT, CLIP (77) and Whisper (1500); 32 groups are those of group
 * normalisation (Wu, He, arXiv 1803.08494: ResNets, U-Nets of diffusion models). */
static const struct sample_shapes position_shapes = {
    .values = {1, 16, 32, 32, 49, 50, 64, 77, 128, 128, 196, 197, 256, 384, 512, 512, 1024, 1500,
               2048},
    .paper_minimum = 1,
    .paper_maximum = 2048,
};
/* Swin, ViT, BERT, GPT; LLaMA's 2048 and 4096 (rms); channels per group are 2 to 80 (Stable
 * Diffusion: 320, 640, 1280, 1920, 2560 channels in 32 groups). */
static const struct sample_shapes width_shapes = {
    .values = {2,   4,   8,   10,  20,   40,   80,   96,   128,  192,  256,  384, 384,
               512, 768, 768, 768, 1024, 1024, 1280, 1536, 2048, 2048, 4096, 4096},
    .paper_minimum = 1,
    .paper_maximum = 8192,
};
/* Images of 8 to 128, 7 to 112 a side. */
static const struct sample_shapes pixel_shapes = {
    .values = {49, 64, 196, 256, 256, 784, 1024, 1024, 3136, 4096, 4096, 12544, 16384},
    .paper_minimum = 1,
    .paper_maximum = 16384,
};
/* A group says how many pixels share a scale. */
static const struct feature_condition of_groups = {
    .offset = offsetof(struct layer_config, as.layer_norm.statistics),
    .minimum = STATISTICS_GROUP,
    .text = "statistics group",
};

static const struct feature features[] = {
    COMMON_FEATURES,
    {OWN(layer_norm, positions), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ROWS, 1, 65536),
     .sample_minimum = 1, .sample_maximum = 4096, .shapes = &position_shapes,
     .help = "rows of one sample: tokens, patches"},
    {OWN(layer_norm, width), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_ELEMENTS, 1, 1048576),
     .sample_minimum = 1, .sample_maximum = 16384, .shapes = &width_shapes,
     .help = "elements of one row, which share their statistics; channels of a group"},
    {OWN(layer_norm, statistics), NAMED(choice_statistics, STATISTICS_COUNT), .since = 2,
     .missing = STATISTICS_LAYER,
     .help = "of a row: mean and variance (layer), mean square (rms), those of a group of channels "
             "(group)"},
    {OWN(layer_norm, pixels), NUMBER(DISTRIBUTION_LOG_UNIFORM, UNIT_PIXELS, 1, 16777216),
     .sample_minimum = 1, .sample_maximum = 65536, .shapes = &pixel_shapes, .since = 2,
     .missing = 1, .condition = &of_groups,
     .help = "of a channel, which share a scale and a shift; 1 but for statistics group"},
};
DESCRIBES_ALL(layer_norm, features);

/* What a row of each statistics takes. */
struct norm_work {
    double forward_flops, data_flops, weights_flops; /* of an element */
    int parts;                                       /* arrays of parameters */
    int kept;                                        /* numbers of a row */
    const char *parameters, *statistics;
};

/* Forward: sum, subtract, square, sum for the statistics; subtract, scale by the deviation, scale,
 * shift. Backward: g times the scale and the two sums over a row, 5, then as batch_norm; both go
 * over the input twice. Without a mean: square, sum, two scales; g times the scale, the sum of it
 * times x, 3, then x times a factor, subtract, scale by the deviation twice; g x, sum. */
static const struct norm_work works[STATISTICS_COUNT] = {
    [STATISTICS_LAYER] = {8, 10, 4, 2, 2, "scales and shifts", "mean and variance"},
    [STATISTICS_RMS] = {4, 7, 2, 1, 1, "scales", "mean square"},
    [STATISTICS_GROUP] = {8, 10, 4, 2, 2, "scales and shifts", "mean and variance"},
};

static void work(struct layer_work *work, const struct layer_config *config)
{
    const struct layer_norm *norm = &config->as.layer_norm;
    const struct norm_work *of = &works[norm->statistics];
    const double rows = (double)config->batch_size * norm->positions;
    const double elements = rows * norm->width * norm->pixels;
    const double scales = norm->statistics == STATISTICS_GROUP
                              ? (double)norm->positions * norm->width
                              : norm->width;
    work_tensor(work, TENSOR_INPUT, "x", elements);
    work_tensor(work, TENSOR_OUTPUT, "y", elements);
    work_add_tensor(work, (struct layer_tensor){.name = of->parameters,
                                                .role = TENSOR_WEIGHTS,
                                                .count = of->parts * scales,
                                                .parts = of->parts});
    work_add_tensor(work, (struct layer_tensor){.name = of->statistics,
                                                .role = TENSOR_KEPT,
                                                .storage = STORAGE_FP32,
                                                .count = of->kept * rows});
    work->in_place = IN_PLACE_FORWARD;
    work_stream(work, WORK_FORWARD,
                (struct work_operation){.flops = of->forward_flops * elements, .read = elements});
    work_stream(work, WORK_BACKWARD_DATA,
                (struct work_operation){.flops = of->data_flops * elements, .read = elements});
    work_stream(work, WORK_BACKWARD_WEIGHTS,
                (struct work_operation){.flops = of->weights_flops * elements});
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
    /* rms, forward: 4 * 24 FLOPs; reads 4(24 + 4) and x again; memory 4(24 + 4 + 24) */
    {"layer_norm:batch_size=2,positions=3,width=4,statistics=rms",
     {96, 208, 96, 4, 96, 96, 208},
     UINT64_C(0x7eff03c7db6c06ac)},
    /* group, train: x 2*3 groups of 4 channels of 5 pixels = 120, parameters 2 * 12; backward
     * 14 * 120, sgd 2 * 24: 8 * 120 + 1680 + 48 = 2688. Reads: forward 4(120 + 24) + 480 = 1056;
     * input's gradient 4(120 + 24) + 480 = 1056; parameters' 4 * 240 = 960; mean and variance 48,
     * sgd 192: 3312. Writes: 480, 480, parameters' gradient 96, kept 48, sgd 96: 1200. memory
     * 2 * 4(120 + 24 + 120) + 48 */
    {"layer_norm:batch_size=2,positions=3,width=4,statistics=group,pixels=5,pass=train,"
     "optimizer=sgd",
     {2688, 3312, 1200, 24, 480, 528, 2160},
     UINT64_C(0xfd42cb6a9abcdc26)},
    {.text = NULL},
};

const struct layer_descriptor layer_layer_norm = {
    .name = "layer_norm",
    .help = "layer normalisation: every row by its own mean and variance, a scale and a shift per "
            "element (Ba, Kiros, Hinton, arXiv 1607.06450); or by its mean square (arXiv "
            "1910.07467); or groups of channels (arXiv 1803.08494)",
    .features = features,
    .feature_count = sizeof features / sizeof *features,
    .work = work,
    .cases = cases,
};
